"""Agreements: which orders of a comparison's networks agree, within a level of complexity and over all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mac_profiler.comparison import LEVELS, Comparison, Contender
from mac_profiler.ordering import Agreement, agreement

MULT_ADDS = "multiply-adds"
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
    networks = distinct(comparison)
    found = []
    for order, beside in COMPARED:
        overall = _agreement(networks, order, beside)
        if overall.pairs:
            levels = {
                level: each
                for level in LEVELS
                if (each := _agreement([one for one in networks if one.level == level], order, beside)).pairs
            }
            found.append(Agreements(order, beside, overall, levels))
    return found


def distinct(comparison: Comparison) -> list[Contender]:
    """Every network once: a table may print one twice."""
    found = {(each.built_as or each.label, each.setting): each for each in reversed(comparison.contenders)}
    return list(reversed(found.values()))


def _agreement(networks: list[Contender], order: str, beside: str) -> Agreement:
    return agreement([each.place(order) for each in networks], [each.place(beside) for each in networks])
