"""MobileNet V1 (Howard et al., arXiv 1704.04861, Table 1): depthwise-separable convolutions in a row."""

from __future__ import annotations

from torch import Tensor, nn

FAMILY = "MobileNet V1"
SOURCES = {
    "table6": "Howard et al., arXiv 1704.04861, Table 6",
    "table7": "Howard et al., arXiv 1704.04861, Table 7",
    "table9": "Howard et al., arXiv 1704.04861, Table 9",
    "v2": "Sandler et al., arXiv 1801.04381, Table 4",
    "slim": "github.com/tensorflow/models, research/slim/nets/mobilenet_v1.md",
}
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "mobilenet_v1_x1_0": {
        "arguments": {"width": 1.0},
        "published": (
            ("mult_adds", "569M", "table6"),
            ("mult_adds", "575M", "v2", "not reproduced", "6M above the network's own paper, which is met"),
            ("mult_adds", "569M", "slim"),
            ("parameters", "4.2M", "table6"),
            ("parameters", "4.24M", "slim", "not reproduced", "met with three values a batch-norm channel, not two"),
            ("top1_accuracy_percent", "70.6", "table6"),
        ),
    },
    "mobilenet_v1_x0_75": {
        "arguments": {"width": 0.75},
        "published": (
            ("mult_adds", "325M", "table6"),
            ("mult_adds", "317M", "slim", "not reproduced", "8M below the network's own paper, which is met"),
            ("parameters", "2.6M", "table6"),
            ("parameters", "2.59M", "slim"),
            ("top1_accuracy_percent", "68.4", "table6"),
        ),
    },
    "mobilenet_v1_x0_5": {
        "arguments": {"width": 0.5},
        "published": (
            ("mult_adds", "149M", "table6"),
            ("mult_adds", "150M", "slim", "not reproduced", "149.50M; the network's own paper is met"),
            ("parameters", "1.3M", "table6"),
            ("parameters", "1.34M", "slim", "not reproduced", "met with three values a batch-norm channel, not two"),
            ("top1_accuracy_percent", "63.7", "table6"),
        ),
    },
    "mobilenet_v1_x0_25": {
        "arguments": {"width": 0.25},
        "published": (
            ("mult_adds", "41M", "table6"),
            ("mult_adds", "41M", "slim"),
            ("parameters", "0.5M", "table6"),
            ("parameters", "0.47M", "slim"),
            ("top1_accuracy_percent", "50.6", "table6"),
        ),
    },
    "mobilenet_v1_x1_0_r192": {
        "arguments": {"width": 1.0},
        "input": (1, 3, 192, 192),
        "published": (("mult_adds", "418M", "table7"), ("mult_adds", "418M", "slim")),
    },
    "mobilenet_v1_x1_0_r160": {
        "arguments": {"width": 1.0},
        "input": (1, 3, 160, 160),
        "published": (("mult_adds", "290M", "table7", "truncated"), ("mult_adds", "291M", "slim")),
    },
    "mobilenet_v1_x1_0_r128": {
        "arguments": {"width": 1.0},
        "input": (1, 3, 128, 128),
        "published": (("mult_adds", "186M", "table7"), ("mult_adds", "186M", "slim")),
    },
    "mobilenet_v1_x0_75_r192": {
        "arguments": {"width": 0.75},
        "input": (1, 3, 192, 192),
        "published": (("mult_adds", "233M", "slim", "not reproduced", "as short of the paper as at 224"),),
    },
    "mobilenet_v1_x0_75_r160": {
        "arguments": {"width": 0.75},
        "input": (1, 3, 160, 160),
        "published": (("mult_adds", "162M", "slim", "not reproduced", "as short of the paper as at 224"),),
    },
    "mobilenet_v1_x0_75_r128": {
        "arguments": {"width": 0.75},
        "input": (1, 3, 128, 128),
        "published": (("mult_adds", "104M", "slim", "not reproduced", "as short of the paper as at 224"),),
    },
    "mobilenet_v1_x0_5_r192": {
        "arguments": {"width": 0.5},
        "input": (1, 3, 192, 192),
        "published": (("mult_adds", "110M", "slim"),),
    },
    "mobilenet_v1_x0_5_r160": {
        "arguments": {"width": 0.5},
        "input": (1, 3, 160, 160),
        "published": (
            ("mult_adds", "76M", "table9", "truncated"),
            ("mult_adds", "77M", "slim"),
            ("parameters", "1.32M", "table9", "batch-norm left out"),
            ("top1_accuracy_percent", "60.2", "table9"),
        ),
    },
    "mobilenet_v1_x0_5_r128": {
        "arguments": {"width": 0.5},
        "input": (1, 3, 128, 128),
        "published": (("mult_adds", "49M", "slim"),),
    },
    "mobilenet_v1_x0_25_r192": {
        "arguments": {"width": 0.25},
        "input": (1, 3, 192, 192),
        "published": (("mult_adds", "34M", "slim", "not reproduced", "30M follows from its own 41M at 224"),),
    },
    "mobilenet_v1_x0_25_r160": {
        "arguments": {"width": 0.25},
        "input": (1, 3, 160, 160),
        "published": (("mult_adds", "21M", "slim"),),
    },
    "mobilenet_v1_x0_25_r128": {
        "arguments": {"width": 0.25},
        "input": (1, 3, 128, 128),
        "published": (("mult_adds", "14M", "slim"),),
    },
}
ALIASES = {"mobilenet_v1": "mobilenet_v1_x1_0"}

# Table 1, body: output channels and stride of every depthwise-separable pair.
BODY = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


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
        num_classes: outputs of the classifier.
    """

    def __init__(self, width: float = 1.0, *, num_classes: int = 1000) -> None:
        super().__init__()
        channels = int(32 * width)
        layers = [convolution(3, channels, 3, 2)]
        for full, stride in BODY:
            channels_out = int(full * width)
            depthwise = convolution(channels, channels, 3, stride, groups=channels)
            layers.append(nn.Sequential(depthwise, convolution(channels, channels_out, 1, 1)))
            channels = channels_out
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.pool(self.features(x)).flatten(1))
        return logits


build = MobileNetV1
