"""Table 8 of ShuffleNet V1: actual against theoretical speed-up over AlexNet, at three sizes of images.

A printed row has three times, so each makes three rows here. The theoretical speed-up is how many times fewer
multiply-adds a network takes, the actual one by how much it is faster.
"""

from __future__ import annotations

from mac_profiler.presets import Row, size_of
from mac_profiler.published import Table

NAME = "v1-table8"
TITLE = "actual and theoretical speed-up over AlexNet"
SOURCE = "Zhang et al., ShuffleNet, arXiv 1707.01083v2, Table 8"
TABLE = "v1_table8"
BASELINE = "alexnet"
NOTES = ("The paper times one image on one thread of a Snapdragon 820, which stands here as its ARM speed.",)

SIZES = ("224x224", "480x640", "720x1280")
# The complexity that is printed is that of the networks' own images.
OWN_SIZE = SIZES[0]


def rows(table: Table) -> list[Row]:
    """All rows at one size, then at the next."""
    return [
        Row(
            row.label,
            row.model,
            {
                **({"mult_adds": row.figures["mult_adds"]} if size == OWN_SIZE else {}),
                "top1_error_percent": row.figures["top1_error_percent"],
                "seconds": row.figures[f"seconds_{size}"],
            },
            shape=size_of(size),
            setting=size,
        )
        for size in SIZES
        for row in table.rows
    ]
