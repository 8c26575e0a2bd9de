"""The CUDA device: what it asks of torch and in which order, of a stand-in; and itself, where there is a GPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from mac_profiler.devices import OpenDevice, open_device
from mac_profiler.devices import cuda as cuda_module
from mac_profiler.errors import InvalidInput, MeasureFailed
from mac_profiler.harness.nvidia import Board, NotWatched, find
from mac_profiler.measurement import Case, Settings

HOT = Settings(device="cuda")
GRAPH = Settings(device="cuda", graph=True)
PROPERTIES = {
    "name": "Stand-in", "major": 9, "minor": 0, "total_memory": 80 * 2**30, "multi_processor_count": 132,
    "L2_cache_size": 2**20, "uuid": "a1b2",
}  # fmt: skip


class StandIn:
    """What `torch.cuda` would be asked, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.allocated = [1000, 1000, 5096]
        self.refusal = ""
        stand_in = self

        class Event:
            def __init__(self, *, enable_timing: bool) -> None:
                assert enable_timing

            def record(self) -> None:
                stand_in.asked.append("record")

            def synchronize(self) -> None:
                stand_in.asked.append("wait for the event")

            def elapsed_time(self, end: object) -> float:
                assert isinstance(end, Event)
                return 8.0  # milliseconds

        class Graph:
            def replay(self) -> None:
                stand_in.asked.append("replay")

        @contextmanager
        def capture(graph: Graph) -> Iterator[None]:
            stand_in.asked.append("capture")
            yield
            if stand_in.refusal:
                raise RuntimeError(stand_in.refusal)
            stand_in.asked.append("captured")

        stream = SimpleNamespace(wait_stream=lambda other: self.asked.append("wait for the stream"))
        for name, value in {
            "is_available": lambda: True,
            "current_device": lambda: 0,
            "get_device_properties": lambda device: SimpleNamespace(**PROPERTIES),
            "synchronize": lambda: self.asked.append("synchronize"),
            "Event": Event,
            "CUDAGraph": Graph,
            "graph": capture,
            "Stream": lambda: stream,
            "current_stream": lambda: stream,
            "stream": lambda stream: nullcontext(),
            "empty_cache": lambda: self.asked.append("empty cache"),
            "reset_peak_memory_stats": lambda: self.asked.append("reset"),
            "memory_allocated": lambda: self.allocated[1],
            "max_memory_allocated": lambda: self.allocated[2],
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)

    def since(self, start: int) -> list[str]:
        return self.asked[start:]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return StandIn(monkeypatch)


@contextmanager
def opened(settings: Settings) -> Iterator[OpenDevice]:
    with open_device(settings) as device:
        device._device = torch.device("cpu")  # type: ignore[attr-defined]  # there is no other
        yield device


def case_of(stand_in: StandIn) -> Case:
    class Net(nn.Module):
        def forward(self, x: Any) -> Any:
            stand_in.asked.append("call")
            return x

    return Case("benchmark", "group", "case", build=lambda: (Net(), (torch.rand(2, 3),)))


def test_a_sample_lies_between_two_events_on_an_idle_gpu(stand_in: StandIn) -> None:
    with opened(HOT) as device:
        timer = device.prepare(case_of(stand_in), HOT)
        assert stand_in.asked[-1] == "synchronize", "an error of a kernel would show later"
        start = len(stand_in.asked)
        assert timer.time(3) == pytest.approx(8e-3)
        assert stand_in.since(start) == ["synchronize", "record", *["call"] * 3, "record", "wait for the event"]


def test_a_graph_is_recorded_after_calls_on_a_stream_of_its_own(stand_in: StandIn) -> None:
    with opened(GRAPH) as device:
        start = len(stand_in.asked)
        timer = device.prepare(case_of(stand_in), GRAPH)
        done = stand_in.since(start)
        capture = done.index("capture")
        assert done[capture:] == ["capture", "call", "captured", "replay", "synchronize"]
        assert done[:capture].count("wait for the stream") == 2
        side = done.index("wait for the stream")
        assert done[side : side + 5] == ["wait for the stream", *["call"] * 3, "wait for the stream"]
        start = len(stand_in.asked)
        timer.time(2)
        # The first is not timed: the timed ones are launched while it runs.
        assert stand_in.since(start) == ["replay", "record", "replay", "replay", "record", "wait for the event"]


def test_a_cold_replay_is_queued_behind_the_flush_alone(stand_in: StandIn) -> None:
    settings = Settings(device="cuda", graph=True, cold=True)
    with opened(settings) as device:
        timer = device.prepare(case_of(stand_in), settings)
        device.flush()
        start = len(stand_in.asked)
        timer.time(1)
        assert stand_in.since(start) == ["record", "replay", "record", "wait for the event"]


def test_what_cannot_be_recorded_is_told(stand_in: StandIn) -> None:
    stand_in.refusal = "CUDA error: operation not permitted when stream is capturing\nCUDA kernel errors might"
    with opened(GRAPH) as device, pytest.raises(MeasureFailed) as caught:
        device.prepare(case_of(stand_in), GRAPH)
    assert str(caught.value) == (
        "benchmark/group/case: no CUDA graph can be made of it: "
        "CUDA error: operation not permitted when stream is capturing"
    )


def test_peak_memory_is_what_a_call_adds(stand_in: StandIn) -> None:
    with opened(HOT) as device:
        timer = device.prepare(case_of(stand_in), HOT)
        start = len(stand_in.asked)
        assert timer.peak_bytes() == 4096
        assert stand_in.since(start) == ["synchronize", "reset", "call", "synchronize"]


def test_the_flush_is_twice_the_second_level(stand_in: StandIn) -> None:
    with opened(HOT) as device:
        assert device.describe()["flush_bytes"] == 2 * 2**20
        device.flush()
        assert device._buffer.nbytes == 2 * 2**20  # type: ignore[attr-defined]


@pytest.mark.usefixtures("stand_in")
def test_modes_are_set_and_put_back() -> None:
    def modes() -> tuple[bool, bool, bool]:
        backends = torch.backends
        return backends.cudnn.benchmark, backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32

    before = modes()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    try:
        with opened(HOT):
            assert modes() == (True, False, False)
        assert modes() == (before[0], True, True)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before[1:]


@pytest.mark.usefixtures("stand_in")
@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="torch knows one name for TF32")
def test_modes_that_the_caller_set_one_by_one_are_put_back() -> None:
    conv: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined, unused-ignore]
    rnn: Any = torch.backends.cudnn.rnn
    was = conv.fp32_precision, rnn.fp32_precision
    conv.fp32_precision, rnn.fp32_precision = "ieee", "tf32"
    try:
        with opened(HOT):
            assert (conv.fp32_precision, rnn.fp32_precision) == ("ieee", "ieee")
        assert (conv.fp32_precision, rnn.fp32_precision) == ("ieee", "tf32")
    finally:
        conv.fp32_precision, rnn.fp32_precision = was


def test_it_is_described(stand_in: StandIn) -> None:
    with opened(HOT) as device:
        told = device.describe()
        now = device.conditions()
    assert (told["gpu"], told["gpu_capability"], told["tf32"], told["cudnn_benchmark"]) == (
        "Stand-in",
        "9.0",
        "off",
        True,
    )
    assert "nvidia-ml-py is not installed" in str(told["throttling"])
    assert (now.clock_hz, now.throttled, now.temperature) == (None, None, None)
    assert stand_in.asked[-1] == "empty cache"


def test_a_broken_driver_is_one_line(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError("CUDA unknown error\nthis may be due to an incorrectly set up environment")

    monkeypatch.setattr(torch.cuda, "current_device", fail)
    with pytest.raises(InvalidInput) as caught:
        open_device(HOT)
    assert str(caught.value) == "--device cuda: CUDA unknown error; take --device cpu"


class NVMLError(Exception):
    """As the library's."""


class Library(SimpleNamespace):
    """A stand-in for pynvml that knows one GPU."""

    def __init__(self, reasons: int = 0, **functions: Any) -> None:
        self.inside = 0
        super().__init__(
            NVMLError=NVMLError,
            nvmlDeviceGetHandleByUUID=self.handle,
            nvmlSystemGetDriverVersion=lambda: b"580.1",
            nvmlDeviceGetClockInfo=lambda handle, kind: {1: 1980}[kind],
            nvmlDeviceGetTemperature=lambda handle, sensor: {0: 61}[sensor],
            nvmlDeviceGetCurrentClocksEventReasons=lambda handle: reasons,
            **functions,
        )

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        self.inside += 1

    def nvmlShutdown(self) -> None:  # noqa: N802 - the library's name
        self.inside -= 1

    def handle(self, uuid: str) -> str:
        if uuid != "GPU-a1b2":
            raise NVMLError("Not Found")
        return uuid


@pytest.mark.parametrize(
    ("reasons", "slow"),
    [
        (0x0, []),
        (0x1 | 0x2 | 0x10 | 0x100, []),  # idle, clocks that were set: nobody's throttling
        (0x4, ["power limit"]),
        (0x8 | 0x40 | 0x80, ["hardware slowdown", "heat (hardware)", "power brake"]),
        (0x20 | 0x1, ["heat (software)"]),
    ],
)
@pytest.mark.usefixtures("stand_in")
def test_a_gpu_that_is_slowed_down_says_why(monkeypatch: pytest.MonkeyPatch, reasons: int, slow: list[str]) -> None:
    library = Library(reasons)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    with opened(HOT) as device:
        assert device.describe()["driver"] == "580.1"
        now = device.conditions()
        assert (now.clock_hz, now.temperature) == (1.98e9, 61.0)
        assert (now.throttled, now.reason) == (bool(slow), ", ".join(slow))
    assert library.inside == 0


def test_what_a_gpu_or_an_old_library_does_not_know_is_not_known() -> None:
    def unsupported(*arguments: object) -> None:
        raise NVMLError("Not Supported")

    library = Library()
    library.nvmlDeviceGetTemperature = unsupported
    library.nvmlDeviceGetCurrentClocksThrottleReasons = lambda handle: 0x4
    del library.nvmlDeviceGetCurrentClocksEventReasons
    board = Board(library, "GPU-a1b2")
    assert (board.temperature(), board.slowdowns()) == (None, ["power limit"])
    library.nvmlDeviceGetCurrentClocksThrottleReasons = unsupported
    assert board.slowdowns() is None


def test_a_gpu_that_the_library_does_not_find_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert find("GPU-a1b2").handle == find("a1b2").handle
    inside = library.inside
    with pytest.raises(NotWatched, match="Not Found"):
        find("MIG-c3d4")
    assert library.inside == inside


# ------------------------------------------------------------------------------------------------------------ real GPUs


@pytest.mark.gpu
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("cold", [False, True])
def test_a_gpu_times(graph: bool, cold: bool) -> None:
    settings = Settings(device="cuda", graph=graph, cold=cold)
    case = Case("b", "g", "c", build=lambda: (nn.Conv2d(3, 8, 1), (torch.rand(1, 3, 64, 64),)))
    with open_device(settings) as device:
        timer = device.prepare(case, settings)
        device.flush()
        assert timer.time(3) > 0
        assert (timer.peak_bytes() or 0) >= 8 * 64 * 64 * 4
        timer.release()
        device.conditions()


@pytest.mark.gpu
def test_a_gpu_without_room_says_so() -> None:
    case = Case("b", "g", "c", build=lambda: (nn.Identity(), (torch.empty(1).expand(2**46),)))
    with open_device(HOT) as device, pytest.raises(MeasureFailed, match="smaller batch"):
        device.prepare(case, HOT)


@pytest.mark.gpu
def test_what_needs_the_host_makes_no_graph() -> None:
    class Asks(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * float(x.sum())

    case = Case("b", "g", "c", build=lambda: (Asks(), (torch.rand(3),)))
    with open_device(GRAPH) as device, pytest.raises(MeasureFailed, match="no CUDA graph"):
        device.prepare(case, GRAPH)


def test_the_size_that_is_assumed_exceeds_the_largest_second_level() -> None:
    # 126 MB, on a B200.
    assert cuda_module.ASSUMED_FLUSH_BYTES > 126 * 10**6
