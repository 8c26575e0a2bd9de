"""Plugins: what other distributions add works as macprof's own; what is broken or taken is told of in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from mac_profiler.errors import DuplicateName
from mac_profiler.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "tests" / "plugin_example"


def install(folder: Path, name: str, version: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Write what an installer would: the metadata of a distribution, beside its modules."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    sections = [f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
                for group, entries in groups.items()]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(sections))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed in."""
    folder = tmp_path_factory.mktemp("site")
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    shutil.copytree(EXAMPLE / "src", folder, dirs_exist_ok=True)
    install(folder, project["name"], project["version"], project["entry-points"])
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "100"}
    environment["XDG_DATA_HOME"] = str(folder / "data")
    return subprocess.run(
        [sys.executable, "-P", *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def macprof(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "mac_profiler", *arguments)


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    done = macprof(folder, *arguments)
    assert (done.returncode, done.stderr) == (status, "")
    return done.stdout


# ----------------------------------------------------------------------------------------------------- the example


def test_the_formula_and_the_model_of_a_callable(example: Path) -> None:
    data = json.loads(run(example, "analyze", "--model", "example_tiny", "--arg", "width=4", "--format", "json"))
    triple = next(op for op in data["ops"] if op["target"] == "macprof_example.triple")
    assert (triple["flops"], triple["accesses"]) == (400, 800)
    assert data["totals"]["complete"]
    assert data["totals"]["mult_adds"] == 100 * 3 * 4


def test_the_family_by_its_names_and_the_format(example: Path) -> None:
    # 30 x 30 and 14 x 14 positions of 3x3 products, 3 -> 8 and 3 -> 16 channels.
    net = run(example, "analyze", "--model", "example_net", "--format", "headline")
    assert net.startswith("example_net: mult_adds=194400, flops=")
    wide = run(example, "analyze", "--model", "Example-Wide", "--output", "wide.headline")
    assert wide == ""
    assert "mult_adds=84672," in (example / "wide.headline").read_text()


def test_models_and_rules_are_listed(example: Path) -> None:
    models = {each["name"]: each for each in json.loads(run(example, "models", "--format", "json"))["models"]}
    assert models["example_net"]["family"] == "Example"
    assert models["example_tiny"]["family"] == "macprof-example 0.1"
    assert models["example_tiny"]["input_shape"] is None
    assert "example_tiny" in run(example, "models")
    assert "X101" in run(example, "rules")
    assert run(example, "rule", "sigmoid-activation").startswith("X101 sigmoid-activation: a sigmoid")


def test_the_rule_finds(example: Path) -> None:
    audit = ["audit", "--model", "example_tiny", "--platform", "nominal", "--select", "X1"]
    (finding,) = json.loads(run(example, *audit, "--format", "json", status=1))["findings"]
    assert (finding["code"], finding["count"]) == ("X101", 1)


def test_the_benchmark_is_measured(example: Path) -> None:
    out = run(example, "bench", "example", "--quick", "--format", "json")
    assert {"64 wide", "128 wide"} <= {each.get("case", each.get("name")) for each in json.loads(out)["cases"]}


# ------------------------------------------------------------------------------------------------ what it may cost


@pytest.mark.parametrize(
    "code",
    [
        "import mac_profiler",
        "from mac_profiler.cli import main; main(['--help'])",
        "from mac_profiler.cli import main; main(['models', '--help'])",
        "from mac_profiler.report import choose_format, formats; choose_format('json', 'x.md'); formats()",
        "from mac_profiler.adapters import zoo; zoo.lent('vgg16'), zoo.lent('shufflenet_v2')",
    ],
)
def test_who_needs_no_plugin_does_not_look_for_one(example: Path, code: str) -> None:
    looked = "from mac_profiler import plugins; print('looked', plugins.plugins_of.cache_info().currsize)"
    done = python(example, "-c", f"{code}\n{looked}")
    assert done.stdout.splitlines()[-1] == "looked 0", done.stderr


def test_help_does_not_import_what_reads_metadata(example: Path) -> None:
    code = "import sys, mac_profiler.cli; mac_profiler.cli.app(); print('importlib.metadata' in sys.modules)"
    assert python(example, "-c", code).stdout.strip() == "False"


# ------------------------------------------------------------------------------------------------- what is broken

BROKEN = {
    "formulas": "import mac_profiler\nmac_profiler.formula('half.done')(lambda op: mac_profiler.Cost())\n1 / 0\n",
    "rules": "raise SystemExit('no licence')\n",
    "family": "FAMILY = 'x' +\n",
    "poor": "FAMILY = 'x'\n",
    "odd": "FAMILY, INPUT = 'x', (1,)\nFAMILY = 'x'\nINPUT = (1,)\nVARIANTS = {'odd': 3}\n",
    "benchmark": "NAME = 'half'\n",
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    package = folder / "broken_things"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in BROKEN.items():
        (package / f"{name}.py").write_text(text)
    install(folder, "broken-things", "2.0", {
        "macprof.formulas": {"bad": "broken_things.formulas"},
        "macprof.rules": {"bad": "broken_things.rules"},
        "macprof.models": {
            "a": "broken_things.family", "b": "broken_things.poor", "c": "broken_things.none", "d": "broken_things.odd",
            "e": "broken_things.none:build", "f g": "broken_things.none:build",
        },
        "macprof.benchmarks": {"bad": "broken_things.benchmark"},
        "macprof.formats": {"bad": "broken_things.none:render"},
    })  # fmt: skip
    return folder


def told(done: subprocess.CompletedProcess[str], plugin: str) -> str:
    """The one line that tells of a plugin."""
    (line,) = [line for line in done.stderr.splitlines() if f"the plugin '{plugin}' of " in line]
    assert line.startswith("macprof: ")
    assert "Traceback" not in done.stderr
    return line


def test_a_broken_formula_is_left_out_whole_and_counting_goes_on(broken: Path) -> None:
    done = macprof(broken, "analyze", "--model", "shufflenet_v2_x0_5", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["totals"]["complete"]
    assert done.stderr == (
        "macprof: the plugin 'bad' of broken-things 2.0 is left out: ZeroDivisionError: division by zero\n"
    )
    code = "from mac_profiler.cost import FORMULAS; print('half.done' in FORMULAS, 'aten.relu' in FORMULAS)"
    assert python(broken, "-c", code).stdout.strip() == "False True"


def test_a_broken_rule_is_left_out(broken: Path) -> None:
    done = macprof(broken, "rules")
    assert (done.returncode, "G101" in done.stdout) == (0, True)
    assert told(done, "bad").endswith("is left out: SystemExit: no licence")
    assert done.stderr.count("\n") == 1


def test_broken_models_are_left_out(broken: Path) -> None:
    done = macprof(broken, "models", "--format", "json")
    names = {each["name"] for each in json.loads(done.stdout)["models"]}
    assert "shufflenet_v2_x1_0" in names
    assert not names & {"a", "b", "c", "d", "odd", "f g"}
    assert "SyntaxError" in told(done, "a")
    assert "no INPUT" in told(done, "b")
    assert "cannot be read" in told(done, "c")
    assert "VARIANTS" in told(done, "d")
    assert "no model can be named 'f g'" in told(done, "f g")
    # A callable is not imported before it is called.
    assert "e" in names
    asked = macprof(broken, "analyze", "--model", "e")
    assert asked.returncode == 2
    assert asked.stderr.splitlines()[-1] == (
        "macprof: no module named 'broken_things.none' (for 'broken_things.none'); is it installed?"
    )


def test_a_broken_benchmark_and_a_broken_format_are_left_out(broken: Path) -> None:
    done = python(broken, "-c", "from mac_profiler import benchmarks; print(*benchmarks.names())")
    assert "g1" in done.stdout.split()
    assert "half" not in done.stdout.split()
    assert "has not all of NAME" in told(done, "bad")
    # The format is imported when it is written with; one line then.
    done = macprof(broken, "platforms", "--format", "bad")
    assert (done.returncode, done.stdout) == (2, "")
    assert "failed: ModuleNotFoundError" in told(done, "bad")
    assert done.stderr.count("\n") == 1


RAISING = """
from mac_profiler.audit import rule

@rule("X9", "raises", limit=0, metric="x", remedy="y")
def check(subject, limit):
    raise ValueError("told\\nin lines")

@rule("X8", "returns-nothing", limit=0, metric="x", remedy="y")
def nothing(subject, limit):
    return None

NAME = TITLE = QUESTION = SOURCE = "raising"
def cases(settings, *, quick): return 1 / 0
def number(document, screen): return 7

from mac_profiler import formula
@formula("aten.mine")
def mine(op): return {}["x"]
"""


def test_what_raises_when_it_is_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "raising.py").write_text(RAISING)
    every = {f"macprof.{kind}": {kind: "raising"} for kind in ("rules", "benchmarks", "formulas")}
    install(tmp_path, "raising", "1", {**every, "macprof.formats": {"seven": "raising:number"}})
    audit = ["audit", "--model", "shufflenet_v2_x0_5", "--platform", "nominal"]
    for arguments, plugin, reason in (
        ([*audit, "--select", "X9"], "rules", "failed: ValueError: told in lines"),
        ([*audit, "--select", "X8"], "rules", "failed: TypeError"),
        (["bench", "raising"], "benchmarks", "failed: ZeroDivisionError"),
        (["platforms", "--format", "seven"], "seven", "rendered int"),
    ):
        done = macprof(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in told(done, plugin)
        assert done.stderr.count("\n") == 1
    code = (
        "from mac_profiler.cost import FORMULAS\n"
        "try: FORMULAS['aten.mine'](None)\n"
        "except Exception as error: print(error)"
    )
    assert "the plugin 'formulas' of raising 1 failed: KeyError: 'x'" in python(tmp_path, "-c", code).stdout


# --------------------------------------------------------------------------------------------------- what is taken

TAKEN = """
from mac_profiler import formula, Cost
from mac_profiler.audit import rule
FAMILY = "x"
INPUT = (1,)
VARIANTS = {"ShuffleNet-V2": {}}
NAME = "g1"
TITLE = QUESTION = SOURCE = "x"
def cases(settings, *, quick): return []
def render(document, screen): return ""
"""


def test_a_name_that_is_taken_is_refused_with_both_origins(tmp_path: Path) -> None:
    (tmp_path / "taken.py").write_text(TAKEN)
    (tmp_path / "taken_formula.py").write_text(TAKEN + "formula('aten.relu')(lambda op: Cost())\n")
    (tmp_path / "taken_rule.py").write_text(
        TAKEN + "rule('G101', 'x', limit=0, metric='x', remedy='x')(lambda subject, limit: iter(()))\n"
    )
    kinds = {"models": "taken", "benchmarks": "taken", "formulas": "taken_formula", "rules": "taken_rule"}
    install(tmp_path, "taken", "1", {
        **{f"macprof.{kind}": {kind: module} for kind, module in kinds.items()},
        "macprof.formats": {"json": "taken:render", "sarif": "taken:render"},
    })  # fmt: skip
    code = """
from mac_profiler import benchmarks, models, report
from mac_profiler.audit import RULES
from mac_profiler.cost import FORMULAS
print(len(models.names()) > 100, RULES["G101"].name, FORMULAS["aten.relu"].__module__, benchmarks.find("g1").__name__)
try: report.choose_format("none", None, ["sarif"])
except Exception: print(report.formats())
"""
    done = python(tmp_path, "-c", code)
    assert done.stdout.splitlines() == [
        "True unequal-channel-width mac_profiler.formulas.elementwise mac_profiler.benchmarks.g1_channel_width",
        "['csv', 'json', 'markdown', 'text']",
    ]
    for plugin, origin in (
        ("models", "'ShuffleNet-V2' is in mac_profiler.zoo.shufflenet_v2"),
        ("rules", "'G101' is registered already, by mac_profiler.rules.g101_unequal_channel_width"),
        ("formulas", "'aten.relu' is registered already, by mac_profiler.formulas.elementwise"),
        ("benchmarks", "'g1', is macprof's own mac_profiler.benchmarks.g1_channel_width"),
        ("json", "'json' is macprof's own"),
        ("sarif", "'sarif' is macprof's own"),
    ):
        line = told(done, plugin)
        assert line.startswith(f"macprof: the plugin '{plugin}' of taken 1 is left out: ")
        assert origin in line


def test_of_two_plugins_with_one_name_the_first_is_kept(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("from mac_profiler import formula, Cost\nformula('my.op')(lambda op: Cost(1))\n")
    (tmp_path / "second.py").write_text(
        "from mac_profiler import formula, Cost\nformula('my.op')(lambda op: Cost(2))\n"
    )
    for name in ("second", "first"):
        install(tmp_path, name, "1", {
            "macprof.formulas": {"own": name}, "macprof.models": {"net": f"{name}:build"},
            "macprof.formats": {"line": f"{name}:render"},
        })  # fmt: skip
    code = """
from mac_profiler import models, report
from mac_profiler.cost import FORMULAS
print(FORMULAS["my.op"](None).mult_adds, models.names().count("net"), report.choose_format("line", None))
"""
    done = python(tmp_path, "-c", code)
    assert done.stdout.strip() == "1 1 line"
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all("of second 1 is left out" in line and "of first 1" in line for line in lines)


def test_damaged_metadata_of_anybody_is_one_line(tmp_path: Path) -> None:
    install(tmp_path, "damaged", "1", {})
    (tmp_path / "damaged-1.dist-info" / "entry_points.txt").write_bytes(b"[macprof.rules]\nno equals sign\n\xff")
    done = macprof(tmp_path, "rules")
    assert (done.returncode, "G101" in done.stdout) == (0, True)
    assert done.stderr.startswith("macprof: no plugin is loaded: the metadata of the installed packages")
    assert done.stderr.count("\n") == 1


def test_a_thing_registered_twice_names_who_was_first() -> None:
    things: Registry[object] = Registry("formula", "mac_profiler.formulas")
    things.register("new.thing", object())
    with pytest.raises(DuplicateName, match=r"'new.thing' is registered already, by "):
        things.register("new.thing", object())
