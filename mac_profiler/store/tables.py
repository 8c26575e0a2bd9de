"""Tables: what a file of results is made of, and its rows as data."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mac_profiler.errors import StoreFailed
from mac_profiler.measurement import Case, Measurement, Sample, Scalar
from mac_profiler.store.database import Database
from mac_profiler.store.holder import Holder

SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, started TEXT NOT NULL, finished TEXT,
    benchmarks TEXT NOT NULL, settings TEXT NOT NULL, environment TEXT NOT NULL, fingerprint TEXT NOT NULL,
    processes INTEGER NOT NULL, holder TEXT, written REAL NOT NULL
);
CREATE TABLE cases (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs, key TEXT NOT NULL,
    benchmark TEXT NOT NULL, "group" TEXT NOT NULL, name TEXT NOT NULL, axes TEXT NOT NULL, UNIQUE (run, key)
);
CREATE TABLE samples (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "case" INTEGER NOT NULL REFERENCES cases, process INTEGER NOT NULL,
    round INTEGER NOT NULL, seconds REAL NOT NULL, calls INTEGER NOT NULL, UNIQUE ("case", process, round)
);
CREATE TABLE ends (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "case" INTEGER NOT NULL REFERENCES cases, process INTEGER NOT NULL,
    stopped TEXT NOT NULL, warnings TEXT NOT NULL, peak_bytes INTEGER, UNIQUE ("case", process)
);
CREATE VIEW done AS
    SELECT cases.number AS "case", run, key FROM cases
    JOIN ends ON ends."case" = cases.number JOIN runs ON runs.number = run
    GROUP BY cases.number HAVING count(*) >= processes OR min(process) < 0
"""
SUMMARIES = """
SELECT id, started, finished, benchmarks, settings, environment, fingerprint, holder, written,
    (SELECT count(*) FROM cases WHERE run = runs.number),
    (SELECT count(*) FROM done WHERE run = runs.number),
    (SELECT count(*) FROM samples JOIN cases ON samples."case" = cases.number WHERE run = runs.number)
FROM runs ORDER BY number
"""
# Stands for the number of a process where all of them have ended.
ALL_PROCESSES = -1
# Begins the names of settings where they stand among the facts of a machine, which may have the same names.
SETTINGS = "settings."
# What a measurement says of a case whose run was cut short.
UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a store says of one run.

    Attributes:
        id: its name, eight hexadecimal digits.
        started: date and time, ISO 8601, UTC.
        finished: the same; None while something is left to measure.
        benchmarks: what was to be measured.
        settings: how, see `mac_profiler.measurement.Settings`.
        environment: on what.
        fingerprint: what must be the same for a run to go on: "name: value", one a line.
        state: "finished", "running" now, or "unfinished".
        process: number of the process that measures it now; None where none does.
        cases: how many it holds.
        done: how many of them are finished.
        samples: how many of all cases together.
    """

    id: str
    started: str
    finished: str | None
    benchmarks: tuple[str, ...]
    settings: Mapping[str, Scalar]
    environment: Mapping[str, Scalar]
    fingerprint: str
    state: Literal["finished", "running", "unfinished"]
    process: int | None
    cases: int
    done: int
    samples: int


def summaries(database: Database) -> list[Summary]:
    """All runs, in the order in which they were begun."""
    return [_summary(database.path, row) for row in database.read(SUMMARIES)]


def _summary(file: Path, row: Any) -> Summary:
    name, started, finished, benchmarks, settings, environment, fingerprint, held, written, *counts = row
    holder = None if held is None else Holder(**load(file, held))
    process = None if holder is None or holder.is_gone(time.time() - written) else holder.pid
    state: Literal["running", "unfinished"] = "unfinished" if process is None else "running"
    return Summary(
        name, started, finished, tuple(load(file, benchmarks)), load(file, settings), load(file, environment),
        fingerprint, "finished" if finished else state, process, *counts,
    )  # fmt: skip


def measurements_of(database: Database, run: Summary) -> list[Measurement]:
    """What that run holds, a measurement a case, in the order in which the cases were begun."""
    rows = database.read(
        'SELECT number, benchmark, "group", name, axes, number IN (SELECT "case" FROM done) FROM cases '
        "WHERE run = (SELECT number FROM runs WHERE id = ?) ORDER BY number",
        run.id,
    )
    return [_measurement(database, run, *row) for row in rows]


def _measurement(
    database: Database, run: Summary, number: int, benchmark: str, group: str, name: str, axes: str, done: int
) -> Measurement:
    ends = database.read('SELECT stopped, warnings, peak_bytes FROM ends WHERE "case" = ? ORDER BY number', number)
    stops = dict.fromkeys(stopped for stopped, _, _ in ends)
    warnings = dict.fromkeys(warning for _, told, _ in ends for warning in load(database.path, told))
    return Measurement(
        Case(benchmark, group, name, load(database.path, axes)),
        tuple(samples_of(database, number)),
        "; ".join(stops) if done else UNFINISHED,
        tuple(warnings),
        max((peak for _, _, peak in ends if peak is not None), default=None),
        run.environment,
    )


def samples_of(database: Database, case: int) -> list[Sample]:
    """The samples of the case of that number, in the order in which they were taken."""
    query = 'SELECT process, round, seconds, calls FROM samples WHERE "case" = ? ORDER BY number'
    return [Sample(*row) for row in database.read(query, case)]


def differences(old: Summary, settings: Mapping[str, Scalar], fingerprint: str) -> list[str]:
    """Why measuring so and there must not be mixed with that run: a phrase for each thing that differs."""
    before, after = _facts(old.settings, old.fingerprint), _facts(settings, fingerprint)
    return [
        f"{name.removeprefix(SETTINGS).replace('_', ' ')} was {before.get(name, 'not told')} and is "
        f"{after.get(name, 'not told')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _facts(settings: Mapping[str, Scalar], fingerprint: str) -> dict[str, str]:
    """What must not differ, by name; settings that the fingerprint repeats are told once."""
    facts = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in fingerprint.splitlines())
    }
    return facts | {f"{SETTINGS}{name}": str(value) for name, value in settings.items()}


def dump(data: Any) -> str:
    """JSON for a cell."""
    return json.dumps(data, allow_nan=False)


def load(file: Path, text: str) -> Any:
    """What a cell holds.

    Raises:
        StoreFailed: no JSON; somebody else wrote it.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError) as error:
        raise StoreFailed(f"cannot read '{file}': it holds {text!r:.40}, which macprof did not write") from error


def now() -> str:
    """Date and time for a cell: ISO 8601, UTC, to the second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
