"""IGCV2 (Xie et al., arXiv 1804.06202): a convolution as a product of structured sparse ones, permutations in between.

The paper's block is W3 P2 W2 P1 W1: a channel-wise 3x3 convolution and 1x1 group convolutions, batch-norm, ReLU. By its
complementary condition exactly one path leads from every input channel to every output channel. The networks that were
set beside MobileNet V1 on ImageNet are known here by their multiply-adds alone (ShuffleNet V2, arXiv 1807.11164,
Table 8): 564M, 156M and 46M at widths 1, 0.5 and 0.25. No architecture table or code of theirs was found, so that
what follows is a choice, one rule for all three widths:

- Depth, strides and first convolution are MobileNet V1's, whose three levels these match.
- The printed figures are met by 504 w^2 + 60 w (in millions; MobileNet V1: 542 w^2 + 27 w). The balance condition,
  equal groups in both 1x1 convolutions, would grow as w^1.5. So one of them has a fixed number of groups, and the
  complementary condition then fixes the other: groups of 4 channels, then 4 groups.
- The maps are twice as wide as MobileNet V1's: with a quarter of the connections, as many weights, and the linear part
  about doubled. Of 1, 1.5, 2, 2.5, 3 and 4 times with 2 to 32 groups, only 2 with 4 comes within 5 % at all three.
  (Two convolutions of 8 groups, all twice as wide, come nearer, but join channels by many paths, with 5.2M weights.)
- The last block returns to MobileNet V1's 1024 w, and so does the classifier; at 2048 w it would have 2M weights alone.

It gives 557.8M, 153.7M and 45.5M, 1.0 to 1.5 % below what is printed. As in the IGC1x1 of the same group's code
(github.com/homles11/IGCV3, detection/symbol/igcv3_wide.py), each convolution has its batch-norm and only the block's
end a ReLU. There is no P1, since behind a channel-wise convolution it would only rename channels.
"""

from __future__ import annotations

from torch import Tensor, nn

from mac_profiler.layers import shuffle_channels

FAMILY = "IGCV2"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "igcv2_x0_25": {"arguments": {"width": 0.25}},
    "igcv2_x0_5": {"arguments": {"width": 0.5}},
    "igcv2_x1_0": {"arguments": {"width": 1.0}},
}
ALIASES = {"igcv2": "igcv2_x1_0"}

GROUPS = 4
# MobileNet V1's Table 1: output channels, stride.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and batch-norm."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    )


class Block(nn.Module):
    """Channel-wise 3x3, 1x1 in groups of `GROUPS` channels, permutation, 1x1 in `GROUPS` groups; ReLU at the end."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.small_groups = channels_in // GROUPS
        self.spatial = convolution(channels_in, channels_in, 3, stride, groups=channels_in)
        self.mix_within = convolution(channels_in, channels_in, 1, groups=self.small_groups)
        self.mix_across = convolution(channels_in, channels_out, 1, groups=GROUPS)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        # Each of the few large groups gets one channel of every small one: the complementary condition.
        x = shuffle_channels(self.mix_within(self.spatial(x)), self.small_groups)
        y: Tensor = self.relu(self.mix_across(x))
        return y


class IGCV2(nn.Module):
    """IGCV2 in the frame of MobileNet V1.

    Args:
        width: width multiplier.
        num_classes: outputs of the classifier.
    """

    def __init__(self, width: float = 1.0, *, num_classes: int = 1000) -> None:
        super().__init__()
        channels = int(32 * width)
        layers: list[nn.Module] = [convolution(3, channels, 3, 2), nn.ReLU(inplace=True)]
        for position, (full, stride) in enumerate(BLOCKS, start=1):
            channels_out = int(full * width) * (1 if position == len(BLOCKS) else 2)
            layers.append(Block(channels, channels_out, stride))
            channels = channels_out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        logits: Tensor = self.classifier(self.features(x).mean([2, 3]))
        return logits


build = IGCV2
