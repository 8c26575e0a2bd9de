"""G1: ten blocks of two 1x1 convolutions, c1 -> c2 -> c1, at 56x56; the widths' ratio changes, their product does not.

The paper describes the block by its convolutions, and its count hw(c1 + c2) + c1 c2 is of these alone: they are bare.
"x2" and "x4" multiply the channels: only so have 1 group of Table 2 and 1-fragment of Table 3 one speed.

The paper's products are not quite fixed: 22:44 has 5.5 % less than 32:32, 9:108 and 36:432 have 5.1 % less than 32:32
and 128:128. A row that is as fast as the first is slower by so much for each multiply-add.

The batch that the GPU's figures hold for is not printed. It is taken to be 1, as the figures themselves ask: with one
image in each, 232 batches a second of 1:1 x4 are 3.8e12 multiply-adds a second, and a GTX 1080 Ti has 5.7e12 at most.

The paper's widths fit no vector: 22 floats fill one register of 16 and a part of the next. The aligned rows have widths
of whole vectors: 7:7, 5:10, 3:16 and 2:24 vectors, with products of 49, 50, 48 and 48. These are the smallest numbers
whose ratios are near to the paper's, so that a CPU has them at 112 channels alone, for x4's 128.

One image at x1 is little work for a GPU, whose time then is that of launches: there the same rows are run filled, too,
with 32 images a batch, of which the paper has no figure.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.benchmarks import SPEEDS, VECTOR, platform
from mac_profiler.measurement import Case, Scalar, Settings

NAME = "g1"
TITLE = "Channel width"
QUESTION = "Does a convolution slow down at equal multiply-adds when it has unequal input and output channels?"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G1, and Table 1"
TABLE = "v2_table1"

SIZE = 56
ROWS = ("1:1", "1:2", "1:6", "1:12")
WIDTHS = {
    "arm": ((32, 32), (22, 44), (13, 78), (9, 108)),
    "gpu": ((128, 128), (90, 180), (52, 312), (36, 432)),
}
# Pairs of widths in vectors; multiple -> times these.
PAIRS = ((7, 7), (5, 10), (3, 16), (2, 24))
ALIGNED = {"arm": {4: 1}, "gpu": {1: 1, 2: 2, 4: 4}}
FILLED_BATCH = 32


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """Groups "x1", "x2" and "x4" with the paper's channels, "x4_aligned" and, on a GPU, "x1_filled"."""
    device = platform(settings)
    found = []
    for multiple in (1,) if quick else (1, 2, 4):
        column = f"{SPEEDS[device]}_x{multiple}"
        for row, (c1, c2) in zip(ROWS, WIDTHS[device], strict=True):
            found.append(_case(f"x{multiple}", row, multiple * c1, multiple * c2, printed_as=column))
    aligned = ALIGNED[device]
    for multiple, scale in list(aligned.items())[-1:] if quick else aligned.items():
        for a, b in PAIRS:
            c1, c2 = a * VECTOR * scale, b * VECTOR * scale
            found.append(_case(f"x{multiple}_aligned", f"1:{b / a:.2g}", c1, c2))
    if device == "gpu" and not quick:
        found += [_case("x1_filled", row, *pair, FILLED_BATCH) for row, pair in zip(ROWS, WIDTHS["gpu"], strict=True)]
    return found


def _case(group: str, row: str, c1: int, c2: int, batch: int = 1, **more: str) -> Case:
    axes: dict[str, Scalar] = {"channels_in": c1, "channels_out": c2, "size": SIZE, "batch": batch, **more}
    return Case(NAME, group, row, axes, partial(_build, c1, c2, batch))


def _build(c1: int, c2: int, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import convolution, images, stack

    network = stack(lambda: nn.Sequential(convolution(c1, c2), convolution(c2, c1)))
    return network, (images(batch, c1, SIZE),)
