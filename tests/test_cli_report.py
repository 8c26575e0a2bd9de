"""`macprof report`: what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mac_profiler.cli import main

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        print("built")
        self.layer = nn.Linear(3, width)

    def forward(self, x):
        print("called")
        return self.layer(x)


@torch.library.custom_op("report_tests::odd", mutates_args=())
def odd(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@odd.register_fake
def _(x):
    return torch.empty_like(x)


class Odd(nn.Module):
    def forward(self, x):
        return odd(x)
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    file = tmp_path / "net.py"
    file.write_text(NET)
    return str(file)


def test_a_page_of_two_models_is_written(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    given = ["report", "shufflenet_v2", "--model", "mobilenet_v2", "--platform", "nominal", "-o", str(place)]
    assert main(given) == 0
    page = place.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.index("The models side by side") < page.index('id="model-0"') < page.index('id="model-1"')
    assert len(page.encode()) < 6_000_000


def test_what_a_model_prints_stays_out_of_the_page(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", f"{net}:Net", "--input", "4x3", "--arg", "width=5", "--platform", "nominal"]) == 0
    written = capsys.readouterr()
    assert written.out.startswith("<!doctype html>")
    assert "multiply-adds</dt><dd><strong>60</strong>" in written.out
    assert "built" in written.err
    assert "called" in written.err


def test_what_was_not_counted_is_said(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", f"{net}:Odd", "--input", "4x3", "--platform", "nominal"]) == 0
    page = capsys.readouterr().out
    assert "lower bound: 1 operator not counted: report_tests.odd (1)" in page
    assert "Complete: every" not in page
    assert "<strong>≥ 0</strong>" in page


@pytest.mark.parametrize("form", ["model-explorer", "node-data", "perfetto", "speedscope"])
def test_an_export_is_written_instead(form: str, tmp_path: Path) -> None:
    place = tmp_path / "file.json"
    assert main(["report", "shufflenet_v2", "--platform", "nominal", "--export", form, "-o", str(place)]) == 0
    assert json.loads(place.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no model is given; name one or several, such as shufflenet_v2"),
        (["shufflenet_v9"], "no model named 'shufflenet_v9'. Did you mean"),
        (["shufflenet_v2", "--export", "perfeto"], "--export cannot be 'perfeto'. Did you mean 'perfetto'?"),
        (["shufflenet_v2", "-o", "/nowhere/to/report.html"], "the folder '/nowhere/to' does not exist"),
        (["mobilenet_v2", "-i", "3x3"], "mobilenet_v2: the model's forward raised"),
        (["shufflenet_v2", "--platform", "unheard-of"], "no platform named 'unheard-of'"),
        (["shufflenet_v2", "--batch", "0"], "--batch"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *given]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert said in written.err
    assert written.err.count("\n") == 1
