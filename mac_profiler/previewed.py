"""Previewed: what a model would be with its safe remedies applied, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One place that was rewritten.

    Attributes:
        code: of the rule whose remedy it is.
        path: module path of what was there; "" where it is not known.
        before: operators that were there.
        after: operators that stand there now.
    """

    code: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A model and the same with its safe remedies applied.

    Attributes:
        rewrites: what was changed, in order.
        ops_before: operators that run.
        ops_after: the same, of the rewritten model.
        accesses_before: memory access, in elements.
        accesses_after: the same, of the rewritten model.
        largest: largest magnitude among the outputs on random inputs.
        difference: largest difference of an output element between the two.
        equal: the outputs agree within what another order of adding makes.
    """

    rewrites: tuple[Rewrite, ...]
    ops_before: int
    ops_after: int
    accesses_before: int
    accesses_after: int
    largest: float
    difference: float
    equal: bool
