"""Devices set a process up to time well, time what they say, and leave it as they found it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from mac_profiler.devices import Device, OpenDevice, names, open_device
from mac_profiler.devices import cpu as cpu_module
from mac_profiler.errors import InvalidInput, MeasureFailed
from mac_profiler.harness import compilation, processors
from mac_profiler.harness.host import LEAST_SECONDS, Load
from mac_profiler.measurement import Case, Settings

ROOT = Path(__file__).resolve().parents[1]
CPU = Settings()


class Witness(nn.Module):
    """Takes down what it sees at every call."""

    def __init__(self, ask: Callable[[Any, Any], object]) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.ask = ask
        self.seen: list[Any] = []

    def forward(self, x: Any) -> Any:
        self.seen.append(self.ask(self, x))
        return x


def case_of(module: Any, *inputs: Any) -> Case:
    return Case("benchmark", "group", "case", build=lambda: (module, inputs or (torch.rand(2, 3, 4, 4),)))


def refused(settings: Settings) -> str:
    with pytest.raises(InvalidInput) as caught:
        open_device(settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def failed(case: Case, settings: Settings = CPU) -> str:
    with open_device(settings) as device, pytest.raises(MeasureFailed) as caught:
        device.prepare(case, settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---------------------------------------------------------------------------------------------------------------- room


def test_devices_are_the_files_of_the_room() -> None:
    assert names() == ["cpu", "cuda", "mps"]


def test_what_this_machine_does_not_have_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert "take --device cpu" in refused(Settings(device="cuda"))
    assert "take --device cpu" in refused(Settings(device="mps"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(device="cdua"), "no such device. Did you mean 'cuda'?"),
        (Settings(device="tpu0"), "There are cpu, cuda, mps"),
        (Settings(threads=0), "1 to "),
        (Settings(threads=10**6), "1 to "),
        (Settings(graph=True), "only --device cuda"),
        (Settings(dtype="flaot32"), "Did you mean 'float32'"),
        (Settings(dtype="int8"), "bfloat16, float16, float32, float64"),
        (Settings(device="mps", dtype="float64"), "Metal has no such numbers"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused(settings: Settings, told: str) -> None:
    assert told in refused(settings)


def test_the_room_is_light_to_import() -> None:
    modules = [f"mac_profiler.devices.{name}" for name in names()] + ["mac_profiler.environment"]
    script = f"import sys, {', '.join(modules)}; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


# ----------------------------------------------------------------------------------------------------------- processor


@pytest.fixture
def cpu() -> Iterator[OpenDevice]:
    with open_device(CPU) as device:
        yield device


def process_state() -> dict[str, object]:
    tiny = sys.float_info.min
    return {
        "threads": torch.get_num_threads(),
        "cores": processors.available(),
        "denormals": tiny / 2 > 0,
        "collector": gc.isenabled(),
        "random": torch.get_rng_state().tolist(),
        "inference": torch.is_inference_mode_enabled(),
    }


def test_a_case_is_called_as_the_settings_say_and_all_is_put_back() -> None:
    witness = Witness(lambda module, x: (process_state(), module.training, module.layer.weight.requires_grad))
    settings = Settings(threads=len(processors.available()))
    before = process_state()
    for threads in (1, settings.threads):
        with open_device(replace(settings, threads=threads)) as device:
            device.prepare(case_of(witness), settings).time(1)
            state, training, gradient = witness.seen[-1]
            assert state["threads"] == threads
            if device.describe()["pinned"]:
                assert len(state["cores"]) == threads
            assert not state["denormals"] or "kept" in str(device.describe()["denormals"])
            assert (state["collector"], state["inference"], training, gradient) == (False, True, False, False)
        assert process_state() == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system pins no threads")
@pytest.mark.skipif(len(processors.available()) < 2, reason="there is one core only")
def test_threads_that_are_there_already_are_pinned_and_let_go() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait, daemon=True)
    other.start()
    assert other.native_id is not None
    before = os.sched_getaffinity(other.native_id)
    with open_device(CPU) as device:
        assert device.describe()["pinned"] is True
        assert len(os.sched_getaffinity(other.native_id)) == 1
    assert os.sched_getaffinity(other.native_id) == before
    done.set()


def test_where_threads_cannot_be_pinned_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(thread: int, cores: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbid, raising=False)
    with open_device(CPU) as device:
        assert device.describe()["pinned"] is False
        assert str(device.describe()["cores_used"]).startswith("any of")


def test_a_device_that_fails_to_open_leaves_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = process_state()

    def break_down(count: int) -> list[int]:
        raise InvalidInput("the folder of cores is odd")

    monkeypatch.setattr(processors, "choose", break_down)
    assert "odd" in refused(Settings(threads=1))
    monkeypatch.undo()
    assert process_state() == before


def test_a_sample_is_the_time_around_so_many_calls_and_nothing_else(
    cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0)

    class Slow(nn.Module):
        def forward(self, x: Any) -> Any:
            clock.now += 250
            return x

    timer = cpu.prepare(case_of(Slow()), CPU)
    monkeypatch.setattr(time, "perf_counter_ns", lambda: clock.now)
    assert timer.time(1) == pytest.approx(250e-9)
    assert timer.time(40) == pytest.approx(40 * 250e-9)


def test_idle_and_now_go_with_the_clock(cpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "perf_counter", lambda: 42.0)
    cpu.idle(2.5)
    assert (slept, cpu.now()) == ([2.5], 42.0)


def test_a_call_that_raises_while_it_is_timed_is_told_and_the_collector_is_back(cpu: Device) -> None:
    class Tires(nn.Module):
        left = 3

        def forward(self, x: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise ValueError("enough\nof it")
            return x

    timer = cpu.prepare(case_of(Tires()), CPU)
    with pytest.raises(MeasureFailed, match="benchmark/group/case: ValueError: enough"):
        timer.time(5)
    assert gc.isenabled()


class Twice(nn.Module):
    """While the second operator runs, both results are there at once; then one, and a quarter of it."""

    def forward(self, x: Any) -> Any:
        return x.neg().exp()[: len(x) // 4].neg()


def test_peak_memory_is_exact(cpu: Device, capfd: pytest.CaptureFixture[str]) -> None:
    timer = cpu.prepare(case_of(Twice(), torch.zeros(4096)), CPU)
    assert [timer.peak_bytes() for _ in range(2)] == [2 * 4096 * 4] * 2
    assert "profiler" not in capfd.readouterr().err


def test_a_released_case_is_let_go(cpu: Device) -> None:
    timer = cpu.prepare(case_of(Twice(), torch.zeros(4)), CPU)
    timer.release()
    with pytest.raises(ValueError, match="released"):
        timer.time(1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("last", [False, True])
def test_weights_and_inputs_are_converted(cpu: Device, dtype: str, last: bool) -> None:
    settings = Settings(dtype=dtype, channels_last=last)

    def ask(module: Any, x: Any) -> object:
        maps, indices = x["maps"][0], x["indices"]
        assert module.norm.num_batches_tracked.dtype == indices.dtype == torch.int64
        tensors = (maps, module.layer.weight, module.norm.running_mean)
        assert {each.dtype for each in tensors} == {getattr(torch, dtype)}
        return maps.is_contiguous(memory_format=torch.channels_last)

    witness = Witness(ask)
    inputs = {"maps": [torch.rand(2, 3, 4, 4)], "indices": torch.zeros(5, dtype=torch.int64)}
    cpu.prepare(case_of(witness, inputs), settings)
    assert set(witness.seen) == {last}


def test_weights_are_the_same_in_every_process_and_the_generator_is_left_alone(cpu: Device) -> None:
    made: list[Any] = []

    def build() -> tuple[Any, tuple[Any, ...]]:
        made.append(nn.Linear(3, 3))
        return made[-1], (torch.rand(1, 3),)

    case = Case("benchmark", "group", "case", build=build)
    before = torch.get_rng_state()
    for settings in (CPU, CPU, replace(CPU, seed=1)):
        cpu.prepare(case, settings)
    one, same, other = (module.weight for module in made)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_plain_function_can_be_timed(cpu: Device) -> None:
    calls: list[float] = []
    timer = cpu.prepare(case_of(calls.append, 2.0), CPU)
    before = len(calls)
    timer.time(3)
    assert len(calls) - before == 3


class Narrow(nn.Module):
    def forward(self, x: Any) -> Any:
        raise ValueError("the bottleneck\nis too narrow")


@pytest.mark.parametrize("compiled", [False, True])
def test_a_case_that_raises_is_told_in_its_own_words(compiled: bool) -> None:
    told = failed(case_of(Narrow()), Settings(compiled=compiled))
    assert told == f"benchmark/group/case: ValueError: the bottleneck ({Path(__file__).name}:{told.split(':')[-1]}"
    assert "compile" not in told


def test_a_case_without_room_is_told_so() -> None:
    assert "a smaller batch" in failed(case_of(nn.ReLU(), torch.empty(1).expand(2**46)))


def test_a_case_from_a_file_is_not_built() -> None:
    assert failed(Case("benchmark", "group", "case")).endswith("cannot be built again")


# ------------------------------------------------------------------------------------------------------------ compiled


class Scale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        return self.layer(x) * 2


def test_every_case_of_many_is_compiled_before_it_is_timed(cpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def keep(graph: Any, examples: Any) -> Any:
        compiled.append(graph)
        return graph.forward

    monkeypatch.setattr(compilation, "_inductor", lambda: keep)
    settings = Settings(compiled=True)
    # More than torch keeps for one function.
    timers = [cpu.prepare(case_of(Scale(width), torch.rand(2, width)), settings) for width in range(1, 13)]
    assert len(compiled) == 12
    for timer in timers:
        timer.time(2)
    assert len(compiled) == 12, "it was compiled again, inside the time"


FAILING_COMPILER = """
import torch
from mac_profiler.devices import open_device
from mac_profiler.errors import MeasureFailed
from mac_profiler.harness import compilation
from mac_profiler.measurement import Case, Settings

def fail(graph, examples):
    raise RuntimeError("no C++ compiler\\nin this place")

compilation._inductor = lambda: fail
settings = Settings(compiled=True)
with open_device(settings) as device:
    try:
        device.prepare(Case("b", "g", "n", {}, lambda: (torch.nn.Linear(2, 2), (torch.rand(1, 2),))), settings)
    except MeasureFailed as error:
        print(error)
"""


def test_a_compiler_that_fails_is_told() -> None:
    # In a process of its own: after a compiler failed, torch takes many times as long for calls on meta tensors.
    ran = subprocess.run([sys.executable, "-c", FAILING_COMPILER], capture_output=True, text=True, check=True)
    assert "torch.compile failed: RuntimeError: no C++ compiler" in ran.stdout
    assert "without --compile" in ran.stdout
    assert ran.stdout.count("\n") == 1


def test_what_was_not_compiled_is_not_timed_as_if_it_was() -> None:
    class Eager(nn.Module):
        @torch.compiler.disable  # type: ignore[untyped-decorator, unused-ignore]
        def forward(self, x: Any) -> Any:
            return x

    assert "compiled nothing" in failed(case_of(Eager()), Settings(compiled=True))


# ------------------------------------------------------------------------------------------------ what the system tells


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Write files of a made-up system, and let nothing else be read."""
    monkeypatch.setattr(processors, "CPUS", tmp_path / "cpu")
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "cpu.stat")

    def write(files: dict[str, str]) -> None:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + "\n")

    return write


@pytest.mark.parametrize(
    ("count", "fast", "cores"),
    [(1, (), [7]), (4, (), [1, 3, 5, 7]), (5, (), [1, 3, 5, 6, 7]), (2, (0, 1), [0, 1]), (3, (0, 1), [0, 1, 7])],
)
def test_cores_are_chosen_apart_fast_and_last(
    system: Callable[[dict[str, str]], None],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    fast: tuple[int, ...],
    cores: list[int],
) -> None:
    monkeypatch.setattr(processors, "available", lambda: list(range(8)))
    for core in range(8):
        siblings = f"{core}" if core in fast else f"{core // 2 * 2}-{core // 2 * 2 + 1}"
        speed = "5000000" if core in fast else "4000000"
        system(
            {
                f"cpu/cpu{core}/topology/thread_siblings_list": siblings,
                f"cpu/cpu{core}/cpufreq/cpuinfo_max_freq": speed,
            }
        )
    assert processors.choose(count) == cores


def test_caches_are_counted_once_and_flushed_twice_over(
    system: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "choose", lambda count: processors.available()[:1])
    core = processors.available()[0]
    levels = [("1", "Data", "48K", core), ("1", "Instruction", "32K", core), ("2", "Unified", "512K", core)]
    for each in (core, core + 1):
        for index, (level, kind, size, shared) in enumerate([*levels, ("3", "Unified", "2M", "0-9")]):
            folder = f"cpu/cpu{each}/cache/index{index}"
            system({f"{folder}/level": level, f"{folder}/type": kind, f"{folder}/size": size})
            system({f"{folder}/shared_cpu_list": str(each) if shared == core else str(shared)})
    assert processors.cache_bytes([core]) == 2**19 + 2**21
    assert processors.cache_bytes([core, core + 1]) == 2 * 2**19 + 2**21
    with open_device(CPU) as device:
        assert device.describe()["flush_bytes"] == 2 * (2**19 + 2**21)
        device.flush()
        device.flush()
        buffer = device._buffer  # type: ignore[attr-defined]
        assert buffer.nbytes == 2 * (2**19 + 2**21)
        assert (buffer == 3).all(), "not all of it was written twice"


@pytest.mark.usefixtures("system")
def test_what_the_system_does_not_tell_is_not_known() -> None:
    with open_device(CPU) as device:
        now, told = device.conditions(), device.describe()
    assert (now.clock_hz, now.throttled, now.reason) == (None, None, "")
    assert told["cache_bytes"] == "unknown"
    assert told["flush_bytes"] == cpu_module.ASSUMED_FLUSH_BYTES
    assert [str(told[fact])[:11] for fact in ("clock", "throttling")] == ["not watched"] * 2


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("cpu/cpu{}/thermal_throttle/core_throttle_count", "7", "8"),
        ("cpu.stat", "nr_periods 5\nnr_throttled 1", "nr_periods 9\nnr_throttled 2"),
    ],
)
def test_throttling_is_told_when_it_happened(
    system: Callable[[dict[str, str]], None], file: str, before: str, after: str
) -> None:
    for core in processors.available():
        system({file.format(core): before, f"cpu/cpu{core}/cpufreq/scaling_cur_freq": "2500000"})
    with open_device(CPU) as device:
        assert device.describe()["throttling"] == device.describe()["clock"] == "watched"
        assert device.conditions().throttled is False
        for core in processors.available():
            system({file.format(core): after})
        now = device.conditions()
        assert (now.throttled, now.clock_hz) == (True, 2.5e9)
        assert "heat" in now.reason
        assert device.conditions().throttled is False


class Machine:
    """A machine of so many cores whose time is told by a test."""

    def __init__(self) -> None:
        self.spent = {"user": 0.0, "nice": 0.0, "system": 0.0, "idle": 0.0, "iowait": 0.0, "steal": 0.0}
        self.own = 0.0

    def times(self) -> Any:
        class Times(SimpleNamespace):
            def _asdict(self) -> dict[str, float]:
                return vars(self)

        return Times(**self.spent)


def test_load_is_what_others_did() -> None:
    machine = Machine()
    load = Load(machine.times, lambda: machine.own)
    cores = os.cpu_count() or 1
    assert load.ask() == (None, None)
    # Of the time of all cores: a quarter this process, half others, an eighth stolen, the rest idle.
    total = 2 * LEAST_SECONDS * cores
    machine.own += total / 4
    for kind, share in {"user": 0.5, "system": 0.25, "steal": 0.125, "idle": 0.0625, "iowait": 0.0625}.items():
        machine.spent[kind] += share * total
    assert load.ask() == pytest.approx((0.5, 0.125))
    # Too soon to say anything new.
    machine.spent["user"] += LEAST_SECONDS * cores / 2
    assert load.ask() == pytest.approx((0.5, 0.125))
    machine.spent["idle"] += LEAST_SECONDS * cores / 2
    assert load.ask() == pytest.approx((0.5, 0.0))


def test_where_nothing_is_stolen_nothing_is_known_of_it() -> None:
    machine = Machine()
    del machine.spent["steal"]
    load = Load(machine.times, lambda: machine.own)
    machine.spent["idle"] += 100.0 * (os.cpu_count() or 1)
    machine.own += 1.0  # counted finer than the system counts
    assert load.ask() == (0.0, None)


def test_this_machine_answers() -> None:
    with open_device(CPU) as device:
        now = device.conditions()
    assert now.load is None or 0 <= now.load <= 1


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no Apple GPU")
def test_an_apple_gpu_times() -> None:
    settings = Settings(device="mps")
    with open_device(settings) as device:
        device.flush()
        assert device.prepare(case_of(nn.Conv2d(3, 8, 1)), settings).time(3) > 0
