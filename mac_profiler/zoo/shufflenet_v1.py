"""ShuffleNet V1 (Zhang et al., arXiv 1707.01083, Table 1 and Figure 2): grouped pointwise convolutions and a shuffle.

What the paper leaves open follows the authors' code: the bottleneck has a quarter of the unit's *output* channels, the
concatenated ones included; the first layer has 12, 24, 24, 48 channels at 0.5x, 1x, 1.5x, 2x, raised to a multiple of
the groups; the classifier has no bias. Where a quarter is no multiple of the groups, it is rounded down to one.

Table 1's complexity is met by the convolutions alone, the figures of 1.5x and 2x by convolutions and classifier.
Table 2 prints one complexity for all group numbers of a width: a level, which some of them only come near.

Choices where no source says it. The first layer has 16 channels at 0.5x with four groups, which meets the 38M of Table
5 (12 make 36.5M), and 8 at 0.25x with eight (12.4M; 16 make 15.7M; 13M is printed). Squeeze-and-excitation stands ahead
of the shortcut, its hidden layer a sixteenth of the unit's channels (the ratio of its paper): 526.6M, where 527M is
printed. The shallow network has half of the units in every stage (section 4.2.3) and 0.7375 of 1x's channels, which is
what meets its 40M. In V1-50 (arXiv 1807.11164, appendix, Table 2) the bottleneck is half as wide as the unit: 2.3G, as
printed; the caption's quarter makes 1.2G. Its first unit changes the channels at stride 1; three groups do not divide
360 - 64, so that its shortcut is padded with zeros instead of being concatenated (a projection would make 2.37G).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mac_profiler.layers import SqueezeExcitation, shuffle_channels

FAMILY = "ShuffleNet V1"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "shufflenet_v1_g1_x0_25": {"arguments": {"groups": 1, "width": 0.25}},
    "shufflenet_v1_g1_x0_5": {"arguments": {"groups": 1, "width": 0.5}},
    "shufflenet_v1_g1_x1_0": {"arguments": {"groups": 1, "width": 1.0}},
    "shufflenet_v1_g1_x1_5": {"arguments": {"groups": 1, "width": 1.5}},
    "shufflenet_v1_g1_x2_0": {"arguments": {"groups": 1, "width": 2.0}},
    "shufflenet_v1_g2_x0_25": {"arguments": {"groups": 2, "width": 0.25}},
    "shufflenet_v1_g2_x0_5": {"arguments": {"groups": 2, "width": 0.5}},
    "shufflenet_v1_g2_x1_0": {"arguments": {"groups": 2, "width": 1.0}},
    "shufflenet_v1_g2_x1_5": {"arguments": {"groups": 2, "width": 1.5}},
    "shufflenet_v1_g2_x2_0": {"arguments": {"groups": 2, "width": 2.0}},
    "shufflenet_v1_g3_x0_25": {"arguments": {"groups": 3, "width": 0.25}},
    "shufflenet_v1_g3_x0_5": {"arguments": {"groups": 3, "width": 0.5}},
    "shufflenet_v1_g3_x1_0": {"arguments": {"groups": 3, "width": 1.0}},
    "shufflenet_v1_g3_x1_5": {"arguments": {"groups": 3, "width": 1.5}},
    "shufflenet_v1_g3_x2_0": {"arguments": {"groups": 3, "width": 2.0}},
    "shufflenet_v1_g4_x0_25": {"arguments": {"groups": 4, "width": 0.25}},
    "shufflenet_v1_g4_x0_5": {"arguments": {"groups": 4, "width": 0.5, "stem": 16}},
    "shufflenet_v1_g4_x1_0": {"arguments": {"groups": 4, "width": 1.0}},
    "shufflenet_v1_g4_x1_5": {"arguments": {"groups": 4, "width": 1.5}},
    "shufflenet_v1_g4_x2_0": {"arguments": {"groups": 4, "width": 2.0}},
    "shufflenet_v1_g8_x0_25": {"arguments": {"groups": 8, "width": 0.25, "stem": 8}},
    "shufflenet_v1_g8_x0_5": {"arguments": {"groups": 8, "width": 0.5}},
    "shufflenet_v1_g8_x1_0": {"arguments": {"groups": 8, "width": 1.0}},
    "shufflenet_v1_g8_x1_5": {"arguments": {"groups": 8, "width": 1.5}},
    "shufflenet_v1_g8_x2_0": {"arguments": {"groups": 8, "width": 2.0}},
    "shufflenet_v1_g3_x2_0_se": {"arguments": {"groups": 3, "width": 2.0, "se": True}},
    "shufflenet_v1_g3_x1_5_se": {"arguments": {"groups": 3, "width": 1.5, "se": True}},
    "shufflenet_v1_g3_x1_0_se": {"arguments": {"groups": 3, "width": 1.0, "se": True}},
    "shufflenet_v1_g3_x0_5_se": {"arguments": {"groups": 3, "width": 0.5, "se": True}},
    "shufflenet_v1_g3_x0_5_shallow": {"arguments": {"groups": 3, "width": 0.7375, "repeats": (2, 4, 2)}},
    "shufflenet_v1_g3_x1_0_no_shuffle": {"arguments": {"groups": 3, "width": 1.0, "shuffle": False}},
    "shufflenet_v1_g3_x0_5_no_shuffle": {"arguments": {"groups": 3, "width": 0.5, "shuffle": False}},
    "shufflenet_v1_g3_x0_25_no_shuffle": {"arguments": {"groups": 3, "width": 0.25, "shuffle": False}},
    "shufflenet_v1_g8_x1_0_no_shuffle": {"arguments": {"groups": 8, "width": 1.0, "shuffle": False}},
    "shufflenet_v1_g8_x0_5_no_shuffle": {"arguments": {"groups": 8, "width": 0.5, "shuffle": False}},
    "shufflenet_v1_g8_x0_25_no_shuffle": {"arguments": {"groups": 8, "width": 0.25, "stem": 8, "shuffle": False}},
    "shufflenet_v1_50": {
        "arguments": {"groups": 3, "width": 1.5, "stem": 64, "repeats": (3, 4, 6, 3), "first_stride": 1, "ratio": 2}
    },
}
ALIASES = {"shufflenet_v1": "shufflenet_v1_g3_x1_0"}

# Table 1: output channels of stage 2 at 1x by number of groups; each later stage doubles them.
STAGE2_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}


class Unit(nn.Module):
    """Shuffle unit: Figure 2(b), or 2(c) where it changes the channels and concatenates its average-pooled input.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output, the concatenated input's among them.
        groups: groups of the pointwise convolutions.
        stride: of the depthwise convolution.
        first_groups: groups of the first pointwise convolution; 1 in the first unit of all, as its
            input is narrow.
        ratio: output channels by those of the bottleneck.
        shuffle: whether channels are shuffled behind the first pointwise convolution.
        se: squeeze-and-excitation behind the second.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        groups: int,
        stride: int,
        first_groups: int,
        ratio: int = 4,
        shuffle: bool = True,
        se: bool = False,
    ) -> None:
        super().__init__()
        self.shuffled = groups if shuffle else 1
        self.concatenates = stride == 2
        self.grown = 0 if self.concatenates else channels_out - channels_in
        bottleneck = max(channels_out // ratio // groups, 1) * groups
        added = channels_out - channels_in if self.concatenates else channels_out
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
        if se:
            self.expand.append(SqueezeExcitation(added, channels_out // 16))
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1) if self.concatenates else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        y = self.compress(x)
        if self.shuffled > 1:
            y = shuffle_channels(y, self.shuffled)
        y = self.expand(self.depthwise(y))
        if self.concatenates:
            return torch.cat((self.shortcut(x), torch.relu(y)), dim=1)
        if self.grown:
            x = nn.functional.pad(x, (0, 0, 0, 0, 0, self.grown))
        return torch.relu(x + y)


class ShuffleNetV1(nn.Module):
    """ShuffleNet V1.

    Args:
        groups: groups of the pointwise convolutions: 1, 2, 3, 4 or 8.
        width: factor on the stages' channels ("1.5x").
        stem: channels of the first layer; None takes the authors' for this width and number of groups.
        repeats: units of stage 2, 3, 4; of more stages for the large network.
        first_stride: stride of the first stage; at 1 its first unit's shortcut is padded with zeros.
        ratio: output channels of a unit by those of its bottleneck.
        shuffle: shuffle the channels between the grouped convolutions.
        se: squeeze-and-excitation at the end of every unit's branch.
        num_classes: outputs of the classifier.
    """

    def __init__(
        self,
        groups: int = 3,
        width: float = 1.0,
        *,
        stem: int | None = None,
        repeats: Sequence[int] = (4, 8, 4),
        first_stride: int = 2,
        ratio: int = 4,
        shuffle: bool = True,
        se: bool = False,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        if groups not in STAGE2_CHANNELS:
            raise ValueError(f"groups is {groups}; the paper has {', '.join(map(str, STAGE2_CHANNELS))}")
        channels = stem if stem is not None else default_stem(groups, width)
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for stage, count in enumerate(repeats):
            channels_out = int(STAGE2_CHANNELS[groups] * width) * 2**stage
            units = []
            for i in range(count):
                unit = Unit(
                    channels,
                    channels_out,
                    groups=groups,
                    stride=1 if i else 2 if stage else first_stride,
                    first_groups=1 if stage == i == 0 else groups,
                    ratio=ratio,
                    shuffle=shuffle,
                    se=se,
                )
                units.append(unit)
                channels = channels_out
            self.add_module(f"stage{stage + 2}", nn.Sequential(*units))
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.maxpool(self.conv1(x))
        for name, stage in self.named_children():
            if name.startswith("stage"):
                x = stage(x)
        logits: Tensor = self.fc(self.globalpool(x).flatten(1))
        return logits


def default_stem(groups: int, width: float) -> int:
    """Channels of the first layer: the authors' for the width, raised to a multiple of the groups."""
    channels = 12 if width < 1 else 24 if width < 2 else 48
    return -(-channels // groups) * groups


build = ShuffleNetV1
