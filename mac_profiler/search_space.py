"""The layers of NASNet's search space, in which NASNet-A and PNASNet-5 were found (Zoph et al., arXiv 1707.07012).

As the authors published them in github.com/tensorflow/models, research/slim/nets/nasnet, nasnet_utils.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def normalize(channels: int) -> nn.BatchNorm2d:
    """Batch-norm with TF-slim's epsilon."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def project(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """ReLU, 1x1 convolution, batch-norm."""
    convolution = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, normalize(channels_out))


def separate(channels_in: int, channels_out: int, kernel: int, stride: int) -> nn.Sequential:
    """Twice: ReLU, depthwise and 1x1 convolution with nothing between them, batch-norm; the first has the stride."""
    layers: list[nn.Module] = []
    for before, step in ((channels_in, stride), (channels_out, 1)):
        depthwise = nn.Conv2d(before, before, kernel, step, kernel // 2, groups=before, bias=False)
        layers += [nn.ReLU(), depthwise, nn.Conv2d(before, channels_out, 1, bias=False), normalize(channels_out)]
    return nn.Sequential(*layers)


def operate(operation: str, channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """One operation of a cell; whatever cannot keep shape by itself gets a 1x1 convolution.

    Args:
        operation: "identity", or "separable", "maximum" or "average" with the size of the kernel: "separable 5".
        channels_in: channels of what it reads.
        channels_out: channels of what it gives.
        stride: in both directions.
    """
    kind, _, size = operation.partition(" ")
    if kind == "separable":
        return separate(channels_in, channels_out, int(size), stride)
    fits = channels_in == channels_out
    if kind == "identity":
        return nn.Identity() if fits and stride == 1 else project(channels_in, channels_out, stride)
    kernel = int(size)
    pool = (
        nn.MaxPool2d(kernel, stride, kernel // 2)
        if kind == "maximum"
        else nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
    )
    if fits:
        return pool
    return nn.Sequential(pool, nn.Conv2d(channels_in, channels_out, 1, bias=False), normalize(channels_out))


class FactorizedReduction(nn.Module):
    """Halves a map: every second pixel, and every second pixel of it shifted by one, projected and concatenated."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        half = channels_out // 2
        self.relu = nn.ReLU()
        self.path1 = nn.Sequential(nn.AvgPool2d(1, 2), nn.Conv2d(channels_in, half, 1, bias=False))
        self.path2 = nn.Sequential(
            nn.ZeroPad2d((-1, 1, -1, 1)), nn.AvgPool2d(1, 2), nn.Conv2d(channels_in, channels_out - half, 1, bias=False)
        )
        self.norm = normalize(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / 2, width / 2], rounded up."""
        x = self.relu(x)
        y: Tensor = self.norm(torch.cat((self.path1(x), self.path2(x)), dim=1))
        return y


def fit(channels_in: int, level_in: int, channels_out: int, level: int) -> nn.Module:
    """What brings an earlier map to a cell's channels, and to the level (number of halvings) of the current map."""
    if level_in < level:
        return FactorizedReduction(channels_in, channels_out)
    return nn.Identity() if channels_in == channels_out else project(channels_in, channels_out)


class Sum(nn.Module):
    """Two operations on two earlier states, added."""

    def __init__(self, left: nn.Module, right: nn.Module, reads: tuple[int, int]) -> None:
        super().__init__()
        self.left, self.right, self.reads = left, right, reads

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """States of the cell so far, each [batch, channels, height, width] -> the next one."""
        left, right = self.reads
        y: Tensor = self.left(states[left]) + self.right(states[right])
        return y
