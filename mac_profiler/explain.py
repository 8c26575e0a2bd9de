"""Explain: where a model's time goes on a platform, as a document: by kind of work, by module, operator by operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.document import Document, Line, Table
from mac_profiler.kinds_of_work import KINDS
from mac_profiler.predict import Parts, Prediction
from mac_profiler.profile import ancestors
from mac_profiler.shares import CATEGORIES, categories, published_shares
from mac_profiler.units import percent, seconds

OF_PARTS = ("predicted_seconds", "time_share", "compute_seconds", "memory_seconds", "launch_seconds", "bound")
# Operators that are shown with their measured times; all are in the other formats.
SHOWN = 15
LEGEND = (
    ("predicted", "compute + memory + launch, each operator by the law of its kind of work; nothing is run"),
    ("bound by", "the largest of the three parts"),
    ("ideal", "all multiply-adds at the best rate that the platform has for any, and nothing besides"),
)


def explain(prediction: Prediction, observed: Sequence[float | None] | None = None, *, depth: int = 2) -> Document:
    """Why a model takes its time.

    Args:
        prediction: of the model on a platform.
        observed: measured seconds of every operator of the graph; None where nothing was measured.
        depth: levels of modules.
    """
    graph, platform, total = prediction.profile.graph, prediction.platform, prediction.total
    low, high = prediction.interval
    tables = [_by_kind(prediction), _by_module(prediction, depth)]
    compute, memory, launch = (percent(_part(part, total)) for part in (total.compute, total.memory, total.launch))
    notes = [
        f"Of its time {compute} is computing, {memory} memory access and {launch} launching operators.",
        _fragmentation(prediction),
    ]
    if observed is not None:
        tables += [_beside(prediction, observed), _shares(prediction, observed)]
        notes += _told_by_measuring(prediction, observed)
    warnings = []
    if not prediction.profile.complete:
        missing = ", ".join(f"{target} ({calls})" for target, calls in prediction.profile.uncounted.items())
        warnings.append(f"not counted, so not in the time: {missing}")
    return Document(
        title=f"{graph.model or 'model'} on {platform.name}",
        facts={
            "inputs": ", ".join("x".join(map(str, value.shape)) for value in graph.inputs),
            "platform": _platform(prediction),
            "predicted": f"{seconds(total.total)}, nine in ten between {seconds(low)} and {seconds(high)}",
            "ideal": seconds(prediction.ideal) + _times(total.total, prediction.ideal),
        },
        tables=tuple(tables),
        data=lambda: _data(prediction, observed),
        partial=not prediction.profile.complete,
        warnings=tuple(warnings),
        notes=tuple(notes),
        legend=LEGEND,
    )


def _platform(prediction: Prediction) -> str:
    platform = prediction.platform
    made = platform.provenance.get("learned_from") or platform.provenance.get("gpu") or platform.provenance.get("cpu")
    return f"{platform.name} ({made}, {platform.dtype}, {'fused' if platform.fused else 'operators one by one'})"


def _times(total: float, ideal: float) -> str:
    return f"; the model takes {total / ideal:.1f} times as long" if ideal else ""


def _part(seconds_of_part: float, total: Parts) -> float:
    return seconds_of_part / total.total if total.total else 0.0


def _values(parts: Parts, total: Parts) -> dict[str, Any]:
    return {
        "predicted_seconds": parts.total,
        "time_share": _part(parts.total, total),
        "compute_seconds": parts.compute,
        "memory_seconds": parts.memory,
        "launch_seconds": parts.launch,
        "bound": parts.bound,
    }


def _fragmentation(prediction: Prediction) -> str:
    """How much of the time goes to operators too small to be worth their launch (G3 of ShuffleNet V2)."""
    small = [each.seconds.total for each in prediction.tasks if each.seconds.bound == "launch"]
    share = percent(sum(small) / prediction.total.total if prediction.total.total else 0.0)
    return (
        f"Fragmentation: {len(small)} of {len(prediction.tasks)} operators take longer to launch than to compute or to "
        f"move their data; together they take {share} of the time."
    )


def _by_kind(prediction: Prediction) -> Table:
    calls: dict[str, int] = {}
    for each in prediction.tasks:
        calls[each.task.work.kind] = calls.get(each.task.work.kind, 0) + 1
    lines = [
        Line({"kind": kind, "calls": calls[kind], **_values(parts, prediction.total)})
        for kind, parts in prediction.by_kind().items()
    ]
    total = Line({"kind": "all", "calls": len(prediction.tasks), **_values(prediction.total, prediction.total)})
    columns = tuple(COLUMNS[key] for key in ("kind", "calls", *OF_PARTS))
    return Table(columns, tuple(lines), "By kind of work", total)


def _by_module(prediction: Prediction, depth: int) -> Table:
    modules = prediction.profile.graph.modules
    best = prediction.ideal / max(prediction.profile.total.mult_adds, 1)
    rows = prediction.profile.by_module(depth)
    calls: dict[str, int] = {}
    for each in prediction.tasks:
        for around in ancestors(prediction.profile.graph.ops[each.task.ops[0]].path):
            calls[around] = calls.get(around, 0) + 1
    lines = []
    for path, parts in prediction.by_module(depth).items():
        ideal = best * rows[path].cost.mult_adds if path in rows else 0.0
        values = {
            "path": path,
            "module": modules[path].type if path in modules else "",
            "calls": calls[path],
            **_values(parts, prediction.total),
        }
        values["times_ideal"] = parts.total / ideal if ideal else None
        level = path.count(".") + 1 if path else 0
        lines.append(Line(values, level, path.rpartition(".")[2] or prediction.profile.graph.model or "model"))
    places = {path: place for place, path in enumerate(modules)}
    ordered = sorted(lines, key=lambda line: places.get(line.values["path"], len(places)))
    columns = tuple(COLUMNS[key] for key in ("path", "module", "calls", *OF_PARTS, "times_ideal"))
    return Table(columns, tuple(ordered), "By module", tree=True)


def _pairs(prediction: Prediction, observed: Sequence[float | None]) -> list[tuple[int, Parts, float]]:
    """Operators that run by themselves, with what was measured of them."""
    found = []
    for each in prediction.tasks:
        measured = observed[each.task.ops[0]]
        if len(each.task.ops) == 1 and measured is not None:
            found.append((each.task.ops[0], each.seconds, measured))
    return found


def _beside(prediction: Prediction, observed: Sequence[float | None]) -> Table:
    pairs = _pairs(prediction, observed)
    ranked = sorted(pairs, key=lambda pair: -abs(pair[1].total - pair[2]))
    ops = prediction.profile.graph.ops
    lines = [
        Line(
            {
                "path": ops[i].path,
                "target": ops[i].target,
                "inputs": [list(value.shape) for value in ops[i].inputs],
                "predicted_seconds": parts.total,
                "measured_seconds": measured,
                "residual": parts.total / measured - 1 if measured else None,
            }
        )
        for i, parts, measured in ranked[:SHOWN]
    ]
    columns = ("path", "target", "inputs", "predicted_seconds", "measured_seconds", "residual")
    title = "Operators whose prediction is furthest off"
    return Table(tuple(COLUMNS[key] for key in columns), tuple(lines), title, more=max(0, len(pairs) - SHOWN))


def _shares(prediction: Prediction, observed: Sequence[float | None]) -> Table:
    measured = categories(prediction.profile.graph, observed)
    printed = published_shares(prediction.profile.graph.model)
    platforms = [name for name in ("GPU", "ARM") if name in printed]
    lines = [
        Line(
            {"kind": category, "measured_share": measured[category]}
            | {f"published_{name.lower()}": printed[name].get(category) for name in platforms}
        )
        for category in CATEGORIES
    ]
    columns = ("kind", "measured_share", *(f"published_{name.lower()}" for name in platforms))
    title = "Shares of the measured time, as in Figure 2 of ShuffleNet V2"
    return Table(tuple(COLUMNS[key] for key in columns), tuple(lines), title)


def _told_by_measuring(prediction: Prediction, observed: Sequence[float | None]) -> list[str]:
    pairs = _pairs(prediction, observed)
    together, told = sum(measured for _, _, measured in pairs), sum(parts.total for _, parts, _ in pairs)
    missing = len(prediction.tasks) - len(pairs)
    found = [f"Measured by torch's profiler: {seconds(together)} in {len(pairs)} operators, predicted {seconds(told)}."]
    if missing:
        found.append(
            f"{missing} operators have no measured time: torch ran them inside of others, or in another number."
        )
    return found


def _data(prediction: Prediction, observed: Sequence[float | None] | None) -> Mapping[str, Any]:
    ops, total = prediction.profile.graph.ops, prediction.total
    low, high = prediction.interval
    found: dict[str, Any] = {
        "schema_version": 1,
        "model": prediction.profile.graph.model,
        "platform": prediction.platform.name,
        "error": prediction.platform.error,
        "totals": {
            "seconds": total.total, "low_seconds": low, "high_seconds": high, "ideal_seconds": prediction.ideal,
            **asdict(total), "complete": prediction.profile.complete,
        },
        "kinds": {kind: {**asdict(parts), "seconds": parts.total} for kind, parts in prediction.by_kind().items()},
        "modules": {path: {**asdict(parts), "seconds": parts.total} for path, parts in prediction.by_module().items()},
        "ops": [
            {
                "path": ops[each.task.ops[0]].path,
                "target": ops[each.task.ops[0]].target,
                "fused": [ops[i].target for i in each.task.ops[1:]],
                "kind": each.task.work.kind,
                **asdict(each.seconds),
                "seconds": each.seconds.total,
                "bound": each.seconds.bound,
                "measured_seconds": observed[each.task.ops[0]] if observed is not None else None,
            }
            for each in prediction.tasks
        ],
        "meaning": dict(KINDS),
    }  # fmt: skip
    if observed is not None:
        found["shares"] = {
            "measured": categories(prediction.profile.graph, observed),
            "published": published_shares(prediction.profile.graph.model),
        }
    return found
