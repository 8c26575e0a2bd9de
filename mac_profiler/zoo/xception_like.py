"""The light Xception that ShuffleNet V2 is compared with (Ma et al., arXiv 1807.11164, Table 8, "our impl.").

Section 4 names its source, Light-Head R-CNN (arXiv 1711.07264), and a later paragraph says that a unit sees 7x7 pixels.
It does not show the unit. BiSeNet's code has one that does see 7x7, in a network that it calls Xception39
(github.com/yu-changqian/TorchSeg, furnace/base_model/xception.py): ShuffleNet's frame, 4, 8 and 4 residual units, each
a bottleneck 1:4 of three separable 3x3 convolutions, with nothing between a depthwise and its pointwise convolution.

That network's widths, 8 in the first layer and 64, 128, 256 in the stages, are taken for 0.5x. Their multiples, behind
a first layer of 24 as in ShuffleNet V2, give all that Table 8 prints: 40M, 145M, 305M and 525M, to the last digit.

One thing differs from that file. Its down-sampling units project the shortcut by a separable convolution, here it is a
1x1 convolution with stride 2: separable, 2x takes 526.2M, which is not what is printed, and the others 39.7M, 145.3M
and 305.3M. Also tried: the 144, 288, 576 channels of github.com/geonseoks/Light_head_R_CNN_xception (resnet_v1.py),
which take 179M with this unit; with ShuffleNet V1's unit at g=1 143.1M, and 38.5M, 308.1M, 550.3M at the other widths.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FAMILY = "Xception-like"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "xception_like_x0_5": {"arguments": {"channels": (8, 64, 128, 256)}},
    "xception_like_x1_0": {"arguments": {"channels": (24, 128, 256, 512)}},
    "xception_like_x1_5": {"arguments": {"channels": (24, 192, 384, 768)}},
    "xception_like_x2_0": {"arguments": {"channels": (24, 256, 512, 1024)}},
}
ALIASES = {"xception_like": "xception_like_x1_0"}

REPEATS = (4, 8, 4)


def separable(channels_in: int, channels_out: int, stride: int = 1) -> list[nn.Module]:
    """3x3 depthwise convolution, pointwise convolution, batch-norm."""
    return [
        nn.Conv2d(channels_in, channels_in, 3, stride, 1, groups=channels_in, bias=False),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out),
    ]


class Unit(nn.Module):
    """Residual unit of three separable convolutions; the first has the stride, and with it the shortcut is projected.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output, four times those of the bottleneck.
        stride: 1 or 2.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        narrow = channels_out // 4
        self.residual = nn.Sequential(
            *separable(channels_in, narrow, stride),
            nn.ReLU(inplace=True),
            *separable(narrow, narrow),
            nn.ReLU(inplace=True),
            *separable(narrow, channels_out),
        )
        self.shortcut = nn.Sequential()
        if stride == 2:
            projection = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
            self.shortcut.extend((projection, nn.BatchNorm2d(channels_out)))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        return torch.relu(self.shortcut(x) + self.residual(x))


class XceptionLike(nn.Module):
    """Light Xception.

    Args:
        channels: of the first layer and of stages 2, 3 and 4.
        num_classes: outputs of the classifier.
    """

    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def __init__(self, channels: Sequence[int], *, num_classes: int = 1000) -> None:
        super().__init__()
        before, *stages = channels
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, before, 3, 2, 1, bias=False), nn.BatchNorm2d(before), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for number, (width, repeats) in enumerate(zip(stages, REPEATS, strict=True), start=2):
            others = (Unit(width, width, 1) for _ in range(repeats - 1))
            self.add_module(f"stage{number}", nn.Sequential(Unit(before, width, 2), *others))
            before = width
        self.fc = nn.Linear(before, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        logits: Tensor = self.fc(x.mean([2, 3]))
        return logits


build = XceptionLike
