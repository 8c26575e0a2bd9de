"""Runs are conducted by processes of their own, kept as they go, and gone on with after any end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mac_profiler import api, conduct, plan
from mac_profiler.errors import InvalidInput, MeasureFailed, StoreFailed, UnknownName
from mac_profiler.measurement import Settings
from mac_profiler.plan import Plan, cases_of
from mac_profiler.store import open_store

# As little as can be measured: what comes out is no figure.
SHORT = Settings(processes=2, min_rounds=3, max_seconds=0.02, sample_seconds=0.0001, warmup_seconds=0.01)
PLAN = Plan(benchmarks=("merged_shuffle",), quick=True, settings=SHORT)


def keys(of: Plan) -> list[str]:
    return [case.key for case in cases_of(of)]


def test_a_plan_is_read_back_as_it_was_written() -> None:
    written = Plan(("g1", "g4"), ("shufflenet_v2",), {"num_classes": 7}, ("2x3x64x64",), 4, True, SHORT)
    assert Plan.from_text(written.to_text()) == written


def test_all_is_every_benchmark_and_none_is_measured_twice() -> None:
    everything = cases_of(Plan(benchmarks=("all",), quick=True, settings=SHORT))
    assert {case.benchmark for case in everything} >= {"g1", "g2", "g3", "g4", "merged_shuffle"}
    assert len({case.key for case in everything}) == len(everything)
    assert cases_of(Plan(benchmarks=("g1", "g1"), settings=SHORT)) == cases_of(Plan(benchmarks=("g1",), settings=SHORT))


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to measure"):
        cases_of(Plan(settings=SHORT))
    with pytest.raises(UnknownName, match="g9"):
        cases_of(Plan(benchmarks=("g9",), settings=SHORT))
    with pytest.raises(InvalidInput, match="twice"):
        cases_of(Plan(models=("vgg16", "vgg16"), settings=SHORT))


def test_every_case_is_measured_by_every_process(tmp_path: Path) -> None:
    told: list[str] = []
    with open_store(tmp_path / "results.sqlite") as store:
        done = conduct.conduct(PLAN, store, say=told.append)
        assert store.find(done.run).finished
    assert [each.case.key for each in done.measurements] == keys(PLAN)
    for each in done.measurements:
        assert {sample.process for sample in each.samples} == {0, 1}
        assert all(sample.seconds > 0 for sample in each.samples)
        assert each.environment["torch"]
    assert any("merged_shuffle" in line for line in told)


def test_a_model_that_cannot_be_built_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def build(): raise ValueError('too narrow')\n")
    broken = f"{tmp_path / 'net.py'}:build"
    with open_store(tmp_path / "results.sqlite") as store:
        models = Plan(models=("shufflenet_v2_x0_5", broken), inputs=("1x3x64x64",), settings=SHORT)
        good, bad = conduct.conduct(models, store).measurements
    assert good.samples
    assert bad.samples == ()
    assert "too narrow" in bad.stopped


def test_a_device_that_is_not_there_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The process that measures sees none, whatever is in this machine.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with open_store(tmp_path / "results.sqlite") as store, pytest.raises(InvalidInput, match="cuda") as caught:
        conduct.conduct(Plan(benchmarks=("g1",), settings=Settings(device="cuda")), store)
    assert "\n" not in str(caught.value)


def test_a_process_that_dies_leaves_what_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text(
        "import os, torch\n"
        "class Net(torch.nn.Module):\n"
        "    calls = 0\n"
        "    def forward(self, x):\n"
        "        Net.calls += 1\n"
        "        if Net.calls > 40: os.kill(os.getpid(), 9)\n"
        "        return x\n"
        "def build(): return Net(), torch.zeros(1)\n"
    )
    lasting = Settings(processes=1, min_rounds=1000, max_seconds=60, sample_seconds=0.0, warmup_seconds=0.01)
    dies = Plan(models=(f"{tmp_path / 'net.py'}:build",), settings=lasting)
    with open_store(tmp_path / "results.sqlite") as store:
        with pytest.raises(MeasureFailed, match=r"SIGKILL.*--resume"):
            conduct.conduct(dies, store)
        (run,) = store.runs()
        assert not run.finished
        assert store.measurements(run.id)[0].samples


def test_a_run_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    store_file = tmp_path / "results.sqlite"
    begun = start(PLAN, store_file)
    wait_for_samples(begun, store_file)
    begun.kill()
    begun.wait()
    other = Plan(PLAN.benchmarks, quick=True, settings=Settings(processes=2, min_rounds=4, max_seconds=0.02))
    with open_store(store_file) as store, pytest.raises(StoreFailed, match="cannot resume"):
        conduct.conduct(other, store, resume=True)


OWN = """
import torch
from torch import nn

def build():
    return nn.Conv2d(3, WIDTH, 3), torch.zeros(1, 3, 32, 32)

def other():
    return nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 32, 32)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Two networks of a user's file, in the current folder."""
    (tmp_path / "net.py").write_text(OWN.replace("WIDTH", "8"))
    monkeypatch.chdir(tmp_path)
    return Plan(models=("net.py:build", "net.py:other"), settings=Settings(processes=3, min_rounds=3, max_seconds=2.0))


def test_a_network_that_was_changed_is_not_gone_on_with(own: Plan, tmp_path: Path) -> None:
    store_file = tmp_path / "results.sqlite"
    begun = start(own, store_file)
    wait_for_samples(begun, store_file)
    begun.kill()
    begun.wait()
    Path("net.py").write_text(OWN.replace("WIDTH", "64"))
    with open_store(store_file) as store, pytest.raises(StoreFailed, match=r"cannot resume.*code of net\.py was"):
        conduct.conduct(own, store, resume=True)


def test_a_file_beside_the_network_is_no_module_of_pythons(own: Plan, tmp_path: Path) -> None:
    for name in ("platform", "queue", "token"):
        Path(f"{name}.py").write_text("raise SystemExit(0)\n")
    short = replace(own, settings=SHORT)
    with open_store(tmp_path / "results.sqlite") as store:
        found = conduct.conduct(short, store)
    assert all(each.samples for each in found.measurements), [each.stopped for each in found.measurements]


# --------------------------------------------------------------------------------------------------------------- a kill

SCRIPT = """
import sys
from mac_profiler.conduct import conduct
from mac_profiler.plan import Plan
from mac_profiler.store import open_store
with open_store(sys.argv[1]) as store:
    conduct(Plan.from_text(sys.argv[2]), store, resume=True)
"""


def start(of: Plan, store_file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(store_file), of.to_text()],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def count_samples(store_file: Path) -> int:
    if not store_file.exists():
        return 0
    try:
        with open_store(store_file, read_only=True) as store:
            return sum(len(each.samples) for run in store.runs() for each in store.measurements(run.id))
    except StoreFailed:
        return 0  # it is just being made


def wait_for_samples(process: subprocess.Popen[bytes], store_file: Path, more: int = 1) -> None:
    before = count_samples(store_file)
    for _ in range(2000):
        if process.poll() is not None or count_samples(store_file) >= before + more:
            return
        time.sleep(0.01)
    raise AssertionError("it measures nothing")


LONGER = Plan(benchmarks=("g1", "g2"), quick=True, settings=SHORT)


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_a_run_has_the_same_cases(tmp_path: Path) -> None:
    draw = random.Random(3)  # noqa: S311 - moments to kill at, no secret
    store_file = tmp_path / "results.sqlite"
    seen: set[tuple[Any, ...]] = set()
    for _ in range(4):
        process = start(LONGER, store_file)
        wait_for_samples(process, store_file, draw.randrange(1, 12))
        # The whole session: the process that measures, too.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with open_store(store_file, read_only=True) as store:
            kept = samples_of(store)
        assert seen <= kept, "a sample that was there is gone"
        seen = kept
    with open_store(store_file) as store:
        done = conduct.conduct(LONGER, store, resume=True)
        assert len(store.runs()) == 1
        assert seen <= samples_of(store)
    assert [each.case.key for each in done.measurements] == keys(LONGER)
    for each in done.measurements:
        places = [(sample.process, sample.round) for sample in each.samples]
        assert len(set(places)) == len(places)
        assert not each.stopped.startswith("failed")


def samples_of(store: Any) -> set[tuple[Any, ...]]:
    return {
        (each.case.key, sample.process, sample.round, sample.seconds)
        for run in store.runs()
        for each in store.measurements(run.id)
        for sample in each.samples
    }


# --------------------------------------------------------------------------------------------------------- what is said


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("bench")
    short = Plan(benchmarks=("g1", "g3"), quick=True, settings=SHORT)
    return api.bench(short, store=folder / "results.sqlite", figures=folder / "figures"), folder


def test_the_papers_rows_stand_beside_ours(documents: tuple[Any, Path]) -> None:
    data = documents[0].data()
    rows = {(each["benchmark"], each["group"], each["name"]): each for each in data["cases"]}
    first, wide = rows["g1", "x1", "1:1"], rows["g1", "x1", "1:12"]
    assert (first["published_rate"], wide["published_rate"]) == (76.2, 57.6)
    assert wide["published_ratio"] == pytest.approx(76.2 / 57.6)
    assert first["verdict"] == "first"
    assert wide["verdict"] in ("faster", "slower", "same", "ambiguous")
    # [c1, c2] = [9, 108]: ten blocks of two 1x1 convolutions of 56x56 maps.
    assert wide["mult_adds"] == 20 * 9 * 108 * 56 * 56
    assert wide["accesses"] == 20 * ((9 + 108) * 56 * 56 + 9 * 108)
    assert wide["ratio_per_mult_add"] == pytest.approx(wide["ratio"] * first["mult_adds"] / wide["mult_adds"])
    assert rows["g1", "x4_aligned", "1:1"]["published_rate"] is None
    assert set(data["explained"]) >= {"g1/x1", "g3/c64"}
    json.dumps(data)


def test_a_square_layer_has_the_least_access(documents: tuple[Any, Path]) -> None:
    cases = [each for each in documents[0].data()["cases"] if each["benchmark"] == "g1"]
    assert all(each["accesses"] >= each["least_accesses"] for each in cases)
    assert all(each["accesses"] == each["least_accesses"] for each in cases if each["name"] == "1:1")


def test_figures_are_drawn_of_every_guideline(documents: tuple[Any, Path]) -> None:
    drawn = {path.name for path in (documents[1] / "figures").iterdir()}
    assert drawn == {
        f"{benchmark}_{figure}.{ending}"
        for benchmark in ("g1", "g3")
        for figure in ("speed", "access")
        for ending in ("png", "svg")
    }


def test_quick_takes_less_of_everything() -> None:
    usual, quick = Settings(), plan.shortened(Settings())
    assert quick.max_seconds < usual.max_seconds
    assert quick.processes == 1
    assert len(cases_of(Plan(("all",), quick=True))) < len(cases_of(Plan(("all",))))
