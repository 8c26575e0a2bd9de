"""`macprof diff`: models, saved analyses and revisions; what it says, what fails, and what it refuses in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mac_profiler.cli import main
from mac_profiler.layout import cells
from tests.test_revisions import everything, git

NET = """
from torch import nn
from parts import {name}, WIDTH
print("a user's file may say anything")

class Net(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.first = {name}(WIDTH)
        self.last = nn.Conv2d(WIDTH, classes, 1, bias=False)

    def forward(self, x):
        return self.last(self.first(x))
"""
PARTS = """
from torch import nn
WIDTH = {width}
def {name}(width):
    return nn.Sequential(nn.Conv2d(3, width, 1, bias=False), nn.ReLU())
"""
INPUT = ["--input", "1x3x10x10"]
MODEL = ["--model", "nets/net.py:Net", *INPUT]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network whose sibling changed: 4 channels at v1, 6 at main, 8 in the working tree."""
    top = tmp_path / "repository"
    (top / "nets").mkdir(parents=True)
    git(top.parent, "init", "--quiet", "--initial-branch=main", str(top))
    for width, name in ((4, "old"), (6, "new")):
        (top / "nets" / "net.py").write_text(NET.format(name=name))
        (top / "nets" / "parts.py").write_text(PARTS.format(width=width, name=name))
        git(top, "add", "--all")
        git(top, "commit", "--quiet", f"--message={width}")
        if width == 4:
            git(top, "tag", "v1")
    (top / "nets" / "parts.py").write_text(PARTS.format(width=8, name="new"))
    monkeypatch.chdir(top)
    return top


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    found = main(["diff", *arguments])
    captured = capsys.readouterr()
    assert found == status, captured.err
    return captured.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["diff", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    lines = [line for line in captured.err.splitlines() if line != "a user's file may say anything"]
    assert len(lines) == 1
    assert lines[0].startswith("macprof: ")
    return lines[0]


def adds(text: str) -> tuple[int, int]:
    (row,) = [row for row in json.loads(text)["totals"] if row["figure"] == "mult_adds"]
    return row["before"], row["after"]


# ---------------------------------------------------------------------------------------------------------- models


def test_the_same_model_twice(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "shufflenet_v2", "shufflenet_v2", "--fail-on-new", "--budget", "mult_adds=+0,accesses=+0%")
    assert "no difference in what they take." in out
    assert max(map(cells, out.splitlines())) <= 80


def test_two_models(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(run(capsys, "shufflenet_v2_x0_5", "shufflenet_v2", "--format", "json"))
    assert [data[name]["totals"]["mult_adds"] for name in ("before", "after")] == [40_476_448, 145_814_296]
    assert data["score"]["before"] < data["score"]["after"]
    assert data["findings"] == []
    for figure in ("mult_adds", "accesses", "parameters", "op_count"):
        whole = next(row["difference"] for row in data["totals"] if row["figure"] == figure)
        assert sum(row["difference"][figure] for row in data["modules"]) == whole


def test_arguments_for_both_and_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    same = ["mobilenet_v2", "mobilenet_v2", "--format", "json"]
    data = json.loads(run(capsys, *same, "--arg", "width=0.5", "--after-arg", "num_classes=10"))
    parameters = next(row for row in data["totals"] if row["figure"] == "parameters")
    assert parameters["difference"] == -990 * (1280 + 1)
    assert [row["after"]["path"] for row in data["modules"]] == ["classifier.1"]
    assert data["before"]["name"] == "mobilenet_v2 (before)"


@pytest.mark.parametrize(("budget", "status"), [("mult_adds=+300%", 0), ("mult_adds=+5%", 1), ("parameters=1M", 1)])
def test_a_budget_fails(capsys: pytest.CaptureFixture[str], budget: str, status: int) -> None:
    out = run(capsys, "shufflenet_v2_x0_5", "shufflenet_v2", "--budget", budget, status=status)
    assert ("over budget" in out) == bool(status)


def test_new_findings_fail_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "mobilenet_v2_x0_5", "shufflenet_v1", "--top", "1")
    out = run(capsys, "mobilenet_v2_x0_5", "shufflenet_v1", "--fail-on-new", "--format", "markdown", status=1)
    assert "<details><summary>New findings:" in out
    assert len(out) < 65_536


def test_two_files_with_siblings_of_one_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    # Packages of one name, too: a process can load only one.
    for folder, width in (("one", 4), ("two", 6)):
        place = tmp_path / folder / "nets"
        place.mkdir(parents=True)
        (place / "__init__.py").touch()
        (place / "parts.py").write_text(PARTS.format(width=width, name="part"))
        (place / "net.py").write_text(NET.format(name="part").replace("from parts", "from nets.parts"))
    # The same file twice registers its custom operator twice.
    with (tmp_path / "one" / "nets" / "net.py").open("a") as file:
        file.write("import torch\n@torch.library.custom_op('of_a_test::one', mutates_args=())\n")
        file.write("def one(x: torch.Tensor) -> torch.Tensor: return x + 1\n")
    names = [f"{tmp_path}/{folder}/nets/net.py:Net" for folder in ("one", "two")]
    assert "no difference" in run(capsys, names[0], names[0], *INPUT)
    assert adds(run(capsys, *names, *INPUT, "--format", "json")) == (2800, 4200)


# ----------------------------------------------------------------------------------------------------- saved files


@pytest.fixture
def saved(tmp_path: Path) -> dict[str, str]:
    files = {kind: str(tmp_path / f"{kind}.json") for kind in ("analyze", "audit", "rules")}
    assert main(["analyze", "--model", "shufflenet_v2_x0_5", "--output", files["analyze"]]) == 0
    assert main(["audit", "--model", "shufflenet_v2_x0_5", "--platform", "nominal", "--output", files["audit"]]) == 1
    assert main(["rules", "--output", files["rules"]]) == 0
    return files


def test_saved_analyses_audits_and_models_are_compared(
    capsys: pytest.CaptureFixture[str], saved: dict[str, str]
) -> None:
    for kind in ("analyze", "audit"):
        out = run(capsys, saved[kind], "shufflenet_v2_x0_5", "--budget", "mult_adds=+0")
        assert "no difference" in out
        assert ("Findings and scores are not compared" in out) == (kind == "analyze")
        assert adds(run(capsys, "shufflenet_v2", saved[kind], "--format", "json")) == (145_814_296, 40_476_448)
    assert "no difference" in run(capsys, saved["analyze"], saved["audit"])
    run(capsys, saved["audit"], "shufflenet_v1", "--fail-on-new", status=1)


def test_what_was_saved_and_cannot_be_compared(capsys: pytest.CaptureFixture[str], saved: dict[str, str]) -> None:
    assert "'macprof analyze" in refused(capsys, saved["rules"], "shufflenet_v2")
    assert "cannot read 'none.json'" in refused(capsys, "shufflenet_v2", "none.json")
    assert "--fail-on-new" in refused(capsys, saved["analyze"], "shufflenet_v2", "--fail-on-new")
    assert "--budget flops" in refused(capsys, saved["audit"], "shufflenet_v2", "--budget", "flops=+0")
    data = json.loads(Path(saved["analyze"]).read_text())
    for version, spoilt in ((2, data), (1, {**data, "totals": {}})):
        Path(saved["analyze"]).write_text(json.dumps({**spoilt, "schema_version": version}))
        said = refused(capsys, saved["analyze"], "shufflenet_v2")
        assert ("of version 2" if version == 2 else "damaged") in said


# ------------------------------------------------------------------------------------------------------- revisions


def test_two_revisions_with_the_siblings_of_each(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    before = git(repository, "status", "--porcelain"), everything(repository)
    data = json.loads(run(capsys, "--git", "v1", "main", *MODEL, "--format", "json"))
    # 100 positions of 3 -> width -> 4 channels.
    assert [data[name]["totals"]["mult_adds"] for name in ("before", "after")] == [2800, 4200]
    assert [data[name]["name"] for name in ("before", "after")] == ["nets/net.py:Net at v1", "nets/net.py:Net at main"]
    assert [each["after"]["path"] for each in data["modules"]] == ["first.0", "first.1", "last"]
    # In this order: git itself refreshes its index when it is asked for the status.
    assert everything(repository) == before[1]
    assert git(repository, "status", "--porcelain") == before[0]


def test_a_revision_and_the_working_tree(
    capsys: pytest.CaptureFixture[str], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adds(run(capsys, "--git", *MODEL, "--format", "json")) == (4200, 5600)
    monkeypatch.chdir(repository / "nets")
    own = ["--git", "v1:net.py:Net", *INPUT, "--budget", "mult_adds=+5%"]
    out = run(capsys, *own, status=1)
    assert "net.py:Net in the working tree" in " ".join(out.split())
    # The same by the module's name.
    assert adds(run(capsys, "--git", "v1", "--model", "net:Net", *INPUT, "--format", "json")) == (2800, 5600)


def test_a_file_that_was_moved(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    git(repository, "mv", "nets", "models")
    git(repository, "commit", "--quiet", "--all", "--message=moved")
    both = ["v1:nets/net.py:Net", "HEAD:models/net.py:Net"]
    assert adds(run(capsys, "--git", *both, *INPUT, "--format", "json")) == (2800, 5600)


def test_findings_name_the_lines_of_the_revision(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    normalised = PARTS.format(width=64, name="new").replace("nn.ReLU()", "nn.BatchNorm2d(width), nn.ReLU()")
    (repository / "nets" / "parts.py").write_text(normalised)
    git(repository, "commit", "--quiet", "--all", "--message=wide")
    data = json.loads(run(capsys, "--git", "v1", "HEAD", *MODEL, "--format", "json"))
    sources = {place["source"] for each in data["findings"] for place in each["places"]}
    assert sources
    assert all(source.startswith("nets/") for source in sources)


def test_the_package_of_an_editable_installation_is_the_revision_s(
    capsys: pytest.CaptureFixture[str], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # src/ is on Python's path, as pip install --editable puts it there.
    for width in (3, 5):
        package = repository / "src" / "own"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(f"WIDTH = {width}\n")
        (repository / "net.py").write_text(
            "from torch import nn\nfrom own import WIDTH\ndef net(): return nn.Conv2d(3, WIDTH, 1, bias=False)\n"
        )
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", f"--message={width}")
    monkeypatch.setenv("PYTHONPATH", str(repository / "src"))
    model = ["--model", "net.py:net", *INPUT, "--format", "json"]
    assert adds(run(capsys, "--git", "HEAD~1", "HEAD", *model)) == (900, 1500)


def test_what_comes_from_the_working_tree_after_all_is_refused(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    (repository / "net.py").write_text(
        f"import sys\nsys.path.insert(0, {str(repository / 'nets')!r})\n"
        "from torch import nn\nfrom parts import WIDTH\ndef net(): return nn.Conv2d(3, WIDTH, 1)\n"
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=absolute")
    said = refused(capsys, "--git", "HEAD", "HEAD", "--model", "net.py:net", *INPUT)
    assert "'parts' was loaded from the working tree" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "takes two models, not 0"),
        (("shufflenet_v2",), "takes two models, not 1"),
        (("a", "b", "c"), "takes two models, not 3"),
        (("a", "b", "--model", "c"), "--model goes with --git"),
        (("--git", "a", "b", "c"), "two revisions at most"),
        (("--git", "v1"), "which model?"),
        (("--git", "v1", "--model", "shufflenet_v2"), "your own code"),
        (("--git", "v1", "--model", "torchvision:resnet18"), "your own code"),
        (("--git", "v1", "--model", "nets/net.py"), "your own code"),
        (("--git", "v9", *MODEL), "has no revision 'v9'"),
        (("--git", "v1", "--model", "nets/none.py:Net"), "revision 'v1' has no file 'nets/none.py'"),
        (("--git", "v1", "--model", "nets/net.py:Not"), "nets/net.py:Not at v1: nets/net.py has no 'Not'"),
        (("--git", "v1", "--model", "none:Net"), "no module named 'none'"),
        (("--git", "v1", "--model", "torch.nn:Identity"), "'torch.nn' is installed"),
        (("--git", "v1", *MODEL, "--arg", "width=3"), "takes no argument 'width'"),
        (("shufflenet_v9", "shufflenet_v2"), "shufflenet_v9"),
        (("shufflenet_v2", "shufflenet_v2", "--budget", "mult_adds=5%"), "Write +5%"),
        (("shufflenet_v2", "shufflenet_v2", "--platform", "none"), "no platform named 'none'"),
        (("shufflenet_v2", "shufflenet_v2", "--arg", "x"), "x"),
        (("shufflenet_v2", "shufflenet_v2", "--format", "xml"), "xml"),
        (("shufflenet_v2", "shufflenet_v2", "--output", "none/x.md"), "does not exist"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    capsys: pytest.CaptureFixture[str], repository: Path, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(capsys, *arguments)


def test_outside_of_any_repository(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    assert "in no git repository" in refused(capsys, "--git", "--model", "net.py:Net")


def test_a_process_that_dies_is_told_of(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    (repository / "nets" / "parts.py").write_text("import os\nos._exit(7)\n")
    git(repository, "commit", "--quiet", "--all", "--message=dies")
    assert "died with status 7" in refused(capsys, "--git", "HEAD", "v1", *MODEL)


def test_a_platform_s_file_is_found_from_a_revision(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    from tests.machines import machine

    (repository / "mine.json").write_text(machine(name="mine").to_json())
    out = run(capsys, "--git", "v1", "main", *MODEL, "--platform", "./mine.json", "--format", "json")
    assert json.loads(out)["before"]["platform"] == "mine"


# ----------------------------------------------------------------------------------------------- what users bring along

BLOCK = """
from torch import nn

class Block(nn.Module):
    def __init__(self, adds):
        super().__init__()
        self.conv, self.adds = nn.Conv2d(4, 4, 1), adds

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)

def a():
    return nn.Sequential(Block(True))

def b():
    return nn.Sequential(Block(False))
"""


@pytest.fixture
def block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(BLOCK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_module_that_lost_its_own_operator_is_changed_not_removed(
    capsys: pytest.CaptureFixture[str], block: Path
) -> None:
    for before, after, more in (("a", "b", -1), ("b", "a", 1)):
        found = json.loads(run(capsys, f"net.py:{before}", f"net.py:{after}", "--input", "1x4x8x8", "-f", "json"))
        (change,) = found["modules"]
        assert change["change"] == "changed"
        assert change["difference"]["op_count"] == more


def test_bytes_are_bytes_and_growth_has_a_sign(capsys: pytest.CaptureFixture[str], block: Path) -> None:
    for form in ("text", "markdown"):
        out = run(capsys, "net.py:b", "net.py:a", "--input", "1x4x64x64", "-f", form)
        # x is read twice and a sum written: three maps of 64 KiB.
        assert "+192 KiB" in out, out
        assert "+16.4 k" in out


def test_csv_of_two_audits_has_their_totals(capsys: pytest.CaptureFixture[str], block: Path) -> None:
    for name in "ab":
        assert main(["audit", "--model", f"net.py:{name}", "--input", "1x4x8x8", "--platform", "nominal",
                     "--exit-zero", "-o", f"{name}.json"]) == 0  # fmt: skip
    out = run(capsys, "a.json", "b.json", "-f", "csv")
    assert out.splitlines()[0] == "figure,was,became,shift,shift_share"
    assert "memory access" in out


@pytest.mark.parametrize("option", [["--input", "1x2"], ["--batch", "4"], ["--arg", "x=1"]])
def test_how_to_build_what_is_saved_is_refused(
    option: list[str], capsys: pytest.CaptureFixture[str], block: Path
) -> None:
    for name in "ab":
        assert main(["analyze", "--model", f"net.py:{name}", "--input", "1x4x8x8", "-o", f"{name}.json"]) == 0
    assert option[0] in refused(capsys, "a.json", "b.json", *option)


def test_a_number_beyond_all_counts_is_damage(capsys: pytest.CaptureFixture[str], block: Path) -> None:
    assert main(["analyze", "--model", "net.py:a", "--input", "1x4x8x8", "-o", "a.json"]) == 0
    data = json.loads(Path("a.json").read_text())
    Path("b.json").write_text(json.dumps({**data, "totals": {**data["totals"], "flops": 10**400}}))
    assert "damaged" in refused(capsys, "a.json", "b.json")


def test_temporary_files_within_the_repository(
    capsys: pytest.CaptureFixture[str], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(repository / "tmp"))
    data = json.loads(run(capsys, "--git", "v1", "main", *MODEL, "--format", "json"))
    assert data["after"]["totals"]["mult_adds"] == 4200
    assert not list((repository / "tmp").iterdir())


def test_revisions_that_have_colons(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    name = "HEAD@{2099-01-01 10:00:00}"
    data = json.loads(run(capsys, "--git", name, f"{name}:nets/net.py:Net", *MODEL, "--format", "json"))
    assert data["same"]


def test_a_submodule_is_named_where_its_code_is_missed(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet", "--initial-branch=main")
    (other / "block.py").write_text("K = 3\n")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message=one")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "nets/lib")
    (repository / "nets" / "sub.py").write_text("from lib.block import K\nfrom torch import nn\nNet = nn.Identity\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=sub")
    said = refused(capsys, "--git", "HEAD", "--model", "nets/sub.py:Net", *INPUT)
    assert "code of submodules is not read: nets/lib; save an analysis" in said
