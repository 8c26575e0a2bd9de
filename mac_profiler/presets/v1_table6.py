"""Table 6 of ShuffleNet V1: networks of like accuracy, and what each takes for it. It prints errors and no speeds."""

from __future__ import annotations

from mac_profiler.presets import Row
from mac_profiler.published import Table

NAME = "v1-table6"
TITLE = "complexity at like accuracy"
SOURCE = "Zhang et al., ShuffleNet, arXiv 1707.01083v2, Table 6"
TABLE = "v1_table6"


def rows(table: Table) -> list[Row]:
    """A row for each that is printed."""
    return [Row(row.label, row.model, row.figures) for row in table.rows]
