"""An output format of one line: the title and the totals."""

from __future__ import annotations

from mac_profiler.document import Document, Screen


def render(document: Document, screen: Screen) -> str:
    """The title, and every total with its digits."""
    totals = ", ".join(f"{column.key}={value}" for column, value in document.totals)
    return f"{document.title}: {totals}\n"
