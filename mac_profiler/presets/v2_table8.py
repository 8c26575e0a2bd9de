"""Table 8 of ShuffleNet V2: networks of four levels of complexity by error and speed.

The paper times 8 images at once on its GPU and one on its ARM core. Two rows are one network, MobileNet V2 1.0, by the
error that its authors found and by that of the paper's own; it is counted and measured once.
"""

from __future__ import annotations

from mac_profiler.presets import Row
from mac_profiler.published import Table

NAME = "v2-table8"
TITLE = "networks of four levels of complexity"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 4 and Table 8"
TABLE = "v2_table8"


def rows(table: Table) -> list[Row]:
    """A row for each that is printed."""
    return [
        Row(row.label, row.model, row.figures, level=row.conditions["level"], batches={"cuda": 8}) for row in table.rows
    ]
