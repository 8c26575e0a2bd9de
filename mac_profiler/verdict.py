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
from mac_profiler.metrics import of_block, of_model
from mac_profiler.previewed import Preview
from mac_profiler.score import GUIDELINES
from mac_profiler.units import count, number, percent, ratio, seconds

LEGEND = (
    ("lost", "predicted time beyond that of the remedy, at equal multiply-adds, of the model's predicted time"),
    ("score", "share of the time that its multiply-adds alone would take at the best; the rest by guideline"),
)
NAMES = {"info": "note", "warning": "warning", "error": "error"}
# Rewritten places that are shown; all are in the other formats.
SHOWN = 12


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
        warnings.append(f"not counted, so not judged: {missing}")
    return Document(
        title=f"audit of {graph.model or 'model'}",
        facts={
            "inputs": ", ".join("x".join(map(str, value.shape)) for value in graph.inputs),
            "score": f"{number(audited.score.score)} of 100",
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
    counts = ", ".join(
        f"{found} {NAMES[severity]}{'s' if found > 1 else ''}" for severity, found in audited.counts.items()
    )
    found = f"Found {counts}" if counts else "Found nothing"
    places = sum(finding.count for finding in audited.findings)
    said = [f"{found} at {places} place{'s' if places > 1 else ''}" if counts else found]
    said[0] += f" in {audited.prediction.profile.op_count} operators by {len(audited.rules)} rules"
    said += [f"{left_out} left out {reason}" for reason, left_out in audited.silenced.items() if left_out]
    over = [item.figure for item in audited.budget if item.exceeded]
    if over:
        said.append(f"over budget: {', '.join(over)}")
    return "; ".join(said) + "."


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
                "message": f"{each.name}: {each.message}",
                "remedy": f"{'Safe' if each.safe else 'Remedy'}: {each.remedy}",
                "gain": gained(each) if audited.measured else "",
            }
        )
        for each in audited.findings
    ]
    return Table(tuple(COLUMNS[key] for key in keys), tuple(lines))


def gained(finding: Finding) -> str:
    """What the remedy was measured to bring, in words."""
    gain = finding.gain
    if gain is None:
        return "Not measured: nothing that could be built stands for the remedy."
    return f"Measured here, {gain.subject}: {_told(gain)}"


def _told(gain: Gain) -> str:
    times = f"{seconds(gain.seconds)} and {seconds(gain.remedy_seconds)}"
    interval = f"[{ratio(gain.low)}, {ratio(gain.high)}]"
    if gain.verdict == "faster":
        saved = percent(1 - gain.ratio)
        return f"the remedy takes {saved} less, {ratio(gain.ratio)} of the time {interval}; {times}."
    if gain.verdict == "ambiguous":
        return f"no gain can be told, {ratio(gain.ratio)} of the time {interval}; {times}."
    worse = "is slower" if gain.verdict == "slower" else "takes the same"
    return f"it gains nothing here, the remedy {worse}: {ratio(gain.ratio)} of the time {interval}; {times}."


def _score(audited: Audited) -> Table:
    score = audited.score
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
    columns = tuple(COLUMNS[key] for key in ("guideline", "points", "predicted_seconds", "fact"))
    return Table(columns, tuple(lines), "Score, and points that each guideline takes", total)


def _budget(audited: Audited) -> Table:
    lines = [
        Line(
            {
                "figure": item.figure,
                "limit": item.limit,
                "found": item.found,
                "kept": "over budget" if item.exceeded else "kept" if item.certain else "not all is counted",
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
    lines = [
        Line({"code": each.code, "path": each.path, "before": each.before, "after": each.after})
        for each in preview.rewrites
    ]
    columns = tuple(COLUMNS[key] for key in ("code", "path", "before", "after"))
    return Table(columns, tuple(lines[:SHOWN]), "Rewritten", more=max(0, len(lines) - SHOWN))


def _compared(preview: Preview) -> str:
    if not preview.rewrites:
        return "Nothing was rewritten: no safe remedy applies."
    verdict = "are equal" if preview.equal else "are NOT equal"
    return (
        f"Rewritten at {len(preview.rewrites)} places, the model runs {preview.ops_after} operators instead of "
        f"{preview.ops_before}, with {count(preview.accesses_after)} elements of memory access instead of "
        f"{count(preview.accesses_before)}; on random inputs its outputs {verdict}: they differ by "
        f"{preview.difference:.1e} at most, the largest being {preview.largest:.2g}."
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
