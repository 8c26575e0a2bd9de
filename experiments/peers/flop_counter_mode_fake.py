"""torch's FlopCounterMode within FakeTensorMode: shapes and devices without data."""

from __future__ import annotations

from typing import Any

from experiments.adapting.flop_counter import run
from experiments.peers import Answer, Arguments, Keywords

NAME = "FlopCounterMode, fake"
PACKAGE = "torch"
CONVENTION = "FLOPs of matrix products, convolution and attention"
FACTOR = 2
REFUSES_COPIES = False


def load() -> None:
    """Import both modes."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    _ = FakeTensorMode, FlopCounterMode


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """The mode around functional_call with fake tensors, in their mode."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    fake = FakeTensorMode(allow_non_fake_inputs=True)
    return run(model, args, kwargs, fake.from_tensor, fake)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it does not say what it leaves out."""
    return Answer(count(model, args, kwargs))
