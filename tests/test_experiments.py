"""Every experiment runs and leaves its report; what the reports derive from samples is derived right."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments import peers
from experiments.conformance.judge import culprits, judge
from experiments.reporting.forking import ChildFailed, run_forked
from experiments.speed.derived import lines

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_leaves_its_report(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"experiments.{path.stem}", "--smoke", "--output", str(tmp_path / "report")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr
    made = {file.name: file for file in (tmp_path / "report").iterdir()}
    four = {"results.json", "table.md", "figure.svg", "figure.png"}
    # A report may have more, in folders.
    assert {name for name, file in made.items() if file.is_file()} == four
    assert all(made[name].stat().st_size > 500 for name in four)
    environment = json.loads(made["results.json"].read_text(encoding="utf-8"))["environment"]
    table = made["table.md"].read_text(encoding="utf-8")
    assert {"date", "device", "python", "torch"} <= set(environment)
    assert all(value in table for value in environment.values())


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_says_what_it_asks(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert all(f"\n{heading}:" in docstring for heading in ("Question", "Expectation", "Source"))


@pytest.mark.parametrize("name", peers.names())
def test_a_peer_keeps_the_contract(name: str) -> None:
    peer = peers.find(name)
    assert peer.NAME
    assert peer.CONVENTION
    assert peer.FACTOR in (1, 2)
    assert isinstance(peer.REFUSES_COPIES, bool)
    assert all(callable(each) for each in (peer.load, peer.count, peer.examine))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"count": 200, "left_out": []}, "right"),
        ({"count": 214, "left_out": []}, "right"),
        ({"count": 230, "left_out": []}, "silently wrong"),
        ({"count": 230, "left_out": ["aten::bmm"]}, "silently wrong"),
        ({"count": 100, "left_out": []}, "silently wrong"),
        ({"count": 100, "left_out": ["aten::relu_", "aten.view", "BatchNorm2d"]}, "silently wrong"),
        ({"count": 100, "left_out": ["aten::relu_", "aten::scaled_dot_product_attention"]}, "disclosed"),
        ({"error": "RuntimeError"}, "crashed"),
    ],
)
def test_judge(answer: dict[str, object], outcome: str) -> None:
    # 100 multiply-adds, two of the peer's flops each, and up to 7 operations besides.
    assert judge(answer, factor=2, expected=100, allowance=7) == outcome


def test_without_allowance_only_the_number_itself_is_right() -> None:
    assert judge({"count": 101, "left_out": []}, 1, 100, 0) == "silently wrong"


@pytest.mark.parametrize("name", ["aten::matmul", "aten.addbmm", "einsum", "LSTM", "Function", "my::product"])
def test_what_may_hold_products_is_a_culprit(name: str) -> None:
    assert culprits([name]) == [name]


@pytest.mark.parametrize(
    "name", ["aten::add_", "aten.max_pool2d_with_indices", "native_layer_norm", "Dropout2d", "GELU"]
)
def test_what_holds_no_products_is_none(name: str) -> None:
    assert culprits([name]) == []


def test_a_copy_gives_its_result_or_says_why_not() -> None:
    assert run_forked(lambda: {"pid": os.getpid()}, 20)["pid"] != os.getpid()
    with pytest.raises(ChildFailed, match="ZeroDivisionError"):
        run_forked(lambda: 1 // 0, 20)
    with pytest.raises(ChildFailed, match="SystemExit"):
        run_forked(lambda: sys.exit(3), 20)
    with pytest.raises(ChildFailed, match="SIGKILL"):
        run_forked(lambda: os.kill(os.getpid(), signal.SIGKILL), 20)
    with pytest.raises(ChildFailed, match=r"timed out after 0\.2 s"):
        run_forked(lambda: time.sleep(60), 0.2)


def test_only_shared_rounds_are_compared() -> None:
    first = [
        {"peer": name, "load_seconds": 0.5, "seconds": 1.0, "count": 8, "peak_bytes": None}
        for name in ("macprof", "other")
    ]
    failed = {"peer": "broken", "load_seconds": None, "error": "ImportError: gone"}
    warm = [{"macprof": 1.0, "other": 4.0}, {"macprof": 100.0}, {"macprof": 2.0, "other": 8.0}]
    other, own, broken = sorted(
        lines({"first": [*first, failed], "warm": warm}, ["macprof", "other", "broken"]),
        key=lambda line: ("other", "macprof", "broken").index(line.peer),
    )
    assert other.slower is not None
    assert other.slower.value == 4.0
    assert other.first_with_import == 1.5
    assert own.warm is not None
    assert own.warm.value == 2.0
    assert broken.error == "ImportError: gone"
