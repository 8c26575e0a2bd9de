"""Is a wider convolution slower? A benchmark of two cases."""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings

NAME = "example"
TITLE = "An example"
QUESTION = "Does it take longer to triple twice as much?"
SOURCE = "an example of a benchmark in a distribution of its own"


def cases(settings: Settings, *, quick: bool) -> list[Case]:
    """Two cases of one group."""
    return [Case(NAME, "all", f"{width} wide", {"width": width}, partial(_build, width)) for width in (64, 128)]


def _build(width: int) -> tuple[Any, tuple[Any, ...]]:
    import torch

    return torch.nn.ReLU(), (torch.zeros(1, width),)
