"""Room: one file a format that other tools read findings in, each with `render(document, screen) -> str`.

A format is called as its file is; its file is imported only when it is asked for. It reads nothing but
`document.data()`, of which it asks for "model", "tool_version", "findings", "rules" and "budget". A name in there may
hold anything: each format escapes by its own rules, and what all of them need stands here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, cast

from mac_profiler import units
from mac_profiler.document import Document, Screen
from mac_profiler.errors import InvalidInput
from mac_profiler.registry import did_you_mean, modules_of
from mac_profiler.sound import sound as spelt

_SOURCE = re.compile(r"(.+):([1-9][0-9]{0,8})", re.DOTALL)


def formats() -> list[str]:
    """Names of all formats."""
    return [name.rpartition(".")[2] for name in modules_of(__name__)]


def render(document: Document, name: str, screen: Screen) -> str:
    """The document's findings in the format of that name; UTF-8 can hold it, and a line that is begun is ended.

    Raises:
        InvalidInput: no format has that name.
    """
    if name not in formats():
        near = did_you_mean(name, formats())
        raise InvalidInput(f"no such format named {name!r}.{near} The formats are {', '.join(formats())}.")
    return cast(str, import_module(f"{__name__}.{name}").render(document, screen))


def sound(value: Any) -> Any:
    r"""The same data, with nothing in it that a file cannot hold.

    A lone surrogate, which UTF-8 has no bytes for, is spelt out: "\ud800". A float that is no number, which JSON has no
    word for, is None.
    """
    match value:
        case str():
            return spelt(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {sound(key): sound(item) for key, item in value.items()}
        case list() | tuple():
            return [sound(item) for item in value]
    return value


def located(source: str) -> tuple[str, int | None]:
    """File and line of "nets/model.py:41"; ("", None) where no file is known, as for code that exec ran."""
    if source.startswith("<"):
        return "", None
    match = _SOURCE.fullmatch(source)
    return (match[1], int(match[2])) if match else (source, None)


def known_first(places: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The places in their order, those whose file is known before the others: a reader can go there."""
    return sorted(places, key=lambda place: not located(place["source"])[0])


def sentence(text: str) -> str:
    """The text, with a full stop where it has no end."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def overrun(item: Mapping[str, Any]) -> str:
    """What is said of an exceeded budget: the figure, what was found, the limit and the excess."""
    found, limit = item["found"], item["limit"]
    excess = f", {units.percent((found - limit) / limit)} over" if limit else ""
    return f"{item['figure']} is {units.exact(found)}; the budget is {units.exact(limit)}{excess}."
