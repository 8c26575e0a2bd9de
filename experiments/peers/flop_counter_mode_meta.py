"""torch's FlopCounterMode over the model with its tensors replaced by ones on the meta device: nothing is computed."""

from __future__ import annotations

from typing import Any

from experiments.adapting.flop_counter import run
from experiments.peers import Answer, Arguments, Keywords

NAME = "FlopCounterMode on meta"
PACKAGE = "torch"
CONVENTION = "FLOPs of matrix products, convolution and attention"
FACTOR = 2
REFUSES_COPIES = False


def load() -> None:
    """Import the module."""
    from torch.utils.flop_counter import FlopCounterMode

    _ = FlopCounterMode


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """The mode around functional_call with meta tensors."""
    import torch

    return run(model, args, kwargs, lambda tensor: torch.empty_like(tensor, device="meta"))


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it does not say what it leaves out."""
    return Answer(count(model, args, kwargs))
