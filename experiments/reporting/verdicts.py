"""What a report found, in a few lines, read from its table.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_VERDICTS = ("met", "not met")
# Columns whose cells need no title.
_BARE = ("model", "table", "expected")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with a verdict: what it says besides, where it stands, and the verdict."""

    said: str
    heading: str
    verdict: str


def verdicts(table: str) -> list[str]:
    """Paragraphs and lists, in Markdown.

    Where rows have a verdict, met or not met, these are counted, and those that are not simply met are named. Otherwise
    it is what the file says first: its list, if it begins with one, or its first paragraph.
    """
    rows = list(_rows(table))
    if not rows:
        return _first_words(table)
    met = sum(not row.verdict.startswith("not") for row in rows)
    told = [f"**{met} of {len(rows)}** expectations met."]
    several = len({row.heading for row in rows}) > 1
    others = [
        f"- {row.verdict}: {f'{row.heading}, ' if several else ''}{row.said}" for row in rows if row.verdict != "met"
    ]
    return [*told, "\n".join(others)] if others else told


def _rows(table: str) -> Iterator[_Row]:
    heading = ""
    for block in _blocks(table):
        if block.startswith("#"):
            heading = block.lstrip("# ")
        if not block.startswith("|"):
            continue
        titles, _, *rows = [_cells(line) for line in block.splitlines()]
        judged = _judged(rows)
        if judged is None:
            continue
        for row in rows:
            besides = [(title, cell) for i, (title, cell) in enumerate(zip(titles, row, strict=True)) if i != judged]
            said = ", ".join(cell if title.startswith(_BARE) else f"{title} {cell}" for title, cell in besides if cell)
            if titles[judged] != "verdict":
                said = f"{titles[judged]}, {said}"
            yield _Row(said, heading, row[judged])


def _judged(rows: Sequence[Sequence[str]]) -> int | None:
    """The column that says of every row whether it is met."""
    columns = range(len(rows[0]) if rows else 0)
    return next((i for i in columns if all(row[i].startswith(_VERDICTS) for row in rows)), None)


def _first_words(table: str) -> list[str]:
    ahead = []
    for block in _blocks(table)[1:]:
        if block.startswith(("|", "!", "#")):
            break
        ahead.append(block)
    return [block for block in ahead if block.startswith("- ")][:1] or ahead[:1]


def _blocks(table: str) -> list[str]:
    return [block.strip() for block in re.split(r"\n\s*\n", table) if block.strip()]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
