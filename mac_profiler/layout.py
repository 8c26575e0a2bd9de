"""Layout: how wide columns are, what is dropped and where a text is cut, for a table to fit its screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mac_profiler.columns import Column

Span = tuple[str, str]  # text, style

# What is left of a cut text where the screen is too narrow for all that must stay.
SHORTEST = 8
GLYPHS = str.maketrans(dict.fromkeys("├└│─…×·≥µ", "x"))


def cells(text: str) -> int:
    """Characters of a terminal that a text takes; an East Asian character takes two."""
    if text.isascii() or text.translate(GLYPHS).isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(columns: Sequence[Column], texts: Mapping[str, Sequence[str]], width: int, gap: int) -> dict[str, int]:
    """Widths of the columns that are shown, by key: what fits, dropped and shortened by priority.

    Numbers are never cut: a column of numbers is shown whole or not at all. Columns of priority 0 always stay.

    Args:
        columns: what there is to show.
        texts: the cells of each column.
        width: characters in a line.
        gap: characters between two columns.
    """
    natural = {column.key: _natural(column, texts[column.key]) for column in columns}
    widths: dict[str, int] = {}
    free = width + gap
    for column in sorted(columns, key=lambda column: column.priority):
        least = min(natural[column.key], column.flexible or natural[column.key])
        if column.priority == 0 or gap + least <= free:
            widths[column.key] = least
            free -= gap + least
    flexible = [column.key for column in columns if column.flexible and column.key in widths]
    # A character at a time: taken from the widest, or given to the one that lacks most.
    while free < 0 and any(widths[key] > SHORTEST for key in flexible):
        widths[max(flexible, key=lambda key: widths[key])] -= 1
        free += 1
    while free > 0 and any(natural[key] > widths[key] for key in flexible):
        widths[max(flexible, key=lambda key: natural[key] - widths[key])] += 1
        free -= 1
    return widths


def _natural(column: Column, texts: Sequence[str]) -> int:
    word = max(map(len, re.split(r"(?<=-)|\s", column.title)), default=0)
    return max(word, max(map(cells, texts), default=0))


def heading(title: str, width: int) -> list[str]:
    """A title broken at spaces and after hyphens to lines of that width."""
    lines = [""]
    for word in re.findall(r"[^\s-]+-?|\s", title):
        if len(lines[-1] + word) <= width or not lines[-1]:
            lines[-1] += word
        else:
            lines.append(word)
    return [line.strip() for line in lines if line.strip()]


def shorten(text: str, width: int) -> str:
    """A text cut in its middle, with "…", to that width."""
    if cells(text) <= width:
        return text
    # The end tells more than the beginning: siblings share their beginning.
    head, tail = text[: (width - 1) // 3], text
    while cells(head) + cells(tail) + 1 > width and tail:
        tail = tail[1:]
    return f"{head}…{tail}"


def align(text: str, width: int, right: bool) -> str:
    """A text padded to a width."""
    padding = " " * (width - cells(text))
    return padding + text if right else text + padding
