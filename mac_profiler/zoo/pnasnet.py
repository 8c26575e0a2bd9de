"""PNASNet-5 (Liu et al., arXiv 1712.00559, Figure 1): one cell found by search, stacked with stride 1 and 2.

What the paper leaves open (stem, filter scaling, how maps of unlike size meet) is as the authors published it in
github.com/tensorflow/models, research/slim/nets/nasnet, pnasnet.py and nasnet_utils.py. To be known:

- Figure 1 concatenates four of the five sums, because the fourth reads the third. The authors' code concatenates all
  five, and only so do its widths (1080 and 4320 channels ahead of the classifier) come out: so does this.
- The mobile network has cells of 13 and 27 channels in its stem; where 27 are cut in two, the second path has the odd
  one.
- A window of stride 2 is padded by half its size on every side; TensorFlow's SAME leaves the odd pixel of an even map
  to the right and the bottom. Map sizes and costs are the same, and no operator is spent on padding that TensorFlow
  does inside its kernels; weights trained there would see such maps one pixel off.
- 588M multiply-adds are printed for the mobile (arXiv 1807.11164, Table 8) and 25.0B for the large network (timm's
  model card); these have 587.3M and 24.94B. Both are met with one more 1x1 convolution, after the first pool of the
  second stem cell, where nothing needs one: the authors' pnasnet_test.py asserts that this very layer is not built.
- Only what inference runs is built: no auxiliary classifier, drop-path or dropout.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mac_profiler.search_space import Sum, fit, normalize, operate, project

FAMILY = "PNASNet-5"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "pnasnet5_mobile": {"arguments": {"repeats": 3, "channels": 54, "stem": 32}},
    "pnasnet5_large": {"arguments": {"repeats": 4, "channels": 216, "stem": 96}, "input": (1, 3, 331, 331)},
}
ALIASES = {"pnasnet": "pnasnet5_mobile", "pnasnet5": "pnasnet5_mobile"}

# States 0 and 1 are the current and the earlier map; a row is a sum of two operations, each with the state that it
# reads, and makes the next state. All sums are concatenated.
SUMS = (
    (("separable 5", 1), ("maximum 3", 1)),
    (("separable 7", 0), ("maximum 3", 0)),
    (("separable 5", 0), ("separable 3", 0)),
    (("separable 3", 4), ("maximum 3", 0)),
    (("separable 3", 1), ("identity", 0)),
)


class Cell(nn.Module):
    """The cell at a width.

    Args:
        channels: channels of every sum.
        channels_in: channels of the current map.
        before: what brings the earlier map to the size of the current one.
        channels_before: channels that it gives it.
        stride: of the operations that read one of the two inputs.
    """

    def __init__(self, channels: int, channels_in: int, before: nn.Module, channels_before: int, stride: int) -> None:
        super().__init__()
        self.before = before
        self.current = project(channels_in, channels)
        self.sums = nn.ModuleList()
        widths = [channels, channels_before, *(channels for _ in SUMS)]
        for pair in SUMS:
            left, right = (operate(name, widths[i], channels, stride if i < 2 else 1) for name, i in pair)
            self.sums.append(Sum(left, right, (pair[0][1], pair[1][1])))

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Current map [batch, channels_in, height, width], earlier map -> [batch, 5 * channels, height / stride, …]."""
        before = self.before(before)
        states = [self.current(x), before]
        for add in self.sums:
            states.append(add(states))
        return torch.cat(states[2:], dim=1)


class PNASNet(nn.Module):
    """PNASNet-5 for ImageNet.

    Args:
        repeats: N, cells of stride 1 in each of the three stages.
        channels: F, channels of the sums in the first stage; they double from stage to stage.
        stem: channels of the first convolution.
        num_classes: outputs of the classifier.
    """

    def __init__(self, repeats: int, channels: int, stem: int, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, 2, bias=False), normalize(stem))
        # Channels and stride of every cell. The cell that opens a stage is one of its own, but for the first stage,
        # which the second stem cell opens.
        plan = [(channels // 4, 2), (channels // 2, 2), *[(channels, 1)] * repeats]
        for width in (2 * channels, 4 * channels):
            plan += [(width, 2), *[(width, 1)] * (repeats - 1)]
        self.cells = nn.ModuleList()
        made = [(stem, 0)]  # channels of every map, and how often it was halved
        for width, stride in plan:
            channels_in, level = made[-1]
            # Where there is no earlier map the current one takes its place as it is: the operations fit its channels.
            before, fitted = (fit(*made[-2], width, level), width) if self.cells else (nn.Identity(), channels_in)
            self.cells.append(Cell(width, channels_in, before, fitted, stride))
            made.append((len(SUMS) * width, level + stride - 1))
        self.relu = nn.ReLU()
        self.fc = nn.Linear(made[-1][0], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = before = self.stem(x)
        for cell in self.cells:
            x, before = cell(x, before), x
        logits: Tensor = self.fc(self.relu(x).mean([2, 3]))
        return logits


build = PNASNet
