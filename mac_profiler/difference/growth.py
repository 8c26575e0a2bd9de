"""Growth: budgets of a change: how much more, or less, a figure may be than before: "mult_adds=+5%,accesses=+0"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from mac_profiler.amounts import parse_amount
from mac_profiler.budget import Item, parse_budget, parts_of
from mac_profiler.difference.side import SUMMED, Side
from mac_profiler.errors import InvalidInput

_SHARE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%")
FORM = "write FIGURE=+5%, FIGURE=+2M, FIGURE=+0 or, in all, FIGURE=150M, with commas between several"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a figure may be at most.

    Attributes:
        figure: one of `mac_profiler.budget.FIGURES`.
        factor: of what it was before.
        more: beside that; negative where it must become less.
    """

    figure: str
    factor: Fraction
    more: int

    def limit(self, before: int) -> int:
        """The largest whole number that is allowed."""
        return floor(self.factor * before) + self.more


def parse_allowances(text: str) -> tuple[Allowance, ...]:
    """Budgets as they are written on the command line.

    With a sign they are of the growth: "+5%" or "+2M" more at most, "-5%" at least so much less. Without one they are
    what an audit's are: "mult_adds=150M".

    Raises:
        InvalidInput: a figure is unknown or there twice, or the text has another form.
    """
    return tuple(_allowance(name, amount) for name, amount in parts_of(text, FORM).items())


def _allowance(figure: str, amount: str) -> Allowance:
    sign, rest = amount[0], amount[1:].strip()
    if sign not in "+-":
        if amount.endswith("%"):
            raise InvalidInput(f"the budget of {figure} cannot be {amount!r}: of what? Write +{amount} for the growth")
        return Allowance(figure, Fraction(0), parse_budget(f"{figure}={amount}")[figure])
    factor = -1 if sign == "-" else 1
    share = _SHARE.fullmatch(rest)
    if share:
        return Allowance(figure, 1 + factor * Fraction(share[1]) / 100, 0)
    try:
        return Allowance(figure, Fraction(1), factor * parse_amount(rest))
    except InvalidInput as error:
        raise InvalidInput(f"the budget of {figure} cannot be read: {error}; {FORM}") from error


def check_allowances(allowances: Sequence[Allowance], before: Side, after: Side) -> tuple[Item, ...]:
    """What was found of each figure of a budget, in the budget's order.

    Raises:
        InvalidInput: a figure is not known of one of them.
    """
    return tuple(_item(allowance, before, after) for allowance in allowances)


def _item(allowance: Allowance, before: Side, after: Side) -> Item:
    figure = allowance.figure
    needed = (before, after) if allowance.factor else (after,)
    for side in needed:
        if figure not in side.totals:
            raise InvalidInput(
                f"--budget {figure}: {side.name} does not tell it; save it with 'macprof analyze --format json' instead"
            )
    limit = allowance.limit(before.totals.get(figure, 0))
    costed = figure in SUMMED[:4] or figure == "fused_accesses"
    return Item(figure, limit, after.totals[figure], not costed or all(side.complete for side in needed))
