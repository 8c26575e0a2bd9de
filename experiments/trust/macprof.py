"""macprof: the cases in turns, in several processes; verdict by the interval of the ratio of shared rounds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from experiments.reporting.forking import run_forked
from experiments.trust.outcome import Outcome
from mac_profiler.intervals import ratio
from mac_profiler.measurement import Case, Measurement, Sample, Settings

NAME = "macprof"
RULES = ("macprof",)
PROCESSES = 3


def judge(cases: Sequence[Case], seconds: float, seed: int) -> Outcome:
    """Both nets in turns until the time is up."""
    begin = time.perf_counter()
    # A precision that is never reached: every harness is to use the same time. A tenth of it is for warming up.
    settings = Settings(
        processes=PROCESSES,
        precision=0.0,
        max_seconds=0.9 * seconds / len(cases),
        warmup_seconds=0.1 * seconds / len(cases) / PROCESSES,
        seed=seed,
    )
    measured = {each.case.name: each for each in measure_in_processes(cases, settings)}
    found = ratio(measured["plain"], measured["planted"], settings)
    return Outcome(found.ratio.value, {NAME: found.verdict}, found.rounds, time.perf_counter() - begin)


def measure_in_processes(cases: Sequence[Case], settings: Settings) -> list[Measurement]:
    """The cases with the samples of all processes; a process is a copy of this one, which has computed nothing."""
    from mac_profiler.devices import open_device
    from mac_profiler.measure import measure

    earlier: dict[str, list[Sample]] = {case.key: [] for case in cases}
    stopped = dict.fromkeys(earlier, "")
    for process in range(settings.processes):

        def work(process: int = process) -> list[tuple[str, tuple[Sample, ...], str]]:
            with closing(open_device(settings)) as device:
                found = measure(cases, device, settings, process=process)
            return [(each.case.key, each.samples, each.stopped) for each in found]

        for key, samples, why in run_forked(work, 60 + 10 * settings.max_seconds * len(cases)):
            if not samples:
                raise RuntimeError(f"{key}: {why}")
            earlier[key] += samples
            stopped[key] = why
    return [Measurement(case, tuple(earlier[case.key]), stopped[case.key]) for case in cases]
