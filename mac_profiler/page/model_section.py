"""Model section: what the page says of one model: summary, score, where it goes, roofline, findings, operators."""

from __future__ import annotations

from mac_profiler import units
from mac_profiler.audited import Audited
from mac_profiler.columns import COLUMNS, Column
from mac_profiler.document import Line
from mac_profiler.explain import explain
from mac_profiler.overview import describe
from mac_profiler.page.finding_cards import findings
from mac_profiler.page.markup import Html, join, tag
from mac_profiler.page.tables import described, of_document, predicted_time, table
from mac_profiler.platform import Platform
from mac_profiler.score import GUIDELINES
from mac_profiler.verdict import summary


def model_section(audited: Audited, name: str, number: int) -> Html:
    """The section of one model; its name and number tell its elements from those of the others."""
    place = f"model-{number}"
    return tag(
        "section",
        tag("h2", name, id=f"{place}-name"),
        _summary(audited, name),
        _score(audited, name),
        tag("h3", "Where it goes"),
        tag(
            "p",
            "Every bar is a module, below the module that it is in; its width is its share. Arrow keys go from bar to "
            "bar, Enter zooms in, Escape zooms out.",
            class_="hint needs-script",
        ),
        tag("div", class_="icicle", data_model=number, role="group", aria_label=f"Modules of {name}"),
        tag(
            "details",
            tag("summary", "The same as a table"),
            tag("div", class_="modules", data_model=number),
            class_="needs-script",
        ),
        tag("h3", "Roofline"),
        tag(
            "p",
            "Every mark is an operator, or those that run as one: what it does a second, by its predicted time, at its "
            "FLOPs a byte moved. The lines are the most that the platform can do. A mark's area is its share of the "
            "time. Arrow keys go from mark to mark.",
            class_="hint needs-script",
        ),
        tag("div", class_="roofline", data_model=number, role="group", aria_label=f"Roofline of {name}"),
        tag("details", tag("summary", "The same by kind of work, as a table"), _by_kind(audited, name)),
        tag("h3", "Findings"),
        tag("p", summary(audited)),
        findings(audited),
        tag("h3", "Operators"),
        tag("div", class_="operators", data_model=number),
        id=place,
        aria_labelledby=f"{place}-name",
    )


def _summary(audited: Audited, name: str) -> Html:
    profile, prediction = audited.prediction.profile, audited.prediction
    document, told = describe(profile), explain(prediction, depth=1)
    low, high = prediction.interval
    between = f"nine in ten between {units.seconds(low)} and {units.seconds(high)}" if high > low else "error not known"
    tiles = [(column.title, _figure(column, value, document.partial)) for column, value in document.totals]
    tiles.append(("predicted time", join(tag("strong", predicted_time(prediction)), tag("span", between))))
    complete = (
        tag("p", "Complete: every operator has been counted.", class_="complete")
        if profile.complete
        else [tag("p", warning, class_="warning") for warning in document.warnings]
    )
    notes = (*document.notes, *told.notes, *audited.notes)
    facts = [*document.facts.items(), ("times of", _platform(prediction.platform))]
    return join(
        tag("h3", "Summary"),
        described(tiles, "tiles"),
        complete,
        described(facts, "facts"),
        # More than one part may say how the model was called.
        tag("ul", [tag("li", note) for note in dict.fromkeys(notes)], class_="notes"),
        _budget(audited, name),
    )


def _platform(platform: Platform) -> str:
    engine = "fused" if platform.fused else "operators one by one"
    return f"{platform.name} ({', '.join(filter(None, (platform.origin, platform.dtype, engine)))})"


def _figure(column: Column, value: float, partial: bool) -> Html:
    exact = "" if column.unit != "count" or value < 1000 else units.exact(int(value))
    bound = "≥ " if partial and column.key not in ("parameters", "op_count") else ""
    return join(tag("strong", bound + units.text(column.unit, value)), tag("span", exact) if exact else None)


def _budget(audited: Audited, name: str) -> Html | None:
    if not audited.budget:
        return None
    lines = [
        Line({"figure": each.figure, "limit": each.limit, "found": each.found,
              "kept": each.state})
        for each in audited.budget
    ]  # fmt: skip
    return table([COLUMNS[key] for key in ("figure", "limit", "found", "kept")], lines, f"Budget of {name}")


def _score(audited: Audited, name: str) -> Html:
    """Points as a bar and as a table: the score, and what each guideline takes, sum to 100."""
    score = audited.score
    parts = {"score": score.score, **score.points}
    bars, left = [], 0.0
    for i, points in enumerate(parts.values()):
        bars.append(tag("rect", x=f"{left:.3f}", y=0, width=f"{max(points, 0):.3f}", height=6, class_=f"part-{i}"))
        left += points
    said = ", ".join(f"{part} {units.number(points)}" for part, points in parts.items())
    picture = tag(
        "svg", bars, viewBox="0 0 100 6", preserveAspectRatio="none", role="img", class_="score",
        aria_label=f"Points: {said}",
    )  # fmt: skip
    seconds = {"score": score.ideal_seconds, **score.seconds}
    meaning = {"score": "multiply-adds at the best rate, and nothing besides", **GUIDELINES}
    rows = [
        tag(
            "tr",
            tag("th", tag("span", class_=f"key part-{i}", aria_hidden="true"), part, scope="row"),
            tag("td", units.number(points), class_="number"),
            tag("td", units.seconds(seconds[part]), class_="number"),
            tag("td", meaning[part]),
        )
        for i, (part, points) in enumerate(parts.items())
    ]
    head = [tag("th", "guideline", scope="col"), tag("th", "points", scope="col", class_="number")]
    head += [tag("th", "predicted", scope="col", class_="number"), tag("th", "what for", scope="col")]
    return join(
        tag("h3", f"Score: {units.number(score.score)} of 100"),
        picture,
        tag(
            "table",
            tag("caption", f"The score of {name}, and the points that each guideline takes"),
            tag("thead", tag("tr", head)),
            tag("tbody", rows),
        ),
    )


def _by_kind(audited: Audited, name: str) -> Html:
    told = explain(audited.prediction, depth=0)
    return of_document(told.tables[0], f"Predicted time of {name} by kind of work")
