"""A file that cannot be used is refused in one line, and left as it is."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mac_profiler.errors import StoreFailed
from mac_profiler.store import open_store
from tests.storing import CASES, a_round, begin, refused, sample


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.sqlite"


@pytest.fixture
def written(file: Path) -> Path:
    """A file with one run, large enough for several levels of its trees."""
    with open_store(file) as store, begin(store) as run:
        run.add([(case, sample(0, number)) for case in CASES for number in range(2000)])
        run.end()
    return file


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database(file: Path, read_only: bool) -> None:
    for junk in (random.Random(1).randbytes(9000), bytes(4096), b"seconds,calls\n", b"SQLite format 3\0"):  # noqa: S311
        file.write_bytes(junk)
        assert "holds no results of macprof" in refused(file, read_only=read_only)
        assert file.read_bytes() == junk
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_empty_file_is_a_new_one(file: Path) -> None:
    file.touch()
    assert "holds no results" in refused(file, read_only=True)
    with open_store(file) as store:
        assert begin(store).id


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_of_another_program_is_left_as_it_is(file: Path, read_only: bool, mode: str) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute("CREATE TABLE runs (id)")
    other.close()
    before = file.read_bytes()
    assert "a database of another program" in refused(file, read_only=read_only)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_of_a_newer_macprof(written: Path) -> None:
    newer = sqlite3.connect(written)
    newer.execute("PRAGMA user_version = 2")
    newer.close()
    assert "its format is 2, and this macprof knows 1; update macprof" in refused(written)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_file(written: Path, read_only: bool) -> None:
    whole = written.read_bytes()
    for length in (len(whole) // 2, 8192, 5000, 1024):
        written.write_bytes(whole[:length])
        assert "it is damaged (" in refused(written, read_only=read_only)
    junk = random.Random(3).randbytes(2000)  # noqa: S311
    written.write_bytes(whole[: len(whole) - 3000] + junk + whole[len(whole) - 1000 :])
    with pytest.raises(StoreFailed, match=r"it is damaged \("):
        open_store(written, read_only=read_only)
    random_bytes = random.Random(2).randbytes(len(whole) - 4096)  # noqa: S311
    written.write_bytes(whole[:4096] + random_bytes)
    assert "it is damaged (" in refused(written, read_only=read_only)


def test_a_cell_that_macprof_did_not_write(written: Path) -> None:
    other = sqlite3.connect(written)
    other.execute("UPDATE runs SET settings = 'threads: 1'")
    other.commit()
    other.close()
    with open_store(written) as store, pytest.raises(StoreFailed, match="it holds 'threads: 1'"):
        store.runs()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "its name is empty"), ("folder", "is a folder; give a file in it"),
        ("missing/results.sqlite", "does not exist; create it first"), ("file/results.sqlite", "is no folder"),
        ("folder/" + "x" * 300, "File name too long"), ("nul\0", "null"), ("pipe", "no regular file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("read_only", [False, True])
def test_a_place_that_cannot_be_used(tmp_path: Path, place: str, said: str, read_only: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreFailed) as caught:
        open_store(f"{tmp_path}/{place}" if place else "", read_only=read_only)
    assert said in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_only_read_must_be_there(file: Path) -> None:
    assert "does not exist" in refused(file, read_only=True)
    assert not file.exists()


def test_a_name_with_signs_of_an_address(tmp_path: Path) -> None:
    file = tmp_path / "a?mode=memory&b#c%20 ä.sqlite"
    with open_store(file) as store:
        begin(store)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with open_store(file, read_only=True) as store:
        assert len(store.runs()) == 1


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder, and no rights beyond those that its files give: root would be let in everywhere."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, -1)
        # The saved id is what brings the rights back.
        os.setresuid(65534, 65534, 0)
    try:
        yield folder
    finally:
        if root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_without_permission_to_write_it_can_be_read(as_nobody: Path) -> None:
    file = as_nobody / "results.sqlite"
    with open_store(file) as store, begin(store) as run:
        run.add(a_round(0, 0))
    file.chmod(0o444)
    assert "cannot write" in refused(file)
    assert "no permission; give another file" in refused(file)
    as_nobody.chmod(0o555)
    assert "no permission" in refused(file)
    with open_store(file, read_only=True) as store:
        assert store.runs()[0].samples == 3
        with pytest.raises(StoreFailed, match="can be written"):
            begin(store)
    as_nobody.chmod(0o755)
    file.chmod(0)
    assert "no permission to read it" in refused(file, read_only=True)
    file.chmod(0o600)
    as_nobody.chmod(0o555)
    assert "no permission to write in" in refused(file)
    assert "no permission to write in" in refused(as_nobody / "new.sqlite")


def test_what_a_killed_process_left_can_be_read_without_permission_to_write(as_nobody: Path) -> None:
    file = as_nobody / "results.sqlite"
    with open_store(file) as store, begin(store) as run:
        run.add(a_round(0, 0))
        left = as_nobody / "left"
        left.mkdir()
        for part in as_nobody.glob("results.sqlite*"):
            shutil.copy(part, left)
    assert len(list(left.iterdir())) == 3
    left.chmod(0o555)
    try:
        with open_store(left / file.name, read_only=True) as store:
            assert store.runs()[0].samples == 3
    finally:
        left.chmod(0o755)


def test_a_file_that_is_taken_away_meanwhile(file: Path) -> None:
    with open_store(file) as store:
        run = begin(store)
        file.unlink()
        with pytest.raises(StoreFailed, match="removed or replaced while it was in use"):
            run.add(a_round(0, 0))
        run.close()
        assert run._holder.is_gone(0)
