"""Comment: a difference as Markdown for a pull request: a line, the totals that changed, and the rest folded away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from mac_profiler.difference import Change, Difference, Shift, Turn
from mac_profiler.difference.told import (
    NAMES,
    TITLES,
    amount,
    doubts,
    gaps,
    ordered,
    path_of,
    signed,
    sizes_of,
    told_item,
    type_of,
    verdict,
)
from mac_profiler.units import percent

_BAR = re.compile(r"(?<!\\)\|")
# GitHub refuses a comment of more than 65,536 characters.
SHOWN = 40


def comment(difference: Difference, *, top: int | None = None) -> str:
    """The whole comment; the same models are one line.

    Args:
        difference: what changed.
        top: rows of each folded table; None shows as many as a comment has room for.
    """
    shown = SHOWN if top is None else min(top, SHOWN)
    names = f"{_code(difference.before.name)} → {_code(difference.after.name)}"
    lines = [f"**macprof** {names}: {_escaped(verdict(difference))}"]
    for doubt in doubts(difference):
        lines += ["", f"> **Warning:** {_escaped(doubt)}"]
    lines += ["", *(f"- {_escaped(told_item(item))}" for item in difference.budget)] if difference.budget else []
    lines += _totals(difference.totals)
    lines += _modules(ordered(difference), shown)
    lines += _targets(difference.targets or (), shown)
    turns = difference.findings or ()
    for title, kinds in (("New findings", ("new", "worse")), ("Findings that are gone", ("gone", "better"))):
        lines += _findings(title, [turn for turn in turns if turn.kind in kinds], shown)
    for gap in gaps(difference):
        lines += ["", f"_{_escaped(gap)}_"]
    return "\n".join(lines) + "\n"


def _totals(totals: Iterable[Shift]) -> Iterator[str]:
    changed = [shift for shift in totals if shift.difference]
    if not changed:
        return
    yield from ("", "| | before | after | change |", "| --- | ---: | ---: | ---: |")
    for shift in changed:
        share = "" if shift.share is None else f" ({'+' if shift.difference > 0 else ''}{percent(shift.share)})"
        change = f"**{signed(shift.difference, shift.figure)}{share.replace('-', '−')}**"
        before, after = (amount(shift.figure, value) for value in (shift.before, shift.after))
        yield f"| {TITLES[shift.figure]} | {before} | {after} | {_escaped_tags(change)} |"
    same = [TITLES[shift.figure] for shift in totals if not shift.difference]
    if same:
        yield from ("", f"Unchanged: {', '.join(same)}.")


def _modules(changes: list[Change], shown: int) -> Iterator[str]:
    heads = ("module", "type", "multiply-adds", "memory access", "parameters", "output")
    yield from _folded(
        _several(len(changes), "module"),
        ("", *heads),
        [
            (each.kind, _code(path_of(each)), _code(type_of(each)), *_shifts(each, parameters=True), sizes_of(each))
            for each in changes[:shown]
        ],
        len(changes),
    )


def _targets(changes: Iterable[Change], shown: int) -> Iterator[str]:
    listed = list(changes)
    heads = ("", "operator", "multiply-adds", "memory access", "calls")
    rows = [
        (each.kind, _code(each.part.path), *_shifts(each), signed(each.figures["op_count"])) for each in listed[:shown]
    ]
    yield from _folded(f"{_several(len(listed), 'kind')} of operators", heads, rows, len(listed))


def _shifts(change: Change, *, parameters: bool = False) -> list[str]:
    names = ("mult_adds", "accesses", "parameters") if parameters else ("mult_adds", "accesses")
    return [signed(change.figures[name]) for name in names]


def _findings(title: str, turns: list[Turn], shown: int) -> Iterator[str]:
    rows = []
    for turn in turns[:shown]:
        each = turn.finding
        where = f"{_code(each.path or '(model)')}{f' and {each.count - 1} more' if each.count > 1 else ''}"
        rows.append((turn.kind, each.code, NAMES[each.severity], where, _escaped(f"{each.name}: {each.message}")))
    yield from _folded(f"{title}: {len(turns)}", ("", "rule", "severity", "where", "what"), rows, len(turns))


def _folded(title: str, heads: Iterable[str], rows: Sequence[tuple[str, ...]], among: int) -> Iterator[str]:
    if not rows:
        return
    heads = list(heads)
    yield from ("", f"<details><summary>{title}</summary>", "", _row(heads), _row(["---"] * len(heads)))
    yield from (_row(row) for row in rows)
    if among > len(rows):
        yield from ("", f"{among - len(rows)} more are left out.")
    yield from ("", "</details>")


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _row(cells: Iterable[str]) -> str:
    # A bar ends a cell, even within code; prose has escaped its own.
    sound = (_BAR.sub(r"\|", cell) for cell in cells)
    return f"| {' | '.join(sound)} |"


def _code(name: str) -> str:
    plain = " ".join(name.split())
    return "`" + plain.replace("`", "'") + "`" if plain else ""


def _escaped(prose: str) -> str:
    # What Markdown or HTML would take for markup; an "@name" would call somebody.
    text = re.sub(r"([\\`*_\[\]|#])", r"\\\1", " ".join(prose.split())).replace("@", "@\u200b")
    return _escaped_tags(text)


def _escaped_tags(text: str) -> str:
    return html.escape(text, quote=False)
