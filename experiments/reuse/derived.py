"""What follows from the connections that were found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """A block and a later one.

    Attributes:
        source: position of the earlier block.
        target: position of the later block.
        channels: channels of the source that were followed.
        arrived: how many of them arrived, in the sense that the network is shown in.
        unknown: channels of the target of which it is not known where they come from.
        expected: closed form of the part that arrives.
    """

    source: int
    target: int
    channels: int
    arrived: int
    unknown: int
    expected: Fraction

    @property
    def distance(self) -> int:
        """Blocks from one to the other."""
        return self.target - self.source

    @property
    def fraction(self) -> float:
        """Part of the channels that arrived."""
        return self.arrived / self.channels

    @property
    def exact(self) -> bool:
        """Whether the closed form asks for whole channels."""
        return (self.channels * self.expected).denominator == 1

    @property
    def met(self) -> bool:
        """Whether so many arrived, rounded up to whole channels, and it is known of all."""
        return self.arrived == ceil(self.channels * self.expected) and not self.unknown


def pairs(network: Mapping[str, Any]) -> list[Pair]:
    """All pairs of blocks; nothing arrives in those that the results leave out."""
    found = {(each["source"], each["target"]): each for each in network["connections"]}
    nothing = {network["shown"]: 0, "unknown": 0, "expected": "0"}
    return [
        Pair(
            source,
            target,
            network["channels"][source],
            each[network["shown"]],
            each["unknown"],
            Fraction(each["expected"]),
        )
        for source, target in combinations(range(len(network["blocks"])), 2)
        for each in [found.get((source, target), nothing)]
    ]


def by_distance(network: Mapping[str, Any]) -> dict[int, list[Pair]]:
    """The pairs that something can connect, by distance; all of them where nothing connects any."""
    every = pairs(network)
    some = [pair for pair in every if pair.arrived or pair.unknown or pair.expected] or every
    grouped: defaultdict[int, list[Pair]] = defaultdict(list)
    for pair in some:
        grouped[pair.distance].append(pair)
    return dict(sorted(grouped.items()))
