"""Blocks: the graph of operators cut into fork-join regions, nested, and what ShuffleNet V2 says of each.

An operator is a *cut* where every way from the inputs to the outputs leads through it: they are the dominators of the
exit. Between two neighbouring cuts lies nothing, or else a *block*: data forks behind the first cut, and joins in the
second. So a residual block lies between what its shortcut reads and the addition, an Inception block between its
input and its concatenation. The parts of a block that no data connects are its *branches*; a way without an operator
that runs is the identity, and a branch too. Within a branch there are cuts again, and blocks, which are nested.

A block whose parts are connected everywhere, as a dense block is, has one branch and no cut. Of such a block the
modules that it is written in are looked at one by one, with all that they read for their entry: a cell of NASNet
reads two earlier cells, which ties all cells into one region; as a module it is a block, that forks where it begins.

- *fragments*: convolutions, matrix products and poolings of a block: the individual convolution or pooling operations
  in one building block (arXiv 1807.11164v1, section 2, G3), 2 or 3 in a residual network.
- *units*: what a reader of one building block sees: its own fragments, and each nested block of another module as one.
- *width*: most units of which none needs another one: so many could run at once (Dilworth: as many chains cover them).
- *depth*: most units in a row, each of which needs the one before it.
- *work* and *span*: FLOPs of all operators, and of the most costly way through them, so that on any number of
  processors the block takes at least its span; *parallelism* is work by span.

Operators that no data of the input reaches, or that lead to no output, are in no block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mac_profiler.cost import Cost
from mac_profiler.graph import Graph, Op
from mac_profiler.kinds import kind_of
from mac_profiler.kinds_of_work import PRODUCTS, kind_of_work
from mac_profiler.structure.regions import Region, common_path, regions


@dataclass(frozen=True, eq=False)
class Block:
    """A fork-join region.

    Attributes:
        path: of the innermost module that all of it runs in.
        fork: position of the operator behind which it forks; None where it forks at the entry of its module.
        join: position of the operator that joins it; None where it ends in several outputs.
        ops: positions of its operators, the join among them, the fork not.
        branches: positions of the operators of each branch; none in the identity.
        fragments: positions of its convolutions, matrix products and poolings.
        units: each a fragment, or the fragments of a nested block of another module.
        width: most units that could run at once.
        depth: most units in a row.
        work: FLOPs of its operators.
        span: FLOPs of the most costly way through it.
        elementwise_share: share of its memory access that element-wise operators have: additions, activations,
            batch-norm, concatenations and copies, and depthwise convolutions (G4 counts them so).
        inner: blocks nested in it.
    """

    path: str
    fork: int | None
    join: int | None
    ops: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    fragments: tuple[int, ...]
    units: tuple[tuple[int, ...], ...]
    width: int
    depth: int
    work: int
    span: int
    elementwise_share: float
    inner: tuple[Block, ...] = ()

    @property
    def parallelism(self) -> float:
        """Work by span; 1 where nothing is computed."""
        return self.work / self.span if self.span else 1.0

    def walk(self) -> Iterator[Block]:
        """It, and all blocks within it."""
        yield self
        for block in self.inner:
            yield from block.walk()


def find_blocks(graph: Graph, costs: Sequence[Cost | None]) -> tuple[Block, ...]:
    """The outermost blocks of a graph, in order; those within them are in `inner`.

    Args:
        graph: what was executed; of a backward pass only the forward part is looked at.
        costs: cost of each operator; one without a cost counts nothing.
    """
    describer = _Describer(graph, costs)
    return tuple(describer.describe(region) for region in regions(graph))


def all_blocks(blocks: Iterable[Block]) -> list[Block]:
    """Nested ones too, each before those within it."""
    return [inner for block in blocks for inner in block.walk()]


def is_fragment(op: Op) -> bool:
    """Whether it is a convolution, matrix product or pooling."""
    return kind_of_work(op) in PRODUCTS or "pool" in op.target


def is_elementwise(op: Op) -> bool:
    """Whether it is element-wise, or moves elements, in the sense of G4: depthwise convolutions are."""
    return kind_of(op) in ("elementwise", "movement") or kind_of_work(op) == "depthwise_conv"


class _Describer:
    """From regions to blocks."""

    def __init__(self, graph: Graph, costs: Sequence[Cost | None]) -> None:
        self.graph = graph
        self.costs = costs
        self.before: Mapping[int, list[int]] = self._before()

    def _before(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for i, j in self.graph.edges():
            found[j].append(i)
        return found

    @cached_property
    def fragments(self) -> frozenset[int]:
        """Positions of all fragments of the graph."""
        return frozenset(i for i, op in enumerate(self.graph.ops) if not op.view and is_fragment(op))

    def describe(self, region: Region) -> Block:
        inner = tuple(self.describe(each) for each in region.inner)
        path = common_path({self.graph.ops[i].path for i in region.ops})
        fragments = tuple(i for i in region.ops if i in self.fragments)
        units = self._units(path, fragments, inner)
        ops = [self.graph.ops[i] for i in region.ops]
        accesses = [0 if (cost := self.costs[i]) is None else cost.accesses for i in region.ops]
        moved = sum(each for op, each in zip(ops, accesses, strict=True) if is_elementwise(op))
        work, span = self._work_and_span(region.ops)
        return Block(
            path,
            region.fork,
            region.join,
            region.ops,
            tuple(tuple(i for i in branch if not self.graph.ops[i].view) for branch in region.branches),
            fragments,
            units,
            *self._width_and_depth(region.ops, units),
            work,
            span,
            moved / sum(accesses) if any(accesses) else 0.0,
            inner,
        )

    @staticmethod
    def _units(path: str, fragments: Sequence[int], inner: Sequence[Block]) -> tuple[tuple[int, ...], ...]:
        """A nested block written in the same module is a part of the design; one of another module is a unit of it."""
        apart = [block for block in inner for block in _apart(block, path)]
        taken = {i for block in apart for i in block.fragments}
        found = [(i,) for i in fragments if i not in taken] + [block.fragments for block in apart if block.fragments]
        return tuple(sorted(found))

    def _work_and_span(self, ops: Sequence[int]) -> tuple[int, int]:
        longest: dict[int, int] = {}
        work = 0
        for i in ops:
            cost = self.costs[i]
            flops = cost.flops if cost is not None else 0
            work += flops
            longest[i] = flops + max((longest.get(k, 0) for k in self.before.get(i, ())), default=0)
        return work, max(longest.values(), default=0)

    def _width_and_depth(self, ops: Sequence[int], units: Sequence[tuple[int, ...]]) -> tuple[int, int]:
        owner = {i: number for number, unit in enumerate(units) for i in unit}
        # The units that each operator needs, as bits.
        needs: dict[int, int] = {}
        of_unit = [0] * len(units)
        for i in ops:
            bits = 0
            for k in self.before.get(i, ()):
                bits |= needs.get(k, 0)
            if i in owner:
                of_unit[owner[i]] |= bits & ~(1 << owner[i])
                bits |= 1 << owner[i]
            needs[i] = bits
        depth = [0] * len(units)
        for number, bits in enumerate(of_unit):
            depth[number] = 1 + max((depth[k] for k in range(number) if bits >> k & 1), default=0)
        return _antichain(of_unit), max(depth, default=0)


def _antichain(needs: Sequence[int]) -> int:
    """Largest set of which none needs another one: all, less the most that can follow another one in some chain."""
    size = len(needs)
    pairs = [(earlier, later) for later, bits in enumerate(needs) for earlier in range(size) if bits >> earlier & 1]
    if not pairs:
        return size
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rows, columns = zip(*pairs, strict=True)
    matched = maximum_bipartite_matching(csr_matrix(([1] * len(pairs), (rows, columns)), shape=(size, size)))
    return size - int((matched >= 0).sum())


def _apart(block: Block, path: str) -> Iterator[Block]:
    """The outermost of a block and those within it that are written in another module than that of the path."""
    if block.path != path:
        yield block
    else:
        for each in block.inner:
            yield from _apart(each, path)
