"""ptflops, pytorch backend: hooks on modules, and torch functions replaced while the model runs."""

from __future__ import annotations

from typing import Any

from experiments.adapting.ptflops import run
from experiments.peers import Answer, Arguments, Keywords

NAME = "ptflops pytorch"
PACKAGE = "ptflops"
CONVENTION = "multiply-adds with bias, and operations of activations, pooling and normalisation, for one sample"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import ptflops

    _ = ptflops.get_model_complexity_info


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """get_model_complexity_info(model, shape, backend="pytorch")."""
    return run("pytorch", model, args, kwargs)[0]


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Verbose, so that it says what it treats as costing nothing."""
    return Answer(*run("pytorch", model, args, kwargs, verbose=True))
