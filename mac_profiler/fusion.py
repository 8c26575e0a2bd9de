"""Fusion: which operators an ideal engine would run as one kernel, and what those kernels still move.

Batch-norm folding, epilogues and one pass over a concat, shuffle and split are what the engines of the ShuffleNet V2
paper did (section 3 merges the three into one element-wise operation; G4: element-wise operators are not negligible).
A kernel reads every distinct tensor once and writes every result that somebody outside of it reads, or that leaves
the graph, once. The rules that say who runs together:

1. *Folding.* Batch-norm with fixed statistics whose input comes straight from a convolution or linear layer, and is
   read by nobody else, is folded into that layer's weights: it moves nothing and computes nothing. (The bias that
   folding gives to a layer without one is not counted: c elements beside a map of c x h x w.)
2. *Epilogue.* An element-wise operator runs in the kernel that makes one of its operands, whoever else reads that
   operand, and reads its other operands. Of several such kernels it runs in the last, the only one that has all
   operands at hand: a residual add joins the branch that ends last. Its result must be no larger than what that kernel
   runs over: the multiplication of squeeze-and-excitation, small factor times large tensor, is a pass of its own.
3. *Chains.* Connected element-wise operators run in one pass, chains and DAGs alike. A kernel of only such operators
   whose results nobody else has read yet is computed inside of the one that reads it.
4. *Reductions* (norms, softmax, sums) read each element once, so that they run in one kernel with the element-wise
   operators that lead to them, unless a convolution, matrix product or the like is in that kernel already. Operators
   that lead to a reduction from a tensor that is stored in any case run with the reduction, not with that tensor's
   producer: pow, mean, rsqrt and multiplication of a hand-written RMS-norm are one pass.
5. *Movement* (cat, stack, pad, copies, flips, the copy behind a channel shuffle) is index arithmetic. An operand that
   nobody else reads is written by its producer straight into its place: neither written nor read a second time.
   An operand that others read too, or that no kernel makes, is read once and written once. Concat, shuffle and split
   together so move each element that no producer put in place once in, once out.
6. *Anchors* (all the rest: convolution, matrix product, attention, pooling, gather ...) read their operands from memory
   and start a kernel; no operator is computed on the way into one.
7. A view is no operator here: its reader reads, of the memory behind it, as much as the view spans. Where an element
   lies never keeps operators apart.
8. In-place operators count as their out-of-place forms. Memory written piece by piece (an assignment to a slice,
   a scatter) is written and read as the operators say. A result beside a main one (the indices of max-pooling) that
   nobody reads is not written; a mutated input or buffer is.
9. An operator without a cost runs alone; everything around it goes through memory. One whose formula reads less or
   more than its operands span is an anchor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mac_profiler.cost import Cost
from mac_profiler.dataflow import Step, Version, follow
from mac_profiler.graph import Graph
from mac_profiler.kinds import linear_in_weight, normalises_by_batch


@dataclass(frozen=True, slots=True)
class Kernel:
    """Operators that run as one.

    Attributes:
        ops: their positions in the graph, ascending.
        cost: what the kernel computes and moves, folded operators left out; None for an operator without a cost.
    """

    ops: tuple[int, ...]
    cost: Cost | None


def fused_accesses(graph: Graph, costs: Sequence[Cost | None]) -> int:
    """Memory access cost, in elements, on an ideal fusing engine; operators without a cost count nothing.

    Never more than the sum of the operators' own accesses.

    Args:
        graph: what was executed.
        costs: cost of each operator.
    """
    return sum(kernel.cost.accesses for kernel in fuse(graph, costs) if kernel.cost is not None)


def fuse(graph: Graph, costs: Sequence[Cost | None]) -> tuple[Kernel, ...]:
    """The kernels of an ideal fusing engine, by their first operator; every operator but views is in exactly one.

    What a kernel writes straight into the result of another one is charged to the one whose result it is.

    Args:
        graph: what was executed.
        costs: cost of each operator.
    """
    return kernels_of(follow(graph, costs))


def kernels_of(steps: Sequence[Step]) -> tuple[Kernel, ...]:
    """The same, of operators that were followed already."""
    return _Fusion(steps).kernels()


class _Group:
    """A kernel while it is being put together.

    Every group that another one needs has a smaller order: that keeps the kernels free of cycles.
    """

    __slots__ = ("anchored", "extent", "floor", "order", "parent", "read", "runs_alone")

    def __init__(self, order: tuple[int, int]) -> None:
        self.order = order
        self.floor = order  # smallest order among those that write straight into its results
        self.parent: _Group | None = None
        self.anchored = False  # it has more than element-wise operators and movement
        self.runs_alone = False
        self.read = False  # a kernel outside has read a result
        self.extent = 0  # elements that it runs over


def _root(group: _Group) -> _Group:
    root = group
    while root.parent is not None:
        root = root.parent
    while group.parent is not None:
        group.parent, group = root, group.parent
    return root


class _Fusion:
    """Steps on their way into kernels, in execution order; one pass forward, each operator placed once."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.groups: dict[Step, _Group] = {}
        self.folded: set[Step] = set()
        self.placed: set[Version] = set()  # written by their makers straight into the result of their one reader
        self.parted: dict[Step, Step] = {}  # -> the movement into whose result several kernels write their parts
        self.leads: set[Step] = set()
        for step in reversed(steps):
            if (step.kind == "elementwise" or step.kind == "movement") and self._leads(step):
                self.leads.add(step)
        for step in steps:
            self._assign(step)

    def _leads(self, step: Step) -> bool:
        """Whether element-wise operators alone lie between an operator and a reduction."""
        return any(
            reader.kind == "reduction" or (reader.depth == step.depth and reader in self.leads)
            for version, _, _ in step.makes
            for reader in version.readers
        )

    def _assign(self, step: Step) -> None:
        """Put an operator into the last kernel that it needs, if the rules let it, or into one of its own."""
        sources: dict[_Group, list[Version]] = {}
        barriers = {_root(self.groups[other]) for other in step.after} if step.after else set()
        for version, _ in step.reads.values():
            if version.step is not None:
                group = _root(self.groups[version.step])
                if version.rigid:
                    barriers.add(group)
                else:
                    sources.setdefault(group, []).append(version)
        last = max((*sources, *barriers), key=_order, default=None)
        extent = max((value.elements for value in step.op.outputs), default=0)
        if last is not None and last not in barriers and self._joins(step, extent, last, sources):
            target = last
            self._continue(step, sources[last])
        else:
            target = _Group((0 if last is None else last.order[0] + 1, step.index))
        self.groups[step] = target
        target.runs_alone |= step.cost is None
        target.anchored |= step.kind == "anchor" or step.kind == "reduction"
        if step.kind == "reduction":
            extent = max(extent, *(region.elements for region in step.reads), 0)
        if extent > target.extent:
            target.extent = extent
        for group in barriers:
            group.read = True
        for group, versions in sources.items():
            if group is not target:
                self._settle(step, target, group, versions)

    def _joins(self, step: Step, extent: int, group: _Group, sources: dict[_Group, list[Version]]) -> bool:
        """Whether an operator may run in the last of the kernels that make its operands."""
        versions = sources[group]
        if group.runs_alone or step.kind == "anchor":
            return False
        if step.kind == "reduction":
            return not group.anchored
        if step.kind == "movement":
            return any(version.sole for version in versions)
        if group.anchored:
            if extent > group.extent:
                return False
            if step in self.leads and all(version.stored for version in versions):
                return False
        # Kernels that write their part of a result here run what follows on that part: they need the operands in time.
        parted = {self.parted.get(maker) for maker in _makers(versions)}
        if parted == {None}:
            return True
        return len(parted) == 1 and all(other is group or other.order < group.floor for other in sources)

    def _continue(self, step: Step, versions: Sequence[Version]) -> None:
        """What an operator takes over from the operators of the kernel that it joins."""
        for maker in _makers(versions):
            if maker in self.parted:
                self.parted[step] = step if step.kind == "movement" else self.parted[maker]
            if step.kind == "elementwise" and normalises_by_batch(step.op) and linear_in_weight(maker.op):
                # A weight that was computed is no constant to fold anything into.
                constant = any(region.role == "weight" for region in maker.reads)
                if constant and all(version.sole for version in versions):
                    self.folded.add(step)

    def _settle(self, step: Step, target: _Group, group: _Group, versions: Sequence[Version]) -> None:
        """What becomes of a kernel that an operator reads from without joining it."""
        straight = [version for version in versions if version.sole] if step.kind == "movement" else []
        mergeable = straight if step.kind == "movement" else step.kind != "anchor"
        if mergeable and not (group.anchored or group.runs_alone or group.read):
            group.parent = target
            target.extent = max(target.extent, group.extent)
            return
        group.read = True
        if straight and not group.runs_alone:
            self.placed.update(straight)
            self.parted[step] = step
            target.anchored = True
            target.floor = min(target.floor, group.floor)

    def kernels(self) -> tuple[Kernel, ...]:
        """What the kernels move: what their operators do, less what they hand to each other or have read already."""
        members: dict[_Group, list[Step]] = {}
        for step in self.steps:
            group = self.groups[step] = _root(self.groups[step])
            members.setdefault(group, []).append(step)
        kernels = []
        for group, steps in members.items():
            read: dict[object, int] = {}
            costs = [self._cost(step, group, read) for step in steps]
            total: Cost | None = costs[0]
            for cost in costs[1:]:
                total = None if total is None or cost is None else total + cost
            kernels.append(Kernel(tuple(step.index for step in steps), total))
        return tuple(kernels)

    def _cost(self, step: Step, group: _Group, read: dict[object, int]) -> Cost | None:
        """What an operator adds to its kernel, which has read these regions and these elements of versions."""
        cost = step.cost
        if cost is None:
            return None
        weights, inputs, writes, moved = cost.weight_reads, cost.input_reads, cost.output_writes, cost.bytes_moved
        for region, (version, span) in step.reads.items() if step.exact else ():
            at_hand = version in self.placed or self._inside(version, group) or (region, version) in read
            paid = 0
            if not at_hand and step not in self.folded:
                # Overlapping views of one tensor together read it once at most.
                paid = min(span, version.size - read.get(version, 0))
                read[region, version] = paid
                read[version] = read.get(version, 0) + paid
            saved = span - paid
            if region.role == "weight" or region.role == "buffer":
                weights -= saved
            else:
                inputs -= saved
            moved -= saved * region.element_size
        for version, span, size in step.makes:
            if not version.leaves and (
                version in self.placed or all(self.groups[reader] is group for reader in version.readers)
            ):
                writes -= span
                moved -= size
        computes = step not in self.folded
        return Cost(cost.mult_adds * computes, cost.flops * computes, weights, inputs, writes, moved)

    def _inside(self, version: Version, group: _Group) -> bool:
        return version.step is not None and not version.rigid and self.groups[version.step] is group


def _order(group: _Group) -> tuple[int, int]:
    return group.order


def _makers(versions: Sequence[Version]) -> list[Step]:
    return [version.step for version in versions if version.step is not None]
