"""The networks, their blocks, and what is known of them beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mac_profiler.reuse import Side


@dataclass(frozen=True, slots=True)
class Network:
    """One network, and which of its channels are followed.

    Attributes:
        title: as the table and the figure call it.
        model: name that `mac_profiler.analyze` takes.
        blocks: paths; the last one is the layer that reads what the last unit hands on.
        touching: blocks through which nothing is expected to pass, such as down-sampling units.
        shown: which count the figure and the table show.
        ratio: part of the channels that is expected to pass through each of the other blocks.
        side: which channels of a block are followed.
        disregarded: operators that are taken to hand on what they read.
        drawn: it has a panel in the figure.
    """

    title: str
    model: str
    blocks: tuple[str, ...]
    touching: frozenset[str]
    shown: Literal["untouched", "carried"]
    ratio: Fraction
    side: Side = "input"
    disregarded: tuple[str, ...] = ()
    drawn: bool = True

    def expected(self, source: int, target: int) -> Fraction:
        """The closed form: the product of what passes through each block on the way."""
        passed = self.blocks[source + (self.side == "output") : target]
        return Fraction(0) if not self.touching.isdisjoint(passed) else self.ratio ** len(passed)


def _units(pattern: str, counts: Sequence[int], first: int = 0) -> tuple[str, ...]:
    """Paths of stages of so many units each; units are counted from 0, stages from `first`."""
    return tuple(pattern.format(stage, unit) for stage, count in enumerate(counts, first) for unit in range(count))


def _first_ones(blocks: Sequence[str]) -> frozenset[str]:
    return frozenset(block for block in blocks if block.endswith(".0"))


_SHUFFLE = (*_units("stage{}.{}", (4, 8, 4), 2), "conv5")
_RESIDUAL = (*_units("layer{}.{}", (3, 4, 6, 3), 1), "avgpool")
_PRE_ACTIVATION = (*_units("stages.{}.blocks.{}", (3, 4, 6, 3)), "norm")
_DENSE = tuple(
    path
    for block, (layers, end) in enumerate(
        ((6, "transition1"), (12, "transition2"), (24, "transition3"), (16, "norm5")), start=1
    )
    for path in (
        *(f"features.denseblock{block}.denselayer{layer}" for layer in range(1, layers + 1)),
        f"features.{end}",
    )
)
_TRANSITIONS = frozenset(path for path in _DENSE if "transition" in path)


def _shuffle(width: str, *, drawn: bool) -> Network:
    name = f"shufflenet_v2_x{width.replace('.', '_')}"
    title = f"ShuffleNet V2 {width.removesuffix('.0')}x"
    return Network(title, name, _SHUFFLE, _first_ones(_SHUFFLE), "untouched", Fraction(1, 2), drawn=drawn)


def _dense(side: Side, *, drawn: bool) -> Network:
    title = f"DenseNet-121, {side}s"
    return Network(title, "torchvision:densenet121", _DENSE, _TRANSITIONS, "untouched", Fraction(1), side, drawn=drawn)


def _residual(title: str, shown: Literal["untouched", "carried"], ratio: int, *disregarded: str) -> Network:
    return Network(
        f"ResNet-50, {title}",
        "torchvision:resnet50",
        _RESIDUAL,
        _first_ones(_RESIDUAL),
        shown,
        Fraction(ratio),
        disregarded=disregarded,
        drawn=shown == "carried",
    )


NETWORKS = (
    _shuffle("1.0", drawn=True),
    _shuffle("0.5", drawn=False),
    _shuffle("1.5", drawn=False),
    _shuffle("2.0", drawn=False),
    _dense("input", drawn=True),
    _dense("output", drawn=False),
    _residual("untouched", "untouched", 0),
    _residual("carried", "carried", 0),
    _residual("carried, ReLU disregarded", "carried", 1, "aten.relu"),
    Network(
        "pre-activation ResNet-50, carried",
        "timm:resnetv2_50",
        _PRE_ACTIVATION,
        _first_ones(_PRE_ACTIVATION),
        "carried",
        Fraction(1),
    ),
)
