"""Registry: name -> thing, gathered from a room on first use; a name registered twice is refused."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Generic, TypeVar

from mac_profiler.errors import DuplicateName, UnknownName
from mac_profiler.plugins import Plugin, guarded, plugins_of, taken

T = TypeVar("T")


def modules_of(room: str) -> list[str]:
    """Dotted names of the modules in a room, sorted, without importing them."""
    package = importlib.import_module(room)
    return sorted(f"{room}.{found.name}" for found in pkgutil.iter_modules(package.__path__))


def did_you_mean(name: str, known: list[str]) -> str:
    """The question that asks after the nearest known names, a space before it; empty where none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
    if not near:
        # A prefix is what people type when they do not remember the rest.
        near = sorted(candidate for candidate in lowered if candidate.startswith(name.lower()) and name)[:3]
    return f" Did you mean {' or '.join(repr(lowered[match]) for match in near)}?" if near else ""


class Registry(Generic[T]):
    """Things of one kind by name.

    Args:
        kind: what a thing is called in a message: "formula".
        room: package whose modules register the things when imported; imported on the first look-up, and with them the
            plugins of that kind.
    """

    def __init__(self, kind: str, room: str) -> None:
        self.kind = kind
        self.room = room
        self._things: dict[str, T] = {}
        self._origins: dict[str, str] = {}
        self._origin = ""
        self._gathered = False
        self._gathering = False

    def register(self, name: str, thing: T, *, replace: bool = False) -> None:
        """Put a thing under a name.

        Raises:
            DuplicateName: the name is taken and replace is False.
        """
        if not str(getattr(thing, "__module__", "")).startswith(f"{self.room}."):
            self._gather()  # a thing from outside must not take a name that the room has
        if not replace and name in self._things:
            raise DuplicateName(
                f"the {self.kind} '{name}' is registered already, by {self._origins.get(name, 'the program')}; "
                f"pass replace=True to replace it"
            )
        self._things[name] = thing
        self._origins[name] = self._origin or str(getattr(thing, "__module__", "the program"))

    def _gather(self) -> dict[str, T]:
        if not self._gathered and not self._gathering:
            self._gathering = True
            try:
                for module in modules_of(self.room):
                    self._origin = module
                    importlib.import_module(module)
                for plugin in plugins_of(self.room.rpartition(".")[2]):
                    self._take(plugin)
                self._gathered = True
            finally:
                self._origin = ""
                self._gathering = False
        return self._things

    def _take(self, plugin: Plugin) -> None:
        """Let a plugin register its things; where it fails, none of them is kept."""
        before, self._origin = dict(self._things), str(plugin)
        kept = taken(plugin, plugin.load)
        own = {name: thing for name, thing in self._things.items() if before.get(name) is not thing}
        if kept:
            self._things.update((name, guarded(thing, plugin)) for name, thing in own.items())
        else:
            # In place: a test may hold the mapping.
            self._things.clear()
            self._things.update(before)

    def get(self, name: str) -> T | None:
        """The thing of that name, or None."""
        return self._gather().get(name)

    def __getitem__(self, name: str) -> T:
        things = self._gather()
        try:
            return things[name]
        except KeyError:
            raise UnknownName(f"no {self.kind} named '{name}'.{did_you_mean(name, list(things))}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._gather()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._gather()))

    def __len__(self) -> int:
        return len(self._gather())
