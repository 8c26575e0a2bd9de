"""Table 1(a) of ShuffleNet V2's appendix: speed at three sizes of images.

The paper times 8 images at once on its GPU where they fit the purpose, and one where a network is larger; only rows of
one batch are put in an order. Sizes are printed width first.
"""

from __future__ import annotations

import re

from mac_profiler.presets import Row, size_of
from mac_profiler.published import Table

NAME = "v2-appendix-1a"
TITLE = "speed at three sizes of images"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, appendix, Table 1(a)"
TABLE = "v2_appendix_table1a"
NOTES = ("The level of a row is its complexity with images of 224x224; the table prints no other.",)

LEVEL = re.compile(r"(\d+M)FLOPs")


def rows(table: Table) -> list[Row]:
    """A row for each that is printed."""
    return [
        Row(
            row.label,
            row.model,
            row.figures,
            shape=size_of(row.conditions["input_size"], width_first=True),
            setting=row.conditions["input_size"],
            level="".join(LEVEL.findall(row.label)),
            batches={"cuda": int(row.conditions["gpu_batch_size"])},
        )
        for row in table.rows
    ]
