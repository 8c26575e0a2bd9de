"""The GPU of an Apple chip, through Metal: timed by the host's clock, from an idle GPU to an idle GPU."""

from __future__ import annotations

import time
from itertools import repeat
from typing import Any

from mac_profiler.devices import Conditions
from mac_profiler.errors import InvalidInput
from mac_profiler.harness.compilation import Call
from mac_profiler.harness.host import Host
from mac_profiler.harness.preparation import check_dtype, prepare, told
from mac_profiler.measurement import Case, Scalar, Settings

# Nothing tells the size of the last cache, which the GPU shares with the processor: 96 MiB on the largest chips so far.
ASSUMED_FLUSH_BYTES = 256 * 2**20


class Mps(Host):
    """The GPU of this Mac.

    Args:
        settings: element type.

    Raises:
        InvalidInput: torch has no such device here, or it cannot do what the settings ask.
    """

    name = "mps"

    def __init__(self, settings: Settings) -> None:
        import torch

        super().__init__()
        check_dtype(settings)
        if settings.graph:
            raise InvalidInput("--graph: only --device cuda replays graphs")
        if settings.dtype == "float64":
            raise InvalidInput("--dtype float64: Metal has no such numbers; take --device cpu")
        if not torch.backends.mps.is_available():
            raise InvalidInput(f"--device mps: torch {torch.__version__} finds no Apple GPU; take --device cpu")
        self._buffer: Any = None

    def describe(self) -> dict[str, Scalar]:
        """What is known of it, and what is not."""
        return {
            "device": self.name,
            "flush_bytes": ASSUMED_FLUSH_BYTES,
            "clock": "not watched: the system does not tell it",
            "throttling": "not watched: the system does not count it",
        }

    def prepare(self, case: Case, settings: Settings) -> MpsTimer:
        """Build a case here; see `mac_profiler.devices.Device`."""
        return MpsTimer(case, prepare(case, settings, "mps"))

    def flush(self) -> None:
        """Read and write a buffer bigger than any cache of these chips."""
        import torch

        if self._buffer is None:
            self._buffer = torch.ones(ASSUMED_FLUSH_BYTES // 4, dtype=torch.int32, device="mps")
        self._buffer.add_(1)

    def conditions(self) -> Conditions:
        """Load of the processors, which have to launch in time."""
        load, stolen = self.load.ask()
        return Conditions(load=load, stolen=stolen)

    def close(self) -> None:
        """Give memory that is not in use to others."""
        import torch

        self._buffer = None
        super().close()
        torch.mps.empty_cache()


class MpsTimer:
    """A case ready to be called here."""

    def __init__(self, case: Case, call: Call) -> None:
        self._case = case
        self._call: Call | None = call

    def time(self, calls: int) -> float:
        """Seconds of so many calls, from an idle GPU to an idle GPU: launching them is part of it."""
        import torch

        call = self._call
        if call is None:
            raise ValueError(f"{self._case.key} was released")
        turns = repeat(None, calls)
        with told(self._case), torch.inference_mode():
            torch.mps.synchronize()
            begin = time.perf_counter_ns()
            for _ in turns:
                call()
            torch.mps.synchronize()
            return (time.perf_counter_ns() - begin) / 1e9

    def peak_bytes(self) -> None:
        """Not known: torch tells what is given out on this device now, and not the most that was."""

    def release(self) -> None:
        """Let go of module and inputs."""
        self._call = None


build = Mps
