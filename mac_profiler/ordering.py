"""Ordering: in how many pairs two orders of the same things agree; what cannot be told of a pair is counted apart.

Each thing has a span of seconds, or of anything else that is larger the slower it is. In a pair of which both spans lie
apart, in both orders, the orders agree or they do not. Where spans overlap, or are one number twice, the pair is
undecided. Of n things there are n(n-1)/2 pairs: agreements, disagreements and undecided pairs sum to them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Span:
    """Where a figure lies; the ends are the same where it is exact.

    Attributes:
        low: the end of the faster, or smaller.
        high: the other end.
    """

    low: float
    high: float

    @staticmethod
    def exact(value: float) -> Span:
        """A figure without an interval."""
        return Span(value, value)

    def side(self, other: Span) -> int:
        """-1 where it is surely below the other one, 1 where it is surely above, 0 where that cannot be told."""
        return (self.low > other.high) - (self.high < other.low)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two orders stand to each other.

    Attributes:
        agree: pairs that both put in the same order.
        disagree: pairs that they put in opposite orders.
        undecided: pairs that are a tie in one of them, or of which the intervals overlap.
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
        span: where it lies.
        setting: only things of one setting are a pair: the same size of images, the same batch.
    """

    span: Span
    setting: Hashable = ""


Order = Sequence[Place | None]


def agreement(first: Order, second: Order) -> Agreement:
    """In how many pairs two orders of the same things agree; things that one of them does not know are in no pair.

    Raises:
        ValueError: they are not of the same things.
    """
    known = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
    counts = {1: 0, -1: 0, 0: 0}
    for (own, beside), (own_next, beside_next) in combinations(known, 2):
        if own.setting == own_next.setting and beside.setting == beside_next.setting:
            counts[own.span.side(own_next.span) * beside.span.side(beside_next.span)] += 1
    return Agreement(counts[1], counts[-1], counts[0])
