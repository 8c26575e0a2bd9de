"""Text: tables that fit the terminal, narrow or wide, coloured or piped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from mac_profiler import units
from mac_profiler.columns import COSTS, Column
from mac_profiler.document import Document, Line, Screen, Table
from mac_profiler.layout import Span, align, fit, heading, shorten

BAR, BAR_CELLS, NARROWEST_BAR = "█", "▏▎▍▌▋▊▉", 6
GAP = 2
# Every glyph beyond ASCII that macprof itself writes, for output that cannot show it; one for one, so columns stay.
ASCII = str.maketrans("├└│─…×·≥█▏▎▍▌▋▊▉µ–≤", "|`|-~x->#.......u-<")


def render(document: Document, screen: Screen) -> str:
    """The whole document, no line longer than the screen is wide."""
    lines = _lines(document, screen.width)
    if screen.color:
        return _paint(lines)
    text = "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
    return text if screen.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def _lines(document: Document, width: int) -> Iterator[list[Span]]:
    yield from _head(document, width)
    for warning in document.warnings:
        yield []
        yield from _wrapped(warning, width, "bold red")
    for table in document.filled:
        yield []
        if table.title:
            yield from _wrapped(table.title, width, "bold")
        yield from _table(table, width)
    if document.totals:
        yield []
        yield from _totals(document, width)
    for note in document.notes:
        yield []
        yield from _wrapped(note, width, "yellow")
    if document.legend:
        yield []
    for term, meaning in document.legend:
        yield from _wrapped(f"{term}: {meaning}", width, "dim", indent="  ")


def _head(document: Document, width: int) -> Iterator[list[Span]]:
    """The title and the facts, broken between facts where they fit a line."""
    line, rest = document.title, 0
    for fact in (f"{name} {value}" for name, value in document.facts.items()):
        if line and len(line) + GAP + len(fact) > width:
            yield from _titled(line, document.title if not rest else "", width)
            line, rest = fact, 1
        else:
            line = f"{line}{' ' * GAP}{fact}" if line else fact
    yield from _titled(line, document.title if not rest else "", width)


def _titled(line: str, title: str, width: int) -> Iterator[list[Span]]:
    for i, part in enumerate(textwrap.wrap(line, width)):
        cut = len(title) if i == 0 else 0
        yield [(part[:cut], "bold"), (part[cut:], "")]


def _wrapped(prose: str, width: int, style: str, indent: str = "", first: str = "") -> Iterator[list[Span]]:
    for part in textwrap.wrap(prose, width, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False):
        yield [(part, style)]


def _table(table: Table, width: int) -> Iterator[list[Span]]:
    lines = [*table.lines, *([table.total] if table.total else [])]
    guides = _guides(table.lines) if table.tree else [""] * len(table.lines)
    guides += [""] * (len(lines) - len(guides))
    prose = [column.key for column in table.columns if column.prose]
    texts = {column.key: [_text(column, line) for line in lines] for column in table.columns if not column.prose}
    first = table.columns[0].key
    texts[first] = [guide + (line.label or text) for guide, line, text in zip(guides, lines, texts[first], strict=True)]
    columns = [column for column in table.columns if any(texts.get(column.key, ()))]
    widths = fit(columns, texts, width, GAP)
    columns = [column for column in columns if column.key in widths]
    free = width - sum(widths.values()) - GAP * (len(columns) - 1)
    bar = min(12, free - 1) if "share" in widths and free > NARROWEST_BAR else 0
    titles = {column.key: heading(column.title, widths[column.key]) for column in columns}
    height = max(map(len, titles.values()), default=1)
    for i in range(height):
        padded = {key: ([""] * (height - len(parts)) + parts)[i] for key, parts in titles.items()}
        yield _join((align(padded[column.key], widths[column.key], column.numeric), "bold") for column in columns)
    rule: list[Span] = [("─" * (sum(widths.values()) + GAP * (len(columns) - 1) + (bar + 1 if bar else 0)), "dim")]
    yield rule
    left_out: list[Span] = [(f"… {units.exact(table.more)} more rows", "dim")]
    for i, line in enumerate(lines):
        if line is table.total:
            if table.more:
                yield left_out
            yield rule
        style = "bold" if line is table.total else "yellow" if line.partial else ""
        row = [
            (align(shorten(texts[column.key][i], widths[column.key]), widths[column.key], column.numeric), style)
            for column in columns
        ]
        share = line.values.get("share")
        tail = [(" " + _bar(share, bar), "cyan")] if bar and share and line is not table.total else []
        yield [*_join(row), *tail]
        for key in prose:
            yield from _wrapped(line.values.get(key) or "", width, "dim", indent="  ", first="  ")
    if table.more and table.total is None:
        yield left_out


def _text(column: Column, line: Line) -> str:
    value = line.values.get(column.key)
    if value is None:
        return units.UNKNOWN if column.key in COSTS else ""
    bound = "≥" if line.partial and column.key in COSTS else ""
    return bound + " ".join(units.text(line.unit(column), value).split())


def _totals(document: Document, width: int) -> Iterator[list[Span]]:
    shown = [
        ("≥" if document.partial and column.key in COSTS else "") + units.text(column.unit, value)
        for column, value in document.totals
    ]
    figures = max(map(len, shown))
    titles = max(len(column.title) for column, _ in document.totals) + GAP
    for (column, value), figure in zip(document.totals, shown, strict=True):
        exact = f"  ({units.exact(value)}{' B' if column.unit == 'bytes' else ''})"
        fits = titles + figures + len(exact) <= width
        yield [(column.title.ljust(titles), ""), (figure.rjust(figures), "bold"), (exact if fits else "", "dim")]


def _guides(lines: Iterable[Line]) -> list[str]:
    """What draws the tree before each label: "│  └─ "."""
    guides: list[str] = []
    # Walked from the end: a line is the last of its level unless one of that level follows before a shallower one.
    follows: set[int] = set()
    for line in reversed(list(lines)):
        follows = {level for level in follows if level <= line.level}
        stem = "".join("│ " if level in follows else "  " for level in range(1, line.level))
        tip = ("├ " if line.level in follows else "└ ") if line.level else ""
        guides.append(stem + tip)
        follows.add(line.level)
    return guides[::-1]


def _bar(share: float, width: int) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return BAR * full + (BAR_CELLS[rest - 1] if rest else "")


def _join(row: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for i, (text, style) in enumerate(row):
        joined += [(" " * GAP, ""), (text, style)] if i else [(text, style)]
    return joined


def _paint(lines: Iterable[list[Span]]) -> str:
    """The lines with rich's colour codes for this terminal."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles: dict[str, Style] = {}
    painted: list[str] = []
    for line in lines:
        for text, style in line:
            known = styles.setdefault(style, Style.parse(style)) if style else None
            painted.append(known.render(text, color_system=ColorSystem.STANDARD) if known and text.strip() else text)
        painted.append("\n")
    return "".join(painted)
