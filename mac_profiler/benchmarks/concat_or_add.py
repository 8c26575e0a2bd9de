"""Two branches joined by addition, as in ResNet, or by concatenation, as in DenseNet and ShuffleNet V2.

Both branches are 1x1 convolutions. Added, each makes all channels of the block, 2 c c products a position; joined side
by side, each makes half of them, c c. In vectors 7 and 10 channels are wide enough apart for 98 and 100: 112 and 160
channels. The third row makes the 160 channels with one convolution: it has the second's products, and no join. Ten
blocks of each.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "concat_or_add"
TITLE = "Concatenation or addition"
QUESTION = "At equal multiply-adds, is it faster to add two branches or to concatenate them?"
SOURCE = "beyond ShuffleNet V2, whose G4 measures additions and whose units concatenate (section 3)"

# Row -> channels of the block.
ROWS = {"added": 112, "concatenated": 160, "one branch": 160}
SIZES = (28, 56)


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each size of maps, "28x28" and "56x56"."""
    return [_case(size, row) for size in (SIZES[:1] if quick else SIZES) for row in ROWS]


def _case(size: int, row: str) -> Case:
    axes = {"channels": ROWS[row], "size": size, "batch": 1}
    return Case(NAME, f"{size}x{size}", row, axes, partial(_build, size, row))


def _build(size: int, row: str) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import Concatenation, Sum, convolution, images, stack

    channels = ROWS[row]

    def block() -> nn.Module:
        if row == "added":
            return Sum([convolution(channels, channels) for _ in range(2)])
        if row == "concatenated":
            return Concatenation([convolution(channels, channels // 2) for _ in range(2)])
        return convolution(channels, channels)

    return stack(block), (images(1, channels, size),)
