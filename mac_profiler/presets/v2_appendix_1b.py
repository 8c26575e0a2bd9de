"""Table 1(b) of ShuffleNet V2's appendix: ten stacked units of four networks, at equal multiply-adds.

Printed are the channels c of ShuffleNet V2's unit. The others have "the same FLOPs", and no width is printed: it is the
whole number whose multiply-adds are nearest, of a multiple of 3 where ShuffleNet V1's three groups want one. MobileNet
V2's unit expands six times, as its authors' does; the units are those of the zoo, at stride 1, with batch-norm and
activations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mac_profiler.presets import Row
from mac_profiler.published import Table

NAME = "v2-appendix-1b"
TITLE = "ten stacked units at equal multiply-adds"
SOURCE = "Ma et al., ShuffleNet V2, arXiv 1807.11164v1, appendix, Table 1(b)"
TABLE = "v2_appendix_table1b"
NOTES = (
    "The paper prints the channels of ShuffleNet V2's unit; the others are as wide as is nearest in multiply-adds.",
)

ROW = re.compile(r"(?P<unit>.+) unit, c = (?P<channels>\d+), (?P<side>\d+)x\d+")
UNITS = {
    "ShuffleNet v2": "shufflenet_v2", "ShuffleNet v1": "shufflenet_v1", "MobileNet v2": "mobilenet_v2",
    "Xception": "xception",
}  # fmt: skip
FAMILIES = {unit: unit for unit in UNITS.values()} | {"xception": "xception_like"}
DEPTH = 10
GROUPS, EXPANSION, NARROWING = 3, 6, 4


def rows(table: Table) -> list[Row]:
    """A row for each that is printed; those of one c and one size are compared."""
    found = []
    for row in table.rows:
        said = ROW.fullmatch(row.label)
        if said is None:
            found.append(Row(row.label, "", row.figures, missing="its label names no unit that is known"))
            continue
        unit, channels, side = UNITS[said["unit"]], int(said["channels"]), int(said["side"])
        wide = width(unit, channels)
        found.append(
            Row(
                row.label,
                f"{unit}_{wide}",
                row.figures,
                shape=(wide, side, side),
                setting=f"{side}x{side} c{channels}",
                level="none",
            )
        )
    return found


def products(unit: str, wide: int) -> int:
    """Multiply-adds of a unit of so many channels at one position of its maps."""
    if unit == "shufflenet_v2":
        return 2 * (wide // 2) ** 2 + 9 * (wide // 2)
    if unit == "shufflenet_v1":
        narrow = wide // NARROWING // GROUPS * GROUPS
        return 2 * wide * narrow // GROUPS + 9 * narrow
    if unit == "mobilenet_v2":
        return 2 * EXPANSION * wide**2 + 9 * EXPANSION * wide
    narrow = wide // NARROWING
    return 2 * wide * narrow + narrow**2 + 9 * (wide + 2 * narrow)


def width(unit: str, channels: int) -> int:
    """Channels of a unit that takes what ShuffleNet V2's takes with so many."""
    if unit == "shufflenet_v2":
        return channels
    wanted = products("shufflenet_v2", channels)
    step = GROUPS if unit == "shufflenet_v1" else 1
    # None is wider than three times ShuffleNet V2's, which works on half of its channels.
    return min(range(4 * step, 3 * channels, step), key=lambda wide: abs(products(unit, wide) - wanted))


def build(model: str) -> Any:
    """Ten units, by unit and channels: "shufflenet_v1_117"."""
    from torch import nn

    unit, _, channels = model.rpartition("_")
    wide = int(channels)
    # By name: who finds models by name is above the zoo, and above this.
    family = import_module(f"mac_profiler.zoo.{FAMILIES[unit]}")
    makers: dict[str, Callable[[], Any]] = {
        "shufflenet_v2": lambda: family.Unit(wide, family.Extras()),
        "shufflenet_v1": lambda: family.Unit(wide, wide, groups=GROUPS, stride=1, first_groups=GROUPS),
        "mobilenet_v2": lambda: family.InvertedResidual(wide, EXPANSION * wide, wide, 1, expands=True),
        "xception": lambda: family.Unit(wide, wide, 1),
    }
    return nn.Sequential(*(makers[unit]() for _ in range(DEPTH)))
