"""ShuffleNet V2 (Ma et al., arXiv 1807.11164, Table 5 and Figure 3): channel split, concatenation, shuffle.

Modules and parameters are named as torchvision names them. The down-sampling unit of stage 2 follows the authors' code:
its shortcut keeps the unit's 24 channels and its main branch makes all others. Torchvision gives each branch half of
them, which is 0.9M multiply-adds less at 1x (144.9M, where the paper prints 146M); ``equal_branches=True`` builds
that one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FAMILY = "ShuffleNet V2"
SOURCES = {
    "table5": "Ma et al., arXiv 1807.11164, Table 5",
    "table8": "Ma et al., arXiv 1807.11164, Table 8",
    "authors": "github.com/megvii-model/ShuffleNet-Series, README",
}
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "shufflenet_v2_x0_5": {
        "arguments": {"channels": (24, 48, 96, 192, 1024)},
        "published": (
            ("mult_adds", "41M", "table5", "global pooling added", "40.48M without its 50,176 additions"),
            ("parameters", "1.4M", "table5"),
            ("top1_error_percent", "39.7", "table8"),
            ("top1_error_percent", "38.9", "authors"),
        ),
    },
    "shufflenet_v2_x1_0": {
        "arguments": {"channels": (24, 116, 232, 464, 1024)},
        "published": (
            ("mult_adds", "146M", "table5"),
            ("parameters", "2.3M", "table5"),
            ("top1_error_percent", "30.6", "table8"),
        ),
    },
    "shufflenet_v2_x1_5": {
        "arguments": {"channels": (24, 176, 352, 704, 1024)},
        "published": (
            ("mult_adds", "299M", "table5"),
            ("parameters", "3.5M", "table5"),
            ("top1_error_percent", "27.4", "table8"),
        ),
    },
    "shufflenet_v2_x2_0": {
        "arguments": {"channels": (24, 244, 488, 976, 2048)},
        "published": (
            ("mult_adds", "591M", "table5"),
            ("parameters", "7.4M", "table5"),
            ("top1_error_percent", "25.1", "table8"),
            ("top1_error_percent", "25.0", "authors"),
        ),
    },
}
ALIASES = {"shufflenet_v2": "shufflenet_v2_x1_0"}


def shuffle_channels(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of the groups: channel k of group g of n becomes channel k * n + g.

    Args:
        x: [batch, channels, height, width].
        groups: number of groups; it divides the channels.
    """
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).contiguous().view(batch, channels, height, width)


def convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, relu: bool = True
) -> list[nn.Module]:
    """Convolution (1x1 or full), batch-norm and, unless switched off, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
    return [*layers, nn.ReLU(inplace=True)] if relu else layers


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    """3x3 depthwise convolution and batch-norm; no activation follows it in this network."""
    return [nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)]


class Unit(nn.Module):
    """Basic unit, Figure 3(c): half of the channels pass by, the others are worked on; concatenation, shuffle."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch1 = nn.Sequential()
        self.branch2 = nn.Sequential(*convolution(half, half, 1), *depthwise(half, 1), *convolution(half, half, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same shape."""
        kept, worked = x.chunk(2, dim=1)
        return shuffle_channels(torch.cat((kept, self.branch2(worked)), dim=1), 2)


class DownUnit(nn.Module):
    """Down-sampling unit, Figure 3(d): no split; both branches halve the resolution."""

    def __init__(self, channels_in: int, channels_out: int, *, equal_branches: bool) -> None:
        super().__init__()
        half = channels_out // 2
        shortcut = half if equal_branches else channels_in
        self.branch1 = nn.Sequential(*depthwise(channels_in, 2), *convolution(channels_in, shortcut, 1))
        self.branch2 = nn.Sequential(
            *convolution(channels_in, half, 1), *depthwise(half, 2), *convolution(half, channels_out - shortcut, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / 2, width / 2]."""
        return shuffle_channels(torch.cat((self.branch1(x), self.branch2(x)), dim=1), 2)


class ShuffleNetV2(nn.Module):
    """ShuffleNet V2.

    Args:
        channels: output channels of conv1, stage 2, 3, 4 and conv5 (Table 5).
        repeats: units of stage 2, 3 and 4.
        num_classes: outputs of the classifier.
        equal_branches: give both branches of a down-sampling unit half of its outputs, as torchvision does.
    """

    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def __init__(
        self,
        channels: Sequence[int],
        *,
        repeats: Sequence[int] = (4, 8, 4),
        num_classes: int = 1000,
        equal_branches: bool = False,
    ) -> None:
        super().__init__()
        first, *stages, last = channels
        self.conv1 = nn.Sequential(*convolution(3, first, 3, 2))
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        before = first
        for number, (width, units) in enumerate(zip(stages, repeats, strict=True), start=2):
            down = DownUnit(before, width, equal_branches=equal_branches)
            self.add_module(f"stage{number}", nn.Sequential(down, *(Unit(width) for _ in range(units - 1))))
            before = width
        self.conv5 = nn.Sequential(*convolution(before, last, 1))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.maxpool(self.conv1(x))
        x = self.stage4(self.stage3(self.stage2(x)))
        logits: Tensor = self.fc(self.conv5(x).mean([2, 3]))
        return logits


build = ShuffleNetV2
