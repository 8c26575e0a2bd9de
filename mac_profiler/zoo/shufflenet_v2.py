"""ShuffleNet V2 (Ma et al., arXiv 1807.11164, Table 5 and Figure 3): channel split, concatenation, shuffle.

Modules and parameters are named as torchvision names them. The down-sampling unit of stage 2 follows the authors' code:
its shortcut keeps the unit's 24 channels and its main branch makes all others. Torchvision gives each branch half of
them, which is 0.9M multiply-adds less at 1x (144.9M, where the paper prints 146M); ``equal_branches=True`` builds
that one.

Squeeze-and-excitation stands at the end of the main branch, ahead of the shortcut's sum (appendix, Figure 2). Its
hidden layer is as wide as the unit, which makes the printed 597M of 2x (596.8M) and 12.7G of the 164 layers (12.67G);
half of the unit's channels, as the caption of the appendix's Table 2 has it and as the authors' code of another large
network does (github.com/megvii-model/ShuffleNet-Series, ShuffleNetV2.Large), would make 593.8M and 12.60G.

The large networks (appendix, Table 2) have a fourth stage, the first at full resolution: its first unit changes the
channels at stride 1, for which Figure 3(d) with that stride is the least change. "v2*" is "field" here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mac_profiler.layers import SqueezeExcitation, shuffle_channels

FAMILY = "ShuffleNet V2"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "shufflenet_v2_x0_5": {"arguments": {"channels": (24, 48, 96, 192, 1024)}},
    "shufflenet_v2_x1_0": {"arguments": {"channels": (24, 116, 232, 464, 1024)}},
    "shufflenet_v2_x1_5": {"arguments": {"channels": (24, 176, 352, 704, 1024)}},
    "shufflenet_v2_x2_0": {"arguments": {"channels": (24, 244, 488, 976, 2048)}},
    "shufflenet_v2_x0_5_se": {"arguments": {"channels": (24, 48, 96, 192, 1024), "se": True}},
    "shufflenet_v2_x1_0_se": {"arguments": {"channels": (24, 116, 232, 464, 1024), "se": True}},
    "shufflenet_v2_x1_5_se": {"arguments": {"channels": (24, 176, 352, 704, 1024), "se": True}},
    "shufflenet_v2_x2_0_se": {"arguments": {"channels": (24, 244, 488, 976, 2048), "se": True}},
    "shufflenet_v2_x0_5_residual": {"arguments": {"channels": (24, 48, 96, 192, 1024), "residual": True}},
    "shufflenet_v2_x1_0_residual": {"arguments": {"channels": (24, 116, 232, 464, 1024), "residual": True}},
    "shufflenet_v2_x1_5_residual": {"arguments": {"channels": (24, 176, 352, 704, 1024), "residual": True}},
    "shufflenet_v2_x2_0_residual": {"arguments": {"channels": (24, 244, 488, 976, 2048), "residual": True}},
    "shufflenet_v2_x0_5_field": {"arguments": {"channels": (24, 48, 96, 192, 1024), "field": True}},
    "shufflenet_v2_x1_0_field": {"arguments": {"channels": (24, 116, 232, 464, 1024), "field": True}},
    "shufflenet_v2_x1_5_field": {"arguments": {"channels": (24, 176, 352, 704, 1024), "field": True}},
    "shufflenet_v2_x2_0_field": {"arguments": {"channels": (24, 244, 488, 976, 2048), "field": True}},
    "shufflenet_v2_x0_5_fused": {"arguments": {"channels": (24, 48, 96, 192, 1024), "fused": True}},
    "shufflenet_v2_x1_0_fused": {"arguments": {"channels": (24, 116, 232, 464, 1024), "fused": True}},
    "shufflenet_v2_x1_5_fused": {"arguments": {"channels": (24, 176, 352, 704, 1024), "fused": True}},
    "shufflenet_v2_x2_0_fused": {"arguments": {"channels": (24, 244, 488, 976, 2048), "fused": True}},
    "shufflenet_v2_50": {
        "arguments": {"channels": (64, 244, 488, 976, 1952, 2048), "repeats": (3, 4, 6, 3), "first_stride": 1}
    },
    "shufflenet_v2_se_164": {
        "arguments": {
            "channels": (64, 340, 680, 1360, 2720, 2048),
            "repeats": (10, 10, 23, 10),
            "stem": (64, 128),
            "first_stride": 1,
            "se": True,
            "residual": True,
        }
    },
}
ALIASES = {"shufflenet_v2": "shufflenet_v2_x1_0"}


def join_shuffled(first: Tensor, second: Tensor) -> Tensor:
    """Concatenate two branches and shuffle in two groups: two passes over the data.

    Args:
        first: [batch, channels_1, height, width].
        second: [batch, channels_2, height, width]; channels_1 + channels_2 is even.
    """
    return shuffle_channels(torch.cat((first, second), dim=1), 2)


def join_shuffled_at_once(first: Tensor, second: Tensor) -> Tensor:
    """The same in one pass: interleaving the halves writes every element to its final place (section 3, last lines).

    Where the branches are not equally wide, what the halves' border cuts off the wider one joins the other first.
    """
    half = (first.shape[1] + second.shape[1]) // 2
    if first.shape[1] < half:
        first, second = torch.cat((first, second[:, : half - first.shape[1]]), 1), second[:, half - first.shape[1] :]
    elif first.shape[1] > half:
        first, second = first[:, :half], torch.cat((first[:, half:], second), 1)
    return torch.stack((first, second), dim=2).flatten(1, 2)


def convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, relu: bool = True
) -> list[nn.Module]:
    """Convolution (1x1 or full), batch-norm and, unless switched off, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
    return [*layers, nn.ReLU(inplace=True)] if relu else layers


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    """3x3 depthwise convolution and batch-norm; no activation follows it in this network."""
    return [nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)]


@dataclass(frozen=True, slots=True)
class Extras:
    """What a unit has besides the basic one's layers; see `ShuffleNetV2`."""

    equal_branches: bool = False
    se: bool = False
    residual: bool = False
    field: bool = False
    fused: bool = False


def main_branch(channels_in: int, half: int, channels_out: int, stride: int, extras: Extras) -> nn.Sequential:
    """Pointwise, depthwise, pointwise convolution, with what the extras add."""
    layers = depthwise(channels_in, 1) if extras.field else []
    layers += convolution(channels_in, half, 1) + depthwise(half, stride)
    layers += convolution(half, channels_out, 1, relu=not extras.residual)
    if extras.se:
        layers.append(SqueezeExcitation(channels_out, 2 * half))
    return nn.Sequential(*layers)


class Unit(nn.Module):
    """Basic unit, Figure 3(c): half of the channels pass by, the others are worked on; concatenation, shuffle."""

    def __init__(self, channels: int, extras: Extras) -> None:
        super().__init__()
        half = channels // 2
        self.residual = extras.residual
        self.join = join_shuffled_at_once if extras.fused else join_shuffled
        self.branch1 = nn.Sequential()
        self.branch2 = main_branch(half, half, half, 1, extras)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same shape."""
        kept, worked = x.chunk(2, dim=1)
        return self.join(kept, self.work(worked))

    def work(self, x: Tensor) -> Tensor:
        """The worked half of the channels -> what the unit makes of it."""
        y: Tensor = self.branch2(x)
        return torch.relu(x + y) if self.residual else y


class DownUnit(nn.Module):
    """Down-sampling unit, Figure 3(d): no split; both branches halve the resolution, where the stride is 2."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, extras: Extras) -> None:
        super().__init__()
        half = channels_out // 2
        self.join = join_shuffled_at_once if extras.fused else join_shuffled
        shortcut = half if extras.equal_branches or channels_in > half else channels_in
        self.branch1 = nn.Sequential(*depthwise(channels_in, stride), *convolution(channels_in, shortcut, 1))
        plain = replace(extras, residual=False)
        self.branch2 = main_branch(channels_in, half, channels_out - shortcut, stride, plain)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, height, width] -> [batch, channels_out, height / stride, width / stride]."""
        return self.join(self.branch1(x), self.branch2(x))


class ShuffleNetV2(nn.Module):
    """ShuffleNet V2.

    Args:
        channels: output channels of conv1, stage 2, 3, 4 and conv5 (Table 5); of more stages where repeats has more.
        repeats: units of stage 2, 3 and 4.
        stem: output channels of 3x3 convolutions between conv1 and the max-pool.
        first_stride: stride of the first stage.
        num_classes: outputs of the classifier.
        equal_branches: give both branches of a down-sampling unit half of its outputs, as torchvision does.
        se: squeeze-and-excitation at the end of every main branch (appendix, Figure 2b).
        residual: add the worked half of the channels to what is made of it (appendix, Figure 2a).
        field: a 3x3 depthwise convolution ahead of every main branch, for its field of view (section 4, "v2*").
        fused: concatenation, shuffle and the next unit's split in one pass; the outputs are the same to the last bit.
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        repeats: Sequence[int] = (4, 8, 4),
        stem: Sequence[int] = (),
        first_stride: int = 2,
        num_classes: int = 1000,
        equal_branches: bool = False,
        se: bool = False,
        residual: bool = False,
        field: bool = False,
        fused: bool = False,
    ) -> None:
        super().__init__()
        first, *stages, last = channels
        if len(stages) != len(repeats):
            raise ValueError(f"{len(stages)} stages of channels and {len(repeats)} of repeats; give one for each stage")
        if any(width <= 0 or width % 2 for width in stages):
            raise ValueError(
                f"stages of {', '.join(map(str, stages))} channels: a unit splits them in halves, give even"
            )
        extras = Extras(equal_branches, se, residual, field, fused)
        layers = convolution(3, first, 3, 2)
        before = first
        for width in stem:
            layers += convolution(before, width, 3)
            before = width
        self.conv1 = nn.Sequential(*layers)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for number, (width, units) in enumerate(zip(stages, repeats, strict=True), start=2):
            down = DownUnit(before, width, first_stride if number == 2 else 2, extras)
            stage = nn.Sequential(down, *(Unit(width, extras) for _ in range(units - 1)))
            self.add_module(f"stage{number}", stage)
            before = width
        self.conv5 = nn.Sequential(*convolution(before, last, 1))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, height, width] -> [batch, num_classes]."""
        x = self.maxpool(self.conv1(x))
        for name, stage in self.named_children():
            if name.startswith("stage"):
                x = stage(x)
        logits: Tensor = self.fc(self.conv5(x).mean([2, 3]))
        return logits


build = ShuffleNetV2


def arguments_for(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """Arguments that a checkpoint was made with: its classes, and what its first unit's layers show.

    ``residual`` and ``fused`` add no layer, so that no checkpoint shows them.

    Args:
        shapes: of the checkpoint's tensors, by name.
    """
    found: dict[str, object] = {}
    if len(classes := shapes.get("fc.bias", ())) == 1:
        found["num_classes"] = classes[0]
    field = shapes.get("stage2.0.branch2.0.weight", ())[2:] == (3, 3)
    if field:
        found["field"] = True
    if any(name.startswith("stage2.0.branch2.") and name.endswith(".fc1.weight") for name in shapes):
        found["se"] = True
    shortcut = shapes.get("stage2.0.branch1.2.weight", ())
    depthwise_conv = shapes.get(f"stage2.0.branch2.{5 if field else 3}.weight", ())
    # Where half of the unit's channels are as many as enter it, both ways make the same unit.
    if len(shortcut) == len(depthwise_conv) == 4 and shortcut[1] < depthwise_conv[0]:
        found["equal_branches"] = shortcut[0] == depthwise_conv[0]
    return found
