"""torch.utils.benchmark: Timer.blocked_autorange of one net after the other, in one process.

It states no test of whether two measurements differ. Two readings of what it gives are judged: the interquartile ranges
that it prints do not overlap; and the medians differ in those digits that it holds to be significant, which is what
`Compare.trim_significant_figures` shows to a reader.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from experiments.reporting.forking import run_forked
from experiments.trust.outcome import Outcome, direction
from mac_profiler.measurement import Case

NAME = "torch.utils.benchmark"
QUARTILES, DIGITS = "torch: quartiles apart", "torch: digits differ"
RULES = (QUARTILES, DIGITS)


def judge(cases: Sequence[Case], seconds: float, seed: int) -> Outcome:
    """Half of the time for each net."""
    begin = time.perf_counter()
    times = run_forked(lambda: _times(cases, seconds / len(cases)), 60 + 10 * seconds)
    plain, planted = times["plain"], times["planted"]
    ratio = planted.median / plain.median
    verdicts = {
        QUARTILES: direction(ratio, different=_quartiles_apart(plain, planted)),
        DIGITS: direction(ratio, different=_shown(plain) != _shown(planted)),
    }
    return Outcome(ratio, verdicts, min(len(plain.times), len(planted.times)), time.perf_counter() - begin)


def _times(cases: Sequence[Case], seconds: float) -> dict[str, Any]:
    import torch
    from torch.utils.benchmark import Timer

    torch.set_num_threads(1)
    found = {}
    for case in cases:
        if case.build is None:
            raise ValueError(f"{case.key} cannot be built")
        module, inputs = case.build()
        with torch.inference_mode():
            timer = Timer("module(*inputs)", globals={"module": module, "inputs": inputs}, num_threads=1)
            found[case.name] = timer.blocked_autorange(min_run_time=seconds)
    return found


def _quartiles_apart(one: Any, other: Any) -> bool:
    import torch

    ends = torch.tensor([0.25, 0.75], dtype=torch.float64)
    (low, high), (other_low, other_high) = (
        torch.tensor(each.times, dtype=torch.float64).quantile(ends).tolist() for each in (one, other)
    )
    return bool(high < other_low or other_high < low)


def _shown(measured: Any) -> float:
    """The median as a table of `Compare` has it."""
    from torch.utils.benchmark.utils.common import trim_sigfig

    return float(trim_sigfig(measured.median, measured.significant_figures))
