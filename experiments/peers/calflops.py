"""calflops: torch functions replaced while the model runs."""

from __future__ import annotations

from typing import Any

from experiments.adapting.arguments import flatten
from experiments.peers import Answer, Arguments, Keywords

NAME = "calflops"
PACKAGE = "calflops"
CONVENTION = "multiply-adds"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import calflops

    _ = calflops.calculate_flops


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """calculate_flops(model, args=[...]), its multiply-adds."""
    from calflops import calculate_flops

    model, tensors = flatten(model, args, kwargs)
    return float(calculate_flops(model, args=list(tensors), print_results=False, output_as_string=False)[1])


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it does not say what it leaves out."""
    return Answer(count(model, args, kwargs))
