"""League: a comparison of networks as a document: what each takes, its speed, what was printed, whose order agrees."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from mac_profiler.agreements import MULT_ADDS, NAMES, Agreements, agreements
from mac_profiler.columns import COLUMNS
from mac_profiler.comparison import LEVELS, Comparison, Contender
from mac_profiler.document import Document, Line, Table
from mac_profiler.ordering import Agreement
from mac_profiler.tallies import BESIDE, BUILD, COSTS, MEASURED, PREDICTED, PUBLISHED, ordered, tally

NAMED = ("setting", "level", "model")
WITHIN, OVERALL = "one level", "all"
NONE = "none"
NUMBER = re.compile(r"[\d.]+")
LEGEND = (("level", "of complexity, as ShuffleNet V2 compares networks; pairs within one have like multiply-adds"),)
# Where something was measured.
OF_TIMES = (
    ("median", "time of one call, with all of its images; from, to: the interval of the images a second"),
    ("undecided", "ties, and measured pairs of which the rounds that both took part in do not say who is faster"),
)


def describe_comparison(comparison: Comparison, *, sort: str | None = None, whole: bool = False) -> Document:
    """The document of a comparison.

    Args:
        comparison: what was found.
        sort: key of the column to sort by; None goes by level and multiply-adds.
        whole: one table with everything, for a format that holds one table.

    Raises:
        InvalidInput: it cannot be sorted so.
    """
    shown = ordered(comparison, sort)
    judged = agreements(comparison)
    tallies = [tally(comparison, each) for each in shown]
    return Document(
        title=comparison.title,
        facts=_facts(comparison),
        tables=(_whole(tallies),) if whole else (*_tables(tallies, comparison), _orders(judged)),
        partial=any(each.counts is not None and not each.counts.complete for each in shown),
        warnings=tuple(_warnings(comparison)),
        notes=(
            *comparison.notes,
            *_levels(comparison),
            *_sentences(judged, "measured" if comparison.settings is not None else "predicted"),
            *([f"Every sample is kept in '{comparison.store}', run {comparison.run}."] if comparison.run else []),
        ),
        legend=(*LEGEND, *(OF_TIMES if comparison.settings is not None else ())),
        data=lambda: _data(comparison, shown, tallies, judged),
    )


def _facts(comparison: Comparison) -> dict[str, str]:
    found = {}
    batches = sorted({each.images for each in comparison.contenders})
    found["batch"] = ", ".join(map(str, batches))
    found["predicted for"] = comparison.platform
    if comparison.settings is not None:
        environment = comparison.environment
        found["measured on"] = str(environment.get("gpu", environment.get("cpu", comparison.settings.device)))
        if comparison.settings.device == "cpu":
            found["threads"] = str(comparison.settings.threads)
    if comparison.baseline:
        found["baseline"] = comparison.baseline
    return found


def _tables(tallies: Sequence[Mapping[str, Any]], comparison: Comparison) -> list[Table]:
    parts: list[tuple[str, tuple[str, ...]]] = [
        ("What they take", COSTS),
        ("How they are built", BUILD),
        ("How fast they are", (*PREDICTED, *MEASURED)),
    ]
    # What was not built or measured has its reason there; without anything published it is among the warnings.
    if _known(PUBLISHED, tallies) or any(each.row for each in comparison.contenders):
        parts.append(("What was published", (*PUBLISHED, "reason")))
    if comparison.baseline:
        parts.append((f"Beside {comparison.baseline}", BESIDE))
    return [_table(title, (*NAMED, *keys), tallies) for title, keys in parts if _known(keys, tallies)]


def _known(keys: Sequence[str], tallies: Sequence[Mapping[str, Any]]) -> bool:
    return any(each[key] not in (None, "") for each in tallies for key in keys)


def _table(title: str, keys: Sequence[str], tallies: Sequence[Mapping[str, Any]]) -> Table:
    """A table of what is known of any; a level, or a size, that is that of the row above is left out."""
    known = [key for key in keys if key == "model" or _known([key], tallies)]
    around = _common_folder([each["model"] for each in tallies])
    lines, above = [], ("", "")
    at_none = NONE if _known(["level"], tallies) else ""
    for each in tallies:
        here = (each["setting"], each["level"] or at_none)
        level = "" if here == above else here[1]
        setting = "" if here[0] == above[0] else each["setting"]
        model = each["model"].removeprefix(around)
        lines.append(Line({**each, "model": model, "level": level, "setting": setting}))
        above = here
    return Table(tuple(COLUMNS[key] for key in known), tuple(lines), title)


def _common_folder(names: Sequence[str]) -> str:
    """The folder that all models named by a file are in, which tells none from another; "" where there is none."""
    folders = [name.rpartition("/")[0].split("/") for name in names if "/" in name]
    shared = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*folders, strict=False))]
    return "/".join([*shared, ""]) if len(folders) > 1 and shared else ""


def _whole(tallies: Sequence[Mapping[str, Any]]) -> Table:
    keys = (
        "model",
        "row",
        "setting",
        "level",
        "images",
        *COSTS,
        *BUILD,
        *PREDICTED,
        *MEASURED,
        *PUBLISHED,
        *BESIDE,
        "reason",
    )
    return Table(tuple(COLUMNS[key] for key in keys), tuple(map(Line, tallies)))


def _orders(judged: Sequence[Agreements]) -> Table:
    keys = ("order", "beside", "scope", "pairs", "agree", "disagree", "undecided", "agree_share")
    lines = []
    for each in judged:
        scopes = [(WITHIN, each.within)] if each.several else []
        for scope, found in (*scopes, (OVERALL, each.overall)):
            names = (each.order, each.beside) if scope == WITHIN or not scopes else ("", "")
            lines.append(Line({**dict(zip(keys, (*names, scope), strict=False)), **_figures(found)}))
    return Table(tuple(COLUMNS[key] for key in keys), tuple(lines), "Whose order agrees, in pairs of networks")


def _figures(found: Agreement) -> dict[str, Any]:
    return {
        "pairs": found.pairs,
        "agree": found.agree,
        "disagree": found.disagree,
        "undecided": found.undecided,
        "agree_share": found.share,
    }


def _sentences(judged: Sequence[Agreements], order: str) -> list[str]:
    """In how many pairs our order is the paper's, and the order of the multiply-adds."""
    told = {each.beside: each for each in judged if each.order == order and each.beside in ("ARM", "GPU", MULT_ADDS)}
    if not told:
        return []
    said = []
    for beside, each in told.items():
        within = f"{_said(each.within)} of one level, and in " if each.several else ""
        said.append(f"with {NAMES[beside]} in {within}{_said(each.overall)}{' in all' if within else ''}")
    return [f"{NAMES[order].capitalize()} agrees {'; '.join(said)}."]


def _said(found: Agreement) -> str:
    left = f", {found.undecided} undecided" if found.undecided else ""
    return f"{found.agree} of {found.pairs} pairs ({found.disagree} the other way{left})"


def _levels(comparison: Comparison) -> list[str]:
    """Where the levels come from, if there is more than one."""
    if len(comparison.levels) < 2:
        return []
    near = [each.label for each in comparison.contenders if each.level in LEVELS and not each.level_published]
    none = [each.label for each in comparison.contenders if each.level not in LEVELS and each.counts is not None]
    said = "Levels of complexity are the paper's"
    if near:
        said += f"; the nearest by multiply-adds where it says none: {_few(near)}"
    if none:
        said += f"; at none, being more than twice as large or small as any: {_few(none)}"
    return [f"{said}."]


def _few(labels: Sequence[str]) -> str:
    found = list(dict.fromkeys(labels))
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")


def _warnings(comparison: Comparison) -> list[str]:
    found = [f"{each.label}: {each.missing}" for each in comparison.contenders if each.missing and each.counts]
    partial = [each.label for each in comparison.contenders if each.counts is not None and not each.counts.complete]
    if partial:
        found.append(f"not all operators were counted, so figures are lower bounds: {_few(partial)}")
    told: dict[str, list[tuple[str, str]]] = {}
    for each in comparison.contenders:
        for warning in each.measurement.warnings if each.measurement is not None else ():
            told.setdefault(NUMBER.sub("", warning), []).append((warning, each.label))
    # Of warnings that differ in their figure alone, the first is told.
    return [*found, *(f"{same[0][0]} ({_few([label for _, label in same])})" for same in told.values())]


def _data(
    comparison: Comparison,
    shown: Sequence[Contender],
    tallies: Sequence[Mapping[str, Any]],
    judged: Sequence[Agreements],
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "title": comparison.title,
        "source": comparison.source,
        "platform": comparison.platform,
        "baseline": comparison.baseline,
        "run": comparison.run,
        "settings": None if comparison.settings is None else comparison.settings.as_json(),
        "environment": dict(comparison.environment),
        "levels": [level for level in LEVELS if level in comparison.levels],
        "models": [
            {
                **figures,
                "built_as": each.built_as,
                "inputs": [] if each.counts is None else [list(shape) for shape in each.counts.inputs],
                "complete": each.counts is not None and each.counts.complete,
                "level_published": each.level_published,
                "samples": 0 if each.measurement is None else len(each.measurement.samples),
                "stopped": "" if each.measurement is None else each.measurement.stopped,
                "published": {name: figure.printed for name, figure in each.figures.items()},
            }
            for each, figures in zip(shown, tallies, strict=True)
        ],
        "agreements": [
            {
                "order": each.order,
                "beside": each.beside,
                "overall": _figures(each.overall),
                "within_levels": _figures(each.within),
                "levels": {level: _figures(found) for level, found in each.by_level.items()},
            }
            for each in judged
        ],
        "warnings": _warnings(comparison),
        "notes": list(comparison.notes),
    }
