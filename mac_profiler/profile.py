"""Profile: a graph with a cost on every operator; its sums, and what was not counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mac_profiler.cost import FORMULAS, ZERO, Cost
from mac_profiler.errors import FormulaFailed
from mac_profiler.fusion import fused_accesses
from mac_profiler.graph import Graph, Module, Op, shapes
from mac_profiler.liveness import peak_activation_bytes

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Row:
    """The sum over some operators: one row of a table.

    Attributes:
        name: module path, target, or whatever the operators were grouped by.
        type: class name of the module; "" where the group is no module.
        cost: sum over the operators that have a cost.
        parameters: elements of the parameters that belong to the group, its children's included; 0 where the group is
            no module.
        op_count: operators, views included.
        uncounted: operators without a formula among them.
    """

    name: str
    type: str
    cost: Cost
    parameters: int
    op_count: int
    uncounted: int


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """A graph with a cost on every operator.

    Attributes:
        graph: what was executed.
        costs: cost of each operator; None where no formula is known: unknown is never zero.
    """

    graph: Graph
    costs: tuple[Cost | None, ...]

    @cached_property
    def total(self) -> Cost:
        """Sum over all counted operators; a lower bound where `complete` is False."""
        return _sum(self.costs)

    @cached_property
    def uncounted(self) -> dict[str, int]:
        """Calls of every target that has no formula."""
        missing = (op.target for op, cost in zip(self.graph.ops, self.costs, strict=True) if cost is None)
        return dict(sorted(Counter(missing).items()))

    @property
    def complete(self) -> bool:
        """Whether every operator was counted."""
        return not self.uncounted

    @property
    def parameters(self) -> int:
        """Elements of all parameters of the model, each once, used or not."""
        return self.graph.parameters

    @property
    def op_count(self) -> int:
        """Number of executed operators, views included."""
        return len(self.graph.ops)

    @cached_property
    def fused_accesses(self) -> int:
        """Memory access cost in elements on an ideal fusing engine; the rules are in `mac_profiler.fusion`."""
        return fused_accesses(self.graph, self.costs)

    @cached_property
    def peak_activation_bytes(self) -> int:
        """Most bytes of inputs and activations alive at once, see `mac_profiler.liveness`."""
        return peak_activation_bytes(self.graph)

    def __repr__(self) -> str:
        bound = "" if self.complete else ", complete=False"
        return f"Profile({self.graph.model}, ops={self.op_count}, mult_adds={self.total.mult_adds}{bound})"

    def by_module(self, depth: int | None = None) -> dict[str, Row]:
        """A row for every module, its children included, parents before children; "" is the model.

        Args:
            depth: levels below the model to give rows to; None gives all.
        """
        sums: dict[str, list[Any]] = {}
        for path in self.graph.modules:
            sums[path] = [ZERO, 0, 0, 0]
        own: dict[str, list[Any]] = {}
        for op, cost in zip(self.graph.ops, self.costs, strict=True):
            entry = own.setdefault(op.path, [[], 0, 0])
            entry[0].append(cost)
            entry[1] += 1
            entry[2] += cost is None
        for path, (costs, count, missing) in own.items():
            cost = _sum(costs)
            for ancestor in ancestors(path):
                entry = sums.setdefault(ancestor, [ZERO, 0, 0, 0])
                entry[0] += cost
                entry[2] += count
                entry[3] += missing
        for path, module in self.graph.modules.items():
            if module.parameters:
                for ancestor in ancestors(path):
                    if ancestor in sums:
                        sums[ancestor][1] += module.parameters
        unknown = Module("", "", 0)
        return {
            path: Row(path, self.graph.modules.get(path, unknown).type, *entry)
            for path, entry in sums.items()
            if depth is None or path == "" or path.count(".") < depth
        }

    def by_target(self) -> dict[str, Row]:
        """A row for every kind of operator, in order of first execution."""
        groups: dict[str, list[Cost | None]] = {}
        for op, cost in zip(self.graph.ops, self.costs, strict=True):
            groups.setdefault(op.target, []).append(cost)
        return {
            target: Row(target, "", _sum(costs), 0, len(costs), costs.count(None)) for target, costs in groups.items()
        }

    def to_dataframe(self) -> pandas.DataFrame:
        """One row an operator, in the columns of the JSON contract; an unknown cost is <NA>."""
        import pandas

        frame = pandas.DataFrame(self.records(), columns=RECORD_FIELDS)
        counts = ["mult_adds", "flops", "accesses", "bytes_moved"]
        return frame.astype(dict.fromkeys(counts, "Int64"))

    def records(self) -> list[dict[str, Any]]:
        """One mapping an operator, with the fields of the JSON contract."""
        return [self._record(op, cost) for op, cost in zip(self.graph.ops, self.costs, strict=True)]

    def _record(self, op: Op, cost: Cost | None) -> dict[str, Any]:
        module = self.graph.modules.get(op.path)
        return {
            "path": op.path,
            "module": module.type if module else "",
            "target": op.target,
            "source": op.source,
            "inputs": shapes(op.inputs),
            "outputs": shapes(op.outputs),
            "mult_adds": cost.mult_adds if cost else None,
            "flops": cost.flops if cost else None,
            "accesses": cost.accesses if cost else None,
            "bytes_moved": cost.bytes_moved if cost else None,
            "phase": op.phase,
        }

    def _repr_html_(self) -> str:
        """Table of the modules, for notebooks."""
        import pandas

        rows = [
            {
                "module": row.name or self.graph.model,
                "type": row.type,
                "mult_adds": row.cost.mult_adds,
                "flops": row.cost.flops,
                "accesses": row.cost.accesses,
                "bytes_moved": row.cost.bytes_moved,
                "parameters": row.parameters,
            }
            for row in self.by_module(depth=2).values()
        ]
        table = str(pandas.DataFrame(rows).to_html(index=False, formatters=dict.fromkeys(_COUNTS, "{:,}".format)))
        missing = ", ".join(f"{target} ({calls})" for target, calls in self.uncounted.items())
        return table if self.complete else f"{table}<p>Lower bound, not counted: {missing}</p>"


_COUNTS = ("mult_adds", "flops", "accesses", "bytes_moved", "parameters")
RECORD_FIELDS = (
    "path", "module", "target", "source", "inputs", "outputs",
    "mult_adds", "flops", "accesses", "bytes_moved", "phase",
)  # fmt: skip


def count(graph: Graph) -> Profile:
    """Put a cost on every operator of a graph.

    A cost depends on an operator's signature alone, so each is computed once a process for each signature.
    """
    return Profile(graph, tuple(_cost(op) for op in graph.ops))


# Thousands of models in one process; beyond that, costs are computed anew.
_MOST_REMEMBERED = 200_000
_remembered: dict[tuple[object, Callable[[Op], Cost]], Cost] = {}


def _cost(op: Op) -> Cost | None:
    if op.view:
        return ZERO
    found = FORMULAS.get(op.target)
    if found is None:
        return None
    if op.signature is None:
        return _ask(found, op)
    key = (op.signature, found)
    cost = _remembered.get(key)
    if cost is None:
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.clear()
        cost = _remembered[key] = _ask(found, op)
    return cost


def _ask(found: Callable[[Op], Cost], op: Op) -> Cost:
    try:
        cost = found(op)
    except Exception as error:  # a user's formula may raise anything
        raise FormulaFailed(f"the formula of '{op.target}' raised {type(error).__name__}: {error}") from error
    if not isinstance(cost, Cost):
        raise FormulaFailed(f"the formula of '{op.target}' returned {type(cost).__name__}, not a mac_profiler.Cost")
    return cost


def ancestors(path: str) -> list[str]:
    """The path itself and every module around it, the model ("") first: "a.b" -> ["", "a", "a.b"]."""
    if not path:
        return [""]
    parts = path.split(".")
    return ["", *(".".join(parts[: i + 1]) for i in range(len(parts)))]


def _sum(costs: Iterable[Cost | None]) -> Cost:
    # Six running integers: adding Cost objects one by one makes an object an operator, which is felt at 100,000.
    mult_adds = flops = weight_reads = input_reads = output_writes = bytes_moved = 0
    for cost in costs:
        if cost is not None:
            mult_adds += cost.mult_adds
            flops += cost.flops
            weight_reads += cost.weight_reads
            input_reads += cost.input_reads
            output_writes += cost.output_writes
            bytes_moved += cost.bytes_moved
    return Cost(mult_adds, flops, weight_reads, input_reads, output_writes, bytes_moved)


def totals(profile: Profile) -> Mapping[str, int | bool]:
    """The totals of the JSON contract."""
    total = profile.total
    return {
        "mult_adds": total.mult_adds,
        "flops": total.flops,
        "accesses": total.accesses,
        "fused_accesses": profile.fused_accesses,
        "bytes_moved": total.bytes_moved,
        "parameters": profile.parameters,
        "peak_activation_bytes": profile.peak_activation_bytes,
        "op_count": profile.op_count,
        "complete": profile.complete,
    }
