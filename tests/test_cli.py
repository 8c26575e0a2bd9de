"""The command line: what it prints, what it refuses, and how soon."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mac_profiler.cli import main
from mac_profiler.errors import MacprofError
from mac_profiler.layout import cells

SHUFFLENET = ["analyze", "--model", "shufflenet_v2"]
USER_MODELS = """
import torch
from torch import nn


def small():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10) if False else nn.Identity())


def number():
    return 7


class Refuses(nn.Module):
    def forward(self, x):
        raise ValueError("this width is odd\\nand that is told at length")


def refuses():
    return Refuses()


class Embeds(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.table = nn.Embedding(10, width)

    def forward(self, ids):
        return self.table(ids)


def embeds(width=4):
    return Embeds(width)
"""


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    path = tmp_path / "mynets.py"
    path.write_text(USER_MODELS)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that says why a command could not run."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("macprof: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mac_profiler", *arguments],
        capture_output=True, text=True, check=False, encoding="utf-8", stdin=subprocess.DEVNULL,
        env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- output


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("by", ["module", "op", "target"])
def test_it_fits_the_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, by: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    status, out, err = run(capsys, *SHUFFLENET, "--by", by)
    assert (status, err) == (0, "")
    assert max(map(cells, out.splitlines())) <= width
    assert "146 M" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("columns", ["0", "-5", "many", ""])
def test_a_senseless_width_is_ignored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    status, out, _ = run(capsys, *SHUFFLENET)
    assert status == 0
    assert max(map(cells, out.splitlines())) > 40


def test_json_sums_to_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *SHUFFLENET, "--format", "json")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert list(data)[:6] == ["schema_version", "model", "inputs", "totals", "ops", "uncounted"]
    assert (data["schema_version"], data["model"], data["inputs"]) == (1, "shufflenet_v2", [[1, 3, 224, 224]])
    assert list(data["totals"]) == [
        "mult_adds", "flops", "accesses", "fused_accesses", "bytes_moved", "parameters", "peak_activation_bytes",
        "op_count", "complete",
    ]  # fmt: skip
    for key in ("mult_adds", "flops", "accesses", "bytes_moved"):
        assert sum(op[key] for op in data["ops"]) == data["totals"][key]
    assert data["totals"]["op_count"] == len(data["ops"])
    assert data["totals"]["complete"] is True
    assert data["uncounted"] == {}
    assert f"{data['totals']['mult_adds'] / 1e6:.0f}M" == "146M"
    for op in data["ops"]:
        assert {"path", "module", "target", "source", "inputs", "outputs"} <= set(op)


def test_csv_has_a_row_an_operator_and_agrees_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *SHUFFLENET, "--format", "csv")
    ops = json.loads(run(capsys, *SHUFFLENET, "--format", "json")[1])["ops"]
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["path"], row["target"], int(row["accesses"])) for row in rows] == [
        (op["path"], op["target"], op["accesses"]) for op in ops
    ]


def test_markdown_is_a_pipe_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *SHUFFLENET, "--format", "markdown", "--depth", "1")
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert table[0].startswith("| module | type | multiply-adds |")
    assert len({line.count("|") for line in table[:8]}) == 1
    total = next(line for line in table if line.startswith("| multiply-adds |"))
    assert total.split(" | ")[1] == "146 M"


def test_options_reach_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *SHUFFLENET, "--format", "csv", "--by", "module", "--sort", "accesses", "--top", "3")
    figures = [int(row["accesses"]) for row in csv.DictReader(io.StringIO(out))]
    assert len(figures) == 3
    assert figures == sorted(figures, reverse=True)
    _, shallow, _ = run(capsys, *SHUFFLENET, "--format", "csv", "--by", "module", "--depth", "1")
    paths = [row["path"] for row in csv.DictReader(io.StringIO(shallow))]
    assert "stage2" in paths
    assert not any("." in path for path in paths)


def test_inputs_and_arguments_reach_the_model(capsys: pytest.CaptureFixture[str], user_file: Path) -> None:
    _, out, _ = run(capsys, *SHUFFLENET, "--input", "2x3x192x192", "--format", "json")
    assert json.loads(out)["inputs"] == [[2, 3, 192, 192]]
    model = f"{user_file}:embeds"
    status, out, err = run(
        capsys, "analyze", "--model", model, "--input", "1x5:int64", "--arg", "width=6", "--format", "json"
    )
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert data["totals"]["parameters"] == 60
    assert data["input_dtypes"] == ["int64"]


def test_training_adds_the_backward_pass(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *SHUFFLENET, "--train", "--format", "json")
    phases = {op["phase"] for op in json.loads(out)["ops"]}
    assert phases == {"forward", "backward"}


def test_the_cross_check_explains_every_difference(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *SHUFFLENET, "--cross-check", "--format", "json")
    assert (status, err) == (0, "")
    data = json.loads(out)
    check = data["cross_check"]
    assert check["mult_adds"] == data["totals"]["mult_adds"]
    assert {answer["peer"] for answer in check["answers"]} == {"fvcore", "FlopCounterMode"}
    for answer in check["answers"]:
        parts = sum(part["amount"] for part in answer["differences"])
        assert parts == answer["mult_adds"] - check["mult_adds"]
    fvcore = next(answer for answer in check["answers"] if answer["peer"] == "fvcore")
    assert any(part["theirs"] == ["batch_norm"] for part in fvcore["differences"])


def test_models_lists_the_zoo(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "models", "--format", "json")
    assert status == 0
    entries = {entry["name"]: entry for entry in json.loads(out)["models"]}
    published = entries["shufflenet_v2_x1_0"]["published"]
    assert {(figure["quantity"], figure["printed"]) for figure in published} >= {
        ("mult_adds", "146M"), ("parameters", "2.3M"),
    }  # fmt: skip
    assert all(figure["source"] for figure in published)


def test_models_names_the_other_ways_to_give_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(capsys, "models")
    assert max(map(cells, out.splitlines())) <= 80
    for word in ("shufflenet_v2_x1_0", "1×3×224×224", "146M", "torchvision:NAME", "timm:NAME", "arXiv 1807.11164"):
        assert word in " ".join(out.split())


def test_a_pipe_that_closes_early_is_no_error() -> None:
    shell = f"{sys.executable} -m mac_profiler models | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60)  # noqa: S607
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_a_terminal_that_knows_ascii_only_gets_ascii() -> None:
    done = process("models", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert done.stdout.count("?") == 0


# ------------------------------------------------------------------------------------------------------------ a file


def test_output_writes_the_file_and_nothing_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "cost.json"
    assert run(capsys, *SHUFFLENET, "--output", str(target)) == (0, "", "")
    assert json.loads(target.read_text())["model"] == "shufflenet_v2"
    assert [path.name for path in tmp_path.iterdir()] == ["cost.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_output_replaces_a_file_and_keeps_its_permissions(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "models.csv"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    assert run(capsys, "models", "--output", str(link))[0] == 0
    assert link.is_symlink()
    assert target.read_text().startswith("model,family,")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("missing/cost.json", "does not exist"), ("folder", "is a folder"), ("file/cost.json", "is no folder"),
        ("", "is empty"), ("folder/" + "x" * 300, "File name too long"),
    ],
)  # fmt: skip
def test_output_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    line = refused(capsys, "models", "--output", str(tmp_path / place) if place else "")
    assert said in line
    assert "cannot write" in line
    assert sorted(tmp_path.rglob("*")) == before


def without_privileges() -> list[str]:
    """What a command is begun with so that permissions hold for it; root as such may write everywhere."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has other permissions")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to take that away")
    return ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]


def test_output_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    command = [
        *without_privileges(),
        sys.executable,
        "-m",
        "mac_profiler",
        "models",
        "--output",
        str(tmp_path / "a.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no permission" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mac_profiler.errors import OutputFailed
    from mac_profiler.output import write_file

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "a.csv"
    target.write_text("old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputFailed, match="No space left on device"):
        write_file(str(target), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert target.read_text() == "old"


def test_a_full_disk_behind_a_redirection() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    shell = f"{sys.executable} -m mac_profiler models > /dev/full"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60)  # noqa: S607
    assert done.returncode == 2
    assert done.stderr == "macprof: cannot write to standard output: No space left on device\n"


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["analyze", "--model", "shuflenet_v2"], "Did you mean 'shufflenet_v2"),
        (["analyze", "--model", "torchvision:resnet51"], "resnet5"),
        (["analyze", "--model", "no.such.module:net"], "no.such"),
        (["analyze", "--model", "missing.py:net"], "missing.py"),
        (["analyze", "--model", ""], "model"),
        ([*SHUFFLENET, "--input", "1x3x"], "1x3x"),
        ([*SHUFFLENET, "--input", "1x3xax4"], "1x3xax4"),
        ([*SHUFFLENET, "--input", "1x-3x4x4"], "1x-3x4x4"),
        ([*SHUFFLENET, "--input", ""], "--input"),
        ([*SHUFFLENET, "--input", "1x3x224x224:flot32"], "Did you mean 'float32'"),
        ([*SHUFFLENET, "--arg", "width"], "width"),
        ([*SHUFFLENET, "--arg", "no_such=1"], "no_such"),
        ([*SHUFFLENET, "--sort", "acceses"], "Did you mean 'accesses'"),
        ([*SHUFFLENET, "--format", "jsn"], "Did you mean 'json'"),
        ([*SHUFFLENET, "--by", "modul"], "Did you mean 'module'"),
        ([*SHUFFLENET, "--device", "gpu"], "It is one of meta, cpu, cuda"),
        ([*SHUFFLENET, "--top", "0"], "'--top'"),
        ([*SHUFFLENET, "--top", "x"], "'--top'"),
        ([*SHUFFLENET, "--depth", "-1"], "'--depth'"),
        ([*SHUFFLENET, "--modle", "x"], "Did you mean '--model'"),
        ([*SHUFFLENET, "extra"], "extra"),
        ([*SHUFFLENET, "--format"], "--format"),
        (["analyze"], "--model"),
        (["analise"], "Did you mean 'analyze'"),
        (["--formt"], "macprof has no option '--formt'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize("shape", ["1x4x224x224", "3x224", "1x3x224x224:int64", "1x3x224x224:bool"])
def test_an_input_that_does_not_fit_the_model(capsys: pytest.CaptureFixture[str], shape: str) -> None:
    line = refused(capsys, *SHUFFLENET, "--input", shape)
    assert f"--input {shape}" in line


def test_a_forward_that_raises_says_its_own_words(capsys: pytest.CaptureFixture[str], user_file: Path) -> None:
    line = refused(capsys, "analyze", "--model", f"{user_file}:refuses", "--input", "1x3x8x8")
    assert "this width is odd" in line
    assert "mynets.py:" in line


def test_a_callable_that_returns_no_module(capsys: pytest.CaptureFixture[str], user_file: Path) -> None:
    assert "int" in refused(capsys, "analyze", "--model", f"{user_file}:number", "--input", "1x3x8x8")


def test_a_file_that_raises_on_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\nraise RuntimeError('not today')\n")
    line = refused(capsys, "analyze", "--model", f"{broken}:net")
    assert "not today" in line
    assert "broken.py:2" in line


def test_a_file_without_that_callable(capsys: pytest.CaptureFixture[str], user_file: Path) -> None:
    assert "small" in refused(capsys, "analyze", "--model", f"{user_file}:smal")


def test_a_missing_package_names_its_extra(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    assert "macprof[timm]" in refused(capsys, "analyze", "--model", "timm:resnet18")


def test_the_place_of_the_output_is_checked_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert "/no/such" in refused(capsys, "analyze", "--model", "no_such_model", "--output", "/no/such/a.json")


def test_an_interrupt_is_status_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mac_profiler.models.entries", interrupted)
    status, out, err = run(capsys, "models")
    assert (status, out) == (130, "")
    assert "Traceback" not in err


def test_a_message_of_several_lines_is_told_in_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MacprofError("the first line\n    and the second")

    monkeypatch.setattr("mac_profiler.models.entries", fail)
    assert refused(capsys, "models") == "macprof: the first line and the second\n"


def test_no_verb_prints_the_help_and_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys)
    assert (status, out) == (2, "")
    assert "analyze" in err


# -------------------------------------------------------------------------------------------------------- how soon

HEAVY = ("torch", "pandas", "matplotlib", "numpy", "fvcore")
LIGHT = [["--help"], ["--version"], ["-h"], ["analyze", "--help"], ["models", "--help"], ["models"]]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_needs_no_torch_does_not_import_it(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom mac_profiler.cli import main\n"
        f"status = main({arguments})\n"
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules], status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "HEAVY [] 0"


@pytest.mark.parametrize("arguments", LIGHT[:4], ids=" ".join)
def test_help_is_there_at_once(arguments: list[str]) -> None:
    begin = processor_seconds()
    assert process(*arguments).returncode == 0
    # A shared core is half as fast; importing torch would take a second and more.
    assert processor_seconds() - begin < 0.8


def processor_seconds() -> float:
    """Of all processes that have ended: unlike the clock on the wall, it does not run on while others work."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("macprof ana", "analyze"), ("macprof analyze --model shufflenet_v2_x1_", "shufflenet_v2_x1_0"),
        ("macprof analyze --format js", "json"), ("macprof analyze --device cu", "cuda"),
        ("macprof analyze --by ta", "target"), ("macprof models --format ma", "markdown"),
    ],
)  # fmt: skip
def test_completion_answers_at_once_and_without_torch(words: str, expected: str) -> None:
    code = (
        "import sys\nfrom mac_profiler.cli import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    )
    environment = {
        **os.environ, "_MACPROF_COMPLETE": "complete_bash", "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }  # fmt: skip
    begin = processor_seconds()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    # A shared core is half as fast; importing torch would take a second and more.
    assert processor_seconds() - begin < 0.8
    lines = done.stdout.splitlines()
    assert expected in lines
    assert lines[-1] == "HEAVY []"
