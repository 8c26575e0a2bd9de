"""AlexNet: as torchvision has it, one tower (Krizhevsky, arXiv 1404.5997), and with the two towers of 2012 (NIPS 25).

The two towers are groups: the second, fourth and fifth convolution work in two. Local response normalisation follows
the first and the second. The tables' 720M is one tower's to 1 % and two towers' to 1 %; which was counted is not said.
"""

from __future__ import annotations

from torch import Tensor, nn

FAMILY = "AlexNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "alexnet": {"model": "torchvision:alexnet"},
    "alexnet_two_groups": {"arguments": {}, "input": (1, 3, 227, 227)},
}


class AlexNet(nn.Module):
    """AlexNet of two towers (Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.5 and Figure 2).

    Args:
        num_classes: outputs of the classifier.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, 227, 227] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits


def build(num_classes: int = 1000) -> nn.Module:
    """AlexNet of two towers.

    Args:
        num_classes: outputs of the classifier.
    """
    return AlexNet(num_classes)
