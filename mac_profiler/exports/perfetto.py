"""Perfetto: predicted time as a trace, by the Trace Event Format that ui.perfetto.dev and chrome://tracing read.

A model is a process with one thread; a module or an operator begins ("B") and ends ("E") inside of those around it. An
event with a length would say the same in half the lines, but a reader that adds it to the beginning may see it end a
rounding error after the module that it is in, and then draws it elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mac_profiler.audited import Audited, names_of
from mac_profiler.exports import Step, steps
from mac_profiler.sound import sound


def render(audits: Sequence[Audited]) -> str:
    """One file, a process a model."""
    events: list[dict[str, Any]] = []
    for process, (audited, model) in enumerate(zip(audits, names_of(audits), strict=True), start=1):
        platform = audited.prediction.platform.name
        for kind, name in (("process_name", model), ("thread_name", f"predicted on {platform}")):
            events.append({"ph": "M", "pid": process, "tid": 1, "name": kind, "args": {"name": name}})
        events += ({**event, "pid": process, "tid": 1} for event in _events(steps(audited.prediction)))
    file = {"displayTimeUnit": "ns", "otherData": {"predicted": "nothing was run"}, "traceEvents": events}
    return sound(json.dumps(file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n"


def _events(found: Iterator[Step]) -> Iterator[dict[str, Any]]:
    """Beginnings and ends, in microseconds to the nanosecond."""
    around: list[str] = []
    seconds = 0.0

    def at() -> float:
        return round(seconds * 1e9) / 1000

    def leave(depth: int) -> Iterator[dict[str, Any]]:
        while len(around) > depth:
            yield {"ph": "E", "name": around.pop(), "cat": "module", "ts": at()}

    for step in found:
        kept = 0
        for path, wanted in zip(around, step.stack, strict=False):
            if path != wanted:
                break
            kept += 1
        yield from leave(kept)
        for path in step.stack[kept:]:
            around.append(path)
            yield {"ph": "B", "name": path, "cat": "module", "ts": at()}
        kind = step.timed.task.work.kind
        yield {"ph": "B", "name": step.op.target, "cat": kind, "ts": at(), "args": _told(step)}
        seconds += step.timed.seconds.total
        yield {"ph": "E", "name": step.op.target, "cat": kind, "ts": at()}
    yield from leave(0)


def _told(step: Step) -> dict[str, Any]:
    return {
        "module": step.op.path,
        "source": step.op.source,
        "mult_adds": step.cost.mult_adds,
        "flops": step.cost.flops,
        "accesses": step.cost.accesses,
        "bytes_moved": step.cost.bytes_moved,
        "bound": step.timed.seconds.bound,
    }
