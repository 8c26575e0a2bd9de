"""Room: one file another profiler that a count can be checked against.

A peer has ``NAME``; ``CONVENTION``, what its number counts; and ``ask(model, args, kwargs)``, which runs it on a model
and returns a `Report`. It raises whatever it raises: that is its answer then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Multiply-adds by module path and operator.
Counts = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a peer reports.

    Attributes:
        sums: multiply-adds by operator of every module, its children's included; "" is the model.
        excuse: says, from the peer's own report, why it left out operators of these names in the module of that path;
            "" where it says nothing.
    """

    sums: Counts
    excuse: Callable[[str, tuple[str, ...]], str]
