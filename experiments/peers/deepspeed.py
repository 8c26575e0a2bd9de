"""DeepSpeed's profiler: torch's functions and tensors' methods replaced while the model runs, and hooks on modules."""

from __future__ import annotations

from typing import Any

from experiments.peers import Answer, Arguments, Keywords

NAME = "DeepSpeed"
PACKAGE = "deepspeed"
CONVENTION = "multiply-adds"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    from deepspeed.profiling import flops_profiler

    _ = flops_profiler.get_model_profile


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """get_model_profile(model, args=[...], kwargs={...}), its second figure."""
    from deepspeed.profiling.flops_profiler import get_model_profile

    found = get_model_profile(
        model, args=list(args), kwargs=dict(kwargs), print_profile=False, detailed=False, as_string=False
    )
    return float(found[1])


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it does not say what it leaves out."""
    return Answer(count(model, args, kwargs))
