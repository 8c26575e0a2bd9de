"""`macprof compare`: what it prints, measures and keeps, and what it refuses in one line."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mac_profiler import conduct as conducting
from mac_profiler.cli import main
from mac_profiler.conduct import Outcome
from mac_profiler.errors import StoreFailed
from mac_profiler.layout import cells
from mac_profiler.measurement import MODELS, Case
from mac_profiler.plan import Plan
from mac_profiler.platform import Platform
from mac_profiler.store import Store, open_store
from tests.machines import measured

NETS = """
import torch
from torch import nn


def narrow():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), torch.zeros(1, 3, 16, 16)


def wide():
    return nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3)), torch.zeros(1, 3, 16, 16)


def refuses():
    raise ValueError("too narrow")


class Odd(nn.Module):
    def forward(self, x):
        raise ValueError("this width is odd")


def odd():
    return Odd(), torch.zeros(1, 3, 16, 16)


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 3)

    def forward(self, x, scale=None, times=1):
        return self.layer(x) * times


def eight():
    return Named(), torch.zeros(8, 3, 16, 16)


def by_name():
    return Named(), {"x": torch.zeros(1, 3, 16, 16), "scale": torch.tensor(2.0)}


def counted():
    return Named(), (torch.zeros(1, 3, 16, 16), torch.tensor(2.0), 3)


def vector():
    return nn.Linear(16, 4), torch.zeros(16)


def nothing():
    class Nothing(nn.Module):
        def forward(self, times):
            return torch.ones(3) * times

    return Nothing(), (2,)
"""
TWO = ["shufflenet_v2_x0_5", "mobilenet_v1_x0_25"]
SHORT = ["--measure", "--max-seconds", "0.02", "--processes", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's data, a narrow terminal, and no machine that is calibrated."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["compare", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    return captured.out


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--format", "json"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["compare", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("macprof: ")
    assert captured.err.count("\n") == 1
    return captured.err


# --------------------------------------------------------------------------------------------------------------- images

ONE = 14 * 14 * 8 * 27  # multiply-adds of one image


def test_images_are_those_that_a_model_is_called_with(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    names = [f"nets.py:{name}" for name in ("eight", "by_name", "counted", "vector")]
    found = {each["model"]: each for each in read(capsys, *names, "--platform", "nominal")["models"]}
    eight, by_name, counted, vector = (found[name] for name in names)
    assert [each["images"] for each in (eight, by_name, counted, vector)] == [8, 1, 1, 1]
    assert [each["mult_adds"] for each in (eight, by_name, counted)] == [8 * ONE, ONE, ONE]
    # Image by image they are alike.
    assert eight["predicted_rate"] == pytest.approx(8 / eight["predicted_seconds"])


def test_a_batch_repeats_whatever_inputs_a_model_has(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    names = [f"nets.py:{name}" for name in ("eight", "by_name", "counted")]
    for each in read(capsys, *names, "--batch", "4", "--platform", "nominal")["models"]:
        images = 32 if each["model"] == "nets.py:eight" else 4
        assert (each["images"], each["mult_adds"]) == (images, images * ONE)
        assert each["inputs"][0][0] == images


@pytest.mark.parametrize(("batch", "said"), [("2", "no input of nets.py:nothing can be repeated"), ("9" * 12, "fewer")])
def test_a_batch_that_cannot_be_is_one_line(
    batch: str, said: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    name = "nets.py:nothing" if batch == "2" else "nets.py:eight"
    message = refused(capsys, name, "nets.py:wide", "--batch", batch)
    assert f"--batch {batch}" in message
    assert said in message


def test_levels_of_other_inputs_are_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["shufflenet_v2_x1_0", "shufflenet_v2_x0_5"]
    found = read(capsys, *names, "--input", "1x3x448x448", "--platform", "nominal")["models"]
    assert {each["model"]: (each["level"], each["level_published"]) for each in found} == {
        "shufflenet_v2_x1_0": ("500M", False), "shufflenet_v2_x0_5": ("140M", False),
    }  # fmt: skip


@pytest.mark.parametrize("preset", ["v1-table6", "v1-table8", "v2-appendix-1b"])
def test_a_batch_changes_no_figure_of_an_image(preset: str, capsys: pytest.CaptureFixture[str]) -> None:
    one, four = (
        read(capsys, "--preset", preset, "--batch", batch, "--platform", "nominal")["models"] for batch in "14"
    )
    for single, several in zip(one, four, strict=True):
        assert several["images"] == several["inputs"][0][0] == 4
        assert several["mult_adds"] == 4 * single["mult_adds"]
        assert several["apart"] == single["apart"]


# --------------------------------------------------------------------------------------------------------------- counts


def test_a_row_a_model_with_what_was_published(capsys: pytest.CaptureFixture[str]) -> None:
    found = read(capsys, *TWO)
    rows = {each["model"]: each for each in found["models"]}
    shuffle, mobile = (rows[name] for name in TWO)
    assert (shuffle["mult_adds"], mobile["mult_adds"]) == (40_476_448, 41_030_272)
    assert (shuffle["block_fragments"], mobile["block_fragments"]) == (3.0, None)
    assert (shuffle["op_count"], shuffle["parameters"]) == (245, 1_366_792)
    assert (shuffle["level"], shuffle["level_published"]) == ("40M", True)
    assert shuffle["published"] == {
        "mult_adds": "41M", "top1_error_percent": "39.7", "gpu_batches_per_second": "417",
        "arm_images_per_second": "57.0",
    }  # fmt: skip
    assert (shuffle["published_gpu_rate"], mobile["published_gpu_rate"]) == (417, 502)
    assert (shuffle["median_seconds"], shuffle["rate"], found["settings"]) == (None, None, None)
    # By its data sheet the paper's GPU has MobileNet V1 before ShuffleNet V2, as the paper has; ARM the other way.
    judged = {(each["order"], each["beside"]): each["overall"] for each in found["agreements"]}
    assert judged["predicted", "GPU"]["agree"] == 1
    assert judged["predicted", "ARM"]["disagree"] == 1


def test_any_form_of_a_model_is_compared(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    own = f"{folder / 'nets.py'}:wide"
    found = read(capsys, own, "torchvision:resnet18", "preset:v1-table8/alexnet@1x3x480x640", "ShuffleNet V2")
    adds = {each["model"]: each["mult_adds"] for each in found["models"]}
    assert adds[own] == 14 * 14 * 27 * 64 + 12 * 12 * 9 * 64 * 64
    assert adds["torchvision:resnet18"] == 1_814_073_344
    # What the zoo has under another spelling is what the paper printed figures of.
    (spelt,) = (each for each in found["models"] if each["model"] == "ShuffleNet V2")
    assert spelt["published_gpu_rate"] == 341


def test_images_at_once_are_compared_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    one, eight = read(capsys, *TWO)["models"], read(capsys, *TWO, "--batch", "8")["models"]
    for single, many in zip(one, eight, strict=True):
        assert many["images"] == 8
        assert many["mult_adds"] == 8 * single["mult_adds"]
        assert many["apart"] == pytest.approx(single["apart"])
        assert many["level"] == single["level"]
        # The nominal platform states the launches of eight at once; weights are read once.
        assert single["predicted_rate"] < many["predicted_rate"] < 1.2 * single["predicted_rate"]


def test_an_input_of_all_models(capsys: pytest.CaptureFixture[str]) -> None:
    found = read(capsys, *TWO, "--input", "4x3x64x64")
    assert {(each["images"], tuple(map(tuple, each["inputs"]))) for each in found["models"]} == {(4, ((4, 3, 64, 64),))}
    # Nothing was printed of such images.
    assert {each["published_gpu_rate"] for each in found["models"]} == {None}


def test_a_baseline_may_go_by_any_of_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mobilenet_v1_x0_25", "MobileNet_V1_x0_25"):
        found = read(capsys, *TWO, "--baseline", name)
        assert found["baseline"] == "mobilenet_v1_x0_25"
        rows = {each["model"]: each for each in found["models"]}
        assert rows["mobilenet_v1_x0_25"]["gpu_speed_up"] == 1.0
        assert rows["shufflenet_v2_x0_5"]["gpu_speed_up"] == pytest.approx(417 / 502)
        assert rows["shufflenet_v2_x0_5"]["arm_speed_up"] == pytest.approx(57.0 / 36.4)
        assert rows["shufflenet_v2_x0_5"]["theoretical_speed_up"] == pytest.approx(41_030_272 / 40_476_448)


def test_it_is_predicted_for_the_platform_that_is_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    from mac_profiler.kinds_of_work import KINDS
    from mac_profiler.platform import Law

    # Nothing counts but calls, each a second.
    slow = Platform("slow", "cpu", "float32", False, dict.fromkeys(KINDS, Law(launch_seconds=1.0)))
    (folder / "slow.json").write_text(slow.to_json())
    found = read(capsys, *TWO, "--platform", str(folder / "slow.json"))
    assert found["platform"] == "slow (cpu)"
    seconds = {each["model"]: each["predicted_seconds"] for each in found["models"]}
    assert seconds["mobilenet_v1_x0_25"] < seconds["shufflenet_v2_x0_5"]
    assert seconds["mobilenet_v1_x0_25"] == int(seconds["mobilenet_v1_x0_25"])


# ------------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("width", ["80", "140"])
def test_it_fits_the_width(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for chosen in ("v2-table8", "v1-table8", "v2-appendix-1b"):
        out = run(capsys, "--preset", chosen)
        assert max(map(cells, out.splitlines())) <= int(width)


def test_table_8_says_in_how_many_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    begin = time.process_time()
    out = " ".join(run(capsys, "--preset", "v2-table8").split())
    # Of a processor that is busy with other things, too.
    assert time.process_time() - begin < 20
    # 36 networks have a speed in print, 38 are counted: 36 * 35 / 2 pairs and 38 * 37 / 2.
    assert "with the paper's order on ARM in " in out
    assert " of 630 pairs (" in out
    assert "with the order of multiply-adds in " in out
    assert " of 703 pairs (" in out
    assert "Levels of complexity are the paper's." in out


def test_csv_holds_every_figure_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(run(capsys, "--preset", "v2-table8", "--format", "csv"))))
    found = read(capsys, "--preset", "v2-table8")["models"]
    assert len(rows) == len(found) == 39
    for row, each in zip(rows, found, strict=True):
        assert row == {key: "" if each[key] is None else str(each[key]) for key in row}
    assert {"mult_adds", "level", "score", "rate", "measured_speed_up", "reason"} <= set(rows[0])


def test_markdown_has_the_tables(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    out = run(capsys, *TWO, "--format", "markdown")
    headings = [line for line in out.splitlines() if line.startswith("## ")]
    assert headings == [
        "## What they take", "## How they are built", "## How fast they are", "## What was published",
        "## Whose order agrees, in pairs of networks",
    ]  # fmt: skip
    run(capsys, *TWO, "--output", str(folder / "out.md"))
    assert (folder / "out.md").read_text().startswith("# 2 networks")


def test_rows_are_sorted_by_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    names = [*TWO, "vgg16"]
    assert [each["model"] for each in read(capsys, *names)["models"]] == names
    by_rate = [each["model"] for each in read(capsys, *names, "--sort", "published-gpu-rate")["models"]]
    assert by_rate == ["mobilenet_v1_x0_25", "shufflenet_v2_x0_5", "vgg16"]


def test_figures_go_to_a_folder(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    run(capsys, *TWO, "vgg16", "--figures", str(folder / "new" / "figures"))
    assert {path.name for path in (folder / "new" / "figures").iterdir()} == {
        f"{name}.{ending}"
        for name in ("error_against_cost", "rank_change", "speed_against_mult_adds")
        for ending in ("png", "svg")
    }


# ------------------------------------------------------------------------------------------------------------- presets


def test_other_models_join_a_preset(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    own = f"{folder / 'nets.py'}:wide"
    found = read(capsys, own, "--preset", "v2-table6")
    assert len(found["models"]) == 6
    assert found["title"] == "v2-table6: large networks"
    (mine,) = (each for each in found["models"] if each["model"] == own)
    assert (mine["row"], mine["published"]) == ("", {})


def test_what_a_row_cannot_be_built_of_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mac_profiler import models
    from mac_profiler.errors import MissingPackage

    find = models.find

    def without_timm(name: str, *rest: Any, **given: Any) -> Any:
        if name == "senet154":
            raise MissingPackage("timm is not installed; pip install 'macprof[timm]'")
        return find(name, *rest, **given)

    monkeypatch.setattr(models, "find", without_timm)
    found = read(capsys, "--preset", "v2-table6")["models"]
    (missing,) = (each for each in found if each["model"] == "senet154")
    assert missing["reason"] == "not built: timm is not installed; pip install 'macprof[timm]'"
    assert (missing["mult_adds"], missing["published_mult_adds"], missing["top1_error"]) == (None, "20.7G", 18.68)
    assert "not built: timm is not installed" in " ".join(run(capsys, "--preset", "v2-table6").split())


@pytest.mark.slow
def test_a_preset_takes_the_papers_batch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = faked(monkeypatch)
    monkeypatch.setattr("mac_profiler.api.comparing.environment_here", lambda device: {})
    read(capsys, "--preset", "v2-table6", *SHORT)
    assert asked[0][0].batch == 1
    read(capsys, "--preset", "v2-table8", "--measure", "--device", "cuda")
    read(capsys, "--preset", "v2-appendix-1a", "--measure", "--device", "cuda")
    table8, sized = asked[1][0], asked[2][0]
    assert (table8.batch, table8.settings.device, len(table8.models)) == (8, "cuda", 38)
    assert sized.batch == 1
    assert sized.models[:2] == (
        "preset:v2-appendix-1a/shufflenet_v2_x0_5@8x3x320x320",
        "preset:v2-appendix-1a/shufflenet_v2_x1_0@1x3x320x320",
    )


# ------------------------------------------------------------------------------------------------------------- measured


def faked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plan, Store, bool]]:
    """What would be measured, in place of measuring: each network takes a millisecond more than the one before."""
    asked: list[tuple[Plan, Store, bool]] = []

    def conduct(plan: Plan, store: Store, *, resume: bool = False, say: Any = None) -> Outcome:
        asked.append((plan, store, resume))
        cases = [Case(MODELS, "batch 1", name) for name in plan.models]
        return Outcome("abcd", tuple(measured(case, 1e-3 * (i + 1)) for i, case in enumerate(cases)), resume)

    monkeypatch.setattr(conducting, "conduct", conduct)
    return asked


def test_what_is_measured_is_asked_of_the_store(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    asked = faked(monkeypatch)
    store = str(folder / "results.sqlite")
    found = read(capsys, *TWO, "--measure", "--resume", "--store", store, "--threads", "1", "--batch", "2")
    ((plan, opened, resume),) = asked
    assert (plan.models, plan.batch, resume, str(opened.path)) == (tuple(TWO), 2, True, store)
    assert (plan.settings.max_seconds, plan.settings.processes) == (4.0, 3)
    rows = {each["model"]: each for each in found["models"]}
    assert rows[TWO[0]]["rate"] == pytest.approx(2000)
    assert rows[TWO[1]]["rate"] == pytest.approx(1000)
    assert (found["run"], rows[TWO[0]]["samples"]) == ("abcd", 16)
    judged = {(each["order"], each["beside"]): each["overall"] for each in found["agreements"]}
    # ShuffleNet V2 is the faster one on ARM, the slower one on the GPU, and has fewer multiply-adds.
    assert (judged["measured", "ARM"]["agree"], judged["measured", "GPU"]["disagree"]) == (1, 1)
    assert judged["measured", "multiply-adds"]["agree"] == 1
    out = " ".join(run(capsys, *TWO, "--measure", "--store", store).split())
    assert "The order of measured speed agrees with the paper's order on ARM in 1 of 1 pairs (0 the other way)" in out
    assert "results.sqlite', run abcd." in out
    assert asked[1][2] is False


def test_networks_are_measured_and_kept(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    names = [f"{folder / 'nets.py'}:{name}" for name in ("narrow", "wide")]
    store = folder / "results.sqlite"
    found = read(capsys, *names, *SHORT, "--store", str(store), "--baseline", names[0])
    rows = {each["model"]: each for each in found["models"]}
    assert all(each["samples"] >= 3 and each["rate"] > 0 for each in rows.values())
    assert rows[names[0]]["measured_speed_up"] == 1.0
    assert rows[names[1]]["measured_speed_up"] > 0
    with open_store(store, read_only=True) as opened:
        (kept,) = opened.runs()
        assert kept.finished
        assert kept.id == found["run"]
        assert sorted(kept.benchmarks) == sorted(names)


LASTS = ["--measure", "--max-seconds", "1.5", "--processes", "2"]


@pytest.mark.slow
def test_killed_it_goes_on_where_it_stopped(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    names = [f"{folder / 'nets.py'}:{name}" for name in ("narrow", "wide")]
    store = folder / "results.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-m", "mac_profiler", "compare", *names, *LASTS, "--store", str(store)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    for _ in range(3000):
        if samples_of(store) or process.poll() is not None:
            break
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = samples_of(store)
    assert before
    found = read(capsys, *names, *LASTS, "--store", str(store), "--resume")
    assert before <= samples_of(store)
    with open_store(store, read_only=True) as opened:
        (kept,) = opened.runs()
        assert kept.finished
        assert kept.id == found["run"]


def samples_of(file: Path) -> set[tuple[str, int, int, float]]:
    if not file.exists():
        return set()
    try:
        with open_store(file, read_only=True) as store:
            return {
                (each.case.key, sample.process, sample.round, sample.seconds)
                for run in store.runs()
                for each in store.measurements(run.id)
                for sample in each.samples
            }
    except StoreFailed:
        return set()  # it is just being made


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name two models or more, or a --preset (v1-table5"),
        (("vgg16",), "name two models or more"),
        (("vgg16", "vgg16"), "vgg16 is given twice"),
        (("vgg16", "VGG-16"), "VGG-16 and vgg16 are the same network"),
        (("shufflenet_v2", "--preset", "v2-table8"), "shufflenet_v2 and shufflenet_v2_x1_0 are the same network"),
        (("vgg16", "--preset", "v1-table8"), "the preset v1-table8 has images of several sizes"),
        (("--preset", "v2-tabel8"), "no preset named 'v2-tabel8'. Did you mean 'v2-table8'"),
        (("--preset", "v2-table8", "--input", "1x3x64x64"), "--input: the preset v2-table8 says"),
        ((*TWO, "--baseline", "shufflenet_v2_x0_6"), "not among the networks. Did you mean 'shufflenet_v2_x0_5'"),
        (("--preset", "v1-table5", "--baseline", "vgg16"), "--baseline vgg16 is not among the networks"),
        ((*TWO, "--sort", "mult_ads"), "cannot sort by 'mult_ads'. Did you mean 'mult_adds'?"),
        ((*TWO, "--sort", "model"), "cannot sort by 'model'"),
        ((*TWO, "--resume"), "--resume tells how to measure"),
        ((*TWO, "--store", "x.sqlite"), "--store tells how to measure"),
        ((*TWO, "--max-seconds", "1"), "--max-seconds tells how to measure"),
        ((*TWO, "--device", "cud"), "--device cannot be 'cud'. Did you mean 'cuda'"),
        ((*TWO, "--platform", "nowhere"), "no platform named 'nowhere'"),
        ((*TWO, "--batch", "0"), "--batch"),
        ((*TWO, "--format", "yaml"), "yaml"),
        ((*TWO, "--input", "1x3xa"), "'a' is not a size"),
        ((*TWO, "--input", "1x4x64x64"), "shufflenet_v2_x0_5: "),
        (("vgg16", "vgg17"), "no model named 'vgg17'"),
    ],
)
def test_what_it_refuses(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(capsys, *arguments)


def test_a_models_own_failure_names_the_model(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    for name in ("refuses", "odd"):
        own = f"{folder / 'nets.py'}:{name}"
        said = refused(capsys, "vgg16", own)
        assert own in said


def test_a_device_that_is_not_there_is_told_before_anything_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("mac_profiler.api.comparing._counted", lambda *_, **__: pytest.fail("counted"))
    assert "cuda" in refused(capsys, *TWO, "--measure", "--device", "cuda")


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("mac_profiler.api.comparing._counted", lambda *_, **__: pytest.fail("counted"))
    said = refused(capsys, *TWO, "--figures", str(folder / "nets.py" / "figures"))
    assert "cannot write figures" in said


def test_files_of_other_folders_are_told_apart_in_a_narrow_table(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    names = []
    for experiment in ("first_experiment_with_a_long_name", "other_experiment_with_a_long_name"):
        file = folder / experiment / "models" / "network.py"
        file.parent.mkdir(parents=True)
        file.write_text(NETS)
        names.append(f"{file}:narrow")
    out = run(capsys, *names, "--platform", "nominal")
    rows = [line for line in out.splitlines() if ("network.py:narrow" in line and " k" in line) or "/s" in line]
    assert sum("first_" in row for row in rows) == sum("other_" in row for row in rows) > 0
    # What a program reads has the whole name.
    assert {each["model"] for each in read(capsys, *names, "--platform", "nominal")["models"]} == set(names)
