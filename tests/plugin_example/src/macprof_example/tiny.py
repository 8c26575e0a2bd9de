"""One model, made by a callable; it runs a custom operator."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.library.custom_op("macprof_example::triple", mutates_args=())
def triple(x: Tensor) -> Tensor:
    """Three times as much."""
    return 3 * x


@triple.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


class Tiny(nn.Module):
    """A convolution, and the operator.

    Args:
        width: channels of the convolution.
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Run it."""
        return triple(self.layer(x))


def build(width: int = 8) -> tuple[nn.Module, Tensor]:
    """The model, and an input that it is called with where none is given."""
    return Tiny(width), torch.zeros(1, 3, 10, 10)
