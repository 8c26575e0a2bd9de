"""CondenseNet-74 (Huang et al., arXiv 1711.09224, Table 1) as it runs after training, its connections condensed.

While it learns, a 1x1 convolution drops the inputs that each of its groups needs least; what is left runs as a gather
of channels, batch-norm, ReLU, a group convolution and a shuffle, and the classifier reads half of its features.
Structure and order follow the authors' converted model, github.com/ShichenLiu/CondenseNet, layers.py and
models/condensenet_converted.py: a layer's input is all that came before, pooled where the resolution halves, with no
transition layer.

The gather's index is a buffer, since it comes with the weights. Which inputs a group keeps is learned; until weights
are loaded, group g of G gets every Gth channel from the gth on, and the classifier every other feature.

The authors' printed "FLOPs" (README) hold, beside the multiply-adds, one operation for each element that passes a ReLU
or enters a pooling and one for each bias of the classifier (utils.py): so counted, the 529M of G = C = 4 and the 274M
of G = C = 8 follow to the digit, from 516.6M and 261.5M multiply-adds. Their parameters follow without the index.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mac_profiler.layers import shuffle_channels

FAMILY = "CondenseNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "condensenet_74_g4": {"arguments": {"groups": 4}},
    "condensenet_74_g8": {"arguments": {"groups": 8}},
}
ALIASES = {"condensenet": "condensenet_74_g4", "condensenet_74": "condensenet_74_g4"}


def convolution(channels_in: int, channels_out: int, kernel: int, groups: int) -> nn.Sequential:
    """Batch-norm, ReLU, group convolution."""
    return nn.Sequential(
        nn.BatchNorm2d(channels_in),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, groups=groups, bias=False),
    )


class CondensedConvolution(nn.Module):
    """A learned group convolution after training: gather, batch-norm, ReLU, 1x1 in groups, shuffle.

    Attributes:
        index: [channels_in], the input channel that stands at each place; groups may share one, or leave one out.
    """

    index: Tensor

    def __init__(self, channels_in: int, channels_out: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.register_buffer("index", torch.arange(channels_in).view(-1, groups).t().flatten())
        self.conv = convolution(channels_in, channels_out, 1, groups)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height, width]."""
        return shuffle_channels(self.conv(x.index_select(1, self.index)), self.groups)


class CondensedLinear(nn.Module):
    """A classifier that reads the half of its features that had the largest weights.

    Attributes:
        index: [features / 2], the features that are read.
    """

    index: Tensor

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("index", torch.arange(0, features // 2 * 2, 2))
        self.linear = nn.Linear(features // 2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, features] -> [batch, num_classes]."""
        logits: Tensor = self.linear(x.index_select(1, self.index))
        return logits


class DenseLayer(nn.Module):
    """A bottleneck of 1x1 and 3x3 whose result is appended to its input."""

    def __init__(self, channels_in: int, growth: int, bottleneck: int, groups: int) -> None:
        super().__init__()
        self.reduce = CondensedConvolution(channels_in, bottleneck * growth, groups)
        self.filter = convolution(bottleneck * growth, growth, 3, groups)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_in + growth, height, width]."""
        return torch.cat((x, self.filter(self.reduce(x))), dim=1)


class CondenseNet(nn.Module):
    """CondenseNet.

    Args:
        groups: groups of every convolution but the first, G; the condensation factor C is the same.
        stages: layers of every dense block.
        growth: channels that a layer of each block adds.
        bottleneck: width of a layer's bottleneck, in units of the growth.
        num_classes: outputs of the classifier.
    """

    def __init__(
        self,
        groups: int = 4,
        *,
        stages: Sequence[int] = (4, 6, 8, 10, 8),
        growth: Sequence[int] = (8, 16, 32, 64, 128),
        bottleneck: int = 4,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        channels = 2 * growth[0]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, 2, 1, bias=False)]
        for position, (depth, added) in enumerate(zip(stages, growth, strict=True)):
            if position:
                layers.append(nn.AvgPool2d(2))
            for _ in range(depth):
                layers.append(DenseLayer(channels, added, bottleneck, groups))
                channels += added
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.classifier = CondensedLinear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.features(x).mean([2, 3]))
        return logits


build = CondenseNet
