"""Overview: a Profile as a Document: which rows and columns answer the question that was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Literal

from mac_profiler.columns import COLUMNS, Column
from mac_profiler.cost import Cost
from mac_profiler.cross_check import Comparison, Difference
from mac_profiler.document import Document, Line, Table
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Op, shapes
from mac_profiler.profile import Profile, Row, ancestors, totals
from mac_profiler.registry import did_you_mean
from mac_profiler.units import shape

SCHEMA_VERSION = 1
Grouping = Literal["module", "op", "target"]

# What a trace mode means to a reader; "shapes" is the rule and needs no word.
MODES = {
    "shapes": "",
    "values": "small tensors that the model's control flow depends on were computed",
    "run": "the model was run, because its control flow depends on data",
    "assume": "sizes that depend on data were assumed",
}
FIGURES = ("mult_adds", "flops", "accesses", "bytes_moved")
SHOWN: Mapping[Grouping, tuple[str, ...]] = {
    "module": ("path", "module", *FIGURES, "parameters", "output", "share"),
    "op": ("path", "target", "source", "inputs", "outputs", *FIGURES, "phase", "share"),
    "target": ("target", "calls", *FIGURES, "share"),
}
EXPLAINED = ("mult_adds", "flops", "accesses", "fused_accesses", "peak_activation_bytes")
OWN = "(own operators)"


@dataclass(frozen=True, slots=True)
class View:
    """What of a profile is shown.

    Attributes:
        by: what a row is.
        depth: levels of modules below the model; only for rows that are modules.
        sort: key of the column to sort by, largest first; None keeps the order of the model.
        top: number of rows; None shows all. Without a sort the largest by multiply-adds.
    """

    by: Grouping = "module"
    depth: int = 2
    sort: str | None = None
    top: int | None = None


def describe(profile: Profile, view: View = View(), comparison: Comparison | None = None) -> Document:
    """What is said about a profile.

    Raises:
        InvalidInput: the view sorts by a column that its table has not.
    """
    graph = profile.graph
    tables = [_table(profile, view)]
    if comparison is not None:
        tables += _comparison_tables(comparison)
    figures = totals(profile)
    said = [COLUMNS[key] for key in (*EXPLAINED[:4], "bytes_moved", "parameters", "peak_activation_bytes", "op_count")]
    dtypes = dict.fromkeys(value.dtype for value in graph.inputs)
    return Document(
        title=graph.model,
        facts={
            "input": ", ".join(shape(value.shape) for value in graph.inputs) or "no tensor",
            "dtype": ", ".join(dtypes) or "none",
            "trace": graph.mode,
        },
        tables=tuple(tables),
        totals=tuple((column, figures[column.key]) for column in said),
        partial=not profile.complete,
        warnings=_warnings(profile),
        notes=_notes(profile),
        legend=tuple((COLUMNS[key].title, COLUMNS[key].source) for key in EXPLAINED),
        data=partial(_data, profile, comparison),
    )


def _warnings(profile: Profile) -> tuple[str, ...]:
    if profile.complete:
        return ()
    calls = sum(profile.uncounted.values())
    named = ", ".join(f"{target} ({times})" for target, times in profile.uncounted.items())
    operators = "operator" if calls == 1 else "operators"
    remedy = "Register a formula for each with mac_profiler.formula."
    return (f"lower bound: {calls} {operators} not counted: {named}. {remedy}",)


def _notes(profile: Profile) -> tuple[str, ...]:
    graph = profile.graph
    if graph.mode == "shapes":
        return graph.notes
    return (f"trace mode '{graph.mode}': {MODES.get(graph.mode, 'see the notes')}.", *graph.notes)


def _table(profile: Profile, view: View) -> Table:
    columns = tuple(COLUMNS[key] for key in SHOWN[view.by])
    if view.by == "op" and all(op.phase == "forward" for op in profile.graph.ops):
        columns = tuple(column for column in columns if column.key != "phase")
    sort = _sort_key(view, columns)
    base = sort if sort in (*FIGURES, "parameters", "calls") else "mult_adds"
    share = replace(COLUMNS["share"], title="share" if base == "mult_adds" else f"share of {COLUMNS[base].title}")
    columns = tuple(share if column.key == "share" else column for column in columns)
    whole: dict[str, Any] = {
        **_figures(profile.total), "parameters": profile.parameters, "calls": profile.op_count,
    }  # fmt: skip
    build = {"module": _called_module_lines, "op": _op_lines, "target": _target_lines}[view.by]
    lines = [_with_share(line, base, whole[base]) for line in build(profile, view)]
    tree = view.by == "module" and sort is None
    if sort is not None:
        # A stable sort: equal rows stay in the model's order. What is unknown comes last, being no number.
        lines.sort(key=lambda line: -1 if line.values.get(sort) is None else line.values[sort], reverse=True)
        lines = [replace(line, level=0, label="") for line in lines]
    kept = lines if view.top is None else lines[: view.top]
    total = _with_share(Line({columns[0].key: "total", **whole}, partial=not profile.complete), base, whole[base])
    return Table(columns, tuple(kept), total=total, tree=tree, more=len(lines) - len(kept))


def _sort_key(view: View, columns: Sequence[Column]) -> str | None:
    if view.sort is None:
        return None if view.top is None else "mult_adds"
    sortable = [column.key for column in columns if column.numeric]
    key = view.sort.replace("-", "_").lower()
    if key not in sortable:
        raise InvalidInput(
            f"cannot sort by '{view.sort}'.{did_you_mean(key, sortable)} The columns are {', '.join(sortable)}."
        )
    return key


def _with_share(line: Line, key: str, whole: int) -> Line:
    part = line.values.get(key)
    return replace(line, values={**line.values, "share": part / whole if part is not None and whole else None})


def _figures(cost: Cost | None) -> dict[str, int | None]:
    return {key: None if cost is None else getattr(cost, key) for key in FIGURES}


def _called_module_lines(profile: Profile, view: View) -> Iterator[Line]:
    # Identities, containers that only index and dropout at inference are rows of zeros.
    for line in _module_lines(profile, view):
        if line.values["calls"] or line.values["parameters"]:
            yield line


def _module_lines(profile: Profile, view: View) -> Iterator[Line]:
    outputs: dict[str, tuple[int, ...]] = {}
    for op in profile.graph.ops:
        if op.phase == "forward" and op.outputs:
            for path in ancestors(op.path):
                outputs[path] = op.outputs[0].shape
    for path, row in profile.by_module(depth=view.depth).items():
        if path:
            values = {"path": path, "module": row.type, **_row(row), "output": outputs.get(path)}
            yield Line(values, path.count("."), path.rpartition(".")[2], row.uncounted > 0)
    own = [cost for op, cost in zip(profile.graph.ops, profile.costs, strict=True) if not op.path]
    counted = sum((cost for cost in own if cost is not None), Cost())
    module = profile.graph.modules.get("")
    parameters = module.parameters if module else 0
    if counted != Cost() or None in own or parameters:
        row = Row(OWN, "", counted, parameters, len(own), own.count(None))
        yield Line({"path": OWN, "module": "", **_row(row), "output": None}, 0, OWN, row.uncounted > 0)


def _row(row: Row) -> dict[str, Any]:
    # A group in which nothing could be counted is unknown, not zero.
    known = None if row.uncounted and row.cost == Cost() else row.cost
    return {**_figures(known), "parameters": row.parameters, "calls": row.op_count}


def _op_lines(profile: Profile, view: View) -> Iterator[Line]:
    for op, cost in zip(profile.graph.ops, profile.costs, strict=True):
        yield Line({**_operator(op), **_figures(cost)})


def _operator(op: Op) -> dict[str, Any]:
    return {
        "path": op.path, "target": op.target, "source": op.source,
        "inputs": shapes(op.inputs), "outputs": shapes(op.outputs), "phase": op.phase,
    }  # fmt: skip


def _target_lines(profile: Profile, view: View) -> Iterator[Line]:
    for target, row in profile.by_target().items():
        yield Line({"target": target, **_row(row)}, partial=row.uncounted > 0)


def _data(profile: Profile, comparison: Comparison | None) -> Mapping[str, Any]:
    """The JSON contract; keys after "uncounted" are additions to it."""
    graph = profile.graph
    whole = View(depth=max((path.count(".") + 1 for path in graph.modules), default=0))
    data = {
        "schema_version": SCHEMA_VERSION,
        "model": graph.model,
        "inputs": shapes(graph.inputs),
        "totals": dict(totals(profile)),
        "ops": profile.records(),
        "uncounted": dict(profile.uncounted),
        "input_dtypes": [value.dtype for value in graph.inputs],
        "mode": graph.mode,
        "notes": list(graph.notes),
        "modules": [_plain(line) for line in _module_lines(profile, whole) if line.values["path"] != OWN],
        "convention": {key: COLUMNS[key].source for key in EXPLAINED},
    }
    return data if comparison is None else {**data, "cross_check": asdict(comparison)}


def _plain(line: Line) -> dict[str, Any]:
    return {**line.values, "complete": not line.partial}


TOTALS = tuple(COLUMNS[key] for key in ("peer", "theirs", "difference", "convention"))
PARTS = tuple(COLUMNS[key] for key in ("difference", "ours_ops", "theirs_ops", "places", "example", "reason"))


def _comparison_tables(comparison: Comparison) -> list[Table]:
    """The totals side by side, and for every peer that differs, what its difference is made of."""
    lines = [Line({"peer": "macprof", "theirs": comparison.mult_adds, "convention": COLUMNS["mult_adds"].source})]
    details: list[Table] = []
    for answer in comparison.answers:
        difference = None if answer.mult_adds is None else answer.mult_adds - comparison.mult_adds
        said = answer.convention if answer.mult_adds is not None else answer.message
        lines.append(
            Line({"peer": answer.peer, "theirs": answer.mult_adds, "difference": difference, "convention": said})
        )
        if answer.differences:
            parts = tuple(map(_part, answer.differences))
            details.append(Table(PARTS, parts, title=f"Where {answer.peer} differs"))
    return [Table(TOTALS, tuple(lines), title="Cross-check: multiply-adds of the forward pass"), *details]


def _part(difference: Difference) -> Line:
    return Line(
        {
            "difference": difference.amount,
            "ours_ops": ", ".join(difference.ours) or "nothing",
            "theirs_ops": ", ".join(difference.theirs) or "nothing",
            "places": difference.places,
            "example": difference.example or "the model itself",
            "reason": difference.reason,
        }
    )
