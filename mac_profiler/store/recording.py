"""Recording: a run while it is measured: each round is written when it ends, so that a kill loses a round at most."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Self

from mac_profiler.errors import StoreFailed
from mac_profiler.measurement import Case, Measurement, Sample, Scalar, Settings
from mac_profiler.store.database import Database
from mac_profiler.store.holder import Holder, hold, let_go
from mac_profiler.store.tables import ALL_PROCESSES, differences, dump, load, now, samples_of, summaries


def begin(
    database: Database,
    settings: Settings,
    environment: Mapping[str, Scalar],
    fingerprint: str,
    benchmarks: Sequence[str],
    *,
    resume: bool = False,
) -> Run:
    """A new run, or the one to go on with; see `mac_profiler.store.Store.begin`."""
    # Looked for and taken in one transaction: of two who resume at once, one finds it taken.
    with database.transaction() as connection:
        found = _find_unfinished(database, settings, fingerprint, benchmarks) if resume else None
        name = found or _insert_run(connection, settings, environment, fingerprint, benchmarks)
        holder = hold()
        connection.execute(
            "UPDATE runs SET holder = ?, written = ? WHERE id = ?", (dump(asdict(holder)), time.time(), name)
        )
    return Run(database, name, holder, resumed=found is not None)


def _find_unfinished(database: Database, settings: Settings, fingerprint: str, benchmarks: Sequence[str]) -> str | None:
    """Id of the last run of these benchmarks to go on with; None where all of them are finished."""
    refused = []
    for run in reversed(summaries(database)):
        if run.finished or sorted(run.benchmarks) != sorted(benchmarks):
            continue
        differs = differences(run, settings.as_json(), fingerprint)
        if differs:
            refused.append((run.id, differs))
        elif run.process is not None:
            raise StoreFailed(
                f"cannot resume run {run.id}: process {run.process} is at work on it; wait until it has ended, or "
                "begin a new run without --resume"
            )
        else:
            return run.id
    if not refused:
        return None
    name, differs = refused[0]
    raise StoreFailed(
        f"cannot resume run {name}: {'; '.join(differs)}; measure as it did, or begin a new run without --resume"
    )


def _insert_run(
    connection: sqlite3.Connection,
    settings: Settings,
    environment: Mapping[str, Scalar],
    fingerprint: str,
    benchmarks: Sequence[str],
) -> str:
    name = secrets.token_hex(4)
    while connection.execute("SELECT 1 FROM runs WHERE id = ?", (name,)).fetchone():
        name = secrets.token_hex(4)
    facts = (dump(list(benchmarks)), dump(settings.as_json()), dump(dict(environment)), fingerprint)
    connection.execute(
        "INSERT INTO runs (id, started, benchmarks, settings, environment, fingerprint, processes, written) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, now(), *facts, settings.processes, time.time()),
    )
    return name


class Run:
    """One run that is being measured; a context manager that lets go of it.

    Attributes:
        id: its name in the store.
        resumed: it was begun earlier.
    """

    def __init__(self, database: Database, name: str, holder: Holder, *, resumed: bool) -> None:
        self.id = name
        self.resumed = resumed
        self._database = database
        self._holder = holder
        self._number = int(database.read("SELECT number FROM runs WHERE id = ?", name)[0][0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, taken: Iterable[tuple[Case, Sample]]) -> None:
        """Write the samples of a round, all or none; one that is there already stays as it is.

        Raises:
            StoreFailed: they cannot be written, the run belongs to another process by now, or a case has changed.
        """
        with self._database.transaction() as connection:
            self._prove_hold(connection)
            for case, sample in taken:
                self._insert(connection, self._case(connection, case), case, (sample,))

    def finish(self, measurement: Measurement, *, process: int | None = None) -> None:
        """Write what a case came to, with those of its samples that are not there yet; a second time replaces it.

        Args:
            measurement: the case, why it stopped, its warnings.
            process: the one that takes no more samples of it; None where no process will. Once as many processes have
                ended as the settings ask for, the case is done.

        Raises:
            StoreFailed: as for `add`.
        """
        with self._database.transaction() as connection:
            self._prove_hold(connection)
            number = self._case(connection, measurement.case)
            self._insert(connection, number, measurement.case, measurement.samples)
            ended = ALL_PROCESSES if process is None else process
            told = (measurement.stopped, dump(list(measurement.warnings)), measurement.peak_bytes)
            connection.execute(
                'INSERT INTO ends ("case", process, stopped, warnings, peak_bytes) VALUES (?, ?, ?, ?, ?) '
                'ON CONFLICT ("case", process) DO UPDATE SET stopped = excluded.stopped, '
                "warnings = excluded.warnings, peak_bytes = excluded.peak_bytes",
                (number, ended, *told),
            )

    def end(self) -> None:
        """Nothing is left to measure: the run is finished, and is not resumed any more."""
        with self._database.transaction() as connection:
            self._prove_hold(connection)
            connection.execute("UPDATE runs SET finished = ? WHERE number = ?", (now(), self._number))

    def done(self) -> set[str]:
        """Keys of the cases that are finished: by as many processes as the settings ask for, or for good."""
        return {key for (key,) in self._database.read("SELECT key FROM done WHERE run = ?", self._number)}

    def samples(self, key: str) -> list[Sample]:
        """What was seen of the case of that key, in order; nothing where it is not known."""
        found = self._database.read("SELECT number FROM cases WHERE run = ? AND key = ?", self._number, key)
        return samples_of(self._database, found[0][0]) if found else []

    def next_process(self) -> int:
        """The first number that no process of this run has: samples of two processes are not to be mixed."""
        query = (
            'SELECT max(process) FROM (SELECT "case", process FROM samples UNION ALL SELECT "case", process FROM ends) '
            'JOIN cases ON "case" = cases.number WHERE run = ?'
        )
        (last,) = self._database.read(query, self._number)[0]
        return 0 if last is None else int(last) + 1

    def close(self) -> None:
        """Let go of the run, finished or not; a second time does nothing."""
        let_go(self._holder)
        try:
            with self._database.transaction() as connection:
                connection.execute(
                    "UPDATE runs SET holder = NULL WHERE number = ? AND holder = ?",
                    (self._number, dump(asdict(self._holder))),
                )
        except (StoreFailed, sqlite3.ProgrammingError):
            # On a full disk, or closed already: that nobody holds it is seen without this, too.
            return

    def _prove_hold(self, connection: sqlite3.Connection) -> None:
        held = connection.execute(
            "UPDATE runs SET written = ? WHERE number = ? AND holder = ?",
            (time.time(), self._number, dump(asdict(self._holder))),
        )
        if held.rowcount != 1:
            raise StoreFailed(
                f"cannot write to run {self.id}: it was let go, and another process may go on with it; use --resume"
            )

    def _case(self, connection: sqlite3.Connection, case: Case) -> int:
        """Number of the case, which is put down where it is new."""
        axes = dump(dict(case.axes))
        connection.execute(
            'INSERT INTO cases (run, key, benchmark, "group", name, axes) VALUES (?, ?, ?, ?, ?, ?) '
            "ON CONFLICT (run, key) DO NOTHING",
            (self._number, case.key, case.benchmark, case.group, case.name, axes),
        )
        query = 'SELECT number, benchmark, "group", name, axes FROM cases WHERE run = ? AND key = ?'
        number, *names, begun = connection.execute(query, (self._number, case.key)).fetchone()
        if names != [case.benchmark, case.group, case.name] or load(self._database.path, begun) != dict(case.axes):
            raise StoreFailed(
                f"cannot write case '{case.key}' of run {self.id}: another of that name has {begun}, this one {axes}; "
                "begin a new run without --resume"
            )
        return int(number)

    def _insert(self, connection: sqlite3.Connection, number: int, case: Case, samples: Iterable[Sample]) -> None:
        for sample in samples:
            if not isfinite(sample.seconds):
                raise StoreFailed(f"cannot write a sample of case '{case.key}': {sample.seconds} s is no time")
            # Not "OR IGNORE": that would drop what breaks any rule, not only what is there already.
            connection.execute(
                'INSERT INTO samples ("case", process, round, seconds, calls) VALUES (?, ?, ?, ?, ?) '
                'ON CONFLICT ("case", process, round) DO NOTHING',
                (number, int(sample.process), int(sample.round), float(sample.seconds), int(sample.calls)),
            )
