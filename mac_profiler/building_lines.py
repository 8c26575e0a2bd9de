"""Building lines: the lines of the user's code that made each module of a model.

Constructors are watched while the model is built; its lines are looked up when they are asked for.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from torch import nn

from mac_profiler.constructor_calls import ConstructorCalls, Stack, recorded
from mac_profiler.trace.location import is_user_file, shown_path
from mac_profiler.trace.roots import roots_of

# Of this package, these build networks; whatever else of it is on the stack is macprof at work.
BUILDERS = ("zoo/", "layers.py", "search_space.py", "stacks.py")
_PACKAGE = f"{Path(__file__).parent.as_posix()}/"
_STANDARD = tuple(f"{Path(sysconfig.get_path(name)).as_posix()}/" for name in ("stdlib", "platstdlib"))
_INSTALLED = ("/site-packages/", "/dist-packages/")
# Python 3.11 calls a comprehension as a function, from the line that it begins on.
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")
_CONTEXTS = contextmanager.__code__.co_filename


class BuildingLines:
    """Lines of the user's code that made the modules created while it was recorded.

    Args:
        calls: of the modules' constructors.
    """

    def __init__(self, calls: ConstructorCalls) -> None:
        self._calls = calls
        self._line_tables: dict[int, list[int]] = {}

    def lines_of(self, model: Any) -> dict[str, tuple[str, ...]]:
        """Lines such as "nets/model.py:12" by module path; () where nothing is known.

        The first line is the one on which the call of the module's class begins. The others are the calls that led
        there, from the inside out. Installed packages are left out where the user's own files have a part in it.

        Args:
            model: a module, or a callable that works with modules.
        """
        shown: dict[Stack, tuple[str, ...]] = {}
        found: dict[str, tuple[str, ...]] = {}
        for path, module in _modules(model):
            stack = self._calls.stack_of(module)
            if stack not in shown:
                shown[stack] = tuple(self._lines(stack))
            found[path] = shown[stack]
        return found

    def _lines(self, stack: Stack) -> list[str]:
        own: list[str] = []
        installed: list[str] = []
        called = ""
        for code, instruction in stack:
            origin = _origin(code.co_filename)
            if origin == "macprof":
                break  # It was asked for a model, and who asked has no part in how that is built.
            repeats, called = called in _COMPREHENSIONS, code.co_name
            if origin is not None and not repeats:
                lines = own if origin == "own" else installed
                line = f"{shown_path(code.co_filename)}:{self._line(code, instruction)}"
                # A function that calls itself, or a generator used where it stands, adds nothing.
                if not lines or lines[-1] != line:
                    lines.append(line)
        return own or installed

    def _line(self, code: CodeType, instruction: int) -> int:
        if id(code) not in self._line_tables:
            # Once for all calls of one function: a generated one may have thousands.
            self._line_tables[id(code)] = [place[0] or code.co_firstlineno for place in code.co_positions()]
        return self._line_tables[id(code)][instruction // 2]


@contextmanager
def record_building_lines() -> Iterator[BuildingLines]:
    """Record what makes the modules that are made meanwhile; to be asked afterwards, while the model lives."""
    entry = sys._getframe(1)
    while entry.f_code.co_filename == _CONTEXTS and entry.f_back is not None:
        entry = entry.f_back
    calls = ConstructorCalls(entry)
    del entry
    with recorded(calls):
        yield BuildingLines(calls)


@functools.cache
def _origin(file: str) -> Literal["own", "installed", "macprof"] | None:
    """Whose code a file holds; None for that of Python and of torch, which is only the means."""
    place = Path(file).as_posix()
    if place.startswith(_PACKAGE):
        return "installed" if place[len(_PACKAGE) :].startswith(BUILDERS) else "macprof"
    if not is_user_file(file):
        return None
    if any(folder in place for folder in _INSTALLED):
        return "installed"
    return None if place.startswith(_STANDARD) else "own"


def _modules(model: Any) -> Iterator[tuple[str, nn.Module]]:
    """Every module under each of its paths; below one that has several, under the first, as in a trace."""
    seen: set[int] = set()
    pending: list[tuple[str, nn.Module]] = list(reversed(roots_of(model)))
    while pending:
        path, module = pending.pop()
        yield path, module
        if id(module) not in seen:
            seen.add(id(module))
            children = [
                (f"{path}.{name}" if path else name, child)
                for name, child in module._modules.items()
                if child is not None
            ]
            pending.extend(reversed(children))
