"""The processor: so many threads, on cores of their own where the system allows, denormal numbers flushed to zero.

Threads are those within an operator. The pool for whole operators is left as it is: torch lets a process size it only
once, for good, and a network that is called eagerly never uses it; one that does shares the same cores.

Denormals are flushed in the calling thread and in worker threads that start later. Workers that an earlier parallel
operator left behind keep their mode, as do those started meanwhile when the device is closed.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from typing import Any

from mac_profiler.devices import Conditions
from mac_profiler.errors import InvalidInput
from mac_profiler.harness import processors
from mac_profiler.harness.compilation import Call
from mac_profiler.harness.host import Host
from mac_profiler.harness.preparation import check_dtype, prepare, told
from mac_profiler.measurement import Case, Scalar, Settings

# Written over to empty caches whose size is not known: more than the last level of any processor but the largest.
ASSUMED_FLUSH_BYTES = 256 * 2**20


class Cpu(Host):
    """The processor of this machine.

    Args:
        settings: threads; element type; whether caches are to be cold.

    Raises:
        InvalidInput: more threads than cores, an element type or an option that it cannot do.
    """

    name = "cpu"

    def __init__(self, settings: Settings) -> None:
        import torch

        super().__init__()
        check_dtype(settings)
        if settings.graph:
            raise InvalidInput("--graph: only --device cuda replays graphs")
        cores = processors.available()
        if not 1 <= settings.threads <= len(cores):
            raise InvalidInput(f"--threads {settings.threads}: this process may use 1 to {len(cores)} cores")
        self._threads = settings.threads
        with ExitStack() as undo:
            undo.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(settings.threads)
            undo.callback(torch.set_flush_denormal, _flushes_denormals())
            self._flushed = torch.set_flush_denormal(True)
            chosen = processors.choose(settings.threads)
            self._pinned = undo.enter_context(processors.pinned(chosen))
            self._cores = chosen if self._pinned else cores
            self._throttled = processors.throttle_events(self._cores)
            self.undo = undo.pop_all()
        self._caches = processors.cache_bytes(self._cores)
        self._buffer: Any = None

    def describe(self) -> dict[str, Scalar]:
        """Threads and cores, denormals, caches, and what cannot be watched."""
        cores = ",".join(map(str, self._cores))
        watched = processors.clock_hz(self._cores) is not None
        return {
            "device": self.name,
            "threads": self._threads,
            "cores_used": cores if self._pinned else f"any of {cores}",
            "pinned": self._pinned,
            "denormals": "flushed" if self._flushed else "kept: this processor cannot flush them",
            "cache_bytes": self._caches or "unknown",
            "flush_bytes": self._flush_bytes(),
            "clock": "watched" if watched else "not watched: the system does not tell it",
            "throttling": "not watched: the system does not count it" if self._throttled is None else "watched",
        }

    def prepare(self, case: Case, settings: Settings) -> CpuTimer:
        """Build a case here; see `mac_profiler.devices.Device`."""
        return CpuTimer(case, prepare(case, settings, "cpu"))

    def flush(self) -> None:
        """Read and write a buffer twice as big as the caches of the cores in use, with as many threads as they are."""
        import torch

        if self._buffer is None:
            self._buffer = torch.ones(self._flush_bytes() // 8, dtype=torch.int64)
        # Not zero_(): a store alone may go past the caches; what is read goes through them.
        self._buffer.add_(1)

    def conditions(self) -> Conditions:
        """Clock and throttling of the cores in use; load of all."""
        before, self._throttled = self._throttled, processors.throttle_events(self._cores)
        throttled = None if before is None or self._throttled is None else self._throttled > before
        load, stolen = self.load.ask()
        reason = "heat, or a quota of the container" if throttled else ""
        return Conditions(processors.clock_hz(self._cores), throttled, load, stolen, reason=reason)

    def close(self) -> None:
        """Put back number of threads, affinity and denormals."""
        self._buffer = None
        super().close()

    def _flush_bytes(self) -> int:
        return 2 * self._caches if self._caches else ASSUMED_FLUSH_BYTES


class CpuTimer:
    """A case ready to be called here."""

    def __init__(self, case: Case, call: Call) -> None:
        self._case = case
        self._call: Call | None = call

    def time(self, calls: int) -> float:
        """Seconds of so many calls, by the performance counter around a loop that does nothing else."""
        import torch

        call = self._ready()
        turns = repeat(None, calls)
        with told(self._case), torch.inference_mode(), _collector_off():
            begin = time.perf_counter_ns()
            for _ in turns:
                call()
            return (time.perf_counter_ns() - begin) / 1e9

    def peak_bytes(self) -> int:
        """Most bytes that torch's allocator had given out at once during a call, beyond those at its beginning.

        Exact for all tensors, and for what operators borrow from torch in the thread that calls them, as oneDNN does;
        the scratch memory of libraries that ask the system themselves, as MKL does, is not in it.
        """
        with told(self._case):
            return _peak(self._ready())

    def release(self) -> None:
        """Let go of module and inputs."""
        self._call = None

    def _ready(self) -> Call:
        if self._call is None:
            raise ValueError(f"{self._case.key} was released")
        return self._call


@contextmanager
def _collector_off() -> Iterator[None]:
    """Python's search for cycles comes when it likes, and takes longer than many a case."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _flushes_denormals() -> bool:
    # Torch sets the mode and does not tell it; the floats of Python go through the same unit in the same thread.
    return sys.float_info.min / 2 == 0.0


def _peak(call: Call) -> int:
    import torch
    from torch.autograd.profiler import profile

    level = os.environ.get("KINETO_LOG_LEVEL")
    os.environ["KINETO_LOG_LEVEL"] = "99"  # some builds report the start and end of profiling on standard error
    try:
        with torch.inference_mode(), profile(profile_memory=True) as seen:
            call()
    finally:
        if level is None:
            del os.environ["KINETO_LOG_LEVEL"]
        else:
            os.environ["KINETO_LOG_LEVEL"] = level
    results: Any = seen.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    given = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        given += event.nbytes()
        peak = max(peak, given)
    return int(peak)


build = Cpu
