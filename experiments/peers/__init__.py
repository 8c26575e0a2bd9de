"""Room: one file another profiler (and macprof itself), as its own documentation says to call it.

A peer has ``NAME``; ``PACKAGE``, what it is installed as; ``CONVENTION``, what its number counts; ``FACTOR``, what
one multiply-add is in that number; ``REFUSES_COPIES``, whether it works in no forked copy of the process that imported
it; and three functions:

* ``load()`` imports it.
* ``count(model, args, kwargs)`` is its ordinary call and gives the number that it reports; this is what is timed.
* ``examine(model, args, kwargs)`` is the same call with whatever options make it leave out what is no multiply-add
  and say what it did not count.

A peer raises whatever it raises: that is its answer then.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer says of one call.

    Attributes:
        count: its number, as it gives it.
        left_out: names of the operators or modules that it says it did not count.
    """

    count: float
    left_out: tuple[str, ...] = ()


class Peer(Protocol):
    """What every file of this room holds."""

    NAME: str
    PACKAGE: str
    CONVENTION: str
    FACTOR: int
    REFUSES_COPIES: bool

    def load(self) -> None:
        """Import the package."""

    def count(self, model: Any, args: Arguments, kwargs: Keywords) -> float:
        """Call it as its documentation says."""

    def examine(self, model: Any, args: Arguments, kwargs: Keywords) -> Answer:
        """Call it with the options that state its answer best."""


def names() -> list[str]:
    """The files of this room, macprof first."""
    return sorted(
        (module.name for module in pkgutil.iter_modules(__path__)), key=lambda name: (name != "macprof", name)
    )


def find(name: str) -> Peer:
    """The peer of that file; nothing of it is imported yet but the file."""
    peer: Any = import_module(f"{__name__}.{name}")
    return peer  # type: ignore[no-any-return]


def installed(peer: Peer) -> str:
    """Version of the package, "not installed" without one."""
    try:
        return version(peer.PACKAGE)
    except PackageNotFoundError:
        return "not installed"
