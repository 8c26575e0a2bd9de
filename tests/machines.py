"""Machines that are made up, so that what a model takes on them can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from hypothesis import strategies as st

import mac_profiler
from mac_profiler import models
from mac_profiler.api.analysis import profile_of
from mac_profiler.kinds_of_work import KINDS
from mac_profiler.measurement import Case, Measurement, Sample
from mac_profiler.platform import Bandwidth, Law, Platform
from mac_profiler.profile import Profile

# No two numbers of it are alike, and none is a sum of others.
LAWS: Mapping[str, Law] = {
    kind: Law(1e-11 * (1 + i), 1.3e-10 * (1 + i), 1.7e-10 * (2 + i), 2.3e-10 * (3 + i), 1e-6 * (1 + i))
    for i, kind in enumerate(KINDS)
}
BANDWIDTHS = (
    Bandwidth(2**14, 6e9, 6e9, 6e9),
    Bandwidth(2**16, 9e9, 9e9, 1.2e10),
    Bandwidth(2**20, 5e9, 5e9, 6e9),
    Bandwidth(2**24, 4e9, 4e9, 3e9),
)
SECONDS = st.floats(0, 1e-3, allow_nan=False, allow_subnormal=False)
ANY_LAW = st.builds(Law, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS)
ANY_LAWS = st.fixed_dictionaries(dict.fromkeys(KINDS, ANY_LAW))


def machine(laws: Mapping[str, Law] = LAWS, **changes: Any) -> Platform:
    """A platform with these laws, and without bandwidths unless some are given."""
    given: dict[str, Any] = {"name": "made-up", "device": "cpu", "dtype": "float32", "fused": False, "laws": laws}
    return Platform(**{**given, **changes})


def counted(build: Callable[[], Any], *shapes: tuple[int, ...]) -> Profile:
    """The profile of a little model, made and called without data."""
    with torch.device("meta"):
        module = build()
        return mac_profiler.analyze(module, *(torch.zeros(shape) for shape in shapes))


@cache
def of_zoo(name: str) -> Profile:
    """The profile of a network that is known by name."""
    return profile_of(models.find(name))


def measured(case: Case, seconds: float) -> Measurement:
    """Samples of two processes that all took the same."""
    return Measurement(case, tuple(Sample(process, n, seconds) for process in (0, 1) for n in range(8)), "precise")
