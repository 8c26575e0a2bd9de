"""MobileNet V1 (Howard et al., arXiv 1704.04861, Table 1): depthwise-separable convolutions in a row."""

from __future__ import annotations

from torch import Tensor, nn

FAMILY = "MobileNet V1"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "mobilenet_v1_x1_0": {"arguments": {"width": 1.0}},
    "mobilenet_v1_x0_75": {"arguments": {"width": 0.75}},
    "mobilenet_v1_x0_5": {"arguments": {"width": 0.5}},
    "mobilenet_v1_x0_25": {"arguments": {"width": 0.25}},
    "mobilenet_v1_x1_0_r192": {"arguments": {"width": 1.0}, "input": (1, 3, 192, 192)},
    "mobilenet_v1_x1_0_r160": {"arguments": {"width": 1.0}, "input": (1, 3, 160, 160)},
    "mobilenet_v1_x1_0_r128": {"arguments": {"width": 1.0}, "input": (1, 3, 128, 128)},
    "mobilenet_v1_x0_75_r192": {"arguments": {"width": 0.75}, "input": (1, 3, 192, 192)},
    "mobilenet_v1_x0_75_r160": {"arguments": {"width": 0.75}, "input": (1, 3, 160, 160)},
    "mobilenet_v1_x0_75_r128": {"arguments": {"width": 0.75}, "input": (1, 3, 128, 128)},
    "mobilenet_v1_x0_5_r192": {"arguments": {"width": 0.5}, "input": (1, 3, 192, 192)},
    "mobilenet_v1_x0_5_r160": {"arguments": {"width": 0.5}, "input": (1, 3, 160, 160)},
    "mobilenet_v1_x0_5_r128": {"arguments": {"width": 0.5}, "input": (1, 3, 128, 128)},
    "mobilenet_v1_x0_25_r192": {"arguments": {"width": 0.25}, "input": (1, 3, 192, 192)},
    "mobilenet_v1_x0_25_r160": {"arguments": {"width": 0.25}, "input": (1, 3, 160, 160)},
    "mobilenet_v1_x0_25_r128": {"arguments": {"width": 0.25}, "input": (1, 3, 128, 128)},
    "mobilenet_v1_conv": {"arguments": {"separable": False}},
    "mobilenet_v1_shallow": {"arguments": {"shallow": True}},
}
ALIASES = {"mobilenet_v1": "mobilenet_v1_x1_0"}

# Table 1, body: output channels and stride of every depthwise-separable pair.
BODY = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
SHALLOW = tuple(pair for pair in BODY if pair != (512, 1))


def convolution(channels_in: int, channels_out: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
    """Convolution, batch-norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class MobileNetV1(nn.Module):
    """MobileNet V1.

    Args:
        width: width multiplier, applied to every layer's channels (section 3.3).
        separable: depthwise-separable convolutions; full ones where False (Table 4).
        shallow: leave out the five pairs of 512 channels at one resolution (Table 5).
        num_classes: outputs of the classifier.
    """

    def __init__(
        self, width: float = 1.0, *, separable: bool = True, shallow: bool = False, num_classes: int = 1000
    ) -> None:
        super().__init__()
        channels = int(32 * width)
        layers = [convolution(3, channels, 3, 2)]
        for full, stride in SHALLOW if shallow else BODY:
            channels_out = int(full * width)
            if separable:
                depthwise = convolution(channels, channels, 3, stride, groups=channels)
                layers.append(nn.Sequential(depthwise, convolution(channels, channels_out, 1, 1)))
            else:
                layers.append(convolution(channels, channels_out, 3, stride))
            channels = channels_out
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.pool(self.features(x)).flatten(1))
        return logits


build = MobileNetV1
