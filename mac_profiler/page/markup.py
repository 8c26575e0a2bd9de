"""Markup: HTML whose every value is escaped, whatever a module, a file or a message is called."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any, TypeAlias

from mac_profiler.sound import sound

# Elements that have no end tag.
_VOID = frozenset({"col", "rect", "meta", "input", "br"})


class Html(str):
    """Text that is HTML already; any other text is escaped where it is put into some."""

    __slots__ = ()


Content: TypeAlias = "str | Html | Iterable[Content] | None"


def tag(element: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Html:
    """An element.

    Args:
        element: its name.
        *content: what is in it, in order; None is nothing.
        **attributes: a trailing "_" of a name is left out, other "_" are hyphens; None and False leave one out, True
            gives it no value.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(_straight(str(value)))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if element in _VOID:
        # In SVG an element without an end tag is closed where it begins; in HTML the slash says nothing.
        return Html(f"<{element}{given}/>")
    return Html(f"<{element}{given}>{join(*content)}</{element}>")


def join(*content: Content) -> Html:
    """Pieces one after the other."""
    return Html("".join(map(_piece, content)))


def _piece(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return escape(_straight(content))
    return join(*content)


# Signs that turn the direction of what stands behind them; a name may begin one and not end it.
_TURNING = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def _straight(text: str) -> str:
    """The text, with what no file can hold, and what would turn its direction, spelt out."""
    return sound(text).translate(_TURNING)


def embedded(data: Any) -> Html:
    """JSON that no parser of HTML takes for an end of its element, or for a comment."""
    text = _straight(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(text)
