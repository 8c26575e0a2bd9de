"""What a user's own code prints or warns stays out of the document and out of the line of a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mac_profiler.cli import main

NET = """
import warnings
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        print("built")
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        print("called")
        warnings.warn("take care")
        return self.layer(x)

class Broken(Net):
    def forward(self, x):
        warnings.warn("take care")
        raise ValueError("\\x1b[31mred\\x1b[0m words")
"""


VERBS = {
    "analyze": ["--model", "net.py:Net", "--input", "4x3", "--format", "json"],
    "audit": ["--model", "net.py:Net", "--input", "4x3", "--platform", "nominal", "--output-format", "sarif"],
    "bench": [
        "--model",
        "net.py:Net",
        "--input",
        "4x3",
        "--max-seconds",
        "0.02",
        "--processes",
        "1",
        "--format",
        "json",
    ],
    "compare": ["net.py:Net", "net.py:Other", "--input", "4x3", "--platform", "nominal", "--format", "json"],
    "diff": ["net.py:Net", "net.py:Other", "--input", "4x3", "--format", "json"],
    "report": ["net.py:Net", "--input", "4x3", "--platform", "nominal", "--export", "speedscope"],
    "why": ["--model", "net.py:Net", "--input", "4x3", "--platform", "nominal", "--format", "json"],
}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mac_profiler", "analyze", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_model_prints_stays_out_of_what_any_verb_writes(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(NET + "Other = Net\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    capsys.readouterr()
    status = main([verb, *VERBS[verb]])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert json.loads(captured.out)
    assert "built" in captured.err


def test_a_mistake_of_macprofs_own_does_not_look_like_findings(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "run.py").write_text(
        "import sys\nfrom mac_profiler import api\nfrom mac_profiler.cli import main\n"
        "def mistaken(*_, **__): raise KeyError('of ours')\n"
        "api.audit_named = mistaken\nsys.exit(main(['audit', '--model', 'net.py:Net']))\n"
    )
    for shown in ("", "1"):
        environment = {**os.environ, "MACPROF_TRACEBACK": shown}
        done = subprocess.run(
            [sys.executable, "run.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ("Traceback" in done.stderr) == bool(shown)
        if not shown:
            assert done.returncode == 2
            assert done.stderr.startswith("macprof: a mistake in macprof, KeyError: 'of ours'")
            assert done.stderr.count("\n") == 1


def test_what_a_model_prints_stays_out_of_the_document(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    done = run(tmp_path, "--model", "net.py:Net", "--input", "4x3", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["mult_adds"] == 4 * 3 * 2
    assert "built" in done.stderr
    assert "called" in done.stderr


def test_a_failure_is_one_line_without_warnings_or_colours(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET.replace('print("built")', "pass"))
    done = run(tmp_path, "--model", "net.py:Broken", "--input", "4x3")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "red words" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_file_within_a_package_may_import_its_siblings(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "block.py").write_text("from torch import nn\ndef block(): return nn.Linear(3, 2)\n")
    (package / "net.py").write_text("from .block import block\ndef build(): return block()\n")
    done = run(tmp_path, "--model", "pack/net.py:build", "--input", "4x3", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["mult_adds"] == 24


def test_a_closed_standard_output_is_told(tmp_path: Path) -> None:
    command = f"{sys.executable} -m mac_profiler analyze --model shufflenet_v2 >&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "macprof: standard output is closed; give a file with --output\n"
