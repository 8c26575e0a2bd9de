"""Markdown: pipe tables as GitHub renders them, with the totals and the convention."""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler import units
from mac_profiler.columns import COSTS, Column
from mac_profiler.document import Document, Line, Screen, Table


def render(document: Document, screen: Screen) -> str:
    """The whole document."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_escaped(document.title)}"
    if document.facts:
        yield ""
        yield " · ".join(f"{name} {_escaped(value)}" for name, value in document.facts.items())
    for warning in document.warnings:
        yield ""
        yield f"> **Warning:** {_escaped(warning)}"
    for note in document.notes:
        yield ""
        yield f"> {_escaped(note)}"
    for table in document.filled:
        if table.title:
            yield ""
            yield f"## {_escaped(table.title)}"
        yield ""
        yield from _table(table)
    if document.totals:
        yield ""
        yield from _totals(document)
    if document.legend:
        yield ""
        yield from (f"- **{_escaped(term)}**: {_escaped(meaning)}" for term, meaning in document.legend)


def _table(table: Table) -> Iterator[str]:
    yield _row([column.title for column in table.columns])
    yield _row(["---:" if column.numeric else "---" for column in table.columns])
    for line in table.lines:
        yield _row([_cell(column, line) for column in table.columns])
    if table.total is not None:
        yield _row([_bold(_cell(column, table.total, plain=True)) for column in table.columns])
    if table.more:
        yield ""
        yield f"{table.more} more rows are left out."


def _totals(document: Document) -> Iterator[str]:
    yield _row(["total", "", "exactly"])
    yield _row(["---", "---:", "---:"])
    for column, value in document.totals:
        bound = "≥ " if document.partial and column.key in COSTS else ""
        figure = units.text(column.unit, value)
        yield _row([column.title, f"{bound}{figure}", units.exact(value)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(column: Column, line: Line, *, plain: bool = False) -> str:
    value = line.values.get(column.key)
    if column.numeric:
        if value is None and column.key not in COSTS:
            return ""
        bound = "≥ " if line.partial and value is not None and column.key in COSTS else ""
        return bound + units.text(line.unit(column), value)
    if value is None:
        return ""
    shown = " ".join(units.text(line.unit(column), value).split())
    return _escaped(shown) if plain or " " in shown or not shown else _code(shown)


def _bold(cell: str) -> str:
    return f"**{cell}**" if cell else ""


def _code(name: str) -> str:
    return "`" + name.replace("`", "'").replace("|", "\\|") + "`"


def _escaped(prose: str) -> str:
    # What Markdown or HTML would take for markup: "a_b_c" is a name, "<lambda>" no tag.
    return "".join(f"\\{character}" if character in "\\`*_<>|[]#" else character for character in prose)
