"""VGG-like, ResNet and ResNeXt units in ShuffleNet V1's frame (Zhang et al., arXiv 1707.01083, section 4.2, Table 4).

The paper keeps the frame of its Table 1, puts other units into stages 2 to 4 and adapts their channels to 140, 38 and
13 MFLOPs. It prints the units (VGG-like: two 3x3 convolutions; ResNet: bottleneck 1:4; ResNeXt: bottleneck 1:2,
cardinality 16) and, of all widths, those of stage 4 at 38 MFLOPs: 50, 192 and 192. Its Xception-like networks are
shufflenet_v1_g1_x1_0, _x0_5 and _x0_25.

Stage 4 here has the multiple of 4 (of 2 in the VGG-like networks, as 50 is one) that brings the multiply-adds nearest
to the level. At 38 this gives the three printed widths. Stages 3 and 2 have a half and a quarter, bottlenecks their
ratio, each the nearest whole number, bottlenecks of ResNeXt the nearest multiple of the cardinality, ties downward.
All levels are met within 1.4%, but ResNeXt's 140 by 143.6M: between 352 and 356, its stage 3 goes from 80 to 96.

What else the paper leaves open was chosen so that the printed widths give 38M, for all three: 12 channels in the first
layer below 140 (the authors' code has these for ShuffleNet 0.5x), a projection as the shortcut of a down-sampling unit,
its stride in the 3x3 convolution. ResNet and ResNeXt then take 38.1M and 38.3M. With the stride in the first 1x1
convolution they take 36.4M and 35.2M, with the frame's concatenated average pooling 35.3M and 35.0M, with 24 channels
in the first layer 43.1M and 43.4M. The classifier has no bias, as in the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

FAMILY = "ShuffleNet V1, Table 4"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "v1_table4_vgg_like_140m": {"arguments": {"unit": "vgg_like", "channels": (24, 24, 49, 98)}},
    "v1_table4_vgg_like_38m": {"arguments": {"unit": "vgg_like", "channels": (12, 12, 25, 50)}},
    "v1_table4_resnet_140m": {"arguments": {"unit": "resnet", "channels": (24, 95, 190, 380)}},
    "v1_table4_resnet_38m": {"arguments": {"unit": "resnet", "channels": (12, 48, 96, 192)}},
    "v1_table4_resnet_13m": {"arguments": {"unit": "resnet", "channels": (12, 24, 48, 96)}},
    "v1_table4_resnext_140m": {"arguments": {"unit": "resnext", "channels": (24, 89, 178, 356)}},
    "v1_table4_resnext_38m": {"arguments": {"unit": "resnext", "channels": (12, 48, 96, 192)}},
    "v1_table4_resnext_13m": {"arguments": {"unit": "resnext", "channels": (12, 24, 48, 96)}},
}
ALIASES = {
    "v1_table4_vgg_like": "v1_table4_vgg_like_140m",
    "v1_table4_resnet": "v1_table4_resnet_140m",
    "v1_table4_resnext": "v1_table4_resnext_140m",
}

REPEATS = (4, 8, 4)
# Output channels over bottleneck channels, and groups of the 3x3 convolution, of the units with a bottleneck.
BOTTLENECKS = {"resnet": (4, 1), "resnext": (2, 16)}


def round_half_down(value: float, divisor: int) -> int:
    """Nearest multiple of the divisor, the lower one of two equally near, at least one."""
    return max(math.ceil(value / divisor - 0.5), 1) * divisor


def convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Convolution and batch-norm."""
    return [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    ]


def plain_unit(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    """VGG-like unit: two 3x3 convolutions, each with batch-norm; the first has the stride."""
    return nn.Sequential(
        *convolution(channels_in, channels_out, 3, stride),
        nn.ReLU(inplace=True),
        *convolution(channels_out, channels_out, 3),
        nn.ReLU(inplace=True),
    )


class Bottleneck(nn.Module):
    """ResNet or ResNeXt unit (arXiv 1512.03385, Figure 5; 1611.05431, Figure 3c); the 3x3 convolution has the stride.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output.
        stride: 2 projects the shortcut.
        ratio: output channels over bottleneck channels.
        groups: groups of the 3x3 convolution.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, *, ratio: int, groups: int) -> None:
        super().__init__()
        narrow = round_half_down(channels_out / ratio, groups)
        self.residual = nn.Sequential(
            *convolution(channels_in, narrow, 1),
            nn.ReLU(inplace=True),
            *convolution(narrow, narrow, 3, stride, groups),
            nn.ReLU(inplace=True),
            *convolution(narrow, channels_out, 1),
        )
        self.shortcut = nn.Sequential(*(convolution(channels_in, channels_out, 1, stride) if stride == 2 else ()))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        return torch.relu(self.shortcut(x) + self.residual(x))


def make_unit(kind: str, channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """A unit of one of the kinds."""
    if kind == "vgg_like":
        return plain_unit(channels_in, channels_out, stride)
    ratio, groups = BOTTLENECKS[kind]
    return Bottleneck(channels_in, channels_out, stride, ratio=ratio, groups=groups)


class FramedNetwork(nn.Module):
    """ShuffleNet V1's frame with another unit.

    Args:
        unit: "vgg_like", "resnet" or "resnext".
        channels: of the first layer and of stages 2, 3 and 4.
        num_classes: outputs of the classifier.

    Raises:
        ValueError: there is no such unit.
    """

    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def __init__(self, unit: str, channels: Sequence[int], *, num_classes: int = 1000) -> None:
        super().__init__()
        if unit not in ("vgg_like", *BOTTLENECKS):
            raise ValueError(f"unit is {unit!r}; Table 4 has vgg_like, {', '.join(BOTTLENECKS)}")
        before, *stages = channels
        self.conv1 = nn.Sequential(*convolution(3, before, 3, 2), nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for number, (width, repeats) in enumerate(zip(stages, REPEATS, strict=True), start=2):
            down = make_unit(unit, before, width, 2)
            others = (make_unit(unit, width, width, 1) for _ in range(repeats - 1))
            self.add_module(f"stage{number}", nn.Sequential(down, *others))
            before = width
        self.fc = nn.Linear(before, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        logits: Tensor = self.fc(x.mean([2, 3]))
        return logits


build = FramedNetwork
