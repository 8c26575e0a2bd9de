"""Table 6 of ShuffleNet V2: large networks. It prints errors and no speeds."""

from __future__ import annotations

from mac_profiler.presets import Row
from mac_profiler.published import Table

NAME = "v2-table6"
TITLE = "large networks"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 4 and Table 6"
TABLE = "v2_table6"


def rows(table: Table) -> list[Row]:
    """A row for each that is printed."""
    return [Row(row.label, row.model, row.figures) for row in table.rows]
