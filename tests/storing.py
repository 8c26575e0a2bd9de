"""What the tests of the store write, and how they look at what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mac_profiler.errors import StoreFailed
from mac_profiler.measurement import Case, Measurement, Sample, Settings
from mac_profiler.store import Store, open_store
from mac_profiler.store.recording import Run

SETTINGS = Settings(processes=2)
MACHINE = "cpu: one\nsettings.threads: 1\ntorch: 2"
CASES = [Case("g1", "x1", f"1:{width}", {"width": width, "text": "ä", "half": 0.5, "on": True}) for width in (1, 2, 6)]


def begin(store: Store, *, resume: bool = False, settings: Settings = SETTINGS, machine: str = MACHINE) -> Run:
    return store.begin(settings, {"cpu": "one", "cores": 2}, machine, ["g1"], resume=resume)


def sample(process: int, number: int) -> Sample:
    return Sample(process, number, (1 + process + number) / 1000, 3)


def a_round(process: int, number: int) -> list[tuple[Case, Sample]]:
    return [(case, sample(process, number)) for case in CASES]


def content(measurements: Sequence[Measurement]) -> dict[str, tuple[set[Sample], str]]:
    """What does not depend on the order of writing; a sample that is there twice is an error of its own."""
    for measurement in measurements:
        assert len(set(measurement.samples)) == len(measurement.samples)
    return {each.case.key: (set(each.samples), each.stopped) for each in measurements}


def refused(file: Path, *, read_only: bool = False) -> str:
    with pytest.raises(StoreFailed) as caught, open_store(file, read_only=read_only) as store:
        begin(store)
    said = str(caught.value)
    assert "\n" not in said
    assert ";" in said, "no remedy"
    assert len(said) < 400
    return said
