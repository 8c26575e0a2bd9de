"""`macprof audit` on files as users write them: where its findings are, what silences them, what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mac_profiler.cli import main
from mac_profiler.shelf import save
from tests.machines import machine

INPUT = ("--input", "1x3x56x56")
RULES = ("--select", "G101,G2")
SILENCED = {"by a comment": 0, "by per-module-ignore": 0, "below the least severity": 0}
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

# What is expected on a line stands behind it: "#: G201", or "#: G201*3" for three places.
PLAIN = """
def build():
    return nn.Sequential(
        nn.Conv2d(3, 32, 1),
        nn.Conv2d(32, 256, 1),  #: G101
        nn.Conv2d(256, 256, 3, padding=1, groups=32),  #: G201
        nn.Conv2d(256, 256, 1),
    )
"""
OVER_LINES = """
def build():
    layers = [nn.Conv2d(3, 128, 1)]
    layers += [
        nn.Conv2d(  #: G201
            128, 128,
            kernel_size=3,
            groups=32,
        )
    ]
    return nn.Sequential(*layers, nn.Conv2d(128, 10, 1))
"""
FACTORY = """
def grouped(channels):
    return nn.Conv2d(channels, channels, 3, padding=1, groups=32)  #: G201*2


def build():
    return nn.Sequential(
        nn.Conv2d(3, 128, 1),
        grouped(128),
        nn.ReLU(),
        grouped(128),
        nn.Conv2d(128, 10, 1),
    )
"""
LOOP = """
def build(depth=3):
    layers = [nn.Conv2d(3, 128, 1)]
    for _ in range(depth):
        layers.append(nn.Conv2d(128, 128, 3, padding=1, groups=32))  #: G201*3
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Conv2d(128, 10, 1))
"""
NESTED = """
class Inner(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=32)  #: G201*2

    def forward(self, x):
        return torch.relu(self.conv(x))


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.ModuleList([Inner(128), Inner(128)])

    def forward(self, x):
        for each in self.inner:
            x = each(x)
        return x


def build():
    return nn.Sequential(nn.Conv2d(3, 128, 1), Outer(), nn.Conv2d(128, 10, 1))
"""
DERIVED = """
class Grouped(nn.Conv2d):
    def __init__(self, channels):
        super().__init__(channels, channels, 3, padding=1, groups=32)

    def forward(self, x):
        return super().forward(x)


def build():
    return nn.Sequential(
        nn.Conv2d(3, 128, 1),
        Grouped(128),  #: G201
        nn.Conv2d(128, 10, 1),
    )
"""
DECORATED = """
from functools import wraps


def named(make):
    @wraps(make)
    def inner(*args):
        return make(*args)

    return inner


@named
def build():
    conv = nn.Conv2d(128, 128, 3, padding=1, groups=32)  #: G201
    return nn.Sequential(nn.Conv2d(3, 128, 1), conv, nn.Conv2d(128, 10, 1))
"""
CONFIGURED = """
from dataclasses import dataclass


@dataclass
class Config:
    width: int = 128
    groups: int = 32


class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.stem = nn.Conv2d(3, config.width, 1)
        self.body = nn.Conv2d(config.width, config.width, 3, padding=1, groups=config.groups)  #: G201
        self.head = nn.Conv2d(config.width, 10, 1)

    def forward(self, x):
        return self.head(self.body(self.stem(x)))


def build(groups=32):
    return Net(Config(groups=groups))
"""
FUNCTIONAL = """
class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(128, 4, 3, 3))

    def forward(self, x):
        x = x + 1
        return F.conv2d(x, self.weight, padding=1, groups=32)  #: G201


def build():
    return nn.Sequential(nn.Conv2d(3, 128, 1), Body(), nn.Conv2d(128, 10, 1))
"""
HELPED = """
from blocks import grouped


def build():
    return nn.Sequential(nn.Conv2d(3, 128, 1), grouped(128), nn.Conv2d(128, 10, 1))
"""
BLOCKS = """
def grouped(channels):
    return nn.Conv2d(channels, channels, 3, padding=1, groups=32)  #: G201
"""
TWO_INPUTS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(3, 128, 1)
        self.right = nn.Conv2d(1, 128, 1)
        self.body = nn.Conv2d(128, 128, 3, padding=1, groups=32)  #: G201
        self.head = nn.Conv2d(128, 10, 1)

    def forward(self, image, mask):
        return self.head(self.body(self.left(image) * self.right(mask)))
"""
FILES = {
    "plain": PLAIN, "over_lines": OVER_LINES, "factory": FACTORY, "loop": LOOP, "nested": NESTED, "derived": DERIVED,
    "decorated": DECORATED, "configured": CONFIGURED, "functional": FUNCTIONAL,
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without a calibrated machine, and a narrow terminal."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "work"


def write(text: str, file: str = "net.py") -> str:
    Path(file).write_text(HEAD + text, encoding="utf-8")
    return f"{file}:build"


def expected(*files: str) -> set[tuple[str, str, int]]:
    """Source, rule and number of places, by the marks in the files."""
    found = set()
    for file in files:
        for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
            for code, times in re.findall(r"#: (G\d+)(?:\*(\d+))?", line):
                found.add((f"{file}:{number}", code, int(times or 1)))
    return found


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Status and output; nothing is said besides."""
    capsys.readouterr()
    status = main(["audit", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    return status, captured.out


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status, out = run(capsys, *arguments, "--output-format", "json")
    return status, json.loads(out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["audit", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("macprof: ")
    assert captured.err.count("\n") == 1
    return captured.err


def sources(data: Any) -> set[tuple[str, str, int]]:
    return {(each["source"], each["code"], each["count"]) for each in data["findings"]}


# -------------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize("name", FILES)
def test_a_finding_is_at_the_line_that_builds_the_layer(capsys: pytest.CaptureFixture[str], name: str) -> None:
    model = write(FILES[name])
    status, data = told(capsys, "--model", model, *INPUT, *RULES)
    assert sources(data) == expected("net.py") != set()
    assert status == 1
    assert (data["schema_version"], data["model"], data["silenced"]) == (1, model, {**SILENCED})
    for each in data["findings"]:
        assert len(each["places"]) == each["count"]
        assert each["measured"] > each["limit"] == 1.15
        assert each["seconds"] > 0
        assert each["gain"] is None


def test_a_layer_of_another_file_is_at_its_line_there(capsys: pytest.CaptureFixture[str]) -> None:
    Path("blocks.py").write_text(HEAD + BLOCKS, encoding="utf-8")
    _, data = told(capsys, "--model", write(HELPED), *INPUT, *RULES)
    assert sources(data) == expected("blocks.py", "net.py") != set()


def test_a_model_of_two_inputs_and_one_with_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    write(TWO_INPUTS)
    inputs = ("--input", "1x3x56x56", "--input", "mask=1x1x56x56")
    _, data = told(capsys, "--model", "net.py:Net", *inputs, *RULES)
    assert sources(data) == expected("net.py") != set()
    assert "no default input for 'image' and 1 more" in refused(capsys, "--model", "net.py:Net")
    configured = write(CONFIGURED)
    assert told(capsys, "--model", configured, *INPUT, *RULES, "--arg", "groups=1")[0] == 0


def test_layers_that_one_line_builds_are_one_finding(capsys: pytest.CaptureFixture[str]) -> None:
    _, data = told(capsys, "--model", write(LOOP), *INPUT, *RULES, "--arg", "depth=7")
    (finding,) = data["findings"]
    assert finding["count"] == 7
    assert [place["path"] for place in finding["places"]] == ["1", "3", "5", "7", "9", "11", "13"]
    assert len({place["source"] for place in finding["places"]}) == 1
    out = " ".join(run(capsys, "--model", "net.py:build", *INPUT, *RULES, "--arg", "depth=7")[1].split())
    assert "also at 3, 5, 7 and 3 more" in out


def test_the_places_of_a_norm_written_out_are_those_of_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    model = write("""
class Norm(nn.Module):
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)  #: G302
        centred = x - mean
        return centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-6)


def build():
    return nn.Sequential(nn.Linear(64, 64), Norm(), nn.Linear(64, 64))
""")
    _, data = told(capsys, "--model", model, "--input", "16x64", "--select", "G302")
    assert sources(data) == expected("net.py") != set()


# ------------------------------------------------------------------------------------------------------------ comments


def commented(text: str, comment: str, line: str = "groups=32") -> str:
    """A model with a comment behind the first line that has some text in it."""
    before, found, behind = text.partition(line)
    assert found
    rest, newline, after = behind.partition("\n")
    return write(f"{before}{found}{rest}  # {comment}{newline}{after}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PLAIN, "groups=32"),
        (OVER_LINES, "nn.Conv2d(  "),
        (FACTORY, "groups=32"),
        (LOOP, "groups=32"),
        (NESTED, "groups=32"),
        (FUNCTIONAL, "groups=32"),
        (FUNCTIONAL, "Body(), nn"),
    ],
)
@pytest.mark.parametrize("comment", ["macprof: ignore[G201] the accelerator likes it", "macprof: ignore"])
def test_a_comment_silences_the_layer_of_its_line(
    capsys: pytest.CaptureFixture[str], text: str, line: str, comment: str
) -> None:
    model = commented(text, comment, line)
    status, data = told(capsys, "--model", model, *INPUT, "--select", "G201")
    assert (status, data["findings"]) == (0, [])
    assert data["silenced"]["by a comment"] == sum(times for _, code, times in expected("net.py") if code == "G201")
    assert not any("comment" in note for note in data["notes"])
    assert "left out by a comment" in data["summary"]


def test_a_comment_at_the_call_of_a_factory_silences_that_call_alone(capsys: pytest.CaptureFixture[str]) -> None:
    model = commented(FACTORY, "macprof: ignore[G2] measured", "grouped(128),")
    status, data = told(capsys, "--model", model, *INPUT, *RULES)
    (finding,) = data["findings"]
    assert (status, finding["count"], finding["path"]) == (1, 1, "3")
    assert data["silenced"]["by a comment"] == 1


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("macprof: ignore[G101] wide", "this comment silences nothing; remove it"),
        ("macprof: ingore[G201] a slip", "not understood; write '# macprof: ignore[CODE] reason'"),
        ("macprof: ignore[G209]", "'G209' names no rule"),
        ("macprof: ignore(G201)", "codes stand in square brackets"),
    ],
)
def test_a_comment_without_effect_is_told(capsys: pytest.CaptureFixture[str], comment: str, said: str) -> None:
    model = commented(LOOP, comment)
    status, data = told(capsys, "--model", model, *INPUT, *RULES)
    assert (status, data["findings"][0]["code"], data["silenced"]["by a comment"]) == (1, "G201", 0)
    line = next(source for source, _, _ in expected("net.py"))
    assert any(note.startswith(f"{line}: ") and said in note for note in data["notes"])
    assert said.split(";")[0] in " ".join(run(capsys, "--model", model, *INPUT, *RULES)[1].split())


def test_a_comment_for_a_rule_that_did_not_run_is_let_be(capsys: pytest.CaptureFixture[str]) -> None:
    model = commented(LOOP, "macprof: ignore[G101] wide")
    _, data = told(capsys, "--model", model, *INPUT, "--select", "G2")
    assert not any("silences nothing" in note for note in data["notes"])


# ------------------------------------------------------------------------------------------------------------ platform


def test_without_a_calibrated_machine_the_nominal_one_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    model = write(PLAIN)
    _, data = told(capsys, "--model", model, *INPUT)
    assert data["platform"] == "nominal"
    assert any("macprof calibrate" in note and "not calibrated" in note for note in data["notes"])
    assert {each["confidence"] for each in data["findings"]} <= {"low", "medium"}
    _, asked = told(capsys, "--model", model, *INPUT, "--platform", "nominal")
    assert asked["seconds"] == data["seconds"]
    assert not any("calibrate" in note for note in asked["notes"])


def test_a_platform_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    save(machine(), Path("machine.json"))
    model = write(PLAIN)
    _, data = told(capsys, "--model", model, *INPUT, "--platform", "machine.json")
    assert data["platform"] == "made-up"
    assert "high" in {each["confidence"] for each in data["findings"]}
    assert not any("calibrate" in note for note in data["notes"])
    _, twice = told(capsys, "--model", model, "--input", "2x3x56x56", "--platform", "machine.json")
    assert twice["seconds"] > data["seconds"]


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--select", "G9"), "--select: no rule is 'G9'"),
        (("--select", "many-group"), "did you mean 'many-groups'"),
        (("--ignore", "G20l"), "did you mean 'g20"),
        (("--extend-select", "G1,"), "--extend-select: no rule is ''"),
        (("--limit", "G101"), "a rule and a number, like G101=1.3"),
        (("--limit", "G101=much"), "--limit g101=much"),
        (("--limit", "G101=1,G999=2"), "no rule is 'g999'"),
        (("--limit", "G101=-1"), "write a number, 0 or more"),
        (("--min-severity", "warn"), "did you mean 'warning'"),
        (("--budget", "mult_add=1M"), "did you mean 'mult_adds'"),
        (("--budget", "mult_adds=1.5"), "budget of mult_adds"),
        (("--budget", "mult_adds"), "figure=amount"),
        (("--baseline", "none.json"), "cannot read the baseline 'none.json'"),
        (("--write-baseline", "none/known.json"), "the folder 'none' does not exist"),
        (("--write-baseline", "net.py"), "'net.py' is no baseline"),
        (("--baseline", "net.py"), "'net.py' is no baseline"),
        (("--config", "none.toml"), "cannot read 'none.toml'"),
        (("--platform", "nominel"), "no platform named 'nominel'"),
        (("--platform", "net.py.json"), "cannot read 'net.py.json'"),
        (("--output", "none/found.json"), "the folder 'none' does not exist"),
        (("--output-format", "sarrif"), "did you mean 'sarif'"),
        (("--batch", "0"), "--batch"),
        (("--fixpreview",), "did you mean '--fix-preview'"),
    ],
)
def test_what_cannot_be_understood_is_one_line_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    model = write(PLAIN)
    before = {path: path.read_bytes() for path in Path().iterdir()}
    monkeypatch.setattr("mac_profiler.models.find", lambda *_, **__: pytest.fail("the model was built"))
    assert reason.lower() in refused(capsys, "--model", model, *INPUT, *arguments).lower()
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def build():\n    raise ValueError('no width 7')\n", "net.py:build cannot be built: ValueError: no width 7"),
        ("def build():\n    return 7\n", "net.py:build returned int"),
        ("def other():\n    return nn.Identity()\n", "build"),
        ("def build(:\n", "SyntaxError"),
        (
            "class build(nn.Module):\n    def forward(self, x):\n        raise ValueError('a\\nb')\n",
            "raised ValueError",
        ),
        ("def build():\n    return nn.Conv2d(4, 4, 1)\n", "expected input[1, 3, 56, 56] to have 4 channels"),
    ],
)
def test_a_model_that_cannot_be_traced_is_one_line(capsys: pytest.CaptureFixture[str], text: str, reason: str) -> None:
    Path("known.json").write_text("", encoding="utf-8")
    known = ("--write-baseline", "new.json", "--output", "found.json")
    assert reason in refused(capsys, "--model", write(text), *INPUT, *known)
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == ["known.json", "net.py"]


def test_a_name_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'shufflenet_v2'" in refused(capsys, "--model", "shufflenet_v3").lower()
    assert "none.py: no such file" in refused(capsys, "--model", "none.py:build")


def test_a_model_without_data_may_be_larger_than_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    model = write("""
def build():
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(300_000, 300_000), nn.ReLU(), nn.Linear(300_000, 10))
""")
    status, data = told(capsys, "--model", model, "--input", "4x300000", "--budget", "parameters=100G")
    assert (status, data["budget"][0]["exceeded"]) == (0, False)
    assert data["budget"][0]["found"] > 90_000_000_000
    said = refused(capsys, "--model", model, "--input", "4x300000", "--fix-preview")
    assert "is on meta" in said
    assert "leave --fix-preview out" in said
