"""Ordering: in how many pairs two orders of the same things agree; what cannot be told of a pair is counted apart.

An order says of pairs of things which one is above the other. Where both orders say so of a pair, they agree or they do
not. A pair that is a tie in one of them, or of which it cannot be told, is undecided. Of n things there are n(n-1)/2
pairs: agreements, disagreements and undecided pairs sum to those that both orders know.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

# Of pairs of things, by number, the lower one first: -1 where the first is below, 1 where it is above, 0 for a tie, or
# where it cannot be told. A pair that it does not know is not in it.
Order = Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two orders stand to each other.

    Attributes:
        agree: pairs that both put in the same order.
        disagree: pairs that they put in opposite orders.
        undecided: pairs that are a tie in one of them, or of which it cannot be told.
    """

    agree: int = 0
    disagree: int = 0
    undecided: int = 0

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.agree + self.disagree + self.undecided

    @property
    def share(self) -> float | None:
        """Agreements, of the pairs that are decided; None where none is."""
        decided = self.agree + self.disagree
        return self.agree / decided if decided else None


@dataclass(frozen=True, slots=True)
class Place:
    """What one order says of one thing.

    Attributes:
        value: where it lies: seconds, or anything else that is larger the slower it is.
        setting: only things of one setting are a pair: the same size of images, the same batch.
    """

    value: float
    setting: Hashable = ""


def order_of(places: Sequence[Place | None]) -> dict[tuple[int, int], int]:
    """The order of things by where they lie; one without a place is in no pair."""
    known = [(number, place) for number, place in enumerate(places) if place is not None]
    return {
        (first, second): (own.value > other.value) - (own.value < other.value)
        for (first, own), (second, other) in combinations(known, 2)
        if own.setting == other.setting
    }


def agreement(first: Order, second: Order, among: Collection[int] | None = None) -> Agreement:
    """In how many pairs two orders of the same things agree; pairs that one of them does not know are left out.

    Args:
        first: one order.
        second: the other.
        among: only pairs of these things; None takes all.
    """
    counts = {1: 0, -1: 0, 0: 0}
    for pair in first.keys() & second.keys():
        if among is None or (pair[0] in among and pair[1] in among):
            counts[first[pair] * second[pair]] += 1
    return Agreement(counts[1], counts[-1], counts[0])
