"""G2: ten 1x1 group convolutions at 56x56; the groups grow, and the channels with them, so that c c / g stays.

Bare convolutions, one image a batch and "x2", "x4" are as in G1, for the reasons given there.

The table prints c = 180 with 8 groups on the ARM core, which 8 does not divide. Of the widths that it divides, 176 and
184, the second's multiply-adds are the nearer to the first row's: 3.3 % more, against 5.5 % less. At x2 and x4 the
printed width can be built.

In the aligned rows every group's width is a multiple of the vector width. A group of w channels has g w w products a
position: in vectors 14, 10, 7 and 5 make 196, 200, 196 and 200. That is 224 channels with one group, x4 on a CPU (256
in the paper) and x2 on a GPU; half of it would cut vectors in two.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.benchmarks import SPEEDS, VECTOR, platform
from mac_profiler.measurement import Case, Scalar, Settings

NAME = "g2"
TITLE = "Group count"
QUESTION = "Does a group convolution slow down at equal multiply-adds when it has more groups?"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G2, and Table 2"
TABLE = "v2_table2"

SIZE = 56
GROUPS = (1, 2, 4, 8)
CHANNELS = {"arm": (64, 90, 128, 180), "gpu": (128, 180, 256, 360)}
# Printed width that the groups do not divide -> the one that is built.
INSTEAD = {180: 184}
# Width of one group in vectors, for 1, 2, 4 and 8 groups; multiple -> times these.
WIDTHS = (14, 10, 7, 5)
ALIGNED = {"arm": {4: 1}, "gpu": {2: 1, 4: 2}}
FILLED_BATCH = 32


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """Groups "x1", "x2" and "x4" with the paper's channels, "x4_aligned" and, on a GPU, "x1_filled"."""
    device = platform(settings)
    found = []
    for multiple in (1,) if quick else (1, 2, 4):
        column = f"{SPEEDS[device]}_x{multiple}"
        for groups, channels in zip(GROUPS, CHANNELS[device], strict=True):
            found.append(_paper_case(f"x{multiple}", multiple * channels, groups, column))
    aligned = ALIGNED[device]
    for multiple, scale in list(aligned.items())[-1:] if quick else aligned.items():
        for groups, width in zip(GROUPS, WIDTHS, strict=True):
            found.append(_case(f"x{multiple}_aligned", groups * width * VECTOR * scale, groups))
    if device == "gpu" and not quick:
        filled = zip(GROUPS, CHANNELS["gpu"], strict=True)
        found += [_case("x1_filled", channels, groups, FILLED_BATCH) for groups, channels in filled]
    return found


def _paper_case(group: str, channels: int, groups: int, column: str) -> Case:
    if channels % groups == 0:
        return _case(group, channels, groups, printed_as=column)
    note = f"printed with {channels} channels, which {groups} does not divide"
    return _case(group, INSTEAD[channels], groups, printed_as=column, note=note)


def _case(group: str, channels: int, groups: int, batch: int = 1, **more: Scalar) -> Case:
    axes = {"channels": channels, "groups": groups, "size": SIZE, "batch": batch, **more}
    return Case(NAME, group, f"{groups} groups", axes, partial(_build, channels, groups, batch))


def _build(channels: int, groups: int, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.stacks import convolution, images, stack

    return stack(lambda: convolution(channels, channels, groups=groups)), (images(batch, channels, SIZE),)
