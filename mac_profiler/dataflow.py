"""Dataflow: what every operator reads and makes, memory followed through its views and in-place versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mac_profiler.cost import Cost
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.kinds import Kind, creates, kind_of


class Version:
    """What one operator left in one memory; a reader of any view of it needs that operator to have run.

    Attributes:
        step: the operator; None for what was there before the first one.
        size: elements of the memory.
        readers: those that read it, or a view of it, in order.
        deepest: greatest depth of a reader.
        leaves: it must be stored, whoever reads it.
        rigid: it was written in part, so that only memory holds the whole.
        external: the memory is the caller's or the model's.
    """

    __slots__ = ("deepest", "external", "leaves", "readers", "rigid", "size", "step")

    def __init__(self, step: Step | None, size: int, external: bool) -> None:
        self.step = step
        self.size = size
        self.readers: list[Step] = []
        self.deepest = 0
        self.leaves = False
        self.rigid = False
        self.external = external

    @property
    def sole(self) -> bool:
        """Whether one operator reads it, and nothing else needs it stored."""
        return len(self.readers) == 1 and not self.leaves and not self.rigid

    @property
    def stored(self) -> bool:
        """Whether it is stored in any case: something that cannot run with its maker reads it."""
        return self.leaves or self.step is None or self.deepest > self.step.depth


class Step:
    """One operator that runs.

    Attributes:
        op: the operator.
        index: its position in the graph.
        cost: its cost.
        kind: its kind; "anchor" where the cost does not read each operand exactly once.
        exact: whether the cost reads each operand exactly once.
        reads: memory region -> version of the memory, elements that are read.
        makes: versions that it writes, with elements and bytes written.
        after: operators that use memory which this one overwrites in part.
        depth: anchors and reductions on the longest way to its results.
    """

    __slots__ = ("after", "cost", "depth", "exact", "index", "kind", "makes", "op", "reads")

    def __init__(self, op: Op, index: int, cost: Cost | None) -> None:
        self.op = op
        self.index = index
        self.cost = cost
        self.kind: Kind = "anchor" if cost is None else kind_of(op)
        self.exact = True
        self.reads: dict[Value, tuple[Version, int]] = {}
        self.makes: list[tuple[Version, int, int]] = []
        self.after: tuple[Step, ...] = ()
        self.depth = 0


def follow(graph: Graph, costs: Sequence[Cost | None]) -> list[Step]:
    """The operators that run, views left out, in execution order.

    Args:
        graph: what was executed.
        costs: cost of each operator.
    """
    current: dict[Value, Version] = {}
    steps = []
    for index, (op, cost) in enumerate(zip(graph.ops, costs, strict=True)):
        if not op.view:
            step = Step(op, index, cost)
            _read(step, current)
            _write(step, current)
            steps.append(step)
    for value in graph.outputs:
        if value.owner in current:
            current[value.owner].leaves = True
    for version in current.values():
        version.leaves |= version.external
    # What nobody reads is taken for a result, unless it stands beside one that is used.
    idle = [
        version
        for version in current.values()
        if version.step and not any(made.readers or made.leaves for made, _, _ in version.step.makes)
    ]
    for version in idle:
        version.leaves = True
    return steps


def _read(step: Step, current: dict[Value, Version]) -> None:
    op, cost, reads = step.op, step.cost, step.reads
    if not creates(op):
        _gather(op.args.values(), current, reads)
    if cost is not None and not _agree(reads, cost):
        # An operator that overwrites all of its first operand (copy_) need not read it.
        overwritten = op.args.get("self")
        others = dict(reads)
        if op.writes and isinstance(overwritten, Value):
            others.pop(overwritten.memory, None)
        step.exact = _agree(others, cost)
        if step.exact:
            step.reads = reads = others
        else:
            step.kind = "anchor"
    depth = 0
    for version, _ in reads.values():
        if version.step is not None and version.step.depth > depth:
            depth = version.step.depth
    step.depth = depth = depth + (step.kind == "anchor" or step.kind == "reduction")
    for version, _ in reads.values():
        if not version.readers or version.readers[-1] is not step:
            version.readers.append(step)
            if depth > version.deepest:
                version.deepest = depth


def _gather(arguments: Iterable[Any], current: dict[Value, Version], reads: dict[Value, tuple[Version, int]]) -> None:
    for argument in arguments:
        if isinstance(argument, Value):
            owner = argument.base or argument
            version = current.get(owner)
            if version is None:
                version = current[owner] = Version(None, owner.footprint, external=True)
            if owner is argument:
                reads[owner] = version, version.size
            else:
                reads[argument.memory] = version, argument.footprint
        elif isinstance(argument, tuple | list):
            _gather(argument, current, reads)


def _agree(reads: dict[Value, tuple[Version, int]], cost: Cost) -> bool:
    """Whether the cost reads each of the regions exactly once."""
    weights = others = 0
    for region, (_, span) in reads.items():
        if region.role == "weight" or region.role == "buffer":
            weights += span
        else:
            others += span
    return others == cost.input_reads and weights == cost.weight_reads


def _write(step: Step, current: dict[Value, Version]) -> None:
    op, cost = step.op, step.cost
    spans = [value.footprint for value in op.outputs]
    # More than the outputs is written where running statistics are; less, where a scatter leaves elements alone.
    whole = cost is not None and sum(spans) <= cost.output_writes
    for value, span in zip(op.outputs, spans, strict=True):
        owner = value.owner
        old = current.get(owner)
        if not op.writes and (old is not None or value is not owner):
            continue  # a second name of what is there already
        external = value is not owner if old is None else old.external
        new = current[owner] = Version(step, owner.footprint, external)
        new.rigid = op.writes and (not whole or span < new.size)
        new.leaves = new.rigid or not whole
        if new.rigid and old is not None:
            _overwrite(step, old)
        step.makes.append((new, span, span * value.element_size))
    if op.writes and not op.outputs:
        # Which of its arguments it wrote, nobody knows.
        for region, (old, _) in step.reads.items():
            new = current[region.owner] = Version(step, old.size, old.external)
            new.leaves = new.rigid = True
            _overwrite(step, old)


def _overwrite(step: Step, old: Version) -> None:
    """What stays of the old version must be in memory, and those who want the rest must have read it."""
    old.leaves = True
    step.after += tuple(reader for reader in old.readers if reader is not step)
    if old.step is not None:
        step.after += (old.step,)
