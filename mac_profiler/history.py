"""History: the runs of a store as documents: all of them, one with its figures or its samples, two side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.document import Document, Line, Table
from mac_profiler.errors import InvalidInput
from mac_profiler.measurement import Measurement, Settings
from mac_profiler.store.tables import Summary, differences

RUNS = ("run", "started", "benchmarks", "device", "cases", "done", "samples", "state")
CASES = ("case", "median_seconds", "low_seconds", "high_seconds", "samples", "peak_bytes", "stopped", "warnings")
SAMPLES = ("run", "benchmark", "group", "name", "axes", "process", "round", "seconds", "calls", "stopped")
SIDES = ("case", "first_seconds", "second_seconds", "ratio", "low_ratio", "high_ratio", "verdict")
MEDIAN = ("median, from, to", "seconds of a call, and the interval that holds it with the confidence of the settings")


def list_runs(runs: Sequence[Summary], file: Path) -> Document:
    """Every run in a line, the newest last."""
    lines = [
        {
            "run": run.id,
            "started": run.started,
            "benchmarks": ", ".join(run.benchmarks),
            "device": run.settings.get("device"),
            "cases": run.cases,
            "done": run.done,
            "samples": run.samples,
            "state": run.state,
        }
        for run in runs
    ]
    return Document(
        title=f"{len(runs)} run{'' if len(runs) == 1 else 's'}",
        facts={"in": str(file)},
        tables=(_table(RUNS, lines),),
        notes=() if runs else ("Nothing was measured yet: 'macprof bench' does, and writes it there.",),
        data=lambda: {"schema_version": 1, "store": str(file), "runs": [asdict(run) for run in runs]},
    )


def show_run(run: Summary, measurements: Sequence[Measurement]) -> Document:
    """A run's cases with their medians, and what it was measured with."""
    settings = settings_of(run)
    lines = [_figures(measurement, settings) for measurement in measurements]
    described = [{"fact": name, "value": str(value)} for name, value in {**run.settings, **run.environment}.items()]
    return Document(
        title=f"run {run.id}",
        facts={"of": ", ".join(run.benchmarks), "started": run.started, "state": run.state},
        tables=(_table(CASES, lines), _table(("fact", "value"), described, "measured with")),
        legend=(MEDIAN,) if lines else (),
        data=lambda: {
            "schema_version": 1,
            "run": asdict(run),
            "cases": [
                {**line, "axes": dict(each.case.axes), "warnings": each.warnings}
                for each, line in zip(measurements, lines, strict=True)
            ],
        },
    )


def export_run(run: Summary, measurements: Sequence[Measurement]) -> Document:
    """Every sample of a run: in CSV a row each, in JSON by case; a case that failed has none, and is in JSON alone."""
    return Document(
        title=f"run {run.id}",
        facts={},
        tables=(_table(SAMPLES, sample_rows(run, measurements)),),
        data=lambda: {
            "schema_version": 1,
            "run": asdict(run),
            "measurements": [
                {
                    "case": each.case.key,
                    "benchmark": each.case.benchmark,
                    "group": each.case.group,
                    "name": each.case.name,
                    "axes": dict(each.case.axes),
                    "stopped": each.stopped,
                    "warnings": each.warnings,
                    "peak_bytes": each.peak_bytes,
                    "samples": [asdict(sample) for sample in each.samples],
                }
                for each in measurements
            ],
        },
    )


def sample_rows(run: Summary, measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """A row a sample, with all that tells it from others; axes as JSON, since each benchmark has its own."""
    return [
        dict(
            zip(
                SAMPLES,
                (
                    run.id, each.case.benchmark, each.case.group, each.case.name, json.dumps(dict(each.case.axes)),
                    *astuple(sample), each.stopped,
                ),
                strict=True,
            )
        )
        for each in measurements
        for sample in each.samples
    ]  # fmt: skip


def compare_runs(
    first: Summary, second: Summary, before: Sequence[Measurement], after: Sequence[Measurement]
) -> Document:
    """The cases that two runs share, the second beside the first.

    Raises:
        InvalidInput: they share none.
    """
    settings = settings_of(second)
    known = {measurement.case.key: measurement for measurement in before}
    shared = [(known[each.case.key], each) for each in after if each.case.key in known]
    if not shared:
        raise InvalidInput(
            f"run {first.id} ({', '.join(first.benchmarks)}) and run {second.id} ({', '.join(second.benchmarks)}) "
            "share no case; compare runs of the same benchmark"
        )
    lines = [_side_by_side(one, other, settings) for one, other in shared]
    unlike = differences(first, second.settings, second.fingerprint)
    alone = [key for key in known if key not in {each.case.key for each in after}]
    alone += [each.case.key for each in after if each.case.key not in known]
    changed = [one.case.key for one, other in shared if dict(one.case.axes) != dict(other.case.axes)]
    return Document(
        title=f"run {second.id} beside run {first.id}",
        facts={"first": first.started, "second": second.started},
        tables=(_table(SIDES, lines),),
        warnings=(
            *((f"The runs were not measured alike: {'; '.join(unlike)}.",) if unlike else ()),
            *((f"Not the same case by now: {', '.join(changed)}.",) if changed else ()),
        ),
        notes=(f"In one of them only: {', '.join(alone)}.",) if alone else (),
        legend=(
            ("ratio, from, to", "seconds of the second run as a multiple of the first's; below 1 the second is faster"),
            ("verdict", "on the second run; runs that took no turns must differ by more than those that did"),
        ),
        data=lambda: {
            "schema_version": 1,
            "first": asdict(first),
            "second": asdict(second),
            "differences": unlike,
            "cases": lines,
            "not_shared": alone,
        },
    )


def settings_of(run: Summary) -> Settings:
    """The settings of a run, whichever of them its macprof knew."""
    known = {field.name for field in fields(Settings)}
    given: Mapping[str, Any] = {name: value for name, value in run.settings.items() if name in known}
    return Settings(**given)


def _figures(measurement: Measurement, settings: Settings) -> dict[str, Any]:
    from mac_profiler.intervals import median_of

    found = median_of(measurement, settings) if any(measurement.seconds) else None
    return {
        "case": measurement.case.key,
        "median_seconds": found and found.value,
        "low_seconds": found and found.low,
        "high_seconds": found and found.high,
        "samples": len(measurement.samples),
        "peak_bytes": measurement.peak_bytes,
        "stopped": measurement.stopped,
        "warnings": "; ".join(measurement.warnings),
    }


def _side_by_side(one: Measurement, other: Measurement, settings: Settings) -> dict[str, Any]:
    from mac_profiler.intervals import median_of, unpaired_ratio

    # A case that failed has no samples, and so no figures.
    medians = [median_of(each, settings).value if any(each.seconds) else None for each in (one, other)]
    found = unpaired_ratio(one, other, settings) if None not in medians else None
    return {
        "case": one.case.key,
        "first_seconds": medians[0],
        "second_seconds": medians[1],
        "ratio": found and found.ratio.value,
        "low_ratio": found and found.ratio.low,
        "high_ratio": found and found.ratio.high,
        "verdict": found and found.verdict,
    }


def _table(keys: Sequence[str], lines: Sequence[Mapping[str, Any]], title: str = "") -> Table:
    return Table(tuple(COLUMNS[key] for key in keys), tuple(Line(line) for line in lines), title)
