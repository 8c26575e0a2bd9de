"""MobileNet V2 (Sandler et al., arXiv 1801.04381, Table 2): inverted residuals with linear bottlenecks.

Modules and parameters are named as torchvision names them.

ShuffleNet V2 (arXiv 1807.11164, Table 8) compares with an implementation of its authors, whose widths were not
published: 39M at 0.15x, 43M at 0.4x and 160x160, 141M at 0.6x, 145M at 0.75x and 192x192, 587M at 1.4x. The widths
above take 31M, 42M, 151M, 154M and 582M. ``fitted=True`` has widths that come within 1.6 % of all five: rounded up to a
multiple of 8 and at least 16, 32 channels in the first layer at every width, hidden layers rounded from the exact
widths, 1280 channels at most in the last convolution. They were found by search: a fit, and no proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from torch import Tensor, nn

FAMILY = "MobileNet V2"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "mobilenet_v2_x0_15": {"arguments": {"width": 0.15}},
    "mobilenet_v2_x0_35": {"arguments": {"width": 0.35}},
    "mobilenet_v2_x0_35_r192": {"arguments": {"width": 0.35}, "input": (1, 3, 192, 192)},
    "mobilenet_v2_x0_35_r160": {"arguments": {"width": 0.35}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x0_35_r128": {"arguments": {"width": 0.35}, "input": (1, 3, 128, 128)},
    "mobilenet_v2_x0_35_r96": {"arguments": {"width": 0.35}, "input": (1, 3, 96, 96)},
    "mobilenet_v2_x0_4": {"arguments": {"width": 0.4}},
    "mobilenet_v2_x0_4_r160": {"arguments": {"width": 0.4}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x0_5": {"arguments": {"width": 0.5}},
    "mobilenet_v2_x0_5_r192": {"arguments": {"width": 0.5}, "input": (1, 3, 192, 192)},
    "mobilenet_v2_x0_5_r160": {"arguments": {"width": 0.5}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x0_5_r128": {"arguments": {"width": 0.5}, "input": (1, 3, 128, 128)},
    "mobilenet_v2_x0_5_r96": {"arguments": {"width": 0.5}, "input": (1, 3, 96, 96)},
    "mobilenet_v2_x0_6": {"arguments": {"width": 0.6}},
    "mobilenet_v2_x0_75": {"arguments": {"width": 0.75}},
    "mobilenet_v2_x0_75_r192": {"arguments": {"width": 0.75}, "input": (1, 3, 192, 192)},
    "mobilenet_v2_x0_75_r160": {"arguments": {"width": 0.75}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x0_75_r128": {"arguments": {"width": 0.75}, "input": (1, 3, 128, 128)},
    "mobilenet_v2_x0_75_r96": {"arguments": {"width": 0.75}, "input": (1, 3, 96, 96)},
    "mobilenet_v2_x1_0": {"arguments": {"width": 1.0}},
    "mobilenet_v2_x1_0_r192": {"arguments": {"width": 1.0}, "input": (1, 3, 192, 192)},
    "mobilenet_v2_x1_0_r160": {"arguments": {"width": 1.0}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x1_0_r128": {"arguments": {"width": 1.0}, "input": (1, 3, 128, 128)},
    "mobilenet_v2_x1_0_r96": {"arguments": {"width": 1.0}, "input": (1, 3, 96, 96)},
    "mobilenet_v2_x1_3": {"arguments": {"width": 1.3}},
    "mobilenet_v2_x1_4": {"arguments": {"width": 1.4}},
    "mobilenet_v2_x0_15_fitted": {"arguments": {"width": 0.15, "fitted": True}},
    "mobilenet_v2_x0_4_r160_fitted": {"arguments": {"width": 0.4, "fitted": True}, "input": (1, 3, 160, 160)},
    "mobilenet_v2_x0_6_fitted": {"arguments": {"width": 0.6, "fitted": True}},
    "mobilenet_v2_x0_75_r192_fitted": {"arguments": {"width": 0.75, "fitted": True}, "input": (1, 3, 192, 192)},
    "mobilenet_v2_x1_4_fitted": {"arguments": {"width": 1.4, "fitted": True}},
}
ALIASES = {"mobilenet_v2": "mobilenet_v2_x1_0"}

# Table 2: expansion t, output channels c, repeats n, stride s of the first repeat.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def round_channels(channels: float, divisor: int = 8) -> int:
    """Nearest multiple of the divisor, at least one, and never more than a tenth below the value (TF-slim's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def round_up(channels: float) -> int:
    """Next multiple of 8, at least 16."""
    return max(16, ceil(channels / 8 - 1e-9) * 8)


def convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch-norm, ReLU6."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, project without activation; a shortcut where shape allows (Figure 4d)."""

    def __init__(self, channels_in: int, hidden: int, channels_out: int, stride: int, *, expands: bool) -> None:
        super().__init__()
        self.residual = stride == 1 and channels_in == channels_out
        expand = [convolution(channels_in, hidden, 1)] if expands else []
        self.conv = nn.Sequential(
            *expand,
            convolution(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """MobileNet V2.

    Args:
        width: width multiplier; the last convolution is never narrower than 1280 (section 5).
        fitted: widths as ShuffleNet V2's authors may have had them, see the top of this file.
        num_classes: outputs of the classifier.
        dropout: probability ahead of the classifier.
    """

    def __init__(
        self, width: float = 1.0, *, fitted: bool = False, num_classes: int = 1000, dropout: float = 0.2
    ) -> None:
        super().__init__()
        round_width = round_up if fitted else round_channels
        channels = 32 if fitted else round_channels(32 * width)
        last = round_up(1280 * min(1.0, width)) if fitted else round_channels(1280 * max(1.0, width))
        layers: list[nn.Module] = [convolution(3, channels, 3, 2)]
        exact = 32.0
        for expansion, full, repeats, stride in STAGES:
            channels_out = round_width(full * width)
            for i in range(repeats):
                expands = expansion > 1
                hidden = round_up(exact * expansion) if fitted and expands else channels * expansion
                step = stride if i == 0 else 1
                layers.append(InvertedResidual(channels, hidden, channels_out, step, expands=expands))
                channels, exact = channels_out, full * width
        self.features = nn.Sequential(*layers, convolution(channels, last, 1))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        logits: Tensor = self.classifier(x.flatten(1))
        return logits


build = MobileNetV2


def arguments_for(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """Arguments that a checkpoint was made with: its classes. Its width is in the name of the model.

    Args:
        shapes: of the checkpoint's tensors, by name.
    """
    found: dict[str, object] = {}
    if len(classes := shapes.get("classifier.1.bias", ())) == 1:
        found["num_classes"] = classes[0]
    return found
