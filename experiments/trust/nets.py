"""Nets whose times differ by a known part: the same small convolution, so many times."""

from __future__ import annotations

from typing import Any

from mac_profiler.measurement import Case

# One repetition more is 1 % more of the same work. What a call costs besides is in both, and the true effect so much
# smaller: the reference run measures it.
REPETITIONS = 100


def pair(extra: int, group: str, *, planted_first: bool = False) -> list[Case]:
    """The net and the one that is to be so many percent slower; with 0 it is the same net, built twice.

    Args:
        extra: repetitions more.
        group: of both.
        planted_first: the slower one is built first, and comes first with harnesses that time one after the other.
    """
    plain, planted = case(0, group, "plain"), case(extra, group, "planted")
    return [planted, plain] if planted_first else [plain, planted]


def case(extra: int, group: str, name: str) -> Case:
    """A net with so many repetitions more, with weights and input of its own."""
    repetitions = REPETITIONS + extra
    return Case("trust", group, name, {"repetitions": repetitions}, lambda: build(repetitions))


def build(repetitions: int) -> tuple[Any, tuple[Any, ...]]:
    """Module and inputs; each repetition reads the same input, so that all are the same work."""
    import torch
    from torch import Tensor, nn

    class Repeated(nn.Module):
        """The same convolution again and again; its results are let go, all but the last."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(32, 32, 3, padding=1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            found = x
            for _ in range(repetitions):
                found = self.conv(x)
            return found

    torch.manual_seed(0)
    return Repeated().eval(), (torch.randn(1, 32, 8, 8),)
