"""torch's FlopCounterMode: counts what the dispatcher sees while the model runs."""

from __future__ import annotations

from typing import Any

from experiments.adapting.flop_counter import run
from experiments.peers import Answer, Arguments, Keywords

NAME = "FlopCounterMode"
PACKAGE = "torch"
CONVENTION = "FLOPs of matrix products, convolution and attention"
FACTOR = 2
REFUSES_COPIES = False


def load() -> None:
    """Import the module."""
    from torch.utils.flop_counter import FlopCounterMode

    _ = FlopCounterMode


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """With FlopCounterMode(display=False): model(...)."""
    return run(model, args, kwargs)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it does not say what it leaves out."""
    return Answer(run(model, args, kwargs))
