"""`macprof audit` in a project: settings, baseline, budget, formats, measured gains; `macprof rule` and `rules`."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from mac_profiler.audit import RULES
from mac_profiler.cli import main
from mac_profiler.layout import cells
from mac_profiler.measurement import Case
from mac_profiler.plan import SKETCHES, Plan
from tests.machines import measured

# Finds G101 at "1" and G201 at "2", and G402 at "3" as a note; WIDER finds one more place of G201.
NET = """
import torch
from torch import nn


def build():
    return nn.Sequential(
        nn.Conv2d(3, 32, 1),
        nn.Conv2d(32, 256, 1),
        nn.Conv2d(256, 256, 3, padding=1, groups=32),
        nn.ReLU(),
        nn.Conv2d(256, 256, 1),
    )
"""
WIDER = NET.replace(
    "        nn.ReLU(),\n", "        nn.ReLU(),\n        nn.Conv2d(256, 256, 3, padding=1, groups=16),\n"
)
CLEAN = """
from torch import nn


def build():
    return nn.Sequential(nn.Conv2d(3, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3)).eval()
"""
UNCOUNTED = """
import torch
from torch import nn


@torch.library.custom_op("audited_user::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x + x


@twice.register_fake
def _(x):
    return torch.empty_like(x)


class Twice(nn.Module):
    def forward(self, x):
        return twice(x)


def build():
    return nn.Sequential(nn.Conv2d(3, 32, 3), Twice())
"""
AUDIT = ("--model", "net.py:build", "--input", "1x3x56x56")
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model, without a calibrated machine, and a narrow terminal."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    Path("net.py").write_text(NET, encoding="utf-8")
    return tmp_path / "work"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Status and output; nothing is said besides."""
    capsys.readouterr()
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert captured.err == ""
    return status, captured.out


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status, out = run(capsys, "audit", *arguments, "--output-format", "json")
    return status, json.loads(out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("macprof: ")
    assert captured.err.count("\n") == 1
    return captured.err


def codes(data: Any) -> set[str]:
    return {each["code"] for each in data["findings"]}


def settle(text: str, file: str = "pyproject.toml") -> None:
    Path(file).write_text(f"[tool.macprof]\n{text}\n", encoding="utf-8")


# ------------------------------------------------------------------------------------------------------------ settings


def test_the_status_says_whether_there_is_more_than_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = told(capsys, *AUDIT)
    assert (status, codes(data)) == (1, {"G101", "G201", "G402"})
    assert data["summary"].endswith(f", 1 note at 3 places in 5 operators by {len(RULES)} rules.")
    assert told(capsys, *AUDIT, "--exit-zero")[0] == 0
    status, data = told(capsys, *AUDIT, "--ignore", "G1,G2")
    assert (status, [each["severity"] for each in data["findings"]]) == (0, ["info"])
    status, data = told(capsys, *AUDIT, "--select", "G103")
    assert (status, data["findings"], data["summary"]) == (0, [], "Found nothing in 5 operators by 1 rule.")


@pytest.mark.parametrize(
    ("settings", "arguments", "found"),
    [
        ('select = ["G2"]', (), {"G201"}),
        ('select = ["G2"]', ("--select", "G1"), {"G101"}),
        ('select = ["G2"]', ("--extend-select", "G1"), {"G101", "G201"}),
        ('ignore = ["G1"]', (), {"G201", "G402"}),
        ('ignore = ["G1"]', ("--select", "ALL"), {"G101", "G201", "G402"}),
        ('ignore = ["G101"]', ("--extend-select", "G1"), {"G101", "G201", "G402"}),
        ('select = ["G1", "G201"]', ("--ignore", "G2"), {"G101"}),
        ("", ("--select", "G1", "--select", "G402"), {"G101", "G402"}),
        ("", ("--select", "many-groups"), {"G201"}),
        ("", ("--select", "G2", "--ignore", "G201"), set()),
        ("limits = { G101 = 9 }", (), {"G201", "G402"}),
        ("limits = { G101 = 9 }", ("--limit", "G101=1.1"), {"G101", "G201", "G402"}),
        ("limits = { G101 = 9 }", ("--limit", "many-groups=99,G402=5"), set()),
        ('min-severity = "warning"', (), {"G101", "G201"}),
        ('min-severity = "warning"', ("--min-severity", "info"), {"G101", "G201", "G402"}),
        ('per-module-ignore = { "2" = ["G2"] }', ("--select", "ALL"), {"G101", "G402"}),
    ],
)
def test_what_is_given_outweighs_the_file(
    capsys: pytest.CaptureFixture[str], settings: str, arguments: tuple[str, ...], found: set[str]
) -> None:
    settle(settings)
    status, data = told(capsys, *AUDIT, *arguments)
    assert (status, codes(data)) == (1 if found & {"G101", "G201"} else 0, found)


def test_what_is_left_out_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    settle('min-severity = "warning"\nper-module-ignore = { "2" = ["G2"] }')
    _, data = told(capsys, *AUDIT)
    assert data["silenced"] == {"by a comment": 0, "by per-module-ignore": 1, "below the least severity": 1}
    said = " ".join(run(capsys, "audit", *AUDIT)[1].split())
    assert "1 left out by per-module-ignore; 1 left out below the least severity." in said


def test_settings_are_found_from_below_and_named_by_hand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle('select = ["G2"]\nbudget = { parameters = "1k" }')
    Path("other").mkdir()
    settle('select = ["G1"]', "other/pyproject.toml")
    Path("flat.toml").write_text('select = ["G402"]\n', encoding="utf-8")
    Path("below").mkdir()
    monkeypatch.chdir("below")
    model = ("--model", "../net.py:build", *AUDIT[2:])
    _, data = told(capsys, *model)
    assert (codes(data), data["budget"][0]["limit"]) == ({"G201"}, 1000)
    assert codes(told(capsys, *model, "--config", "../other/pyproject.toml")[1]) == {"G101"}
    assert codes(told(capsys, *model, "--config", "../flat.toml")[1]) == {"G402"}


def test_a_slip_in_the_settings_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for text, said in (
        ('selct = ["G2"]', "no setting is named 'selct'. Did you mean 'select'?"),
        ('select = ["G2', "cannot read"),
        ('select = "G2"', "write a list of texts"),
        ('ignore = ["G9"]', "ignore: no rule is 'G9'"),
        ('min-severity = "note"', "no severity is 'note'"),
        ("limits = { G101 = '1' }", "the limit of G101 cannot be '1'"),
        ("budget = { mult_adds = -1 }", "mult_adds"),
        ("exit-zero = 1", "write true or false"),
        ('baseline = "none.json"', "none.json"),
    ):
        settle(text)
        assert said in refused(capsys, "audit", *AUDIT)


# ------------------------------------------------------------------------------------------------------------ baseline


def test_a_baseline_leaves_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = told(capsys, *AUDIT, "--write-baseline", "known.json")
    assert status == 0
    assert "3 places written to known.json, known from now on." in data["notes"]
    known = ("--baseline", "known.json")
    status, data = told(capsys, *AUDIT, *known)
    assert (status, data["findings"], data["silenced"]["in the baseline"]) == (0, [], 3)
    Path("net.py").write_text(WIDER, encoding="utf-8")
    status, data = told(capsys, *AUDIT, *known)
    assert status == 1
    assert [(each["code"], each["path"]) for each in data["findings"]] == [("G201", "4")]
    assert data["findings"][0]["source"] == f"net.py:{1 + WIDER[: WIDER.index('groups=16')].count(chr(10))}"
    Path("net.py").write_text(CLEAN, encoding="utf-8")
    status, data = told(capsys, *AUDIT, *known)
    assert status == 0
    assert any("places of the baseline are gone" in note for note in data["notes"])


def test_a_baseline_is_not_damaged(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "audit", *AUDIT, "--write-baseline", "known.json")[0] == 0
    before = Path("known.json").read_bytes()
    write = (*AUDIT, "--write-baseline", "known.json")
    Path("net.py").write_text("def build():\n    raise ValueError\n", encoding="utf-8")
    refused(capsys, "audit", *write)
    assert Path("known.json").read_bytes() == before
    Path("net.py").write_text(NET, encoding="utf-8")
    refused(capsys, "audit", *write, "--budget", "mult_add=1")
    assert Path("known.json").read_bytes() == before
    # Another model's findings are kept beside.
    Path("clean.py").write_text(CLEAN, encoding="utf-8")
    run(capsys, "audit", "--model", "clean.py:build", *AUDIT[2:], "--write-baseline", "known.json")
    assert sorted(json.loads(Path("known.json").read_text())["models"]) == ["clean.py:build", "net.py:build"]
    assert told(capsys, *AUDIT, "--baseline", "known.json")[1]["findings"] == []


# -------------------------------------------------------------------------------------------------------------- budget


def test_a_budget_is_kept_or_exceeded(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = (*AUDIT, "--select", "G103")
    status, data = told(capsys, *quiet, "--budget", "mult_adds=1G, accesses=20M,parameters=3M")
    assert (status, [item["exceeded"] for item in data["budget"]]) == (0, [False] * 3)
    found = data["budget"][2]["found"]
    assert told(capsys, *quiet, "--budget", f"parameters={found}")[0] == 0
    status, data = told(capsys, *quiet, "--budget", f"parameters={found - 1},op_count=9")
    assert (status, [item["exceeded"] for item in data["budget"]]) == (1, [True, False])
    assert data["summary"].endswith("; over budget: parameters.")
    status, out = run(capsys, "audit", *quiet, "--budget", "mult_adds=1M", "--exit-zero")
    assert status == 0
    assert "over budget" in out


def test_a_budget_of_what_was_not_counted_is_not_called_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(UNCOUNTED, encoding="utf-8")
    status, out = run(capsys, "audit", *AUDIT, "--budget", "mult_adds=1G,parameters=1M")
    assert status == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith(("mult_adds", "parameters"))}
    assert rows["mult_adds"].endswith("not all is counted")
    assert rows["parameters"].endswith("kept")
    assert "not counted, so not judged: audited_user.twice (1)" in out
    status, data = told(capsys, *AUDIT, "--budget", "mult_adds=1k")
    assert (status, data["budget"][0]["exceeded"], data["complete"]) == (1, True, False)


# ------------------------------------------------------------------------------------------------------------- formats


def test_every_format_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    budget = (*AUDIT, "--budget", "parameters=1k")
    _, data = told(capsys, *budget)
    expected = {(each["code"], each["source"]) for each in data["findings"]}

    def written(form: str) -> str:
        status, out = run(capsys, "audit", *budget, "--output-format", form)
        assert status == 1
        assert "\x1b" not in out
        return out

    log = json.loads(written("sarif"))
    assert not list(Draft7Validator(SCHEMA).iter_errors(log))
    results = [each for each in log["runs"][0]["results"] if each["ruleId"] != "budget"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert {
        (each["ruleId"], f"{place['artifactLocation']['uri']}:{place['region']['startLine']}")
        for each, place in zip(results, places, strict=True)
    } == expected
    suite = ElementTree.fromstring(written("junit"))  # noqa: S314 - written by this project
    assert {case.attrib["name"].split()[0] for case in suite.iter("testcase") if case.find("failure") is not None} == {
        "G101", "G201", "budget",
    }  # fmt: skip
    lines = written("github").splitlines()
    levels = {"error": "::error", "warning": "::warning", "info": "::notice"}
    assert [line.split()[0] for line in lines] == ["::error", *(levels[each["severity"]] for each in data["findings"])]
    assert "file=net.py,line=" in lines[1]
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert {(row["code"], row["place"]) for row in rows} == expected
    for form in ("markdown", "text"):
        out = written(form)
        assert all(code in out and source in out for code, source in expected)


@pytest.mark.parametrize(("file", "begins"), [("a.json", "{"), ("a.csv", "code"), ("a.md", "#"), ("a.sarif", "{")])
def test_the_ending_of_a_file_names_its_format(capsys: pytest.CaptureFixture[str], file: str, begins: str) -> None:
    assert run(capsys, "audit", *AUDIT, "--output", file) == (1, "")
    assert Path(file).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize("width", ["80", "140"])
@pytest.mark.parametrize("model", ["net.py:build", "shufflenet_v2_x0_5", "squeezenet", "resnet50"])
def test_text_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, model: str, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    _, out = run(capsys, "audit", "--model", model, "--blocks", "--budget", "mult_adds=1M,peak_activation_bytes=1M")
    assert max(map(cells, out.splitlines())) <= int(width)
    _, data = told(capsys, "--model", model)
    assert len(data["findings"]) > 0
    if width == "140":
        assert all(each["source"] in out for each in data["findings"])


def test_a_real_process_that_is_piped(folder: Path) -> None:
    def piped(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mac_profiler", "audit", *AUDIT, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "TERM": "xterm-256color"},
            check=False,
        )

    found = piped()
    assert (found.returncode, found.stderr) == (1, "")
    assert "\x1b" not in found.stdout
    assert ", 1 note at 3 places in 5 operators" in found.stdout
    assert piped("--exit-zero", "--output-format", "json").returncode == 0
    failed = piped("--select", "G9")
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (2, "", 1)


# ------------------------------------------------------------------------------------------------------------ measured


def test_what_a_remedy_brings_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    small = ("--model", "net.py:build", "--input", "1x3x16x16", "--select", "G201", "--measure")
    _, data = told(capsys, *small)
    (finding,) = data["findings"]
    gain = finding["gain"]
    assert gain["verdict"] in ("faster", "same", "slower", "ambiguous")
    assert 0 < gain["low"] <= gain["ratio"] <= gain["high"]
    assert min(gain["seconds"], gain["remedy_seconds"]) > 0
    assert "32 groups" in gain["subject"]


@pytest.mark.parametrize(
    ("ratio", "verdict", "status", "said"),
    [
        (0.5, "faster", 1, "the remedy takes 50.0% less"),
        (1.0, "same", 0, "it gains nothing here, the remedy takes the same"),
        (1.5, "slower", 0, "it gains nothing here, the remedy is slower"),
    ],
)
def test_no_gain_is_not_called_one(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ratio: float,
    verdict: str,
    status: int,
    said: str,
) -> None:
    def conduct(plan: Plan, *_: object, **__: object) -> Any:
        cases = [Case(SKETCHES, group, name) for group, name, _ in plan.sketches]
        return SimpleNamespace(
            measurements=tuple(measured(case, ratio * 1e-3 if case.name == "remedy" else 1e-3) for case in cases)
        )

    monkeypatch.setattr("mac_profiler.conduct.conduct", conduct)
    wanted = (*AUDIT, "--select", "G1,G2", "--measure")
    found, data = told(capsys, *wanted)
    assert found == status
    assert {each["gain"]["verdict"] for each in data["findings"]} == {verdict}
    assert [each["gain"]["ratio"] for each in data["findings"]] == pytest.approx([ratio] * 2)
    text = " ".join(run(capsys, "audit", *wanted)[1].split())
    assert text.count(said) == 2
    assert verdict == "faster" or " less" not in text.replace("at least", "")


def test_what_is_rewritten_keeps_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(CLEAN, encoding="utf-8")
    status, data = told(capsys, *AUDIT, "--fix-preview")
    preview = data["preview"]
    assert status == 0
    assert preview["equal"]
    assert [each["code"] for each in preview["rewrites"]] == ["G401"]
    assert preview["ops_after"] == preview["ops_before"] - 1
    assert preview["accesses_after"] < preview["accesses_before"]
    said = " ".join(run(capsys, "audit", *AUDIT, "--fix-preview")[1].split())
    assert "Rewritten at 1 place, the model runs 3 operators instead of 4" in said
    assert "its outputs agree" in said
    Path("net.py").write_text(NET, encoding="utf-8")
    assert "Nothing was rewritten" in run(capsys, "audit", *AUDIT, "--fix-preview")[1]


def test_shufflenet_is_rewritten(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, "audit", "--model", "shufflenet_v2_x0_5", "--fix-preview")
    rewritten = [line.split()[:3] for line in out.partition("\nRewritten\n")[2].splitlines() if line.startswith("G4")]
    assert {code: int(times) for code, _, times in rewritten}["G401"] == 56
    assert {code for code, *_ in rewritten} == {"G401", "G406"}
    assert "its outputs agree" in " ".join(out.split())


# --------------------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize("name", ["g101", "G101", "unequal-channel-width"])
def test_the_manual_of_a_rule(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out = run(capsys, "rule", name)
    assert status == 0
    assert out.startswith("G101 unequal-channel-width: ")
    assert all(f"\n## {heading}" in out for heading in ("What it does", "Why is this bad?", "Example", "Use instead"))
    assert f"Limit: {RULES['G101'].limit:g}" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("G109", "no rule is 'G109'. Did you mean"),
        ("many-group", "no rule is 'many-group'. Did you mean 'many-groups'?"),
        ("", "'macprof rules' lists them"),
    ],
)
def test_an_unknown_rule_is_one_line(capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    assert said in refused(capsys, "rule", name)


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(run(capsys, "rules", "--format", "json")[1])
    assert data["schema_version"] == 1
    assert [each["code"] for each in data["rules"]] == list(RULES)
    assert all(each["manual"].startswith(f"{each['code']} {each['name']}: ") for each in data["rules"])
    out = run(capsys, "rules")[1]
    assert max(map(cells, out.splitlines())) <= 80
    assert all(f"{code}  {RULES[code].name}" in out for code in RULES)
    assert "the folder 'none' does not exist" in refused(capsys, "rules", "--output", "none/rules.md")
