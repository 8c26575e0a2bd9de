"""Case: one call whose multiply-adds were derived by hand, before any program was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Call:
    """A model and what it is called with."""

    model: nn.Module
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One call and what is true of it.

    Attributes:
        name: what is called.
        family: what kind of difficulty it is: the name of the module that holds it.
        build: makes a fresh model and its inputs.
        mult_adds: multiply-adds of convolution, matrix and vector products, attention and recurrent cells.
        derivation: where that number comes from.
        parameters: elements of the parameters; None where the case does not ask.
        accesses: elements read and written, each tensor once an operator; None where the case does not ask.
    """

    name: str
    family: str
    build: Callable[[], Call]
    mult_adds: int
    derivation: str
    parameters: int | None = None
    accesses: int | None = None


CASES: list[Case] = []

Build = Callable[[], Call]


def case(mult_adds: int, *, parameters: int | None = None, accesses: int | None = None) -> Callable[[Build], Build]:
    """Decorator: add a case to CASES; its name is the function's, its derivation the docstring."""

    def add(build: Build) -> Build:
        name, family = build.__name__, build.__module__.rpartition(".")[2]
        if any(known.name == name for known in CASES):
            raise ValueError(f"two cases are named {name!r}; rename one")
        if not build.__doc__:
            raise ValueError(f"the case {name!r} has no derivation; write it as the function's docstring")
        derivation = " ".join(build.__doc__.split())
        CASES.append(Case(name, family, build, mult_adds, derivation, parameters, accesses))
        return build

    return add


class Function(nn.Module):
    """A module whose forward is a function of the module and its inputs.

    Args:
        function: called as `function(module, *args, **kwargs)`.
        parts: submodules, parameters and other attributes of the module.
    """

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(self, *args, **kwargs)
