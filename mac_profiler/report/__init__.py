"""Room: one file an output format, each with `render(document, screen) -> str`.

A format is called as its file is; its file is imported only when it is asked for. Plugins add others, which are looked
for where none of these is meant: every command writes a document, and most in one of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import PurePath
from typing import Any, cast

from mac_profiler.document import Document, Screen
from mac_profiler.errors import DuplicateName, InvalidInput, OutputFailed
from mac_profiler.plugins import Plugin, guarded, plugins_of, taken
from mac_profiler.registry import did_you_mean, modules_of

# File name endings that name a format other than by its own name.
ENDINGS = {".md": "markdown", ".txt": "text"}


# Formats of plugins, by name; empty until they were looked for.
_added: dict[str, Plugin] = {}


def formats() -> list[str]:
    """Names of all output formats, those of plugins once they were looked for."""
    return [*_own(), *_added]


def _own() -> list[str]:
    return [name.rpartition(".")[2] for name in modules_of(__name__)]


def _look_for_more(reserved: Sequence[str]) -> list[str]:
    """The formats of plugins; a name that is taken is refused."""
    for plugin in plugins_of("formats"):
        if _added.get(plugin.name) is not plugin and taken(plugin, partial(_check_free, plugin, reserved)):
            _added[plugin.name] = plugin
    return list(_added)


def _check_free(plugin: Plugin, reserved: Sequence[str]) -> None:
    if plugin.name in _own() or plugin.name in reserved:
        raise DuplicateName(f"the output format '{plugin.name}' is macprof's own")
    if plugin.name in _added:
        raise DuplicateName(f"the output format '{plugin.name}' is that of {_added[plugin.name]}")


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
            known += _look_for_more(known)
        if asked not in known:
            raise InvalidInput(
                f"no output format named '{asked}'.{did_you_mean(asked, known)} The formats are {', '.join(known)}."
            )
        return asked
    ending = PurePath(output).suffix.lower() if output else ""
    named = ENDINGS.get(ending, ending.removeprefix("."))
    if named and named not in known:
        known += _look_for_more(known)
    return named if named in known else "text"


def render(document: Document, name: str, screen: Screen) -> str:
    """The document in the format of that name, ending in a newline."""
    if name in _added:
        return _render_with(_added[name], document, screen)
    return cast(str, import_module(f"{__name__}.{name}").render(document, screen))


def _render_with(plugin: Plugin, document: Document, screen: Screen) -> str:
    def load_and_render() -> Any:
        return plugin.load()(document, screen)

    text = guarded(load_and_render, plugin)()
    if not isinstance(text, str):
        raise OutputFailed(f"{plugin} rendered {type(text).__name__}, not a text; mend it, or give another --format")
    return text
