"""What tells that a user's model is another than before."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_profiler.own_code import marks_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text("from parts import WIDTH\n")
    (tmp_path / "parts.py").write_text("WIDTH = 8\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_networks_that_come_with_macprof_have_none() -> None:
    assert marks_of(["shufflenet_v2", "torchvision:resnet50", "timm:resnet50"]) == {}


def test_a_mark_changes_with_the_file_and_those_beside_it(folder: Path) -> None:
    first = marks_of(["net.py:Net"])
    assert first == marks_of(["net.py:Net"])
    (folder / "parts.py").write_text("WIDTH = 64\n")
    second = marks_of(["net.py:Net"])
    (folder / "net.py").write_text("from parts import WIDTH as W\n")
    third = marks_of(["net.py:Net"])
    assert len({str(marks) for marks in (first, second, third)}) == 3
    (folder / "notes.txt").write_text("no code\n")
    assert marks_of(["net.py:Net"]) == third


def test_a_file_of_another_folder_is_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = marks_of(["net.py:Net"])
    other = folder / "other"
    other.mkdir()
    for name in ("net.py", "parts.py"):
        (other / name).write_text((folder / name).read_text())
    monkeypatch.chdir(other)
    assert marks_of(["net.py:Net"]) != first


def test_a_module_is_found_without_importing_it(folder: Path) -> None:
    package = folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit\n")
    (package / "net.py").write_text("raise SystemExit\n")
    marks = marks_of(["pack.net:Net", "pack:Net", "nowhere.at.all:Net"])
    assert str(package / "net.py") in marks["code of pack.net"]
    assert str(package / "__init__.py") in marks["code of pack"]
    assert marks["code of nowhere.at.all"] == "not found"
