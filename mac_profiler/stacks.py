"""What the networks of the benchmarks are stacked from.

They are bare: no bias, no batch-norm, no activation unless that is the question. At inference batch-norm is folded into
the convolution before it, and an activation runs with it; here they would only add what every row has.

Weights are drawn so that the maps keep their scale through the stack: numbers that die away end as denormals, which
some processors calculate with many times more slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import torch
from torch import Tensor, nn

# Every network of section 2 and of appendix Table 1(b) stacks its block so often.
DEPTH = 10


def images(batch: int, channels: int, size: int) -> Tensor:
    """Random maps, [batch, channels, size, size]."""
    return torch.randn(batch, channels, size, size)


def convolution(
    channels_in: int, channels_out: int, kernel: int = 1, *, groups: int = 1, rectified: bool = False
) -> nn.Conv2d:
    """Convolution without bias that keeps the size of its maps.

    Args:
        channels_in: of its input.
        channels_out: of its output.
        kernel: side, odd.
        groups: it divides both numbers of channels.
        rectified: a ReLU follows, which halves the mean square.
    """
    layer = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, groups=groups, bias=False)
    with torch.no_grad():
        layer.weight.normal_(std=sqrt((2 if rectified else 1) * groups / (channels_in * kernel**2)))
    return layer


def stack(block: Callable[[], nn.Module]) -> nn.Sequential:
    """Ten blocks in series."""
    return nn.Sequential(*(block() for _ in range(DEPTH)))


class Sum(nn.Module):
    """Branches that read one input; what they make is added, element by element."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> what the branches make of it."""
        first, *others = [branch(x) for branch in self.branches]
        for other in others:
            # Where the input itself is added, as by a shortcut, what a convolution made is the memory that is written.
            first += other
        total: Tensor = first
        return total


class Concatenation(nn.Module):
    """Branches that read one input; what they make is joined channel behind channel."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the channels of all branches."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class InTurns(nn.Module):
    """A network called for so many images at a time, until all have had their turn."""

    def __init__(self, network: nn.Module, batch: int) -> None:
        super().__init__()
        self.network = network
        self.batch = batch

    def forward(self, x: Tensor) -> list[Tensor]:
        """[images, channels, height, width] -> what the network makes of each batch, in order."""
        return [self.network(part) for part in x.split(self.batch)]
