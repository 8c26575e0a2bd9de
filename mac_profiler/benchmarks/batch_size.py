"""Sixteen images, one at a time or more together: the same multiply-adds, but weights are read once a batch.

Ten 1x1 convolutions. At 7x7 and 256 channels the weights are most of what is accessed, at 28x28 and 64 channels the
maps; both have the same multiply-adds, those of the widths and sizes that a classifier ends and begins with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "batch_size"
TITLE = "Batch size"
QUESTION = "How much faster are sixteen images when they are batched, early in a network and late?"
SOURCE = "beyond ShuffleNet V2, which gives speeds at batch 1 (ARM) and 8 (GPU)"

IMAGES = 16
BATCHES = (1, 4, 16)
# Size of the maps -> channels.
SHAPES = {7: 256, 28: 64}


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each size of maps, "7x7" and "28x28"."""
    return [
        _case(size, channels, batch)
        for size, channels in list(SHAPES.items())[: 1 if quick else None]
        for batch in BATCHES
    ]


def _case(size: int, channels: int, batch: int) -> Case:
    axes = {"channels": channels, "size": size, "batch": batch, "images": IMAGES}
    return Case(NAME, f"{size}x{size}", f"batches of {batch}", axes, partial(_build, size, channels, batch))


def _build(size: int, channels: int, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.stacks import InTurns, convolution, images, stack

    return InTurns(stack(lambda: convolution(channels, channels)), batch), (images(IMAGES, channels, size),)
