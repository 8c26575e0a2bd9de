"""The store among real processes: killed, several at once, on a full disk."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from threading import Barrier

import pytest

from mac_profiler.errors import StoreFailed
from mac_profiler.measurement import Case, Sample, Settings
from mac_profiler.store import Store, open_store
from mac_profiler.store.database import _use_write_ahead_log, open_database
from mac_profiler.store.tables import SCHEMA
from tests.storing import a_round, begin, content, refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.sqlite"


WRITER = """
import resource, sys
from mac_profiler.errors import StoreFailed
from mac_profiler.measurement import Case, Measurement, Sample, Settings
from mac_profiler.store import open_store

file, resume, rounds, limit = sys.argv[1], sys.argv[2] == "resume", int(sys.argv[3]), int(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
cases = [Case("g1", "x1", str(i)) for i in range(3)]
print("ready", flush=True)
sys.stdin.readline()
try:
    with open_store(file) as store:
        run = store.begin(Settings(), {}, "machine", ["g1"], resume=resume)
        print(run.id, flush=True)
        while todo := [case for case in cases if case.key not in run.done()]:
            sys.stdin.readline()
            number = len(run.samples(todo[0].key))
            run.add([(case, Sample(0, number, 0.001 * (1 + number))) for case in todo])
            print(number + 1, flush=True)
            if number + 1 >= rounds:
                run.finish(Measurement(todo[0], (), "precise"))
        run.end()
except StoreFailed as error:
    print(error)
"""


@contextmanager
def writer(file: Path, rounds: int = 0, *, resume: bool = False, limit: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that writes so many rounds; it waits for a nudge before it opens the file, and before each round."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), "resume" if resume else "new", str(rounds), str(limit)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    try:
        assert line_of(child) == "ready"
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def nudge(child: subprocess.Popen[str], times: int = 1) -> None:
    assert child.stdin is not None
    child.stdin.write("\n" * times)
    child.stdin.flush()


def let_run(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()


def written_by_writer(rounds: int) -> dict[str, tuple[set[Sample], str]]:
    return {
        f"g1/x1/{i}": ({Sample(0, number, 0.001 * (1 + number)) for number in range(rounds + i)}, "precise")
        for i in range(3)
    }


def test_killed_ten_times_and_resumed_it_is_as_if_never_killed(file: Path) -> None:
    chance, rounds = random.Random(4), 120  # noqa: S311 - moments, no secrets
    names, before = set(), 0
    for _ in range(10):
        with writer(file, rounds, resume=True) as child:
            nudge(child, 1 + 10)
            names.add(line_of(child))
            told = [line_of(child) for _ in range(chance.randint(0, 9))]
            time.sleep(chance.random() * 0.002)
            os.kill(child.pid, signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
            assert child.stdout is not None
            told += [line for line in child.stdout.read().splitlines() if line]
        with open_store(file, read_only=True) as store:
            (summary,) = store.runs()
            assert summary.state == "unfinished"
            samples = len(store.measurements("last")[0].samples) if summary.cases else 0
        # What was said to be written is there, and at most the round that was being written besides.
        assert samples - int(told[-1] if told else before) in (0, 1)
        assert samples >= before
        before = samples
    assert before < rounds
    with writer(file, rounds, resume=True) as child:
        let_run(child)
        names.add(line_of(child))
        while line_of(child) != str(rounds + 2):
            pass
        child.wait()
    assert len(names) == 1
    with open_store(file, read_only=True) as store:
        (summary,) = store.runs()
        assert (summary.state, summary.done) == ("finished", 3)
        assert content(store.measurements("last")) == written_by_writer(rounds)


def test_killed_while_it_makes_the_file_it_leaves_one_that_can_be_used(file: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - moments, no secrets
    for _ in range(10):
        with writer(file) as child:
            nudge(child)
            time.sleep(chance.random() * 0.02)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with open_store(file) as store, begin(store) as run:
            run.add(a_round(0, 0))
            assert store.find("last").samples == 3
        file.unlink()


def test_several_processes_write_to_one_new_file_at_once(file: Path) -> None:
    with writer(file, 8) as a, writer(file, 8) as b, writer(file, 8) as c:
        children = (a, b, c)
        for child in children:
            let_run(child)
        names = [line_of(child) for child in children]
        for child in children:
            while (line := line_of(child)) != "10":
                assert line.isdigit(), line
            assert child.wait() == 0
    assert len(set(names)) == 3
    with open_store(file) as store:
        assert {run.id for run in store.runs()} == set(names)
        for name in names:
            assert content(store.measurements(name)) == written_by_writer(8)


def test_several_threads_make_one_new_file_at_once(tmp_path: Path) -> None:
    for number in range(10):
        file, together = tmp_path / f"{number}.sqlite", Barrier(6)

        def open_and_begin(file: Path = file, together: Barrier = together) -> str:
            together.wait()
            with open_store(file) as store:
                return begin(store).id

        with ThreadPoolExecutor(6) as threads:
            names = {done.result() for done in [threads.submit(open_and_begin) for _ in range(6)]}
        with open_store(file) as store:
            assert {run.id for run in store.runs()} == names
        assert len(names) == 6


@pytest.mark.parametrize(
    ("code", "patience", "tries"),
    [(sqlite3.SQLITE_BUSY, 10.0, 3), (sqlite3.SQLITE_BUSY, -1.0, 1), (sqlite3.SQLITE_FULL, 10.0, 1)],
)
def test_who_makes_a_new_file_waits_for_others_who_do(code: int, patience: float, tries: int) -> None:
    # Now and then SQLite refuses at once here, instead of waiting; too seldom for a test with real processes.
    said: list[str] = []

    class Contended:
        def execute(self, statement: str) -> None:
            said.append(statement)
            if len(said) < 3:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = code
                raise error

    with suppress(sqlite3.OperationalError):
        _use_write_ahead_log(Contended(), patience)  # type: ignore[arg-type]
    assert said.count("PRAGMA journal_mode = WAL") == tries


def test_of_several_who_resume_one_run_at_once_one_does(file: Path) -> None:
    with open_store(file) as store:
        name = store.begin(Settings(), {}, "machine", ["g1"]).id
    with writer(file, resume=True) as a, writer(file, resume=True) as b, writer(file, resume=True) as c:
        for child in (a, b, c):
            nudge(child)
        answers = [line_of(child) for child in (a, b, c)]
        winner = (a, b, c)[answers.index(name)]
        refusal = f"cannot resume run {name}: process {winner.pid} is at work on it"
        assert sum(answer.startswith(refusal) for answer in answers) == 2
        with open_store(file, read_only=True) as store:
            assert (store.runs()[0].state, store.runs()[0].process) == ("running", winner.pid)


def test_a_writer_waits_for_another_and_gives_up_in_the_end(file: Path) -> None:
    with open_store(file) as store:
        begin(store)
    blocking = sqlite3.connect(file, isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")
    hasty = Store(open_database(file, SCHEMA, patience=0.05))
    with pytest.raises(StoreFailed, match="another program keeps it locked; wait"):
        begin(hasty)
    hasty.close()
    with writer(file) as child:
        nudge(child)
        time.sleep(0.3)
        assert child.poll() is None
        blocking.execute("ROLLBACK")
        assert line_of(child).isalnum()
    blocking.close()


# ------------------------------------------------------------------------------------------------------------- no room


def test_on_a_full_disk_what_was_written_stays(file: Path) -> None:
    with writer(file, 10_000, limit=200_000) as child:
        let_run(child)
        name = line_of(child)
        lines = [line_of(child)]
        while lines[-1].isdigit():
            lines.append(line_of(child))
    *told, said = lines
    assert said.startswith(f"cannot go on with '{file}': ")
    assert said.endswith("what was written before is kept: make room, then use --resume")
    assert len(told) > 5
    with open_store(file) as store:
        assert [len(each.samples) for each in store.measurements(name)] == [int(told[-1])] * 3
        run = store.begin(Settings(), {}, "machine", ["g1"], resume=True)
        assert run.id == name
        run.add([(Case("g1", "x1", "0"), Sample(0, int(told[-1]), 1.0))])


def fill(stream: RawIOBase) -> None:
    while True:
        stream.write(bytes(4096))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk")
def test_on_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "macprof", str(tmp_path)],  # noqa: S607
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    try:
        file = tmp_path / "results.sqlite"
        with open_store(file) as store:
            run = begin(store)
            number = 0
            with pytest.raises(StoreFailed, match="make room, then use --resume"):  # noqa: PT012 - the last one fails
                while number < 10_000:
                    run.add(a_round(0, number))
                    number += 1
        assert number > 5
        with open_store(file, read_only=True) as store:
            assert {len(each.samples) for each in store.measurements("last")} == {number}
        empty = tmp_path / "other.sqlite"
        with (tmp_path / "rest").open("wb", buffering=0) as rest, pytest.raises(OSError, match="No space"):
            fill(rest)
        assert "make room" in refused(empty)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)  # noqa: S607
