"""The environment says what a reader of samples must know, and two that do not agree are told apart in one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mac_profiler import __version__, environment
from mac_profiler.environment import describe_environment, difference, fingerprint
from mac_profiler.measurement import Settings

X86 = "processor\t: 0\nmodel name\t: Some Processor @ 2.50GHz\nflags\t\t: fpu avx2 hypervisor lahf_lm\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B\n"


def test_it_is_plain_data_that_a_file_can_hold() -> None:
    found = describe_environment()
    assert json.loads(json.dumps(found)) == found
    assert all("\n" not in str(value) and str(value) for value in found.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", str(found["date"]))


def test_it_says_versions_and_threads() -> None:
    found = describe_environment()
    assert (found["macprof"], found["torch"]) == (__version__, torch.__version__)
    assert found["torch_threads"] == torch.get_num_threads()
    assert found["simd"] == torch.backends.cpu.get_cpu_capability().lower() or found["simd"] == "neon"


@pytest.mark.parametrize(
    ("information", "cpu", "virtual"),
    [
        (X86, "Some Processor @ 2.50GHz", True),
        (X86.replace("hypervisor ", ""), "Some Processor @ 2.50GHz", False),
        (ARM, "Raspberry Pi 4 Model B", None),
    ],
)
def test_the_processor_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, information: str, cpu: str, virtual: bool | None
) -> None:
    (tmp_path / "cpuinfo").write_text(information)
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "cpuinfo")
    found = describe_environment()
    assert found["cpu"] == cpu
    # What is not known is not said.
    assert found.get("virtual_machine") is virtual


def test_the_governor_is_told_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "GOVERNOR", tmp_path / "governor")
    assert "governor" not in describe_environment()
    (tmp_path / "governor").write_text("powersave\n")
    assert describe_environment()["governor"] == "powersave"


def test_switches_are_told_without_where_files_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "TORCHINDUCTOR_CACHE_DIR"):
        monkeypatch.setenv(name, "7")
    before = str(describe_environment().get("switches", ""))
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    monkeypatch.setenv("LD_PRELOAD", "/some/folder/liballocator.so")
    after = str(describe_environment()["switches"])
    assert set(after.split()) - set(before.split()) == {"ATEN_CPU_CAPABILITY=avx2", "LD_PRELOAD=liballocator.so"}
    assert "NUM_THREADS" not in after
    assert "CACHE_DIR" not in after


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=n@example.org", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    assert "commit" not in describe_environment()
    git("init", "-q")
    assert "commit" not in describe_environment(), "there is no commit yet"
    (tmp_path / "file").write_text("as committed")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "HEAD")
    found = str(describe_environment()["commit"])
    assert len(found) >= 12
    assert commit.startswith(found)
    (tmp_path / "file").write_text("changed since")
    assert describe_environment()["commit"] == f"{found} and changes"
    # Installed into a folder of somebody else's checkout.
    (tmp_path / "site-packages").mkdir()
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path / "site-packages")
    assert "commit" not in describe_environment()


def test_what_a_run_cannot_help_is_not_in_the_fingerprint() -> None:
    facts = describe_environment()
    later = {**facts, "date": "2030-01-01", "commit": "0" * 12, "torch_threads": 99, "cores_used": "5"}
    assert fingerprint(facts, Settings()) == fingerprint(later, Settings())


@pytest.mark.parametrize("name", ["cpu", "torch", "python", "kernel", "macprof", "simd"])
def test_another_machine_or_version_has_another_fingerprint(name: str) -> None:
    facts = describe_environment()
    mine, other = (fingerprint(each, Settings()) for each in (facts, {**facts, name: "another"}))
    assert mine != other
    told = difference(mine, other)
    assert told == f"{name} {facts[name]} against another"


def test_other_settings_have_another_fingerprint() -> None:
    mine, other = (fingerprint({"cpu": "x"}, replace(Settings(), threads=threads)) for threads in (1, 2))
    assert difference(mine, other) == "threads 1 against 2"
    assert fingerprint({"cpu": "x"}) == {"cpu": "x"}


def test_the_difference_names_what_only_one_side_has() -> None:
    assert difference({"a": 1, "b": True}, {"a": 1, "c_d": "x"}) == "b True against nothing; c d nothing against x"
    # In Python True is 1.
    assert difference({"a": 1}, {"a": True}) == "a 1 against True"
    assert difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) == ""


def test_a_fingerprint_does_not_depend_on_the_order_of_what_is_known() -> None:
    facts = {"b": 1, "a": 2}
    assert list(fingerprint(facts)) == list(fingerprint(dict(reversed(facts.items())))) == ["a", "b"]
