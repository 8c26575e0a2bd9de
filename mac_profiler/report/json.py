"""JSON: the document that scripts read; a figure that is unknown is null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mac_profiler.document import Document, Screen


def render(document: Document, screen: Screen) -> str:
    """The document's data, one entry of a list a line, so that two results can be compared by diff."""
    return "".join(_lines(dict(document.data())))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield "{\n"
    last = len(data) - 1
    for i, (key, value) in enumerate(data.items()):
        yield f"  {_compact(key)}: "
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield "[\n    "
            yield ",\n    ".join(map(_compact, value))
            yield "\n  ]"
        else:
            yield _compact(value)
        yield ",\n" if i < last else "\n"
    yield "}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
