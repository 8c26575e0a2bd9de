"""One line for every complexity that the two papers' tables print, with ours beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import mac_profiler
from experiments.complexity.readings import READINGS, count, plain, written_as
from mac_profiler import published
from mac_profiler.errors import MissingPackage
from mac_profiler.profile import Profile
from mac_profiler.published import Published, Row

TABLES = (
    "v1_table1", "v1_table2", "v1_table3", "v1_table4", "v1_table5", "v1_table6", "v2_table5", "v2_table6", "v2_table8",
)  # fmt: skip
QUANTITIES = ("mult_adds", "parameters")
# Further apart than this, a reason is owed.
TOLERANCE = 0.02

Line = Mapping[str, Any]


def collect(names: Sequence[str] = TABLES) -> list[Line]:
    """Every row of the tables, in printed order."""
    return [line for name in names for row in published.table(name).rows for line in _lines(name, row)]


def _lines(table: str, row: Row) -> list[Line]:
    profile = _profile(row.model)
    figures = [row.figures[quantity] for quantity in QUANTITIES if quantity in row.figures]
    if not figures:
        # The table prints errors alone; what the network takes is said all the same.
        figures = [Published("mult_adds", "", published.table(table).source)]
    return [_line(table, row, figure, profile) for figure in figures]


def _line(table: str, row: Row, figure: Published, profile: Profile | None) -> Line:
    ours = None if profile is None else plain(figure.quantity, profile)
    ratio = ours / figure.value if ours is not None and figure.printed else None
    follows = profile is not None and bool(figure.printed) and _follows(figure, profile)
    return {
        "table": table,
        "row": row.label,
        "model": row.model,
        "quantity": figure.quantity,
        "printed": figure.printed,
        "ours": ours,
        "uncounted": None if profile is None else sum(profile.uncounted.values()),
        "ratio": ratio,
        "follows": follows,
        "apart": ratio is not None and abs(ratio - 1) > TOLERANCE,
        "reason": _reason(figure, ratio, follows),
    }


def _follows(figure: Published, profile: Profile) -> bool:
    """Whether the printed digits follow from our count, in the reading that is said of them."""
    return written_as(count(figure, profile), figure) == figure.printed


def _reason(figure: Published, ratio: float | None, follows: bool) -> str:
    """What is known of the difference; where the digits follow without more, they are too few."""
    said = [*(READINGS[part] for part in figure.reading.split(", ") if part), figure.note]
    if follows and not any(said) and ratio is not None and abs(ratio - 1) > TOLERANCE:
        return "printed with two digits, which follow"
    return "; ".join(filter(None, said))


@cache
def _profile(model: str) -> Profile | None:
    try:
        return mac_profiler.analyze(model)
    except MissingPackage:
        return None
