"""A device and a clock that do what a test says: no test of measuring waits on time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat

from mac_profiler.devices import Conditions
from mac_profiler.errors import MeasureFailed
from mac_profiler.measurement import Case, Scalar, Settings

# What a call of a case takes, one value a call; raises MeasureFailed to say that it cannot be built.
Durations = Callable[[Case], Iterator[float]]


@dataclass
class Clockwork:
    """A device on which calls take what they are told to."""

    durations: Durations
    weather: Iterator[Conditions] = field(default_factory=lambda: repeat(Conditions()))
    name: str = "clockwork"
    time: float = 0.0
    log: list[tuple[str, str]] = field(default_factory=list)
    idled: float = 0.0

    def describe(self) -> Mapping[str, Scalar]:
        """One fact."""
        return {"device": self.name}

    def prepare(self, case: Case, settings: Settings) -> Movement:
        """A case that is ready."""
        self.log.append(("prepare", case.name))
        if "broken" in case.name:
            raise MeasureFailed(f"{case.name}: out of memory")
        return Movement(self, case, self.durations(case))

    def flush(self) -> None:
        """Empty caches that are not there."""
        self.log.append(("flush", ""))

    def conditions(self) -> Conditions:
        """What the test said."""
        return next(self.weather)

    def idle(self, seconds: float) -> None:
        """Let time pass."""
        self.idled += seconds
        self.time += seconds

    def now(self) -> float:
        """The clock."""
        return self.time

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Movement:
    """One case on it."""

    device: Clockwork
    case: Case
    durations: Iterator[float]

    def time(self, calls: int) -> float:
        """So many calls, each as long as it was told to be."""
        self.device.log.append(("time", self.case.name))
        seconds = sum(next(self.durations) for _ in range(calls))
        self.device.time += seconds
        return seconds

    def peak_bytes(self) -> int | None:
        """A made-up figure."""
        return 1000

    def release(self) -> None:
        """Take note."""
        self.device.log.append(("release", self.case.name))
