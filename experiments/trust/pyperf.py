"""pyperf: one net after the other, each in 20 fresh processes of one warm-up and three values; Student's t-test.

The processes and values are the defaults of pyperf's Runner. What is not: a value lasts 0.1 s by default, here what the
time allows; and a process is a copy of one that has imported torch, where the Runner's would import it again, which
takes longer than all that is measured. Values and verdict are pyperf's own (`compare_to`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from experiments.reporting.forking import run_forked
from experiments.trust.outcome import Outcome, direction
from mac_profiler.measurement import Case

NAME = "pyperf"
RULES = ("pyperf",)
PROCESSES, VALUES, WARMUPS = 20, 3, 1


def judge(cases: Sequence[Case], seconds: float, seed: int) -> Outcome:
    """Half of the time for each net."""
    from pyperf._compare import CompareData, CompareResult

    begin = time.perf_counter()
    found = {case.name: _benchmark(case, seconds / len(cases)) for case in cases}
    compared = CompareResult(CompareData("plain", found["plain"]), CompareData("planted", found["planted"]))
    ratio = float(compared.norm_mean)
    verdicts = {NAME: direction(ratio, different=bool(compared.significant))}
    return Outcome(ratio, verdicts, found["plain"].get_nvalue(), time.perf_counter() - begin)


def _benchmark(case: Case, seconds: float) -> Any:
    from pyperf import Benchmark, Run

    # As the Runner does: a first process finds how many calls make a value.
    loops = run_forked(lambda: _calibrate(case, seconds / PROCESSES / (VALUES + WARMUPS)), 60)
    runs = []
    for _ in range(PROCESSES):
        values = run_forked(lambda: _values(case, loops), 60 + 10 * seconds)
        metadata = {"name": case.name, "unit": "second", "loops": loops}
        warmups = [(loops, value) for value in values[:WARMUPS]]
        runs.append(Run(values[WARMUPS:], warmups=warmups, metadata=metadata, collect_metadata=False))
    return Benchmark(runs)


def _calibrate(case: Case, seconds: float) -> int:
    once = _values(case, 1)
    return max(1, round(seconds / once[-1]))


def _values(case: Case, loops: int) -> list[float]:
    """Seconds of a call, a value a loop."""
    import torch

    torch.set_num_threads(1)
    if case.build is None:
        raise ValueError(f"{case.key} cannot be built")
    module, inputs = case.build()
    found = []
    with torch.inference_mode():
        for _ in range(WARMUPS + VALUES):
            begin = time.perf_counter()
            for _ in range(loops):
                module(*inputs)
            found.append((time.perf_counter() - begin) / loops)
    return found
