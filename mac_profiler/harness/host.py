"""Host: what a device needs of the machine that drives it: a clock, rest, a way back, and who else keeps it busy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

# The system counts in hundredths of a second: over less than this, the share of others would be rounding.
LEAST_SECONDS = 0.5


class Host:
    """The part of a device that is this machine; what a device changes, it undoes when it is closed."""

    def __init__(self) -> None:
        self.load = Load()
        self.undo = ExitStack()

    def idle(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def now(self) -> float:
        """Seconds of the performance counter."""
        return time.perf_counter()

    def close(self) -> None:
        """Put back what was changed in the process."""
        self.undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _machine_times() -> Any:
    import psutil

    return psutil.cpu_times()


class Load:
    """Who else uses the processors, from one question to the next.

    Args:
        machine: seconds that all processors together spent on each kind of work, as `psutil.cpu_times`.
        own: seconds of processor time that this process took.
    """

    def __init__(self, machine: Callable[[], Any] = _machine_times, own: Callable[[], float] = _own_seconds) -> None:
        self._machine, self._own = machine, own
        self._cores = os.cpu_count() or 1
        self._tells_stolen = hasattr(machine(), "steal")
        self._last = self._now()
        self._answer: tuple[float | None, float | None] = (None, None)

    def ask(self) -> tuple[float | None, float | None]:
        """Shares of all processors that others kept busy, and that the hypervisor gave away; 0 to 1.

        None before `LEAST_SECONDS` have passed; after that the answer is as old as that at most, while it is asked.
        """
        now = self._now()
        total, busy, stolen, own = (new - old for new, old in zip(now, self._last, strict=True))
        if total >= LEAST_SECONDS * self._cores:
            others = min(max((busy - own) / total, 0.0), 1.0)
            self._answer = others, stolen / total if self._tells_stolen else None
            self._last = now
        return self._answer

    def _now(self) -> tuple[float, float, float, float]:
        times = self._machine()._asdict()
        busy = sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))
        stolen = times.get("steal", 0.0)
        total = busy + stolen + times.get("idle", 0.0) + times.get("iowait", 0.0)
        return total, busy, stolen, self._own()
