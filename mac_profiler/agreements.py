"""Agreements: which orders of a comparison's networks agree, within a level of complexity and over all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mac_profiler.comparison import LEVELS, Comparison, Contender
from mac_profiler.intervals import shared
from mac_profiler.measurement import Settings
from mac_profiler.ordering import Agreement, Order, agreement, order_of

MEASURED, ARM, MULT_ADDS = "measured", "ARM", "multiply-adds"
# Ours beside the paper's, ours and the paper's beside what networks are usually designed by, and the paper's two.
COMPARED = (
    ("measured", "ARM"), ("measured", "GPU"), ("measured", MULT_ADDS), ("measured", "predicted"),
    ("predicted", "ARM"), ("predicted", "GPU"), ("predicted", MULT_ADDS),
    ("ARM", MULT_ADDS), ("GPU", MULT_ADDS), ("ARM", "GPU"),
)  # fmt: skip
# What each is called in a sentence.
NAMES = {
    "measured": "the order of measured speed", "predicted": "the order of predicted speed",
    "ARM": "the paper's order on ARM", "GPU": "the paper's order on GPU", MULT_ADDS: "the order of multiply-adds",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agreements:
    """Two orders of the same networks.

    Attributes:
        order: one.
        beside: the other.
        overall: of all pairs.
        by_level: of the pairs within each level.
    """

    order: str
    beside: str
    overall: Agreement
    by_level: Mapping[str, Agreement]

    @property
    def within(self) -> Agreement:
        """Of all pairs that are at one level."""
        found = self.by_level.values()
        return Agreement(
            sum(each.agree for each in found), sum(each.disagree for each in found),
            sum(each.undecided for each in found),
        )  # fmt: skip

    @property
    def several(self) -> bool:
        """Whether the pairs within a level are others than all."""
        return self.within.pairs > 0 and self.within != self.overall


def agreements(comparison: Comparison) -> list[Agreements]:
    """Every two orders that know a pair of networks."""
    networks = comparison.networks
    orders = orders_of(comparison)
    members = {level: {i for i, each in enumerate(networks) if each.level == level} for level in LEVELS}
    found = []
    for order, beside in COMPARED:
        both = orders[order], orders[beside]
        overall = agreement(*both)
        if overall.pairs:
            by_level = {level: each for level, own in members.items() if (each := agreement(*both, own)).pairs}
            found.append(Agreements(order, beside, overall, by_level))
    return found


def orders_of(comparison: Comparison) -> dict[str, Order]:
    """Every order of `NAMES`, of its networks by number."""
    networks = comparison.networks
    return {name: _order(networks, name, comparison.settings) for name in NAMES}


def _order(networks: Sequence[Contender], name: str, settings: Settings | None) -> Order:
    placed = order_of([each.place(name) for each in networks])
    if name != MEASURED or settings is None:
        return placed
    return {(first, second): _timed(networks[first], networks[second], settings) for first, second in placed}


def _timed(one: Contender, other: Contender, settings: Settings) -> int:
    """-1 where one is faster than the other in the rounds that both took part in, 1 where slower, else 0.

    Round by round, as what slowed a round slowed both; their own intervals have in them how the machine changed.
    """
    beside = shared(other.measurement, one.measurement, settings)
    return 0 if beside is None else (beside.verdict == "slower") - (beside.verdict == "faster")
