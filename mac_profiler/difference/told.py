"""Told: a difference in a few words: what both the document and the comment say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mac_profiler.budget import Item
from mac_profiler.difference import Change, Difference, Kind
from mac_profiler.difference.side import COUNTED, Part, Side
from mac_profiler.units import count, exact, number, shape, size, text

# In bytes; all others are counted.
IN_BYTES = ("bytes_moved", "peak_activation_bytes")
KINDS: tuple[Kind, ...] = ("changed", "added", "removed", "moved")
MODEL = "(model)"
NAMES = {"info": "note", "warning": "warning", "error": "error"}
TITLES = {
    "mult_adds": "multiply-adds", "flops": "FLOPs", "accesses": "memory access", "fused_accesses": "fused access",
    "bytes_moved": "bytes moved", "parameters": "parameters", "peak_activation_bytes": "peak activation memory",
    "op_count": "operators",
}  # fmt: skip


def verdict(difference: Difference) -> str:
    """One line: "no difference", or how many modules and findings differ, and what is over budget."""
    said = list(_verdicts(difference))
    if not said:
        said = ["no difference in what they take"] if difference.same else ["totals differ"]
    over = [item.figure for item in difference.budget if item.exceeded]
    if over:
        said.append(f"over budget: {', '.join(over)}")
    return "; ".join(said)


def _verdicts(difference: Difference) -> Iterator[str]:
    kinds = Counter(change.kind for change in difference.modules or ())
    if kinds:
        yield f"modules: {', '.join(f'{kinds[kind]} {kind}' for kind in KINDS if kinds[kind])}"
    turned = Counter(turn.kind for turn in difference.findings or () for _ in turn.finding.places)
    if turned:
        yield f"places of findings: {', '.join(f'{places} {kind}' for kind, places in turned.items())}"
    scores = difference.score
    if scores and scores[0] != scores[1]:
        yield f"score {number(scores[0])} before, {number(scores[1])} after"


def doubts(difference: Difference) -> Iterator[str]:
    """What makes the two hard to compare, or the figures lower bounds."""
    before, after = difference.before, difference.after
    if before.inputs != after.inputs:
        yield f"the inputs differ: {_inputs(before)} before, {_inputs(after)} after"
    if before.backward != after.backward:
        yield f"{(before if before.backward else after).name} counts the backward pass too, the other does not"
    for side in (before, after):
        if side.uncounted:
            missing = ", ".join(f"{target} ({calls})" for target, calls in side.uncounted.items())
            yield f"lower bounds: in {side.name} not all is counted: {missing}"


def gaps(difference: Difference) -> Iterator[str]:
    """What is not compared, because one side does not tell it."""
    for side in (difference.before, difference.after):
        if side.modules is None:
            yield f"{side.name} is an audit, which tells no modules: totals, findings and score are compared."
    unaudited = [side.name for side in (difference.before, difference.after) if side.findings is None]
    if unaudited:
        were = "were" if len(unaudited) > 1 else "was"
        yield f"Findings and scores are not compared: {' and '.join(unaudited)} {were} not audited."
    elif difference.before.rules != difference.after.rules:
        only = sorted(difference.before.rules ^ difference.after.rules)
        yield f"Rules that only one audit applied are left out: {', '.join(only)}."


def ordered(difference: Difference) -> list[Change]:
    """The modules that differ, those first that weigh most."""
    return sorted(difference.modules or (), key=_weight, reverse=True)


def _weight(change: Change) -> tuple[int, ...]:
    return tuple(abs(change.figures[name]) for name in (*COUNTED, "parameters", "op_count"))


def path_of(change: Change) -> str:
    """Its path, with that of before where it was another."""
    path = change.part.path or MODEL
    old = change.before.path if change.before else change.part.path
    return path if old == change.part.path else f"{old or MODEL} -> {path}"


def type_of(change: Change) -> str:
    """Its class, with that of before where it was another."""
    old = change.before.type if change.before else change.part.type
    return change.part.type if old == change.part.type else f"{old} -> {change.part.type}"


def sizes_of(change: Change) -> str:
    """The shape of its last output, with that of before where it was another."""
    shapes = [_output(part) for part in (change.before, change.after) if part is not None]
    return " -> ".join(dict.fromkeys(filter(None, shapes)))


def _output(part: Part) -> str:
    last = part.work[-1] if part.work else None
    outputs = last[2] if isinstance(last, tuple) else ()
    return shape(outputs[0]) if outputs else ""


def told_item(item: Item) -> str:
    """What is said of one figure of the budget: that it is kept, exceeded, or that nobody knows."""
    of = " B" if item.figure in IN_BYTES else ""
    return f"{TITLES[item.figure]} {exact(item.found)}{of}, at most {exact(item.limit)}{of}: {item.state}"


def amount(figure: str, value: int) -> str:
    """A figure of the whole model."""
    return size(value) if figure in IN_BYTES else count(value)


def signed(value: int, figure: str = "") -> str:
    """A difference of a figure, its sign always shown; "0" for none."""
    return text("more_bytes" if figure in IN_BYTES else "more", value).replace("-", "−")


def _inputs(side: Side) -> str:
    return ", ".join(map(shape, side.inputs)) or "no tensor"
