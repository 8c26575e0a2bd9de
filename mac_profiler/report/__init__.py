"""Room: one file an output format, each with `render(document, screen) -> str`.

A format is called as its file is; its file is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import cast

from mac_profiler.document import Document, Screen
from mac_profiler.errors import InvalidInput
from mac_profiler.registry import did_you_mean, modules_of

# File name endings that name a format other than by its own name.
ENDINGS = {".md": "markdown", ".txt": "text"}


def formats() -> list[str]:
    """Names of all output formats."""
    return [name.rpartition(".")[2] for name in modules_of(__name__)]


def choose_format(asked: str | None, output: str | None) -> str:
    """The format that was asked for, or else the one that the file's ending names, or else text.

    Raises:
        InvalidInput: no format has that name.
    """
    if asked is not None:
        if asked not in formats():
            raise InvalidInput(
                f"no output format named '{asked}'.{did_you_mean(asked, formats())} "
                f"The formats are {', '.join(formats())}."
            )
        return asked
    ending = PurePath(output).suffix.lower() if output else ""
    named = ENDINGS.get(ending, ending.removeprefix("."))
    return named if named in formats() else "text"


def render(document: Document, name: str, screen: Screen) -> str:
    """The document in the format of that name, ending in a newline."""
    return cast(str, import_module(f"{__name__}.{name}").render(document, screen))
