"""The DenseNet that ShuffleNet V2 is compared with (Ma et al., arXiv 1807.11164, Table 8, "our impl.").

Section 4 says of it: the architecture of Table 5, in whose stages 2 to 4 the units are DenseNet blocks, the channels
adjusted to the level. It was not published, and no DenseNet (Huang et al., arXiv 1608.06993) is of this size. Built
here is DenseNet-BC as in its paper (bottlenecks of 4k, compression 0.5, a first layer of 2k, k the growth rate) in that
frame: 3x3 first layer, 4, 8 and 4 dense layers, a last convolution of 1024. Nothing is to be compressed ahead of stage
2, which therefore begins with the pooling of a transition alone. The growth rate is 20 times the factor.

This takes 41.8M, 141.1M, 298.9M and 515.2M, where 42M, 142M, 295M and 519M are printed: within 1.4% at all widths.
Largest difference at any of the four, with the whole growth rate at 1x that suits each best: first layer of 24, as in
Table 5: 5.3%. Last convolution of 2048 at 2x, as in Table 5: 3.1%; none: 14.0%. A 1x1 convolution ahead of stage 2,
too: 5.4%. No compression: 5.5%. Transitions counted as the first of the 4, 8 and 4 units: 8.3%. A dense layer with
stride 2, concatenated to the pooled input, in place of transitions: 5.6%. The fit is no proof: without compression and
last convolution, with transitions that count and that pool first, it is 1.6%; but that is neither paper's design.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FAMILY = "DenseNet-like"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "densenet_like_x0_5": {"arguments": {"growth": 10}},
    "densenet_like_x1_0": {"arguments": {"growth": 20}},
    "densenet_like_x1_5": {"arguments": {"growth": 30}},
    "densenet_like_x2_0": {"arguments": {"growth": 40}},
}
ALIASES = {"densenet_like": "densenet_like_x1_0"}


def convolution(channels_in: int, channels_out: int, kernel: int) -> list[nn.Module]:
    """Batch-norm, ReLU and convolution, in DenseNet's order."""
    return [
        nn.BatchNorm2d(channels_in),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, bias=False),
    ]


class DenseLayer(nn.Module):
    """A layer of DenseNet-BC: a bottleneck of four times the growth, a 3x3 convolution, concatenated to the input."""

    def __init__(self, channels_in: int, growth: int) -> None:
        super().__init__()
        self.added = nn.Sequential(*convolution(channels_in, 4 * growth, 1), *convolution(4 * growth, growth, 3))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_in + growth, height, width]."""
        return torch.cat((x, self.added(x)), dim=1)


class DenseNetLike(nn.Module):
    """DenseNet-BC in the frame of ShuffleNet V2.

    Args:
        growth: channels that a layer adds.
        repeats: layers of stage 2, 3 and 4.
        last: channels of the last convolution.
        num_classes: outputs of the classifier.
    """

    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def __init__(
        self, growth: int, *, repeats: Sequence[int] = (4, 8, 4), last: int = 1024, num_classes: int = 1000
    ) -> None:
        super().__init__()
        channels = 2 * growth
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for number, layers in enumerate(repeats, start=2):
            compress = [] if number == 2 else convolution(channels, channels // 2, 1)
            channels = channels if number == 2 else channels // 2
            dense = [DenseLayer(channels + i * growth, growth) for i in range(layers)]
            self.add_module(f"stage{number}", nn.Sequential(*compress, nn.AvgPool2d(2), *dense))
            channels += layers * growth
        self.conv5 = nn.Sequential(*convolution(channels, last, 1), nn.BatchNorm2d(last), nn.ReLU(inplace=True))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        logits: Tensor = self.fc(self.conv5(x).mean([2, 3]))
        return logits


build = DenseNetLike
