"""What the README shows is what the program does."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_output_shown_is_the_output() -> None:
    shown = re.search(r"80 columns wide\):\n\n```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    command = [sys.executable, "-m", "mac_profiler", "analyze", "--model", "shufflenet_v2", "--depth", "1"]
    printed = subprocess.run(
        command, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True
    ).stdout
    assert printed.startswith(shown[1])


def test_the_finding_shown_is_what_the_audit_says() -> None:
    shown = re.search(r"```text\n(G202 .*?)  Measured here", README, re.DOTALL)
    assert shown is not None
    command = [sys.executable, "-m", "mac_profiler", "audit", "--model", "shufflenet_v1"]
    command += ["--platform", "nominal", "--select", "G202"]
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    assert shown[1] in ran.stdout


def test_the_settings_shown_are_read(tmp_path: Path) -> None:
    from mac_profiler import api

    shown = re.search(r"```toml\n(\[tool\.macprof\].*?)```", README, re.DOTALL)
    assert shown is not None
    (tmp_path / "pyproject.toml").write_text(shown[1], encoding="utf-8")
    settings = api.audit_settings(str(tmp_path / "pyproject.toml"))
    assert settings.budget == {"mult_adds": 150_000_000, "parameters": 3_000_000}
    assert settings.limits == {"G101": 1.25}


def test_the_pre_commit_hook_shown_is_the_hook() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    named = re.search(r"hooks:\n\s+- id: (\S+)", README)
    assert named is not None
    assert f"id: {named[1]}" in hooks


@pytest.mark.parametrize("room", sorted(path.parent.name for path in (ROOT / "mac_profiler").glob("*/__init__.py")))
def test_every_room_is_on_the_map(room: str) -> None:
    assert f"  {room}/" in README


@pytest.mark.parametrize(("verb", "least"), [("analyze", 5), ("audit", 5)])
def test_every_command_shown_has_options_that_exist(verb: str, least: int) -> None:
    known = subprocess.run(
        [sys.executable, "-m", "mac_profiler", verb, "--help"], capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(rf"(?:^\$ |run: )(macprof {verb} [^#\n]*)", README, re.MULTILINE)
    assert len(lines) >= least
    for line in lines:
        for word in shlex.split(line):
            if word.startswith("--"):
                assert word in known, line


def test_the_python_shown_runs() -> None:
    import torch

    import mac_profiler

    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None

    class Model(torch.nn.Module):
        def forward(self, images: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            return images * lengths.sum()

    names = {"model": Model(), "images": torch.zeros(2, 3), "lengths": torch.ones(2)}
    exec(compile(code[1], "README.md", "exec"), names)  # noqa: S102  # the README's own example
    assert isinstance(names["profile"], mac_profiler.Profile)
    assert "my_library.my_operator" in __import__("mac_profiler.cost", fromlist=["FORMULAS"]).FORMULAS
