"""Which counts agree, from the lines of results.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Line = Mapping[str, Any]


def as_printed(line: Line) -> bool:
    """Whether our multiply-adds of a set of torchvision's weights round to the printed digits, thousandths of 10⁹."""
    return "error" not in line and round(line["mult_adds"] / 1e9, 3) == line["printed"]


def parameters_as_printed(line: Line) -> bool:
    """Whether our parameters are those that are printed."""
    return "error" not in line and bool(line["parameters"] == line["printed_parameters"])


def as_torch(line: Line) -> bool:
    """Whether our count of one of timm's networks is FlopCounterMode's, to the last multiply-add."""
    return "error" not in line and line["mult_adds"] == line["torch"]


def tested(line: Line) -> bool:
    """Whether FlopCounterMode gave a number."""
    return not isinstance(line["torch"], str)


def by_regions(line: Line) -> bool:
    """Whether the multiply-adds depend on what the weights find: detectors of two stages."""
    return str(line["model"]).startswith(("fasterrcnn", "maskrcnn", "keypointrcnn"))
