"""Verdict: an audit as a document: the findings, the score, the budget, and one line that sums up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mac_profiler import __version__
from mac_profiler.audit import Rule
from mac_profiler.audited import Audited
from mac_profiler.columns import COLUMNS
from mac_profiler.document import Document, Line, Table
from mac_profiler.finding import Finding, Gain
from mac_profiler.metrics import of_block, of_model, of_products
from mac_profiler.previewed import Preview
from mac_profiler.score import GUIDELINES
from mac_profiler.units import count, number, percent, ratio, seconds, shape

LEGEND = (
    ("lost", "predicted time beyond that of the remedy, at equal multiply-adds, of the model's predicted time"),
    ("score", "share of the time that its multiply-adds alone would take at the best; the rest by guideline"),
)
NAMES = {"info": "note", "warning": "warning", "error": "error"}
# Places of a finding that are named beside the first; all are in the other formats.
NAMED = 3


def describe_audit(audited: Audited, *, blocks: bool = False) -> Document:
    """The document of an audit.

    Args:
        audited: what was found.
        blocks: show the fork-join blocks too.
    """
    prediction = audited.prediction
    graph = prediction.profile.graph
    tables = [_findings(audited), _score(audited), _budget(audited)]
    notes = list(audited.notes)
    if blocks:
        tables.append(_blocks(audited))
    if audited.preview is not None:
        tables.append(_rewrites(audited.preview))
        notes.append(_compared(audited.preview))
    warnings = []
    if not prediction.profile.complete:
        missing = ", ".join(f"{target} ({calls})" for target, calls in prediction.profile.uncounted.items())
        warnings.append(
            f"not counted, so not judged: {missing}. Register a formula for each with mac_profiler.formula."
        )
    return Document(
        title=f"audit of {graph.model or 'model'}",
        facts={
            "inputs": ", ".join(shape(value.shape) for value in graph.inputs) or "no tensor",
            "score": f"{number(audited.score.score)} of 100"
            if prediction.total.total
            else "none, for nothing is computed",
            "predicted": seconds(prediction.total.total),
            "priced by": _platform(audited),
        },
        tables=tuple(tables),
        data=lambda: _data(audited),
        partial=not prediction.profile.complete,
        warnings=tuple(warnings),
        notes=(*notes, summary(audited)),
        legend=LEGEND,
    )


def summary(audited: Audited) -> str:
    """One line: what was found, what was silenced, what is over budget."""
    counts = ", ".join(_several(found, NAMES[severity]) for severity, found in audited.counts.items())
    found = f"Found {counts}" if counts else "Found nothing"
    said = [f"{found} at {_several(sum(finding.count for finding in audited.findings), 'place')}" if counts else found]
    operators = _several(audited.prediction.profile.op_count, "operator")
    said[0] += f" in {operators} by {_several(len(audited.rules), 'rule')}"
    said += [f"{left_out} left out {reason}" for reason, left_out in audited.silenced.items() if left_out]
    over = [item.figure for item in audited.budget if item.exceeded]
    if over:
        said.append(f"over budget: {', '.join(over)}")
    return "; ".join(said) + "."


def _several(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _platform(audited: Audited) -> str:
    platform = audited.prediction.platform
    made = platform.provenance.get("stated") or platform.provenance.get("learned_from")
    made = made or platform.provenance.get("gpu") or platform.provenance.get("cpu")
    return f"{platform.name} ({made})"


def _findings(audited: Audited) -> Table:
    keys = ["code", "severity", "place", "path", "times", "lost_share", "lost_seconds", "lost_accesses", "message"]
    keys += ["remedy", "gain"] if audited.measured else ["remedy"]
    total = audited.prediction.total.total
    lines = [
        Line(
            {
                "code": each.code,
                "severity": each.severity,
                "place": each.source,
                "path": each.path or "(model)",
                "times": each.count,
                "lost_share": each.seconds / total if total else 0.0,
                "lost_seconds": each.seconds,
                "lost_accesses": each.accesses,
                "message": f"{each.name}: {each.message}{_also(each)}",
                "remedy": f"{'Safe' if each.safe else 'Remedy'}: {each.remedy}",
                "gain": gained(each) if audited.measured else "",
            }
        )
        for each in audited.findings
    ]
    return Table(tuple(COLUMNS[key] for key in keys), tuple(lines))


def _also(finding: Finding) -> str:
    """The other places, each with its line where that is another."""
    others = [
        (place.path or "(model)") + (f" ({place.source})" if place.source not in ("", finding.source) else "")
        for place in finding.places[1:]
    ]
    if not others:
        return ""
    more = len(others) - NAMED
    return f"; also at {', '.join(others[:NAMED])}{f' and {more} more' if more > 0 else ''}"


def gained(finding: Finding) -> str:
    """What the remedy was measured to bring, in words."""
    gain = finding.gain
    if gain is None:
        return "Not measured: no case of it could be built and run."
    return f"Measured here, {gain.subject}: {_told(gain)}"


def _told(gain: Gain) -> str:
    spent = f"{ratio(gain.ratio)} of the time [{ratio(gain.low)}, {ratio(gain.high)}]"
    # Where no difference is sure, two medians beside each other would still look like one.
    if gain.verdict == "ambiguous":
        return f"no gain can be told, {spent}."
    if gain.verdict == "same":
        return f"it gains nothing here, the remedy takes the same: {spent}."
    times = f"{seconds(gain.seconds)} and {seconds(gain.remedy_seconds)}"
    if gain.verdict == "slower":
        return f"it gains nothing here, the remedy is slower: {spent}; {times}."
    return f"the remedy takes {percent(1 - gain.ratio)} less, {spent}; {times}."


def _score(audited: Audited) -> Table:
    score = audited.score
    columns = tuple(COLUMNS[key] for key in ("guideline", "points", "predicted_seconds", "fact"))
    if not audited.prediction.total.total:
        return Table(columns, ())
    own = {"guideline": "score", "points": score.score, "predicted_seconds": score.ideal_seconds}
    lines = [Line({**own, "fact": "multiply-adds at the best"})]
    lines += [
        Line(
            {
                "guideline": guideline,
                "points": points,
                "predicted_seconds": score.seconds[guideline],
                "fact": GUIDELINES[guideline],
            }
        )
        for guideline, points in score.points.items()
    ]
    everything = score.ideal_seconds + sum(score.seconds.values())
    total = Line({"guideline": "all", "points": 100.0, "predicted_seconds": everything, "fact": ""})
    return Table(columns, tuple(lines), "Score, and points that each guideline takes", total)


def _budget(audited: Audited) -> Table:
    lines = [
        Line(
            {
                "figure": item.figure,
                "limit": item.limit,
                "found": item.found,
                "kept": item.state,
            }
        )
        for item in audited.budget
    ]
    return Table(tuple(COLUMNS[key] for key in ("figure", "limit", "found", "kept")), tuple(lines), "Budget")


def _blocks(audited: Audited) -> Table:
    keys = ("path", "branches", "fragments", "width", "depth", "op_count", "parallelism", "elementwise_share")
    lines = [Line(of_block(audited.prediction.profile, block)) for block in audited.blocks]
    return Table(tuple(COLUMNS[key] for key in keys), tuple(lines), "Fork-join blocks")


def _rewrites(preview: Preview) -> Table:
    """What was rewritten alike in one line, at the first place of it."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in preview.rewrites:
        alike.setdefault((each.code, each.before, each.after), []).append(each.path)
    lines = [
        Line({"code": code, "path": paths[0] or "(model)", "times": len(paths), "before": before, "after": after})
        for (code, before, after), paths in alike.items()
    ]
    columns = tuple(COLUMNS[key] for key in ("code", "path", "times", "before", "after"))
    return Table(columns, tuple(lines), "Rewritten")


def _compared(preview: Preview) -> str:
    if not preview.rewrites:
        return "Nothing was rewritten: no safe remedy applies."
    verdict = "agree" if preview.equal else "do NOT agree"
    return (
        f"Rewritten at {_several(len(preview.rewrites), 'place')}, the model runs {preview.ops_after} operators "
        f"instead of {preview.ops_before}, with {count(preview.accesses_after)} elements of memory access instead of "
        f"{count(preview.accesses_before)}; on random inputs its outputs {verdict}: they differ by "
        f"{preview.difference:.1e} at most, and the largest is {preview.largest:.2g}."
    )


def described(rule: Rule) -> Mapping[str, Any]:
    """A rule as data."""
    return {
        "code": rule.code,
        "name": rule.name,
        "guideline": rule.code[:2],
        "summary": rule.summary,
        "limit": rule.limit,
        "metric": rule.metric,
        "safe": rule.safe,
        "manual": rule.manual,
    }


def _data(audited: Audited) -> Mapping[str, Any]:
    profile, score = audited.prediction.profile, audited.score
    return {
        "schema_version": 1,
        "tool_version": __version__,
        "model": profile.graph.model,
        "inputs": [list(value.shape) for value in profile.graph.inputs],
        "platform": audited.prediction.platform.name,
        "seconds": audited.prediction.total.total,
        "score": score.score,
        "points": dict(score.points),
        "summary": summary(audited),
        "findings": [each.as_json() for each in audited.findings],
        "silenced": dict(audited.silenced),
        "budget": [{**asdict(item), "exceeded": item.exceeded} for item in audited.budget],
        "notes": list(audited.notes),
        "preview": None if audited.preview is None else asdict(audited.preview),
        "metrics": of_model(profile),
        "blocks": [of_block(profile, block) for block in audited.blocks],
        "products": of_products(profile),
        "rules": [described(rule) for rule in audited.rules],
        "complete": profile.complete,
        "uncounted": profile.uncounted,
    }


def of_rules(rules: tuple[Rule, ...]) -> Document:
    """The rules as a document."""
    keys = ("code", "name", "value", "summary")
    lines = [
        Line(
            {
                "code": rule.code,
                "name": rule.name,
                "value": f"{'safe' if rule.safe else 'changes the network'}, limit {count(rule.limit)}",
                "summary": rule.summary,
            }
        )
        for rule in rules
    ]
    return Document(
        title=f"{len(rules)} rules",
        tables=(Table(tuple(COLUMNS[key] for key in keys), tuple(lines)),),
        data=lambda: {"schema_version": 1, "rules": [described(rule) for rule in rules]},
        facts={},
        notes=("'macprof rule CODE' prints a rule's manual.",),
    )
