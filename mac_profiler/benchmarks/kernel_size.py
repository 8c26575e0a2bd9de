"""Kernels of 1x1, 3x3 and 5x5 at equal multiply-adds: ten convolutions of 240, 80 and 48 channels.

240 = 3 x 80 = 5 x 48, all whole vectors, so that the multiply-adds and the weights are just equal; the maps of a larger
kernel are the smaller. What differs besides is the library's way: a product of matrices, Winograd, a direct kernel.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "kernel_size"
TITLE = "Kernel size"
QUESTION = "At equal multiply-adds, is a convolution of a larger kernel faster or slower?"
SOURCE = "beyond ShuffleNet V2, whose G1 to G3 are about 1x1 convolutions"

# Side of the kernel -> channels.
CHANNELS = {1: 240, 3: 80, 5: 48}
SIZES = (14, 28)


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each size of maps, "14x14" and "28x28"."""
    return [_case(size, kernel) for size in (SIZES[:1] if quick else SIZES) for kernel in CHANNELS]


def _case(size: int, kernel: int) -> Case:
    channels = CHANNELS[kernel]
    axes = {"channels": channels, "kernel": kernel, "size": size, "batch": 1}
    return Case(NAME, f"{size}x{size}", f"{kernel}x{kernel}", axes, partial(_build, size, kernel, channels))


def _build(size: int, kernel: int, channels: int) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.stacks import convolution, images, stack

    return stack(lambda: convolution(channels, channels, kernel)), (images(1, channels, size),)
