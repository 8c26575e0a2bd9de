"""Medians, ratios and verdicts derived from the samples of results.json."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mac_profiler.intervals import Estimate, median_interval, paired_ratio

OWN = "macprof"


@dataclass(frozen=True, slots=True)
class Line:
    """One profiler on one model.

    Attributes:
        peer: name of its file.
        count: what it answered, as it gives it.
        first: median seconds of the first call in a process, its import left out.
        first_with_import: the same, its import included.
        warm: seconds of a later call.
        slower: its warm seconds as a multiple of macprof's, in the rounds that both took part in.
        peak_bytes: most resident memory in its first call, over that before its import.
        error: what it raised, "" where it answered.
    """

    peer: str
    count: float | None = None
    first: float | None = None
    first_with_import: float | None = None
    warm: Estimate | None = None
    slower: Estimate | None = None
    peak_bytes: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that was expected and what was found; it is met where `found` is on the right side of `limit`."""

    model: str
    claim: str
    found: Estimate
    limit: float
    at_least: bool

    @property
    def verdict(self) -> str:
        """Met or not; open where the interval holds the limit."""
        met = self.found.value >= self.limit if self.at_least else self.found.value <= self.limit
        open_ = self.found.low < self.limit < self.found.high
        return ("met" if met else "not met") + (", the interval holds the limit" if open_ else "")


def lines(samples: Mapping[str, Any], names: list[str]) -> list[Line]:
    """Every profiler on one model, the fastest warm call first, those without an answer last."""
    found = [_line(samples, name) for name in names]
    return sorted(found, key=lambda line: (line.warm is None, line.warm.value if line.warm else 0.0))


def _line(samples: Mapping[str, Any], name: str) -> Line:
    first = [sample for sample in samples["first"] if sample["peer"] == name]
    errors = [sample["error"] for sample in first if "error" in sample]
    if errors:
        return Line(name, error=errors[0])
    shared = [each for each in samples["warm"] if name in each and OWN in each]
    peaks = [sample["peak_bytes"] for sample in first if sample["peak_bytes"] is not None]
    return Line(
        name,
        count=first[0]["count"],
        first=statistics.median(sample["seconds"] for sample in first),
        first_with_import=statistics.median(sample["seconds"] + sample["load_seconds"] for sample in first),
        warm=median_interval([each[name] for each in shared]) if shared else None,
        slower=paired_ratio([each[name] for each in shared], [each[OWN] for each in shared]) if shared else None,
        peak_bytes=int(statistics.median(peaks)) if peaks else None,
    )


def targets(results: Mapping[str, Any]) -> list[Target]:
    """What was expected, model by model, and of the command."""
    names = {name: peer["name"] for name, peer in results["peers"].items()}
    found = []
    for samples in results["models"]:
        model = samples["model"]
        every = lines(samples, [*names])
        others = [line for line in every if line.peer != OWN and line.slower]
        own = next(line for line in every if line.peer == OWN)
        if others and others[0].slower:
            claim = f"warm: {names[others[0].peer]}, the fastest other, takes at least 3 times as long"
            found.append(Target(model, claim, others[0].slower, 3.0, at_least=True))
        fvcore = next((line.slower for line in others if line.peer == "fvcore"), None)
        if fvcore:
            found.append(Target(model, "warm: fvcore takes at least 10 times as long", fvcore, 10.0, at_least=True))
        for label, field in (("", "first"), (", import included", "first_with_import")):
            quickest = min(others, key=lambda line: getattr(line, field), default=None)
            if quickest and own.first:
                claim = f"first call{label}: no slower than {names[quickest.peer]}, the fastest other"
                found.append(Target(model, claim, _first_ratio(samples, quickest.peer, field), 1.0, at_least=False))
    pairs = results["commands"]
    cost = paired_ratio([pair["analyze"] for pair in pairs], [pair["import_torch"] for pair in pairs])
    found.append(Target("shufflenet_v2", "whole command: at most 1.25 times import torch", cost, 1.25, at_least=False))
    return found


def _first_ratio(samples: Mapping[str, Any], other: str, field: str) -> Estimate:
    """Macprof's first call as a multiple of the other's; the n-th processes of the two are a pair."""

    def seconds(name: str) -> list[float]:
        chosen = [sample for sample in samples["first"] if sample["peer"] == name]
        return [each["seconds"] + (each["load_seconds"] if field != "first" else 0.0) for each in chosen]

    own, others = seconds(OWN), seconds(other)
    # The slow ones have fewer processes than macprof.
    return paired_ratio(own[-len(others) :], others)


def chain_seconds(results: Mapping[str, Any]) -> dict[int, float]:
    """Median seconds by number of operators that macprof found."""
    by_length: dict[int, list[float]] = {}
    for sample in results["chains"]:
        by_length.setdefault(sample["found"], []).append(sample["seconds"])
    return {length: statistics.median(seconds) for length, seconds in sorted(by_length.items())}
