"""Work: what an operator gives a machine to do, in the few amounts that its time is told from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mac_profiler.cost import Cost
from mac_profiler.fusion import fuse
from mac_profiler.graph import Op
from mac_profiler.kinds import kind_of
from mac_profiler.kinds_of_work import KINDS, PRODUCTS, kind_of_work
from mac_profiler.profile import Profile


@dataclass(frozen=True, slots=True)
class Work:
    """What one operator, or several that run as one kernel, give a machine to do.

    Attributes:
        kind: one of `KINDS`.
        operations: multiply-adds of products, FLOPs of the others.
        read_bytes: of inputs.
        write_bytes: of outputs.
        weight_bytes: of parameters and buffers.
        calls: how many times something is launched.
    """

    kind: str
    operations: float = 0.0
    read_bytes: float = 0.0
    write_bytes: float = 0.0
    weight_bytes: float = 0.0
    calls: float = 1.0

    @property
    def bytes_moved(self) -> float:
        """Of everything that is read and written."""
        return self.read_bytes + self.write_bytes + self.weight_bytes


@dataclass(frozen=True, slots=True)
class Task:
    """Work and where it comes from.

    Attributes:
        ops: positions in the graph of the operators that run as one; the first is the one that the work is named after.
        work: what they do.
    """

    ops: tuple[int, ...]
    work: Work


def tasks(profile: Profile, *, fused: bool = False) -> tuple[Task, ...]:
    """The work of a model, in order; views are none, and operators without a cost cannot be told.

    Args:
        profile: counted operators.
        fused: as an ideal fusing engine would run them, see `mac_profiler.fusion`; else each operator by itself.
    """
    ops, costs = profile.graph.ops, profile.costs
    if not fused:
        return tuple(
            Task((i,), work_of(op, cost))
            for i, (op, cost) in enumerate(zip(ops, costs, strict=True))
            if cost is not None and not op.view
        )
    found = []
    for kernel in fuse(profile.graph, costs):
        if kernel.cost is None:
            continue
        main = max(kernel.ops, key=lambda i: _weight(ops[i], costs[i]))
        others = tuple(i for i in kernel.ops if i != main)
        found.append(Task((main, *others), _amounts(kind_of_work(ops[main]), ops[main], kernel.cost)))
    return tuple(found)


def tally(works: Iterable[Work]) -> dict[str, Work]:
    """Sums by kind, in the order of `KINDS`."""
    sums: dict[str, list[float]] = {}
    for work in works:
        entry = sums.setdefault(work.kind, [0.0] * 5)
        for i, amount in enumerate((work.operations, work.read_bytes, work.write_bytes, work.weight_bytes, work.calls)):
            entry[i] += amount
    return {kind: Work(kind, *sums[kind]) for kind in KINDS if kind in sums}


def work_of(op: Op, cost: Cost) -> Work:
    """What one operator does."""
    return _amounts(kind_of_work(op), op, cost)


def _amounts(kind: str, op: Op, cost: Cost) -> Work:
    # Operands may differ in size; the bytes are dealt out by elements, so that they add up to those that are counted.
    size = cost.bytes_moved / cost.accesses if cost.accesses else 0.0
    return Work(
        kind,
        float(cost.mult_adds if kind in PRODUCTS else cost.flops),
        cost.input_reads * size,
        cost.output_writes * size,
        cost.weight_reads * size,
    )


def _weight(op: Op, cost: Cost | None) -> tuple[int, int, int]:
    """How much an operator shapes the kernel that it runs in: products first, then what is more than element-wise."""
    if cost is None:
        return (0, 0, 0)
    return (cost.mult_adds, kind_of(op) in ("anchor", "reduction"), cost.accesses)
