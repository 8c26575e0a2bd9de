"""Profiles on disk: kept, found by name, and taken for this machine only where they are of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mac_profiler.errors import InvalidInput, MacprofError, OutputFailed, UnknownName
from mac_profiler.nominal import nominal_platform
from mac_profiler.platform import Platform
from mac_profiler.shelf import check_name, find_here, folder, load, names, place_of, save, why_not_here
from tests.machines import BANDWIDTHS, machine

HERE: Mapping[str, Any] = {
    "cpu": "one", "cores_logical": 4, "architecture": "x86_64", "os": "Linux", "torch": "2.9.0", "date": "today",
}  # fmt: skip


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def kept(name: str, *, date: str = "2026-01-01", changes: Mapping[str, Any] | None = None, **fields: Any) -> Platform:
    """A profile of this machine, in its place; of another one where something of it is changed."""
    made = {**HERE, "date": date, **(changes or {})}
    platform = machine(name=name, provenance=made, bandwidths=BANDWIDTHS, **fields)
    save(platform, place_of(name, None))
    return platform


def refused(error: type[MacprofError], device: str = "cpu", dtype: str = "float32") -> str:
    with pytest.raises(error) as caught:
        find_here(HERE, device, dtype)
    said = str(caught.value)
    assert "\n" not in said
    return said


# ---------------------------------------------------------------------------------------------------------- on the disk


def test_what_is_kept_is_found_by_its_name(data: Path) -> None:
    assert names() == []
    assert not folder().exists(), "looking makes nothing"
    two, one = kept("two"), kept("one-2.0_x")
    assert names() == ["one-2.0_x", "two"]
    assert folder().is_relative_to(data)
    assert sorted(path.name for path in folder().iterdir()) == ["one-2.0_x.json", "two.json"]
    assert load("two") == two
    assert load("one-2.0_x") == one
    assert load(str(folder() / "two.json")) == two


def test_a_profile_is_kept_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("any", "mine.json") == Path("mine.json")
    save(machine(), place_of("any", "mine.json"))
    assert load("mine.json") == load("./mine.json") == machine()
    assert not folder().exists()


def test_the_newer_of_a_name_replaces_the_older() -> None:
    kept("one", error=0.1)
    newer = kept("one", error=0.2)
    assert names() == ["one"]
    assert load("one") == newer


def test_a_folder_that_cannot_be_made_is_one_clear_line(data: Path) -> None:
    folder().parent.parent.mkdir(parents=True, exist_ok=True)
    folder().parent.write_text("in the way")
    with pytest.raises(OutputFailed, match=r"cannot make the folder .*--output") as caught:
        place_of("one", None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "cpu-float32", "rtx_3090.v2", "größer"])
def test_a_name_that_a_file_can_have(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a b", "a/b", "a\\b", "a\nb", "a:b", "*"])
def test_a_name_that_a_file_should_not_have(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"(?s)--name .*letters, digits"):
        check_name(name)


def test_the_stated_platform_is_known_by_name_and_keeps_it() -> None:
    assert load("nominal") == nominal_platform()
    with pytest.raises(InvalidInput, match="--name nominal: "):
        check_name("nominal")


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"no platform named 'one'\. The platforms are nominal\. 'macprof calibrate'"):
        load("one")
    kept("laptop")
    kept("server")
    with pytest.raises(UnknownName, match=r"'labtop'\..*laptop"):
        load("labtop")
    with pytest.raises(UnknownName, match=r"The platforms are laptop, server, nominal\."):
        load("zzz")


@pytest.mark.parametrize("content", [b"", b"no json", b"\xff\xfe", b'{"schema_version": 99}', b'{"schema_version": 1}'])
def test_a_file_that_is_no_profile_is_refused(content: bytes) -> None:
    kept("good")
    bad = folder() / "bad.json"
    bad.write_bytes(content)
    for ask in (lambda: load("bad"), lambda: load(str(bad)), lambda: find_here(HERE, "cpu", "float32")):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert str(bad) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none.json"), "none.json", str(tmp_path)):
        with pytest.raises(InvalidInput, match="cannot read"):
            load(name)


# --------------------------------------------------------------------------------------------------------- this machine


def test_the_newest_of_this_machine_is_taken() -> None:
    kept("a", date="2026-03-01 10:00:00 UTC")
    newest = kept("b", date="2026-03-02 09:00:00 UTC")
    kept("c", date="2026-02-28 23:00:00 UTC")
    kept("elsewhere", date="2027-01-01", changes={"cpu": "another"})
    assert find_here(HERE, "cpu", "float32") == newest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cpu": "another"}, "calibrated with cpu another, and here it is one"),
        ({"cores_logical": 64}, "calibrated with cores logical 64, and here it is 4"),
        ({"architecture": "arm64"}, "calibrated with architecture arm64, and here it is x86_64"),
        ({"os": "Darwin"}, "calibrated with os Darwin, and here it is Linux"),
        ({"torch": "2.8.0"}, "calibrated with torch 2.8.0, and here it is 2.9.0"),
    ],
)
def test_one_of_another_machine_is_refused(changes: dict[str, Any], reason: str) -> None:
    platform = kept("other", changes=changes)
    assert why_not_here(platform, HERE).endswith(reason)
    said = refused(InvalidInput)
    assert reason in said
    assert "'other'" in said
    assert "macprof calibrate --device cpu --dtype float32" in said


@pytest.mark.parametrize("changes", [{}, {"date": "never"}, {"kernel": "6.1"}, {"gpu": "a GPU"}])
def test_what_may_differ(changes: dict[str, Any]) -> None:
    # A date or a patched kernel makes no other machine; and a processor's times do not hang on a GPU beside it.
    assert why_not_here(kept("own", changes=changes), HERE) == ""
    assert find_here(HERE, "cpu", "float32").name == "own"


def test_a_gpu_is_part_of_the_machine() -> None:
    platform = kept("gpu", device="cuda", changes={"gpu": "an H100"})
    assert why_not_here(platform, {**HERE, "gpu": "an H100"}) == ""
    assert "gpu an H100, and here it is an A100" in why_not_here(platform, {**HERE, "gpu": "an A100"})


def test_what_was_learned_from_a_table_is_never_here() -> None:
    platform = kept("learned", changes={"learned_from": "results.csv"})
    assert why_not_here(platform, HERE) == "the platform 'learned' was learned from results.csv, not measured here"
    said = refused(UnknownName)
    assert "not calibrated for float32" in said
    assert "macprof calibrate --device cpu --dtype float32" in said
    assert "learned" not in said


def test_another_device_or_dtype_or_engine_is_none_of_this() -> None:
    kept("gpu", device="cuda")
    kept("half", dtype="float16")
    kept("engine", fused=True)
    assert "this machine's cpu is not calibrated for float32" in refused(UnknownName)
    assert "this machine's mps is not calibrated for float32" in refused(UnknownName, "mps")
    assert find_here(HERE, "cuda", "float32").name == "gpu"
    assert find_here(HERE, "cpu", "float16").name == "half"
