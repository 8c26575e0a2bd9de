"""Full 3x3 convolutions against depthwise ones of the same multiply-adds, with a pointwise partner and alone.

64 channels all with all are 9 x 64 x 64 = 36,864 products a position. A depthwise and a pointwise convolution of c
channels are 9 c + c c, of which 192 channels are nearest among whole vectors (38,592, 4.7 % more; 187 or 188 would be
within 0.6 %, but crooked). Depthwise convolutions alone are 9 c: 4096 channels, as no network has; they show what the
depthwise half costs. Ten of each.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "depthwise"
TITLE = "Depthwise convolution"
QUESTION = "At equal multiply-adds, how much slower are depthwise convolutions than full ones?"
SOURCE = "beyond ShuffleNet V2, which uses depthwise convolutions (section 3) and measures group convolutions (Table 2)"

# Row -> channels.
ROWS = {"full 3x3": 64, "depthwise 3x3 and pointwise": 192, "depthwise 3x3 alone": 4096}
SIZES = (14, 7)


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each size of maps, "14x14" and "7x7"."""
    return [_case(size, row) for size in (SIZES[:1] if quick else SIZES) for row in ROWS]


def _case(size: int, row: str) -> Case:
    axes = {"channels": ROWS[row], "size": size, "batch": 1}
    return Case(NAME, f"{size}x{size}", row, axes, partial(_build, size, row))


def _build(size: int, row: str) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import convolution, images, stack

    channels = ROWS[row]

    def block() -> nn.Module:
        if row == "full 3x3":
            return convolution(channels, channels, 3)
        depthwise = convolution(channels, channels, 3, groups=channels)
        return depthwise if row.endswith("alone") else nn.Sequential(depthwise, convolution(channels, channels))

    return stack(block), (images(1, channels, size),)
