"""Room: one file an output format, each with `render(document, screen) -> str`.

A format is called as its file is; its file is imported only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def choose_format(asked: str | None, output: str | None, more: Sequence[str] = ()) -> str:
    """The format that was asked for, or else the one that the file's ending names, or else text.

    Args:
        asked: by the user.
        output: file that is written.
        more: formats that a verb has besides.

    Raises:
        InvalidInput: no format has that name.
    """
    known = [*formats(), *more]
    if asked is not None:
        if asked not in known:
            raise InvalidInput(
                f"no output format named '{asked}'.{did_you_mean(asked, known)} The formats are {', '.join(known)}."
            )
        return asked
    ending = PurePath(output).suffix.lower() if output else ""
    named = ENDINGS.get(ending, ending.removeprefix("."))
    return named if named in known else "text"


def render(document: Document, name: str, screen: Screen) -> str:
    """The document in the format of that name, ending in a newline."""
    return cast(str, import_module(f"{__name__}.{name}").render(document, screen))
