"""Bandwidth by working set: bytes read, filled and copied, from what the nearest cache holds to main memory."""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings
from mac_profiler.probes import BANDWIDTH, probe

# Bytes that a call touches in all, 16 KiB to 256 MiB.
WORKING_SETS = tuple(2**power for power in range(14, 29, 2))
WAYS = ("read", "write", "copy")


def cases(settings: Settings) -> list[Case]:
    """Every way over every working set."""
    return [
        probe(BANDWIDTH, f"{way} {size}", partial(_build, way, size, settings.dtype), way=way, working_set=size)
        for way in WAYS
        for size in WORKING_SETS
    ]


def _build(way: str, size: int, dtype: str) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import Tensor, nn

    # A copy touches its memory and that of the result.
    elements = size // getattr(torch, dtype).itemsize // (2 if way == "copy" else 1)

    class Touch(nn.Module):
        """One pass over memory; a copy goes into memory that is there already."""

        place: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("place", torch.ones(elements if way == "copy" else 0))

        def forward(self, x: Tensor) -> Tensor:
            if way == "read":
                return x.sum()
            return x.fill_(1.0) if way == "write" else self.place.copy_(x)

    return Touch(), (torch.ones(elements),)
