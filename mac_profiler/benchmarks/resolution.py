"""Large narrow maps against small wide ones at equal multiply-adds: ten 1x1 convolutions, size x channels fixed.

What is accessed in maps falls as the size does, h w c = (h c) h; what is accessed in weights grows, c c.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "resolution"
TITLE = "Resolution"
QUESTION = "At equal multiply-adds, are large narrow maps or small wide ones faster?"
SOURCE = "beyond ShuffleNet V2, whose G1 holds the size of the maps fixed"

SIZES = (56, 28, 14, 7)
# Channels at 56x56; a multiple of the vector width, so that all are.
CHANNELS = (32, 64)


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each width at 56x56, "c32" and "c64"."""
    return [_case(first, size) for first in (CHANNELS[:1] if quick else CHANNELS) for size in SIZES]


def _case(first: int, size: int) -> Case:
    channels = first * SIZES[0] // size
    axes = {"channels": channels, "size": size, "batch": 1}
    return Case(NAME, f"c{first}", f"{size}x{size}", axes, partial(_build, channels, size))


def _build(channels: int, size: int) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.stacks import convolution, images, stack

    return stack(lambda: convolution(channels, channels)), (images(1, channels, size),)
