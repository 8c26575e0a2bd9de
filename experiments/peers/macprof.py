"""macprof: follows the operators without running them."""

from __future__ import annotations

from typing import Any

from experiments.peers import Answer, Arguments, Keywords

NAME = "macprof"
PACKAGE = "macprof"
CONVENTION = "multiply-adds of convolution, matrix and vector products, attention, recurrent cells"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package, and the module behind the one name that is used."""
    import mac_profiler

    _ = mac_profiler.analyze


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """mac_profiler.analyze."""
    import mac_profiler

    return mac_profiler.analyze(model, *args, **kwargs).total.mult_adds


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it lists what it has no formula for."""
    import mac_profiler

    profile = mac_profiler.analyze(model, *args, **kwargs)
    return Answer(profile.total.mult_adds, tuple(profile.uncounted))
