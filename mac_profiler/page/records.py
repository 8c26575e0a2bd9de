"""Records: what the scripts of the page draw and list: operators, modules, and points under the roofline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.graph import shapes
from mac_profiler.kinds_of_work import kind_of_work
from mac_profiler.predict import Prediction
from mac_profiler.profile import ancestors
from mac_profiler.roofline import roofs
from mac_profiler.units import shapes as shown_shapes

# Columns of the table of operators, besides the number: their titles and units are those of every other format.
OF_OPERATOR = (
    "path", "target", "kind", "inputs", "outputs", "mult_adds", "flops", "accesses", "bytes_moved", "intensity",
    "predicted_seconds", "time_share", "bound", "source",
)  # fmt: skip
OF_MODULE = ("path", "module", "calls", "mult_adds", "accesses", "predicted_seconds", "parameters")
# What modules can be drawn by.
METRICS = ("mult_adds", "accesses", "predicted_seconds")


def of_model(prediction: Prediction, name: str) -> Mapping[str, Any]:
    """The records of one model, for JSON."""
    peak, bandwidths = roofs(prediction.platform)
    return {
        "name": name,
        "ops": _operators(prediction),
        "modules": _modules(prediction),
        "points": _points(prediction),
        "peak": _short(peak),
        "bandwidths": {name: _short(value) for name, value in bandwidths.items()},
    }


def columns(keys: Sequence[str]) -> list[dict[str, str]]:
    """Titles and units of columns, for the scripts."""
    own = {"intensity": ("FLOPs a byte", "number"), "predicted_seconds": ("predicted time", "seconds")}
    found = []
    for key in keys:
        title, unit = own.get(key) or (COLUMNS[key].title, COLUMNS[key].unit)
        # Shapes arrive as text.
        found.append({"key": key, "title": title, "unit": "text" if unit == "shapes" else unit})
    return found


def _operators(prediction: Prediction) -> list[list[Any]]:
    """A row an operator."""
    profile = prediction.profile
    total = prediction.total.total
    parts = {each.task.ops[0]: each for each in prediction.tasks}
    rows: list[list[Any]] = []
    for i, (op, cost) in enumerate(zip(profile.graph.ops, profile.costs, strict=True)):
        timed = parts.get(i)
        # A view takes no time; an operator in another's kernel has none of its own; one not counted may take any.
        seconds = timed.seconds.total if timed else 0.0 if op.view else None if cost is None else ""
        moved = cost.bytes_moved if cost else None
        figures = [cost.mult_adds, cost.flops, cost.accesses, moved] if cost else [None] * 4
        rows.append([
            op.path,
            op.target,
            "view" if op.view else _word(kind_of_work(op)) if cost else "not counted",
            shown_shapes(shapes(op.inputs)),
            shown_shapes(shapes(op.outputs)),
            *figures,
            None if cost is None else _short(cost.flops / moved) if moved else "",
            _short(seconds) if isinstance(seconds, float) else seconds,
            _short(seconds / total if total else 0.0) if isinstance(seconds, float) else seconds,
            timed.seconds.bound if timed else "",
            op.source,
        ])  # fmt: skip
    return rows


def _modules(prediction: Prediction) -> list[list[Any]]:
    """A row a module in which something runs, in the order of its first operator."""
    profile = prediction.profile
    seconds = prediction.by_module()
    rows = profile.by_module()
    ordered: dict[str, None] = {"": None}
    for op in profile.graph.ops:
        ordered.update(dict.fromkeys(ancestors(op.path)))
    found = []
    for path in ordered:
        row = rows[path]
        parts = seconds.get(path)
        found.append([
            path, row.type, row.op_count, row.cost.mult_adds, row.cost.accesses,
            _short(parts.total) if parts else 0.0, row.parameters,
        ])  # fmt: skip
    return found


def _points(prediction: Prediction) -> list[list[Any]]:
    """Of what runs as one: the operator it is named after, its kind, FLOPs, bytes moved, and seconds."""
    costs = prediction.profile.costs
    found = []
    for each in prediction.tasks:
        flops = sum(cost.flops for i in each.task.ops if (cost := costs[i]) is not None)
        moved = each.task.work.bytes_moved
        if flops and moved and each.seconds.total:
            found.append([each.task.ops[0], _word(each.task.work.kind), flops, moved, _short(each.seconds.total)])
    return found


def _word(kind: str) -> str:
    return kind.replace("_", " ")


def _short(number: float) -> float:
    """Six digits: no reader tells more apart, and a page of thousands of operators is half as long."""
    return float(f"{number:.6g}")
