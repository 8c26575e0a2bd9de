"""The cases of every benchmark, by device and group, and what one call of each costs."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any

import torch

import mac_profiler
from mac_profiler import benchmarks
from mac_profiler.benchmarks import Benchmark
from mac_profiler.measurement import Case, Settings
from mac_profiler.profile import Profile

ALL = benchmarks.choose(["all"])
OF_THE_PAPER = [benchmark for benchmark in ALL if benchmarks.table_of(benchmark)]
DEVICES = {device: Settings(device=device) for device in ("cpu", "cuda")}


def cases_of(benchmark: Benchmark, device: str, *, quick: bool = False) -> list[Case]:
    return benchmark.cases(DEVICES[device], quick=quick)


def groups_of(cases: list[Case]) -> dict[str, list[Case]]:
    return {name: list(group) for name, group in groupby(cases, key=lambda case: case.group)}


def build(case: Case) -> tuple[Any, tuple[Any, ...]]:
    assert case.build is not None
    return case.build()


@cache
def by_key(device: str) -> dict[str, Case]:
    return {case.key: case for benchmark in ALL for case in cases_of(benchmark, device)}


@cache
def profile_of(device: str, key: str) -> Profile:
    with torch.device("meta"):
        module, inputs = build(by_key(device)[key])
    return mac_profiler.analyze(module.eval(), *inputs)


def mult_adds(case: Case, device: str) -> int:
    return profile_of(device, case.key).total.mult_adds
