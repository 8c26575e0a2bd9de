"""G3: ten blocks of one, two or four 1x1 convolutions at 56x56, in series or in parallel, of equal multiply-adds.

Parallel branches are added up (appendix, Figure 1 d and e). The paper adjusts the widths of the other structures to the
multiply-adds of 1-fragment and does not print them. Added branches have one width, and stacked blocks the same; so n
convolutions of w channels each have n w w = c c, in series as in parallel, and w is the whole number of the smallest
error: 45 and 32 for 64, 91 and 64 for 128, 181 and 128 for 256, 362 and 256 for 512; at most 1.1 % off.

The speeds of 1-fragment are those of Table 2's one group, at 56x56: the same ten bare convolutions. Bare convolutions
and one image a batch are as in G1, for the reasons given there.

With two fragments these widths fit no vector, with one and four they do. The aligned rows are 14, 10 and 7 vectors wide
(196, 200 and 196 products of vectors).
"""

from __future__ import annotations

from functools import partial
from math import isqrt
from typing import Any

from mac_profiler.benchmarks import SPEEDS, VECTOR, platform
from mac_profiler.measurement import Case, Scalar, Settings

NAME = "g3"
TITLE = "Fragmentation"
QUESTION = "Does a block slow down at equal multiply-adds when it is cut into more convolutions?"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G3, Table 3 and appendix Figure 1"
TABLE = "v2_table3"

SIZE = 56
# Row -> fragments, and whether they are in parallel.
ROWS = {
    "1-fragment": (1, False),
    "2-fragment-series": (2, False),
    "4-fragment-series": (4, False),
    "2-fragment-parallel": (2, True),
    "4-fragment-parallel": (4, True),
}
CHANNELS = {"arm": (64, 128, 256), "gpu": (128, 256, 512)}
# Fragments -> width in vectors; times this for a platform.
WIDTHS = {1: 14, 2: 10, 4: 7}
ALIGNED = {"arm": 1, "gpu": 2}
FILLED_BATCH = 32


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each width of 1-fragment, "c64", "c224_aligned" and, on a GPU, "c128_filled"."""
    device = platform(settings)
    found = []
    for channels in CHANNELS[device][:1] if quick else CHANNELS[device]:
        column = f"{SPEEDS[device]}_c{channels}"
        found += [_case(f"c{channels}", row, width(channels, ROWS[row][0]), printed_as=column) for row in ROWS]
    if quick:
        return found
    vector = VECTOR * ALIGNED[device]
    found += [_case(f"c{WIDTHS[1] * vector}_aligned", row, WIDTHS[ROWS[row][0]] * vector) for row in ROWS]
    if device == "gpu":
        first = CHANNELS["gpu"][0]
        found += [_case(f"c{first}_filled", row, width(first, ROWS[row][0]), FILLED_BATCH) for row in ROWS]
    return found


def width(channels: int, fragments: int) -> int:
    """Width of each of so many convolutions that has nearest to the multiply-adds of one that is so wide."""
    below = isqrt(channels**2 // fragments)
    return min((below, below + 1), key=lambda wide: abs(fragments * wide**2 - channels**2))


def _case(group: str, row: str, channels: int, batch: int = 1, **more: str) -> Case:
    fragments, parallel = ROWS[row]
    axes: dict[str, Scalar] = {
        "channels": channels,
        "fragments": fragments,
        "parallel": parallel,
        "size": SIZE,
        "batch": batch,
        **more,
    }
    return Case(NAME, group, row, axes, partial(_build, channels, fragments, parallel, batch))


def _build(channels: int, fragments: int, parallel: bool, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import Sum, convolution, images, stack

    def block() -> nn.Module:
        layers = [convolution(channels, channels) for _ in range(fragments)]
        return Sum(layers) if parallel else nn.Sequential(*layers)

    return stack(block), (images(batch, channels, SIZE),)
