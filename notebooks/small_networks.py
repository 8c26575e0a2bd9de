"""Small networks for images of 32 x 32, at about equal multiply-adds: one as it was found, and five steps on from it.

Each step follows what `macprof audit` says of the network before it. None of them is trained.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

INPUT = "8x3x32x32"
CLASSES = 10
UNITS = 4


def as_found() -> nn.Module:
    """Thin bottlenecks of grouped 1x1 convolutions, depthwise ones of three sizes, and a shortcut that is added."""
    return network(240, groups=4, ratio=4, kernels=(3, 5, 7))


def without_groups() -> nn.Module:
    """G2: the 1x1 convolutions are dense, and the network is narrower for it."""
    return network(128, groups=1, ratio=4, kernels=(3, 5, 7))


def equal_widths() -> nn.Module:
    """G1: and no bottleneck."""
    return network(62, groups=1, ratio=1, kernels=(3, 5, 7))


def one_branch() -> nn.Module:
    """G3: and one depthwise convolution where there were three."""
    return network(64, groups=1, ratio=1, kernels=(3,))


def split() -> nn.Module:
    """G4: and half of the channels pass by, where all of them were added."""
    return network(112, groups=1, ratio=1, kernels=(3,), passes_by=True)


def folded() -> nn.Module:
    """G4: `one_branch` with its batch-norm folded into the convolutions; for inference, the same function."""
    return fold(one_branch())


def network(width: int, *, groups: int, ratio: int, kernels: Sequence[int], passes_by: bool = False) -> nn.Module:
    """A stem, three stages of units that halve the maps and double the channels, and a classifier.

    Args:
        width: channels of the first stage.
        groups: of the 1x1 convolutions.
        ratio: channels of a unit by those of its bottleneck.
        kernels: sizes of the depthwise convolutions, which share the channels of the bottleneck.
        passes_by: half of the channels pass a unit by, in place of a shortcut that is added.
    """
    layers: list[nn.Module] = [convolution(3, width, 3), nn.ReLU(inplace=True)]
    for stage in range(3):
        channels = width * 2**stage
        if stage:
            layers.append(Down(channels // 2, groups, ratio, kernels))
        unit = Split if passes_by else Residual
        layers += [unit(channels, groups, ratio, kernels) for _ in range(UNITS - bool(stage))]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, CLASSES)).eval()


def convolution(channels_in: int, channels_out: int, kernel: int = 1, groups: int = 1, stride: int = 1) -> nn.Module:
    """Convolution and batch-norm."""
    layer = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(channels_out))


class Mixed(nn.Module):
    """Depthwise convolutions of several sizes side by side, each of its part of the channels."""

    def __init__(self, channels: int, kernels: Sequence[int], stride: int) -> None:
        super().__init__()
        sizes = [len(range(i, channels, len(kernels))) for i in range(len(kernels))]
        self.sizes = sizes
        self.parts = nn.ModuleList(
            convolution(size, size, kernel, size, stride) for size, kernel in zip(sizes, kernels, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same channels."""
        if len(self.parts) == 1:
            return self.parts[0](x)
        made = [part(piece) for part, piece in zip(self.parts, x.split(self.sizes, dim=1), strict=True)]
        return torch.cat(made, dim=1)


class Main(nn.Module):
    """1x1 convolution, shuffle, depthwise convolutions, 1x1 convolution."""

    def __init__(self, channels: int, groups: int, ratio: int, kernels: Sequence[int], stride: int = 1) -> None:
        super().__init__()
        inner = channels // ratio
        self.groups = groups
        self.compress = convolution(channels, inner, groups=groups)
        self.mixed = Mixed(inner, kernels, stride)
        self.expand = convolution(inner, channels, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same channels, the maps smaller by the stride."""
        x = torch.relu_(self.compress(x))
        if self.groups > 1:
            x = shuffle(x, self.groups)
        return self.expand(self.mixed(x))


class Residual(nn.Module):
    """What it computes is added to its input."""

    def __init__(self, channels: int, groups: int, ratio: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.main = Main(channels, groups, ratio, kernels)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same shape."""
        return torch.relu_(self.main(x) + x)


class Split(nn.Module):
    """It computes on half of the channels; the others pass by, and all are shuffled."""

    def __init__(self, channels: int, groups: int, ratio: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.main = Main(channels // 2, groups, ratio, kernels)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same shape."""
        passing, used = x.chunk(2, dim=1)
        return shuffle(torch.cat([passing, torch.relu_(self.main(used))], dim=1), 2)


class Down(nn.Module):
    """Halves the maps and doubles the channels: what it computes stands beside its pooled input."""

    def __init__(self, channels: int, groups: int, ratio: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.main = Main(channels, groups, ratio, kernels, stride=2)
        self.pool = nn.AvgPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> twice the channels, half the height and width."""
        return torch.relu_(torch.cat([self.pool(x), self.main(x)], dim=1))


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of the groups."""
    batch, channels, height, width = x.shape
    return x.view(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)


def fold(network: nn.Module) -> nn.Module:
    """A copy for inference, every pair of convolution and batch-norm made one convolution."""
    network = copy.deepcopy(network).eval()
    for parent in [*network.modules()]:
        for name, child in [*parent.named_children()]:
            if isinstance(child, nn.Sequential) and [type(each) for each in child] == [nn.Conv2d, nn.BatchNorm2d]:
                setattr(parent, name, fuse_conv_bn_eval(*child))
    return network
