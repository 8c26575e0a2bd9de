"""Measure a guideline's benchmark and write its report."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from experiments.guidelines.figure import draw
from experiments.guidelines.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options
from mac_profiler.api import count_case
from mac_profiler.conduct import conduct
from mac_profiler.harness.processors import available
from mac_profiler.measurement import Settings
from mac_profiler.plan import Plan, cases_of, shortened
from mac_profiler.standing import Standing, stand
from mac_profiler.store import open_store

# What a case of a smoke run gets: the figures mean nothing then.
SMOKE = Settings(processes=1, min_rounds=3, max_seconds=0.05, sample_seconds=0.0005, warmup_seconds=0.02)


def run(benchmark: str, options: Options) -> None:
    """Measure on one thread, on a CPU again on two where there are two cores, and write table, figure and samples.

    Args:
        benchmark: "g1".
        options: of its command line.
    """
    full = Settings(device=options.device, seed=options.seed)
    alone = replace(SMOKE, device=options.device) if options.smoke else full
    shared = SMOKE.with_threads(2) if options.smoke else shortened(full.with_threads(2))
    one = measure(Plan((benchmark,), quick=options.smoke, settings=alone))
    has_two = options.device == "cpu" and len(available()) > 1
    two = measure(Plan((benchmark,), quick=True, settings=shared)) if has_two else []
    environment = {
        **describe(),
        **{name: str(value) for name, value in one[0].measurement.environment.items() if name not in ("date", "torch")},
    }
    results = {
        "environment": environment,
        "settings": alone.as_json(),
        "cases": [samples_of(each) for each in one],
        "two_threads": {"settings": shared.as_json(), "cases": [samples_of(each) for each in two]},
    }
    table = write(benchmark, one, two, alone, environment)
    write_report(options.output, results, table, draw(one, alone))
    print(options.output / "table.md")


def measure(plan: Plan) -> list[Standing]:
    """The plan's cases, each beside the first of its group."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "results.sqlite") as store:
        measured = conduct(plan, store).measurements
    counted = {case.key: count_case(case) for case in cases_of(plan)}
    return stand(measured, counted, plan.settings)


def samples_of(each: Standing) -> dict[str, Any]:
    """Raw samples of a case: process, round, seconds of a call, calls."""
    found: Sequence[Any] = each.measurement.samples
    return {
        "key": each.measurement.case.key,
        "axes": dict(each.measurement.case.axes),
        "mult_adds": each.counted.mult_adds,
        "accesses": each.counted.accesses,
        "least_accesses": each.counted.least_accesses,
        "stopped": each.measurement.stopped,
        "warnings": list(each.measurement.warnings),
        "samples": [astuple(sample) for sample in found],
    }
