"""Speedscope: flame graphs of predicted time, memory access and multiply-adds (https://www.speedscope.app).

The file is what its schema calls an evented profile: modules are opened and closed in the order of their operators, so
that "Time Order" shows the model from its first operator to its last, and "Left Heavy" what is largest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mac_profiler import __version__
from mac_profiler.audited import Audited, names_of
from mac_profiler.exports import Step, steps
from mac_profiler.sound import sound

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
# What is shown of each model, in speedscope's units, the first one first.
AMOUNTS: Mapping[str, tuple[str, Callable[[Step], float]]] = {
    "predicted time": ("seconds", lambda step: step.timed.seconds.total),
    "bytes moved": ("bytes", lambda step: step.timed.task.work.bytes_moved),
    "multiply-adds": ("none", lambda step: step.cost.mult_adds),
}


def render(audits: Sequence[Audited]) -> str:
    """One file with three profiles a model."""
    frames: dict[tuple[str, str], int] = {}
    profiles = []
    names = names_of(audits)
    for audited, name in zip(audits, names, strict=True):
        found = list(steps(audited.prediction))
        for title, (unit, amount) in AMOUNTS.items():
            profiles.append(_profile(f"{name}: {title}", unit, found, amount, frames))
    file = {
        "$schema": SCHEMA,
        "name": ", ".join(names),
        "exporter": f"macprof {__version__}",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(name, source) for name, source in frames]},
        "profiles": profiles,
    }
    return sound(json.dumps(file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n"


def _profile(
    name: str, unit: str, found: Sequence[Step], amount: Callable[[Step], float], frames: dict[tuple[str, str], int]
) -> dict[str, Any]:
    events: list[dict[str, Any]] = []
    opened: list[tuple[str, int]] = []  # key and frame
    at = 0.0

    def close(depth: int) -> None:
        while len(opened) > depth:
            events.append({"type": "C", "frame": opened.pop()[1], "at": at})

    def begin(key: str, name: str, source: str) -> None:
        frame = frames.setdefault((name, source), len(frames))
        opened.append((key, frame))
        events.append({"type": "O", "frame": frame, "at": at})

    for step in found:
        kept = 0
        for (key, _), path in zip(opened, step.stack, strict=False):
            if key != path:
                break
            kept += 1
        close(kept)
        for path in step.stack[kept:]:
            begin(path, path, "")
        # No module has this key: the operator ends before whatever follows.
        begin("\0", step.op.target, step.op.source)
        at += amount(step)
        close(len(opened) - 1)
    close(0)
    return {"type": "evented", "name": name, "unit": unit, "startValue": 0, "endValue": at, "events": events}


def _frame(name: str, source: str) -> dict[str, Any]:
    file, _, line = source.rpartition(":")
    return {"name": name, "file": file, "line": int(line)} if file and line.isdigit() else {"name": name}
