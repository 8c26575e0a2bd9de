"""ShuffleNet V1 (Zhang et al., arXiv 1707.01083, Table 1 and Figure 2): grouped pointwise convolutions and a shuffle.

What the paper leaves open follows the authors' code: the bottleneck has a quarter of the unit's *output* channels, the
concatenated ones included; the first layer has 12, 24, 24, 48 channels at 0.5x, 1x, 1.5x, 2x, 16 where eight groups
must divide what the first unit adds to them; the classifier has no bias. Where a quarter is no multiple of the
groups, it is rounded down to one.

Table 1's complexity is met by the convolutions alone, the figures of 1.5x and 2x by convolutions and classifier.
Table 2 prints one complexity for all group numbers of a width: a level, which some of them only come near.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FAMILY = "ShuffleNet V1"
SOURCES = {
    "table1": "Zhang et al., arXiv 1707.01083v2, Table 1",
    "table2": "Zhang et al., arXiv 1707.01083v2, Table 2",
    "table5": "Zhang et al., arXiv 1707.01083v2, Table 5",
    "authors": "github.com/megvii-model/ShuffleNet-Series, README",
}
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "shufflenet_v1_g1_x0_25": {
        "arguments": {"groups": 1, "width": 0.25},
        "published": (("mult_adds", "13M", "table2"), ("top1_error_percent", "57.1", "table2")),
    },
    "shufflenet_v1_g1_x0_5": {
        "arguments": {"groups": 1, "width": 0.5},
        "published": (("mult_adds", "38M", "table2", "convolutions only"), ("top1_error_percent", "45.1", "table2")),
    },
    "shufflenet_v1_g1_x1_0": {
        "arguments": {"groups": 1, "width": 1.0},
        "published": (("mult_adds", "143M", "table1", "convolutions only"), ("top1_error_percent", "33.6", "table2")),
    },
    "shufflenet_v1_g1_x1_5": {"arguments": {"groups": 1, "width": 1.5}},
    "shufflenet_v1_g1_x2_0": {"arguments": {"groups": 1, "width": 2.0}},
    "shufflenet_v1_g2_x0_25": {
        "arguments": {"groups": 2, "width": 0.25},
        "published": (("mult_adds", "13M", "table2"), ("top1_error_percent", "56.8", "table2")),
    },
    "shufflenet_v1_g2_x0_5": {
        "arguments": {"groups": 2, "width": 0.5},
        "published": (("mult_adds", "38M", "table2"), ("top1_error_percent", "44.4", "table2")),
    },
    "shufflenet_v1_g2_x1_0": {
        "arguments": {"groups": 2, "width": 1.0},
        "published": (("mult_adds", "140M", "table1", "convolutions only"), ("top1_error_percent", "32.7", "table2")),
    },
    "shufflenet_v1_g2_x1_5": {"arguments": {"groups": 2, "width": 1.5}},
    "shufflenet_v1_g2_x2_0": {"arguments": {"groups": 2, "width": 2.0}},
    "shufflenet_v1_g3_x0_25": {
        "arguments": {"groups": 3, "width": 0.25},
        "published": (("mult_adds", "13M", "table2"), ("top1_error_percent", "55.0", "table2")),
    },
    "shufflenet_v1_g3_x0_5": {
        "arguments": {"groups": 3, "width": 0.5},
        "published": (
            ("mult_adds", "38M", "table2"),
            ("mult_adds", "38M", "authors"),
            ("parameters", "0.7M", "authors"),
            ("top1_error_percent", "43.2", "table2"),
            ("top1_error_percent", "42.7", "authors"),
        ),
    },
    "shufflenet_v1_g3_x1_0": {
        "arguments": {"groups": 3, "width": 1.0},
        "published": (
            ("mult_adds", "137M", "table1", "convolutions only"),
            ("mult_adds", "138M", "authors", "not reproduced", "137.46M; the paper is met"),
            ("mult_adds", "140M", "table2", "not reproduced", "Table 2 gives one level for all group counts"),
            ("parameters", "1.9M", "authors"),
            ("top1_error_percent", "32.6", "table2"),
            ("top1_error_percent", "32.2", "authors"),
        ),
    },
    "shufflenet_v1_g3_x1_5": {
        "arguments": {"groups": 3, "width": 1.5},
        "published": (
            ("mult_adds", "292M", "table5"),
            ("mult_adds", "292M", "authors"),
            ("parameters", "3.4M", "authors"),
            ("top1_error_percent", "28.5", "table5"),
            ("top1_error_percent", "28.4", "authors"),
        ),
    },
    "shufflenet_v1_g3_x2_0": {
        "arguments": {"groups": 3, "width": 2.0},
        "published": (
            ("mult_adds", "524M", "table5"),
            ("mult_adds", "524M", "authors"),
            ("parameters", "5.4M", "authors"),
            ("top1_error_percent", "26.3", "table5"),
            ("top1_error_percent", "25.9", "authors"),
        ),
    },
    "shufflenet_v1_g4_x0_25": {
        "arguments": {"groups": 4, "width": 0.25},
        "published": (("mult_adds", "13M", "table2"), ("top1_error_percent", "54.2", "table2")),
    },
    "shufflenet_v1_g4_x0_5": {
        "arguments": {"groups": 4, "width": 0.5, "stem": 16},
        "published": (
            ("mult_adds", "38M", "table5", "", "with 16 channels in the first layer, which no source states"),
            ("top1_error_percent", "41.6", "table2"),
        ),
    },
    "shufflenet_v1_g4_x1_0": {
        "arguments": {"groups": 4, "width": 1.0},
        "published": (("mult_adds", "133M", "table1", "convolutions only"), ("top1_error_percent", "32.8", "table2")),
    },
    "shufflenet_v1_g4_x1_5": {"arguments": {"groups": 4, "width": 1.5}},
    "shufflenet_v1_g4_x2_0": {"arguments": {"groups": 4, "width": 2.0}},
    "shufflenet_v1_g8_x0_25": {
        "arguments": {"groups": 8, "width": 0.25, "stem": 8},
        "published": (
            ("mult_adds", "13M", "table2", "not reproduced", "one level for all group numbers; first layer unknown"),
            ("top1_error_percent", "52.7", "table2"),
        ),
    },
    "shufflenet_v1_g8_x0_5": {
        "arguments": {"groups": 8, "width": 0.5},
        "published": (
            (
                "mult_adds",
                "38M",
                "table2",
                "not reproduced",
                "one level for all group numbers; the authors' 40M is met",
            ),
            ("mult_adds", "40M", "authors"),
            ("parameters", "1.0M", "authors"),
            ("top1_error_percent", "42.3", "table2"),
            ("top1_error_percent", "41.2", "authors"),
        ),
    },
    "shufflenet_v1_g8_x1_0": {
        "arguments": {"groups": 8, "width": 1.0},
        "published": (
            ("mult_adds", "137M", "table1", "convolutions only"),
            ("mult_adds", "138M", "authors"),
            ("mult_adds", "140M", "table2", "not reproduced", "Table 2 gives one level for all group counts"),
            ("parameters", "2.4M", "authors"),
            ("top1_error_percent", "32.4", "table2"),
            ("top1_error_percent", "32.0", "authors"),
        ),
    },
    "shufflenet_v1_g8_x1_5": {
        "arguments": {"groups": 8, "width": 1.5},
        "published": (
            ("mult_adds", "290M", "authors"),
            ("parameters", "4.3M", "authors"),
            ("top1_error_percent", "29.0", "authors"),
        ),
    },
    "shufflenet_v1_g8_x2_0": {
        "arguments": {"groups": 8, "width": 2.0},
        "published": (
            ("mult_adds", "522M", "authors"),
            ("parameters", "6.5M", "authors"),
            ("top1_error_percent", "27.1", "authors"),
        ),
    },
}
ALIASES = {"shufflenet_v1": "shufflenet_v1_g3_x1_0"}

# Table 1: output channels of stage 2 at 1x by number of groups; each later stage doubles them.
STAGE2_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
REPEATS = (4, 8, 4)


def shuffle_channels(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of the groups: channel k of group g of n becomes channel k * n + g (section 3.1).

    Args:
        x: [batch, channels, height, width].
        groups: number of groups; it divides the channels.
    """
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).reshape(batch, channels, height, width)


class Unit(nn.Module):
    """Shuffle unit: Figure 2(b), or 2(c) where it down-samples and concatenates its average-pooled input.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output, the concatenated input's among them.
        groups: groups of the pointwise convolutions.
        stride: 1 adds the input, 2 concatenates it.
        first_groups: groups of the first pointwise convolution; 1 in the first unit of all, as its
            input is narrow.
    """

    def __init__(self, channels_in: int, channels_out: int, *, groups: int, stride: int, first_groups: int) -> None:
        super().__init__()
        self.groups = groups
        bottleneck = max(channels_out // 4 // groups, 1) * groups
        added = channels_out - channels_in if stride == 2 else channels_out
        self.compress = nn.Sequential(
            nn.Conv2d(channels_in, bottleneck, 1, groups=first_groups, bias=False),
            nn.BatchNorm2d(bottleneck),
            nn.ReLU(inplace=True),
        )
        self.depthwise = nn.Sequential(
            nn.Conv2d(bottleneck, bottleneck, 3, stride, 1, groups=bottleneck, bias=False),
            nn.BatchNorm2d(bottleneck),
        )
        self.expand = nn.Sequential(nn.Conv2d(bottleneck, added, 1, groups=groups, bias=False), nn.BatchNorm2d(added))
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1) if stride == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        y = self.compress(x)
        if self.groups > 1:
            y = shuffle_channels(y, self.groups)
        y = self.expand(self.depthwise(y))
        if self.shortcut is None:
            return torch.relu(x + y)
        return torch.cat((self.shortcut(x), torch.relu(y)), dim=1)


class ShuffleNetV1(nn.Module):
    """ShuffleNet V1.

    Args:
        groups: groups of the pointwise convolutions: 1, 2, 3, 4 or 8.
        width: factor on the stages' channels ("1.5x").
        stem: channels of the first layer; None takes the authors' for this width and number of groups.
        num_classes: outputs of the classifier.
    """

    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def __init__(
        self, groups: int = 3, width: float = 1.0, *, stem: int | None = None, num_classes: int = 1000
    ) -> None:
        super().__init__()
        if groups not in STAGE2_CHANNELS:
            raise ValueError(f"groups is {groups}; the paper has {', '.join(map(str, STAGE2_CHANNELS))}")
        channels = stem if stem is not None else default_stem(groups, width)
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for stage, repeats in enumerate(REPEATS):
            channels_out = int(STAGE2_CHANNELS[groups] * width) * 2**stage
            units = []
            for i in range(repeats):
                first_groups = 1 if stage == i == 0 else groups
                stride = 2 if i == 0 else 1
                units.append(Unit(channels, channels_out, groups=groups, stride=stride, first_groups=first_groups))
                channels = channels_out
            self.add_module(f"stage{stage + 2}", nn.Sequential(*units))
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.maxpool(self.conv1(x))
        x = self.stage4(self.stage3(self.stage2(x)))
        logits: Tensor = self.fc(self.globalpool(x).flatten(1))
        return logits


def default_stem(groups: int, width: float) -> int:
    """Channels of the first layer: the authors' for the width, raised to a multiple of the groups."""
    channels = 12 if width < 1 else 24 if width < 2 else 48
    return -(-channels // groups) * groups


build = ShuffleNetV1
