"""Convolutions of every kind, over the channels and map sizes of today's networks.

Layers that keep the size of their maps are chained, there and back between two widths, each with weights of its own:
their weights come from where a network's come from, not from the cache next to the processor.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings
from mac_profiler.probes import probe

# Channels there and back, sizes of maps; what is more than MOST multiply-adds, or less than LEAST, is left out.
POINTWISE = ((16, 64), (24, 96), (58, 58), (64, 64), (64, 256), (128, 128), (256, 256), (192, 768), (512, 512))
DENSE = ((16, 16), (32, 64), (64, 64), (96, 208), (128, 128), (256, 256), (512, 512))
GROUPED = ((64, 2), (128, 32), (208, 26), (256, 32), (144, 9), (240, 3), (512, 32), (440, 55))
DEPTHWISE = (16, 24, 58, 72, 144, 240, 480, 960)
SIZES = (56, 28, 14, 7)
LEAST, MOST = 5e5, 2.2e8
DEPTH = 4
# Channels in and out, size, kernel, stride, groups: what begins a network, or a stage of it.
SINGLE = (
    (3, 24, 224, 3, 2, 1), (3, 64, 224, 7, 2, 1), (3, 96, 224, 4, 4, 1), (3, 64, 224, 3, 1, 1), (64, 128, 56, 3, 2, 1),
    (256, 512, 14, 3, 2, 1), (512, 512, 7, 3, 1, 1), (1024, 1024, 7, 3, 1, 1), (128, 192, 17, 7, 1, 1),
    (32, 64, 28, 5, 1, 1),
    (64, 128, 56, 1, 2, 1), (256, 512, 14, 1, 2, 1), (32, 16, 112, 1, 1, 1), (16, 96, 112, 1, 1, 1),
    (1024, 2048, 7, 1, 1, 1), (256, 64, 1, 1, 1, 1), (960, 240, 1, 1, 1, 1), (16, 8, 1, 1, 1, 1), (240, 60, 1, 1, 1, 1),
    (128, 128, 56, 3, 2, 32), (512, 512, 14, 3, 2, 32),
    (32, 32, 112, 3, 1, 32), (96, 96, 112, 3, 2, 96), (144, 144, 56, 3, 2, 144), (116, 116, 28, 3, 2, 116),
    (576, 576, 14, 3, 2, 576), (72, 72, 28, 5, 1, 72), (480, 480, 14, 5, 1, 480), (96, 96, 56, 7, 1, 96),
    (384, 384, 14, 7, 1, 384),
)  # fmt: skip


def cases(settings: Settings) -> list[Case]:
    """Dense, pointwise, grouped and depthwise."""
    found = []
    for size in SIZES:
        found += [_chain("pointwise_conv", size, there, back, 1, 1) for there, back in POINTWISE]
        found += [_chain("dense_conv", size, there, back, 3, 1) for there, back in DENSE]
        found += [_chain("grouped_conv", size, channels, channels, 3, groups) for channels, groups in GROUPED]
        found += [_chain("depthwise_conv", size, channels, channels, 3, channels) for channels in DEPTHWISE]
    return [case for case in found if case is not None] + [_single(*row) for row in SINGLE]


def _chain(kind: str, size: int, there: int, back: int, kernel: int, groups: int) -> Case | None:
    mult_adds = there * back // groups * kernel**2 * size**2
    # Depthwise convolutions have few multiply-adds, whatever they take.
    if not (LEAST < mult_adds < MOST) and (kind != "depthwise_conv" or there * size**2 > 500_000):
        return None
    name = f"{there}-{back} {kernel}x{kernel} g{groups} at {size}x{size}"
    return probe(kind, name, partial(_build_chain, size, there, back, kernel, groups))


def _single(there: int, back: int, size: int, kernel: int, stride: int, groups: int) -> Case:
    if groups == 1:
        kind = "pointwise_conv" if kernel == 1 else "dense_conv"
    else:
        kind = "depthwise_conv" if groups == there else "grouped_conv"
    name = f"{there}-{back} {kernel}x{kernel}/{stride} g{groups} at {size}x{size}"
    return probe(kind, name, partial(_build_single, there, back, size, kernel, stride, groups))


def _build_chain(size: int, there: int, back: int, kernel: int, groups: int) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import convolution, images

    ways = [(there, back), (back, there)] * (DEPTH // 2)
    layers = [convolution(one, other, kernel, groups=groups) for one, other in ways]
    return nn.Sequential(*layers), (images(1, there, size),)


def _build_single(
    there: int, back: int, size: int, kernel: int, stride: int, groups: int
) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import images

    padding = kernel // 2 if kernel % 2 else 0
    layer = nn.Conv2d(there, back, kernel, stride, padding, groups=groups, bias=False)
    return layer, (images(1, there, size),)
