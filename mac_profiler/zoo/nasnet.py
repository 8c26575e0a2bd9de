"""NASNet-A (Zoph et al., arXiv 1707.07012, Figure 4 and Table 2): two cells found by search, stacked by hand.

What the paper leaves open (stem, filter scaling, how maps of unlike size meet, what the first cell of a stage reads as
its earlier map) is as the authors published it in github.com/tensorflow/models, research/slim/nets/nasnet, nasnet.py
and nasnet_utils.py. To be known:

- The stem's convolution has no padding there, so not here: 224 pixels make maps of 111, 56, 28, 14 and 7.
- A window of stride 2 is padded by half its size on every side; TensorFlow's SAME leaves the odd pixel of an even map
  to the right and the bottom. Map sizes and costs are the same, and no operator is spent on padding that TensorFlow
  does inside its kernels; weights trained there would see such maps one pixel off.
- Only what inference runs is built: no auxiliary classifier, drop-path or dropout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mac_profiler.search_space import Sum, fit, normalize, operate, project

FAMILY = "NASNet-A"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "nasnet_mobile": {"arguments": {"repeats": 4, "features": 1056, "stem": 32, "skip_reduction": False}},
    "nasnet_large": {
        "arguments": {"repeats": 6, "features": 4032, "stem": 96, "skip_reduction": True},
        "input": (1, 3, 331, 331),
    },
}
ALIASES = {
    "nasnet": "nasnet_mobile",
    "nasnet_a": "nasnet_mobile",
    "nasnet_a_mobile": "nasnet_mobile",
    "nasnet_a_large": "nasnet_large",
}


@dataclass(frozen=True)
class Recipe:
    """What a cell computes: states 0 and 1 are its two inputs, every sum of two operations is the next state.

    Attributes:
        sums: (operation, state that it reads) twice for every sum.
        outputs: the states that are concatenated.
    """

    sums: tuple[tuple[tuple[str, int], tuple[str, int]], ...]
    outputs: tuple[int, ...]


NORMAL = Recipe(
    sums=(
        (("separable 5", 0), ("separable 3", 1)),
        (("separable 5", 1), ("separable 3", 1)),
        (("average 3", 0), ("identity", 1)),
        (("average 3", 1), ("average 3", 1)),
        (("separable 3", 0), ("identity", 0)),
    ),
    outputs=(1, 2, 3, 4, 5, 6),
)
# State 3 is both read by a later sum and part of the output, as in the authors' code.
REDUCTION = Recipe(
    sums=(
        (("separable 5", 0), ("separable 7", 1)),
        (("maximum 3", 0), ("separable 7", 1)),
        (("average 3", 0), ("separable 5", 1)),
        (("identity", 3), ("average 3", 2)),
        (("separable 3", 2), ("maximum 3", 0)),
    ),
    outputs=(3, 4, 5, 6),
)


class Cell(nn.Module):
    """A recipe at a width.

    Args:
        recipe: what it computes.
        channels: channels of every sum.
        channels_in: channels of the current map.
        before: what brings the earlier map to the size of the current one.
        channels_before: channels that it gives it.
        stride: of the operations that read one of the two inputs.
    """

    def __init__(
        self, recipe: Recipe, channels: int, channels_in: int, before: nn.Module, channels_before: int, stride: int
    ) -> None:
        super().__init__()
        self.outputs = recipe.outputs
        self.before = before
        self.current = project(channels_in, channels)
        self.sums = nn.ModuleList()
        widths = [channels, channels_before]
        for pair in recipe.sums:
            left, right = (operate(name, widths[i], channels, stride if i < 2 else 1) for name, i in pair)
            self.sums.append(Sum(left, right, (pair[0][1], pair[1][1])))
            widths.append(channels)
        self.channels_out = sum(widths[i] for i in recipe.outputs)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Current map [batch, channels_in, height, width], earlier map -> [batch, channels_out, height / stride, …]."""
        before = self.before(before)
        states = [self.current(x), before]
        for add in self.sums:
            states.append(add(states))
        return torch.cat([states[i] for i in self.outputs], dim=1)


class NASNet(nn.Module):
    """NASNet-A for ImageNet, "N @ F" in the paper.

    Args:
        repeats: N, normal cells of each of the three stages.
        features: F, channels ahead of the classifier; a multiple of 24.
        stem: channels of the first convolution.
        skip_reduction: the first normal cell after a reduction cell reads, beside that, the map that the reduction cell
            read as its earlier one; otherwise the one that it read as the current one.
        num_classes: outputs of the classifier.
    """

    def __init__(self, repeats: int, features: int, stem: int, skip_reduction: bool, num_classes: int = 1000) -> None:
        super().__init__()
        # The last stage concatenates six states at four times the width of the first.
        channels = features // 24
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, 2, bias=False), normalize(stem))
        # recipe, channels, stride, and which of the maps made so far, counted from the last, is the earlier one
        plan = [(REDUCTION, channels // 4, 2, 1), (REDUCTION, channels // 2, 2, 2)]
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                plan.append((REDUCTION, width, 2, 2))
            plan.append((NORMAL, width, 1, 3 if stage and skip_reduction else 2))
            plan += [(NORMAL, width, 1, 2)] * (repeats - 1)
        self.cells = nn.ModuleList()
        self.backs = [back for *_, back in plan]
        made = [(stem, 0)]  # channels of every map, and how often it was halved
        for recipe, width, stride, back in plan:
            (channels_in, level), earlier = made[-1], made[-back]
            # Where there is no earlier map the current one takes its place as it is: the operations fit its channels.
            before, fitted = (nn.Identity(), channels_in) if back == 1 else (fit(*earlier, width, level), width)
            cell = Cell(recipe, width, channels_in, before, fitted, stride)
            self.cells.append(cell)
            made.append((cell.channels_out, level + stride - 1))
        self.relu = nn.ReLU()
        self.fc = nn.Linear(made[-1][0], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        made = [self.stem(x)]
        for cell, back in zip(self.cells, self.backs, strict=True):
            # No cell looks further back than three maps.
            made = [*made[-2:], cell(made[-1], made[-back])]
        logits: Tensor = self.fc(self.relu(made[-1]).mean([2, 3]))
        return logits


build = NASNet
