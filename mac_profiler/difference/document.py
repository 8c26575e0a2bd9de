"""Document of a difference: the totals side by side, and what changed by module, operator and finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.difference import Change, Difference, Turn
from mac_profiler.difference.side import SUMMED, Part, Side
from mac_profiler.difference.told import (
    IN_BYTES,
    NAMES,
    TITLES,
    doubts,
    gaps,
    ordered,
    path_of,
    sizes_of,
    told_item,
    type_of,
    verdict,
)
from mac_profiler.document import Document, Line, Table
from mac_profiler.units import Unit, number

SCHEMA_VERSION = 1
KIND = "macprof difference"
BYTES: Mapping[str, Unit] = {"was": "bytes", "became": "bytes", "shift": "more_bytes"}
SHIFTS = {
    "mult_adds": "mult_adds_shift", "flops": "flops_shift", "accesses": "accesses_shift", "bytes_moved": "bytes_shift",
    "parameters": "parameters_shift", "op_count": "calls_shift",
}  # fmt: skip


def describe(difference: Difference, *, top: int | None = None, rows_first: bool = False) -> Document:
    """What is said of a difference.

    Args:
        difference: what changed.
        top: modules that are shown, and kinds of operators; None shows all.
        rows_first: the modules come before the totals; CSV holds the first table alone.
    """
    totals = _totals(difference)
    modules = _modules(difference, top)
    first = (modules, totals) if rows_first else (totals, modules)
    budget = [f"Budget: {told_item(item)}." for item in difference.budget]
    return Document(
        title="Difference",
        facts={"before": difference.before.name, "after": difference.after.name},
        tables=(*first, _targets(difference, top), _findings(difference)),
        data=lambda: _data(difference),
        warnings=tuple(doubts(difference)),
        notes=(*budget, *gaps(difference), f"{verdict(difference)}."),
        legend=(("change", "after less before; a module's row is of its own operators, without modules inside"),),
    )


def _totals(difference: Difference) -> Table:
    lines = [
        Line(
            {
                "figure": TITLES[shift.figure],
                "was": shift.before,
                "became": shift.after,
                "shift": shift.difference,
                "shift_share": shift.share,
            },
            units=BYTES if shift.figure in IN_BYTES else {},
        )
        for shift in difference.totals
    ]
    return Table(tuple(COLUMNS[key] for key in ("figure", "was", "became", "shift", "shift_share")), tuple(lines))


def _modules(difference: Difference, top: int | None) -> Table:
    changes = ordered(difference)
    lines = [
        Line(
            {
                "path": path_of(each),
                "module": type_of(each),
                "change": each.kind,
                **{SHIFTS[name]: value for name, value in each.figures.items()},
                "sizes": sizes_of(each),
            }
        )
        for each in changes[:top]
    ]
    keys = ("change", "path", "module", *SHIFTS.values(), "sizes")
    columns = tuple(COLUMNS[key] for key in keys)
    total = _sum(difference.modules or ())
    return Table(columns, tuple(lines), "Modules, after less before", total, more=len(changes) - len(lines))


def _targets(difference: Difference, top: int | None) -> Table:
    changes = difference.targets or ()
    lines = [
        Line({"target": each.part.path, "change": each.kind, **{SHIFTS[k]: value for k, value in each.figures.items()}})
        for each in changes[:top]
    ]
    keys = ("change", "target", *(column for name, column in SHIFTS.items() if name != "parameters"))
    columns = tuple(COLUMNS[key] for key in keys)
    return Table(columns, tuple(lines), "Operators, after less before", _sum(changes), more=len(changes) - len(lines))


def _sum(changes: Sequence[Change]) -> Line | None:
    if not changes:
        return None
    return Line({"change": "all", **{SHIFTS[name]: sum(each.figures[name] for each in changes) for name in SUMMED}})


def _findings(difference: Difference) -> Table:
    keys = ("change", "code", "severity", "place", "path", "times", "lost_seconds", "message", "remedy")
    lines = [
        Line(
            {
                "change": turn.kind,
                "code": turn.finding.code,
                "severity": NAMES[turn.finding.severity],
                "place": turn.finding.source,
                "path": turn.finding.path or "(model)",
                "times": turn.finding.count,
                "lost_seconds": turn.finding.seconds,
                "message": f"{turn.finding.name}: {turn.finding.message}",
                "remedy": f"Remedy: {turn.finding.remedy}" if turn.kind in ("new", "worse") else "",
            }
        )
        for turn in difference.findings or ()
    ]
    scores = difference.score
    said = f"score {number(scores[0])} before, {number(scores[1])} after" if scores else ""
    return Table(tuple(COLUMNS[key] for key in keys), tuple(lines), f"Findings; {said}" if said else "Findings")


def _data(difference: Difference) -> Mapping[str, Any]:
    """The JSON contract."""
    scores = difference.score
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "before": _side(difference.before),
        "after": _side(difference.after),
        "same": difference.same,
        "summary": verdict(difference),
        "totals": [
            {**asdict(shift), "difference": shift.difference, "share": shift.share} for shift in difference.totals
        ],
        "modules": _changes(difference.modules),
        "targets": _changes(difference.targets),
        "findings": None if difference.findings is None else list(map(_turn, difference.findings)),
        "score": None if scores is None else dict(zip(("before", "after"), scores, strict=True)),
        "budget": [{**asdict(item), "exceeded": item.exceeded} for item in difference.budget],
        "notes": [*doubts(difference), *gaps(difference)],
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "inputs": [list(sizes) for sizes in side.inputs],
        "totals": dict(side.totals),
        "complete": side.complete,
        "uncounted": dict(side.uncounted),
        "platform": side.platform,
    }


def _changes(changes: tuple[Change, ...] | None) -> list[dict[str, Any]] | None:
    if changes is None:
        return None
    return [
        {
            "change": each.kind,
            "before": _part(each.before),
            "after": _part(each.after),
            "difference": dict(each.figures),
        }
        for each in changes
    ]


def _part(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {"path": part.path, "module": part.type, **{name: part.figures[name] for name in SUMMED}}


def _turn(turn: Turn) -> dict[str, Any]:
    return {"change": turn.kind, **turn.finding.as_json()}
