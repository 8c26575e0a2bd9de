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


@pytest.mark.parametrize("room", sorted(path.parent.name for path in (ROOT / "mac_profiler").glob("*/__init__.py")))
def test_every_room_is_on_the_map(room: str) -> None:
    assert f"  {room}/" in README


def test_every_command_shown_has_options_that_exist() -> None:
    known = subprocess.run(
        [sys.executable, "-m", "mac_profiler", "analyze", "--help"], capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(r"^\$ (macprof analyze [^#\n]*)", README, re.MULTILINE)
    assert len(lines) >= 5
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
