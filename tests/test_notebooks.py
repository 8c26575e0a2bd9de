"""Every notebook runs, and what is kept in it is what it shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from experiments.reporting.notebooks import MEASURED, NOTEBOOKS, QUICK, tidied

ROOT = NOTEBOOKS.parent
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
LARGEST = 300_000
# What is the same on every machine, and what a reader of the file sees of it.
TEXTS = ("text/plain", "text/markdown", "text/html")


def read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def code_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown_by(cell: Mapping[str, Any]) -> list[Any]:
    """Outputs of a cell: texts whole, of a figure that there is one."""
    found = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        texts = {kind: data[kind] for kind in TEXTS if kind in data}
        found.append({"printed": output.get("text"), "figure": "image/png" in data} | texts)
    return found


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the notebooks read: their own folder and the samples of the reports."""
    folder = tmp_path_factory.mktemp("copied")
    shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copytree(ROOT / "reports", folder / "reports", ignore=shutil.ignore_patterns("*.png", "*.svg"))
    return folder


def test_there_are_notebooks() -> None:
    assert len(PATHS) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_kept(path: Path, workplace: Path) -> None:
    copied = workplace / "notebooks" / path.name
    command = [sys.executable, "-m", "experiments.reporting.notebooks", "--quick", str(copied)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr
    made = read(copied)
    assert [cell["id"] for cell in made["cells"]] == [cell["id"] for cell in read(path)["cells"]]
    for new, kept in zip(code_cells(made), code_cells(read(path)), strict=True):
        if MEASURED in kept["metadata"].get("tags", ()):
            assert len(shown_by(new)) == len(shown_by(kept)), kept["id"]
        else:
            assert shown_by(new) == shown_by(kept), f"{path.name}, {kept['id']}: 'make notebooks' brings it up to date"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_what_it_shows(path: Path) -> None:
    notebook = read(path)
    cells = code_cells(notebook)
    assert path.stat().st_size < LARGEST
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert len(outputs) >= 8
    assert any("image/png" in output.get("data", {}) for output in outputs)
    kinds = {(output["output_type"], output.get("name", "")) for output in outputs}
    assert kinds <= {("execute_result", ""), ("display_data", ""), ("stream", "stdout")}
    assert not re.search(r"Traceback|(?<![\w.:/~\-])/(?:home|root|tmp|work|Users|usr|opt|mnt)/\w", json.dumps(outputs))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_tidy(path: Path) -> None:
    notebook = read(path)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]+", each) for each in ids)
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags"}
        assert all(not output.get("metadata") for output in cell.get("outputs", ()))
    assert set(notebook["metadata"]["language_info"]) == {"name"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_a_notebook_links_to_exists(path: Path) -> None:
    texts = ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", "\n".join(texts))
    assert all((NOTEBOOKS / link).exists() for link in links)


@pytest.mark.slow
def test_a_cell_that_raises_fails(tmp_path: Path) -> None:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "bad",
        "metadata": {},
        "source": "1 // 0",
        "outputs": [],
        "execution_count": None,
    }
    whole = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "bad.ipynb"
    path.write_text(json.dumps(whole), encoding="utf-8")
    command = [sys.executable, "-m", "experiments.reporting.notebooks", str(path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode != 0
    assert "ZeroDivisionError" in ran.stderr
    assert read(path) == whole


def test_what_was_printed_in_several_goes_is_one_output() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a"},
        {"output_type": "stream", "name": "stdout", "text": "b"},
        {"output_type": "stream", "name": "stderr", "text": "c"},
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {"x": 1}, "execution_count": 7},
    ]
    cell = {"cell_type": "code", "id": "a", "metadata": {"execution": {}, "tags": ["measured"]}, "outputs": outputs}
    made = tidied({"cells": [{"cell_type": "markdown", "id": "m", "metadata": {}}, cell]})["cells"][1]
    assert made["metadata"] == {"tags": ["measured"]}
    assert made["execution_count"] == 1
    assert [output.get("text") for output in made["outputs"]] == ["ab", "c", None]
    assert made["outputs"][2]["execution_count"] == 1
    assert made["outputs"][2]["metadata"] == {}


def test_the_small_networks_have_about_equal_multiply_adds_and_one_function_when_folded() -> None:
    script = """
import json, torch, mac_profiler, small_networks as s
images = torch.randn(1, 3, 32, 32)
names = ("as_found", "without_groups", "equal_widths", "one_branch", "split", "folded")
counts = [mac_profiler.analyze(getattr(s, name)(), images).total.mult_adds for name in names]
plain = s.one_branch()
for layer in plain.modules():
    if isinstance(layer, torch.nn.BatchNorm2d):
        torch.nn.init.uniform_(layer.running_mean), torch.nn.init.uniform_(layer.running_var, 0.5, 2)
torch.testing.assert_close(s.fold(plain)(images), plain(images), rtol=1e-3, atol=1e-4)
print(json.dumps(counts))
"""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=NOTEBOOKS, env={**os.environ, "PYTHONPATH": paths, QUICK: "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    first, *others = json.loads(ran.stdout)
    assert all(0.97 <= each / first <= 1.03 for each in others)
