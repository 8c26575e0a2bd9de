"""Reuse: how much of what one block of a network is given arrives, untouched, in a later block.

ShuffleNet V2 (arXiv 1807.11164, section 3): in every unit a part of the channels passes by and joins the next unit, so
that r^j of them connect unit i with unit i + j, where r is the part that passes by. Here it is found in the graph
alone, without that formula, and for any network.

Followed are the channels that a block reads from outside of it: those of its input, each once, however often it is
read. So many of them, whole and bit for bit, are among the channels that a later block reads; the unit that comes next
is at distance 1, and has r of them. With `side="output"` the channels that a block hands on are followed instead:
in a chain of units, the output of one is the input of the next, which has all of them, and distance j means r^(j - 1).
DenseNet's Figure 4(a) asks for the output: there, a layer's input holds the outputs of all layers before it.

A channel is `untouched` where operators only moved it, see `mac_profiler.provenance`. A residual network touches all,
for it adds to them. What it keeps is said apart: a channel is `carried` where it is untouched, or a summand, with
factor 1, of what is carried. Both are statements about structure: weights are not looked at. DenseNet's figure shows
l1-norms of trained weights, how much a layer makes of what it reads; that is another quantity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np

from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Value
from mac_profiler.movement import Identities
from mac_profiler.provenance import Provenance, fingerprints

Side = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Connection:
    """What a later block reads of an earlier one.

    Attributes:
        source: path of the earlier block.
        target: path of the later block.
        distance: blocks from one to the other; 1 for the next.
        channels: channels of the source that were followed.
        untouched: how many of them are among the channels that the target reads.
        carried: how many of them are, or are summands of such as are.
        unknown: channels that the target reads of which, or of a summand of which, it is not known where they come
            from; where there are none, the other counts are exact, otherwise they are lower bounds.
    """

    source: str
    target: str
    distance: int
    channels: int
    untouched: int
    carried: int
    unknown: int

    @property
    def fraction(self) -> Fraction:
        """Untouched channels of those that were followed."""
        return Fraction(self.untouched, self.channels)

    @property
    def carried_fraction(self) -> Fraction:
        """Carried channels of those that were followed."""
        return Fraction(self.carried, self.channels)


@dataclass(frozen=True, slots=True)
class Reuse:
    """What the blocks of a network read of each other.

    Attributes:
        model: name of the model.
        side: which channels of the earlier block were followed.
        blocks: paths, in the order in which they began to run.
        connections: of every block with every later one, by source, then by distance.
        not_understood: operators that may or may not have moved something, with their calls.
    """

    model: str
    side: Side
    blocks: tuple[str, ...]
    connections: tuple[Connection, ...]
    not_understood: Mapping[str, int] = field(default_factory=dict)

    def between(self, source: str, target: str) -> Connection:
        """The connection of two blocks, by path.

        Raises:
            InvalidInput: the target does not run after the source, or one of them is no block.
        """
        for each in self.connections:
            if (each.source, each.target) == (source, target):
                return each
        raise InvalidInput(f"no block {target!r} runs after a block {source!r}; blocks: {', '.join(self.blocks)}")


def find_reuse(
    graph: Graph, blocks: Sequence[str], *, side: Side = "input", dim: int = 1, disregarded: Collection[str] = ()
) -> Reuse:
    """Follow the channels of every block into all later ones.

    Args:
        graph: what one call of a model executed; the backward pass in it is left out.
        blocks: paths of modules. One that runs several times is one block, which has all their inputs.
        side: which channels of the earlier block are followed.
        dim: where a tensor has its channels; those with fewer dimensions, and with integers, are not looked at.
        disregarded: targets, such as "aten.relu", that are taken to hand on what they read.

    Raises:
        InvalidInput: no operator of a block ran, or it reads, or hands on, no tensor with channels.
    """
    plan = _Plan(graph, blocks, side, dim)
    provenance = Provenance(disregarded)
    followed: dict[str, set[bytes]] = {block: set() for block in plan.order}
    arrived: dict[str, _Arrivals] = {block: _Arrivals() for block in plan.order}
    for index, op in enumerate(graph.ops):
        if op.phase == "backward":
            continue
        for block, value in plan.entering[index]:
            rows = _rows(provenance.identities(value), dim)
            arrived[block].add(rows, provenance)
            if side == "input":
                followed[block].update(fingerprints(rows))
        provenance.run(op)
        for block, value in plan.leaving[index]:
            rows = _rows(provenance.identities(value), dim)
            followed[block].update(fingerprints(rows))
        for owner in plan.dying[index]:
            provenance.forget(owner)
    connections = tuple(
        Connection(
            source=plan.order[i],
            target=plan.order[k],
            distance=k - i,
            channels=len(followed[plan.order[i]]),
            untouched=len(followed[plan.order[i]] & arrived[plan.order[k]].untouched),
            carried=len(followed[plan.order[i]] & arrived[plan.order[k]].carried),
            unknown=arrived[plan.order[k]].unknown,
        )
        for i, k in combinations(range(len(plan.order)), 2)
    )
    return Reuse(graph.model, side, plan.order, connections, dict(provenance.not_understood))


class _Arrivals:
    """The channels that a block reads: themselves, and with all their summands."""

    def __init__(self) -> None:
        self.untouched: set[bytes] = set()
        self.carried: set[bytes] = set()
        self.unknown = 0

    def add(self, rows: Identities, provenance: Provenance) -> None:
        """Channels, [channels, elements]."""
        self.untouched.update(fingerprints(rows))
        unknown: set[int] = set()
        for found, keys, origins in provenance.expansions(rows):
            self.carried.update(keys)
            unknown.update(origins[(found < 0).any(axis=1)].tolist())
        self.unknown += len(unknown)


def _rows(identities: Identities, dim: int) -> Identities:
    """[channels, elements]."""
    channels = np.moveaxis(identities, dim, 0)
    return channels.reshape(len(channels), -1)


class _Plan:
    """Where blocks begin and end, what they read and hand on, and when memory is read for the last time."""

    def __init__(self, graph: Graph, blocks: Sequence[str], side: Side, dim: int) -> None:
        self.entering: defaultdict[int, list[tuple[str, Value]]] = defaultdict(list)
        self.leaving: defaultdict[int, list[tuple[str, Value]]] = defaultdict(list)
        self.dying: defaultdict[int, list[Value]] = defaultdict(list)
        inside = {block: _inside(graph, block) for block in dict.fromkeys(blocks)}
        self.order = tuple(sorted(inside, key=lambda block: inside[block][0]))
        last: dict[Value, int] = {}
        maker: dict[Value, int] = {}
        readers: defaultdict[Value, list[int]] = defaultdict(list)
        for index, op in enumerate(graph.ops):
            for value in (*op.inputs, *op.outputs):
                last[value.owner] = index
            for value in op.outputs:
                maker[value] = index
            for value in op.inputs:
                readers[value].append(index)
        for value in graph.outputs:
            readers[value].append(len(graph.ops))
        for block, indices in inside.items():
            own = set(indices)
            entering = {
                value: index
                for index in reversed(indices)
                for value in graph.ops[index].inputs
                if maker.get(value) not in own and _has_channels(value, dim)
            }
            for value, index in entering.items():
                self.entering[index].append((block, value))
            end = indices[-1]
            leaving = [
                value
                for value in dict.fromkeys(value for index in indices for value in graph.ops[index].outputs)
                if _has_channels(value, dim) and any(reader not in own for reader in readers[value])
            ]
            if not (entering if side == "input" else leaving):
                verb = "reads" if side == "input" else "hands on"
                raise InvalidInput(f"block {block!r} {verb} no floating-point tensor with a dimension {dim}")
            if side == "output":
                for value in leaving:
                    self.leaving[end].append((block, value))
                    last[value.owner] = max(last[value.owner], end)
        for owner, index in last.items():
            self.dying[index].append(owner)


def _inside(graph: Graph, block: str) -> list[int]:
    found = [
        index
        for index, op in enumerate(graph.ops)
        if op.phase == "forward" and (op.path == block or op.path.startswith(f"{block}.") or not block)
    ]
    if not found:
        raise InvalidInput(f"no operator of a block {block!r} ran; give paths of modules, such as 'stage2.0'")
    return found


def _has_channels(value: Value, dim: int) -> bool:
    if value.role not in ("input", "activation") or not value.floating:
        return False
    return -len(value.shape) <= dim < len(value.shape) and value.elements > 0
