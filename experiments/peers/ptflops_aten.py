"""ptflops, aten backend: counts what the dispatcher sees while the model runs."""

from __future__ import annotations

from typing import Any

from experiments.adapting.ptflops import run
from experiments.peers import Answer, Arguments, Keywords

NAME = "ptflops aten"
PACKAGE = "ptflops"
CONVENTION = "multiply-adds with bias"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import ptflops

    _ = ptflops.get_model_complexity_info


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """get_model_complexity_info(model, shape, backend="aten")."""
    return run("aten", model, args, kwargs)[0]


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Verbose, so that it says what it treats as costing nothing."""
    return Answer(*run("aten", model, args, kwargs, verbose=True))
