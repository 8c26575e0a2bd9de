"""ShuffleNet V2's units with concatenation, shuffle and split one after another, and in one pass.

The paper merges the three into one element-wise operator (section 3, last lines) and gives no figure for it. Ten basic
units of the 1x network's stages, with batch-norm and ReLU as they are in the network, of the zoo's own code.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "merged_shuffle"
TITLE = "Merged shuffle"
QUESTION = "How much faster is a ShuffleNet V2 unit whose concatenation, shuffle and split are one pass?"
SOURCE = "beyond ShuffleNet V2 (arXiv 1807.11164v1), which merges them in section 3 and measures nothing of it"

# Size of the maps -> channels, of stages 2 to 4 at 1x.
STAGES = {28: 116, 14: 232, 7: 464}
ROWS = {"one after another": False, "in one pass": True}


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """A group for each stage, "28x28", "14x14" and "7x7"."""
    return [_case(size, row) for size in list(STAGES)[: 1 if quick else None] for row in ROWS]


def _case(size: int, row: str) -> Case:
    axes = {"channels": STAGES[size], "size": size, "batch": 1}
    return Case(NAME, f"{size}x{size}", row, axes, partial(_build, size, ROWS[row]))


def _build(size: int, fused: bool) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.stacks import images, stack
    from mac_profiler.zoo.shufflenet_v2 import Extras, Unit

    channels = STAGES[size]
    return stack(lambda: Unit(channels, Extras(fused=fused))), (images(1, channels, size),)
