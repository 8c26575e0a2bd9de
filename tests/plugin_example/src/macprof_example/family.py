"""A family of models, as a file of macprof's zoo: the literals are read without importing it."""

from __future__ import annotations

from torch import nn

FAMILY = "Example"
INPUT = (1, 3, 32, 32)
VARIANTS = {
    "example_net": {"arguments": {"width": 8}},
    "example_net_wide": {"arguments": {"width": 16}, "input": (1, 3, 16, 16)},
}
ALIASES = {"example_wide": "example_net_wide"}


def build(width: int = 8) -> nn.Module:
    """Make a variant."""
    return nn.Sequential(nn.Conv2d(3, width, 3, bias=False), nn.ReLU())
