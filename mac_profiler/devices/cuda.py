"""A CUDA device: timed by its own events, synchronised; cuDNN picks its algorithms by trying them, as in the paper.

Launch-inclusive, a sample begins on an idle GPU, and what the GPU waits for the host is part of it. As a graph, the
host launches all kernels of a call at once, and the first replay is queued behind one that is not timed, so that
launching it is not in the sample either. TF32 is off, so that float32 means what it says.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from mac_profiler.construct import first_line
from mac_profiler.devices import Conditions
from mac_profiler.errors import InvalidInput
from mac_profiler.harness import nvidia
from mac_profiler.harness.compilation import Call
from mac_profiler.harness.host import Host
from mac_profiler.harness.preparation import check_dtype, prepare, told
from mac_profiler.harness.replay import record
from mac_profiler.measurement import Case, Scalar, Settings

# Written over to empty caches whose size torch does not tell: more than the largest second level so far.
ASSUMED_FLUSH_BYTES = 256 * 2**20


class Cuda(Host):
    """The current CUDA device; CUDA_VISIBLE_DEVICES picks another.

    Args:
        settings: element type; graph; whether caches are to be cold.

    Raises:
        InvalidInput: torch has no CUDA device here.
    """

    name = "cuda"

    def __init__(self, settings: Settings) -> None:
        import torch

        super().__init__()
        check_dtype(settings)
        if not torch.cuda.is_available():
            without = torch.version.cuda is None and torch.version.hip is None
            why = "was built without CUDA" if without else "finds no CUDA device"
            raise InvalidInput(f"--device cuda: torch {torch.__version__} {why}; take --device cpu")
        try:
            self._device = torch.device("cuda", torch.cuda.current_device())
            self._properties: Any = torch.cuda.get_device_properties(self._device)
        except RuntimeError as error:
            raise InvalidInput(f"--device cuda: {first_line(error)}; take --device cpu") from error
        self._buffer: Any = None
        with ExitStack() as undo:
            _tf32_off(undo)
            _set(undo, torch.backends.cudnn, "benchmark", True)
            try:
                self._board: nvidia.Board | None = nvidia.find(str(self._properties.uuid))
                self._watched = "watched"
                undo.callback(self._board.close)
            except (nvidia.NotWatched, AttributeError) as reason:  # a torch that tells no UUID
                self._board, self._watched = None, str(reason)
            self.undo = undo.pop_all()

    def describe(self) -> dict[str, Scalar]:
        """Model, memory, libraries, modes, and whether clock and heat are watched."""
        import torch

        cudnn = torch.backends.cudnn.version()
        return {
            "device": self.name,
            "gpu": self._properties.name,
            "gpu_capability": f"{self._properties.major}.{self._properties.minor}",
            "gpu_memory_bytes": self._properties.total_memory,
            "gpu_multiprocessors": self._properties.multi_processor_count,
            "cache_bytes": self._cache_bytes() or "unknown",
            "flush_bytes": self._flush_bytes(),
            "driver": self._board.driver() if self._board else "unknown",
            "cuda": torch.version.cuda or f"hip {torch.version.hip}",
            "cudnn": cudnn if cudnn is not None else "none",
            "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
            "tf32": "off",
            "clock": self._watched,
            "throttling": self._watched,
        }

    def prepare(self, case: Case, settings: Settings) -> CudaTimer:
        """Build a case here; see `mac_profiler.devices.Device`."""
        import torch

        call = prepare(case, settings, str(self._device))
        with told(case):
            torch.cuda.synchronize()  # a kernel that failed says so no later than here
            replay = record(call) if settings.graph else None
        return CudaTimer(case, call, replay, cold=settings.cold)

    def flush(self) -> None:
        """Read and write a buffer twice as big as the second level of cache, before what is queued next."""
        import torch

        if self._buffer is None:
            self._buffer = torch.ones(self._flush_bytes() // 8, dtype=torch.int64, device=self._device)
        self._buffer.add_(1)

    def conditions(self) -> Conditions:
        """Clock, heat and what slows the GPU; load of the processors, which have to launch in time."""
        load, stolen = self.load.ask()
        if self._board is None:
            return Conditions(load=load, stolen=stolen)
        slow = self._board.slowdowns()
        return Conditions(
            clock_hz=self._board.clock_hz(),
            throttled=None if slow is None else bool(slow),
            load=load,
            stolen=stolen,
            temperature=self._board.temperature(),
            reason=", ".join(slow or ()),
        )

    def close(self) -> None:
        """Put back TF32 and cuDNN's way to pick algorithms; give memory that is not in use to others."""
        import torch

        self._buffer = None
        super().close()
        torch.cuda.empty_cache()

    def _cache_bytes(self) -> int:
        return int(getattr(self._properties, "L2_cache_size", 0))

    def _flush_bytes(self) -> int:
        return 2 * self._cache_bytes() or ASSUMED_FLUSH_BYTES


class CudaTimer:
    """A case ready to be called here.

    Args:
        case: what it is.
        call: calls it, kernel by kernel.
        replay: replays it as a graph; None where the calls themselves are timed.
        cold: the caller flushes before every call.
    """

    def __init__(self, case: Case, call: Call, replay: Call | None, *, cold: bool) -> None:
        self._case = case
        self._call: Call | None = call
        self._replay = replay
        self._cold = cold

    def time(self, calls: int) -> float:
        """Seconds of so many calls, between an event before the first and one after the last."""
        import torch

        timed = self._replay or self._ready()
        turns = repeat(None, calls)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with told(self._case), torch.inference_mode():
            if self._replay is None:
                torch.cuda.synchronize()
            elif not self._cold:
                timed()  # after a flush, it is the flush that the replay is queued behind
            begin.record()
            for _ in turns:
                timed()
            end.record()
            end.synchronize()
            return float(begin.elapsed_time(end)) / 1e3

    def peak_bytes(self) -> int:
        """Most bytes that torch's allocator had given out at once during a call, beyond those at its beginning.

        Of the call itself, not of the replay, whose memory is set aside for good; in blocks of 512 bytes, and with the
        workspaces of cuDNN.
        """
        import torch

        with told(self._case), torch.inference_mode():
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            self._ready()()
            torch.cuda.synchronize()
            return int(torch.cuda.max_memory_allocated() - before)

    def release(self) -> None:
        """Let go of module, inputs and graph."""
        self._call = self._replay = None

    def _ready(self) -> Call:
        if self._call is None:
            raise ValueError(f"{self._case.key} was released")
        return self._call


def _tf32_off(undo: ExitStack) -> None:
    """Float32 in full precision, for products and for cuDNN, until undone."""
    import torch

    products: Any = torch.backends.cuda.matmul
    cudnn: Any = torch.backends.cudnn
    with warnings.catch_warnings():
        # Torch 2.9 warns of these names, but its compiler reads them and fails where only the new ones are set.
        warnings.simplefilter("ignore")
        for owner in (products, cudnn):
            try:
                _set(undo, owner, "allow_tf32", False)
            except RuntimeError:  # the caller has set the new names, differently for convolutions and recurrences
                for part in (products,) if owner is products else (cudnn.conv, cudnn.rnn):
                    _set(undo, part, "fp32_precision", "ieee")


def _set(undo: ExitStack, owner: Any, name: str, value: object) -> None:
    undo.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


build = Cuda
