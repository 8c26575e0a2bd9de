"""Table 5 of ShuffleNet V1: beside MobileNet, at four complexities. It prints errors and no speeds."""

from __future__ import annotations

from mac_profiler.presets import Row
from mac_profiler.published import Table

NAME = "v1-table5"
TITLE = "ShuffleNet beside MobileNet"
SOURCE = "Zhang et al., ShuffleNet, arXiv 1707.01083v2, Table 5"
TABLE = "v1_table5"


def rows(table: Table) -> list[Row]:
    """A row for each that is printed."""
    return [Row(row.label, row.model, row.figures) for row in table.rows]
