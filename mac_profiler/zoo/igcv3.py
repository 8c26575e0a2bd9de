"""IGCV3-D (Sun et al., arXiv 1806.00178): MobileNet V2's inverted residuals with both 1x1 convolutions in two groups.

Structure and rounding follow the authors' code, github.com/homles11/IGCV3, symbols/igcv3.py. Grouping halves the cost
of a unit, and "D" spends that on depth: most stages have twice MobileNet V2's units. Behind the expansion the channels
are interleaved, and at the end of a unit once more, into the half of them as groups. No activation follows the
expansion.

The figures are those of ShuffleNet V2 (arXiv 1807.11164), Table 8:

- 1.0, printed 318M: 313.0M. With one operation for each element that passes a ReLU6, it is 317.9M.
- 1.4, printed 610M: 621.4M, by a slip in the authors' code that is kept here: the unit that begins a stage expands to
  six times a width to which the multiplier was applied twice (`expanded`). Without it, 590.0M. Another slip, one more
  channel in the last convolution where the multiplier is above 1, is not kept: it is 23 thousand multiply-adds.
- 0.7, printed 210M: at a width of 0.7 the authors' code gives 167.7M, far below. Their answer to a question about the
  paper's CIFAR table (issue 7 of that repository) is that 0.5 and 0.7 are no widths there but shares of the parameters,
  reached with fewer units a stage; how many, no source says. Taken so for ImageNet too, the repeats here are a choice:
  of those between MobileNet V2's and IGCV3-D's that come within 2 % of 210M (there are 41), the one whose units are
  nearest to 0.7 of IGCV3-D's, stage by stage; of three that tie, the one with the fewest parameters. It has 212.3M and
  2.78M parameters, which is 0.80 of IGCV3-D's; the nearest to 0.7 by parameters would have 2.66M.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mac_profiler.layers import shuffle_channels

FAMILY = "IGCV3"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "igcv3_d_x0_7": {"arguments": {"repeats": (1, 2, 4, 6, 4, 3, 1)}},
    "igcv3_d_x1_0": {"arguments": {}},
    "igcv3_d_x1_4": {"arguments": {"width": 1.4}},
}
ALIASES = {"igcv3": "igcv3_d_x1_0", "igcv3_d": "igcv3_d_x1_0"}

GROUPS = 2
# MobileNet V2's Table 2: expansion, output channels, stride of the first unit.
STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 2), (6, 64, 2), (6, 96, 1), (6, 160, 2), (6, 320, 1))


def even(channels: float) -> int:
    """The nearest whole number, or the next where that is odd: two groups need an even one."""
    rounded = round(channels)
    return rounded + rounded % 2


def expanded(channels: int, width: float) -> int:
    """Channels that the unit after a stage of so many counts as its input: the multiplier once more (a slip, kept)."""
    again = round(channels * width)
    return channels + 1 if again % 2 else again


def convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1, *, relu: bool = True
) -> nn.Sequential:
    """Convolution, batch-norm and, unless switched off, ReLU6."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if relu else nn.Sequential(*layers)


class Unit(nn.Module):
    """Expand in groups, shuffle, filter depthwise, project in groups, shuffle; a shortcut within a stage."""

    def __init__(self, channels_in: int, hidden: int, channels_out: int, stride: int, *, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        self.expand = convolution(channels_in, hidden, 1, groups=GROUPS, relu=False)
        self.filter = convolution(hidden, hidden, 3, stride, groups=hidden)
        self.project = convolution(hidden, channels_out, 1, groups=GROUPS, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        y = self.project(self.filter(shuffle_channels(self.expand(x), GROUPS)))
        y = shuffle_channels(y, y.shape[1] // GROUPS)
        return x + y if self.residual else y


class IGCV3(nn.Module):
    """IGCV3-D.

    Args:
        width: width multiplier; the last convolution is never narrower than 1280.
        repeats: units of every stage.
        num_classes: outputs of the classifier.
    """

    def __init__(
        self, width: float = 1.0, *, repeats: Sequence[int] = (1, 4, 6, 8, 6, 6, 1), num_classes: int = 1000
    ) -> None:
        super().__init__()
        channels = counted = even(32 * width)
        last = int(1280 * max(1.0, width))
        layers: list[nn.Module] = [convolution(3, channels, 3, 2)]
        for (expansion, full, stride), units in zip(STAGES, repeats, strict=True):
            channels_out = even(full * width)
            layers.append(Unit(channels, counted * expansion, channels_out, stride, residual=False))
            hidden = channels_out * expansion
            layers += [Unit(channels_out, hidden, channels_out, 1, residual=True) for _ in range(units - 1)]
            channels, counted = channels_out, expanded(channels_out, width)
        self.features = nn.Sequential(*layers, convolution(channels, last, 1))
        self.classifier = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.features(x).mean([2, 3]))
        return logits


build = IGCV3
