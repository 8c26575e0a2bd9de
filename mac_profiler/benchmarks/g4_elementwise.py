"""G4: ten bottlenecks of 1x1, 3x3 and 1x1 convolution, with and without ReLU and shortcut.

The paper takes ResNet's bottleneck and prints neither its ratio nor the size of the maps nor the batch. The ratio is
ResNet's 1:4, c channels outside and c/4 inside, the size that of the other three tables, 56x56, the batch one image.
The printed speeds leave little else. With c channels everywhere 1782 batches a second (GPU, c = 128) would be 10e12
multiply-adds a second, which is nearly twice what a GTX 1080 Ti has, and 5.4 images a second of the ARM core 30e9, more
than five times the most in Tables 1 to 3; with 1:2 the latter are still 9e9, with 1:4 they are 1.0e12 and 2.9e9. Eight
images a batch would again be too many for the GPU.

ReLU follows each convolution, the last behind the sum; the sum is written into what the last convolution made, as
ResNet's code has it. Batch-norm is left out: at inference it is folded into the convolution before it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.benchmarks import SPEEDS, platform
from mac_profiler.measurement import Case, Scalar, Settings

NAME = "g4"
TITLE = "Element-wise operators"
QUESTION = "How much of a bottleneck's time do ReLU and shortcut take, which have no multiply-adds?"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, and Table 4"
TABLE = "v2_table4"

SIZE = 56
RATIO = 4
CHANNELS = (32, 64, 128)
# Row -> with ReLU, with shortcut.
ROWS = {
    f"{'with' if relu else 'without'} ReLU, {'with' if shortcut else 'without'} shortcut": (relu, shortcut)
    for relu in (True, False)
    for shortcut in (True, False)
}
FILLED_BATCH = 32


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each width, "c32", "c64" and "c128", and "c32_filled" on a GPU."""
    device = platform(settings)
    found = []
    for channels in CHANNELS[:1] if quick else CHANNELS:
        column = f"{SPEEDS[device]}_c{channels}"
        found += [_case(f"c{channels}", row, channels, printed_as=column) for row in ROWS]
    if device == "gpu" and not quick:
        found += [_case(f"c{CHANNELS[0]}_filled", row, CHANNELS[0], FILLED_BATCH) for row in ROWS]
    return found


def _case(group: str, row: str, channels: int, batch: int = 1, **more: str) -> Case:
    relu, shortcut = ROWS[row]
    axes: dict[str, Scalar] = {
        "channels": channels,
        "relu": relu,
        "shortcut": shortcut,
        "size": SIZE,
        "batch": batch,
        **more,
    }
    return Case(NAME, group, row, axes, partial(_build, channels, relu, shortcut, batch))


def _build(channels: int, relu: bool, shortcut: bool, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from torch import nn

    from mac_profiler.stacks import Sum, convolution, images, stack

    inner = channels // RATIO

    def activation() -> list[nn.Module]:
        return [nn.ReLU(inplace=True)] if relu else []

    def block() -> nn.Module:
        main = nn.Sequential(
            convolution(channels, inner, rectified=relu),
            *activation(),
            convolution(inner, inner, 3, rectified=relu),
            *activation(),
            convolution(inner, channels, rectified=relu),
        )
        return nn.Sequential(Sum([main, nn.Identity()]) if shortcut else main, *activation())

    return stack(block), (images(batch, channels, SIZE),)
