"""Regions: where data forks and joins again, by dominators; see `mac_profiler.blocks` for what they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mac_profiler.graph import Graph, Value

# Where data enters and leaves a part of the graph.
_ENTRY, _EXIT = -1, -2


@dataclass(frozen=True, slots=True)
class Region:
    """What lies between two neighbouring cuts.

    Attributes:
        fork: position of the cut before it; None at an entry.
        join: position of the cut behind it; None at an exit.
        ops: positions of the operators between, and of the join, ascending.
        branches: those between, by the parts that no data connects; an empty one stands for a direct way.
        inner: regions within.
    """

    fork: int | None
    join: int | None
    ops: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    inner: tuple[Region, ...]


def regions(graph: Graph) -> tuple[Region, ...]:
    """The outermost regions of a graph's forward pass, in order."""
    cutter = _Cutter(graph)
    return tuple(cutter.cut(cutter.alive))


def common_path(paths: Collection[str]) -> str:
    """The innermost module around all paths."""
    parts: list[str] | None = None
    for path in set(paths):
        own = path.split(".") if path else []
        parts = own if parts is None else parts
        same = 0
        while same < min(len(parts), len(own)) and parts[same] == own[same]:
            same += 1
        parts = parts[:same]
    return ".".join(parts or [])


def connected(ops: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The operators, parted into those that pairs of them connect, in the order of the first of each part.

    Args:
        ops: positions, ascending.
        pairs: any; those that name another operator are passed over.
    """
    root = {i: i for i in ops}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = i = root[root[i]]
        return i

    for i, j in pairs:
        if i in root and j in root:
            a, b = find(i), find(j)
            root[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = {}
    for i in ops:
        found.setdefault(find(i), []).append(i)
    return [tuple(each) for each in found.values()]


def _flow(graph: Graph) -> set[tuple[int, int]]:
    """Pairs (i, j): operator j reads data from the hands of operator i.

    Fewer than the graph's edges. A name of a tensor outlives what was done to it: in `y = conv(x); relu_(y); f(y)` only
    ReLU hands data to f. And of what is written, a view that is taken afterwards hands it on.
    """
    producer: dict[Value, int] = {}
    writer: dict[Value, tuple[int, bool]] = {}
    found: set[tuple[int, int]] = set()
    for j, op in enumerate(graph.ops):
        for value in op.inputs:
            made = producer.get(value, -1)
            written, whole = writer.get(value.owner, (-1, True))
            if written <= made or not whole:
                found.add((made, j))
            if written > made:
                found.add((written, j))
        for value in op.outputs:
            producer[value] = j
            if op.writes:
                writer[value.owner] = j, value.footprint == value.owner.footprint
    return {(i, j) for i, j in found if i >= 0}


class _Cutter:
    """Cuts parts of one graph.

    A part is a set of operators, entered by those that read data from outside of it, and left by those that somebody
    outside reads, or that make an output.
    """

    def __init__(self, graph: Graph) -> None:
        self.ops = graph.ops
        self.before: dict[int, list[int]] = defaultdict(list)
        self.after: dict[int, list[int]] = defaultdict(list)
        for i, j in _flow(graph):
            self.before[j].append(i)
            self.after[i].append(j)
        inputs = {value.owner for value in graph.inputs}
        outputs = {value.owner for value in graph.outputs}
        last = {value.owner: i for i, op in enumerate(graph.ops) for value in op.outputs if value.owner in outputs}
        # A graph that was written by hand may name neither: then whatever nobody made or reads is one.
        self.first = {j for j, op in enumerate(graph.ops) if any(value.owner in inputs for value in op.inputs)}
        self.first = self.first or {j for j in range(len(graph.ops)) if not self.before[j]}
        self.last = set(last.values()) or {i for i in range(len(graph.ops)) if not self.after[i]}

    @cached_property
    def alive(self) -> set[int]:
        """Operators of the forward pass between an input and an output."""
        fed: set[int] = set()
        for j, op in enumerate(self.ops):
            if op.phase == "forward" and (j in self.first or any(i in fed for i in self.before[j])):
                fed.add(j)
        used: set[int] = set()
        for i in sorted(fed, reverse=True):
            if i in self.last or any(j in used for j in self.after[i]):
                used.add(i)
        return used

    def cut(self, part: Collection[int]) -> Iterator[Region]:
        """The regions of a part, in order."""
        inside = set(part)
        ordered = sorted(inside)
        cuts = self._cuts(inside)
        place = 0
        for first, second in pairwise(cuts):
            # Operators run in the order of their positions, so that what lies between two cuts does in this too.
            start = place
            while place < len(ordered) and (second == _EXIT or ordered[place] < second):
                place += 1
            if place > start:
                region = self._region(first, second, ordered[start:place], inside)
                if first == _ENTRY and second == _EXIT:
                    # It neither begins nor ends in one place: only what is within it is a region.
                    yield from region.inner
                else:
                    yield region
            place += 1

    def _cuts(self, inside: set[int]) -> list[int]:
        """Entry, the operators that every way leads through, exit."""
        # Imported where it is used: only an audit needs it.
        import rustworkx

        names = [_EXIT, _ENTRY, *inside]
        numbers = {name: number for number, name in enumerate(names)}
        edges = []
        for i in inside:
            edges += [(numbers[i], numbers[j]) for j in self.after[i] if j in inside]
            if self._enters(i, inside):
                edges.append((numbers[_ENTRY], numbers[i]))
            if self._leaves(i, inside):
                edges.append((numbers[i], numbers[_EXIT]))
        drawn = rustworkx.PyDiGraph()
        drawn.add_nodes_from([None] * len(names))
        drawn.add_edges_from_no_data(edges)
        dominators = rustworkx.immediate_dominators(drawn, numbers[_ENTRY])
        chain = [numbers[_EXIT]]
        while names[chain[-1]] != _ENTRY:
            chain.append(dominators.get(chain[-1], numbers[_ENTRY]))
        return [names[number] for number in reversed(chain)]

    def _enters(self, i: int, inside: set[int]) -> bool:
        return i in self.first or any(k not in inside and k in self.alive for k in self.before[i])

    def _leaves(self, i: int, inside: set[int]) -> bool:
        return i in self.last or any(k not in inside and k in self.alive for k in self.after[i])

    def _region(self, first: int, second: int, between: Sequence[int], inside: set[int]) -> Region:
        parts = connected(between, ((i, j) for i in between for j in self.after[i]))
        direct = [()] if self._direct(first, second, inside) else []
        joins = [] if second == _EXIT or len(parts) > 1 else [second]
        inner: list[Region] = []
        for part in parts:
            if len(part) > 1:
                # Alone, or entered and left where the whole is, a part would be cut into itself for ever.
                cuts = self._cuts(set(part)) if len(parts) + len(direct) > 1 else []
                # Where it cannot be cut, the join belongs to the last of the modules that it is written in.
                inner += self.cut(part) if len(cuts) > 2 else self._by_module([*part, *joins])
        return Region(
            None if first == _ENTRY else first,
            None if second == _EXIT else second,
            tuple(between) if second == _EXIT else (*between, second),
            (*parts, *direct),
            tuple(inner),
        )

    def _direct(self, first: int, second: int, inside: set[int]) -> bool:
        """Whether data goes from one cut to the other with nothing between."""
        if first == _ENTRY:
            return second != _EXIT and self._enters(second, inside)
        return self._leaves(first, inside) if second == _EXIT else second in self.after[first]

    def _by_module(self, part: Sequence[int]) -> list[Region]:
        """Regions of a part that cannot be cut: those of the modules that it is written in, one by one."""
        around = common_path({self.ops[i].path for i in part})
        start = len(around) + 1 if around else 0
        modules: dict[str, list[int]] = {}
        for i in part:
            child = self.ops[i].path[start:].partition(".")[0]
            if child:
                modules.setdefault(child, []).append(i)
        return [region for own in modules.values() if len(own) > 1 for region in self.cut(own)]
