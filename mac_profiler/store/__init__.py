"""Store: the results of many runs in one file; a run holds for one machine and one way of measuring."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from mac_profiler.errors import StoreFailed, UnknownName
from mac_profiler.measurement import Measurement, Scalar, Settings
from mac_profiler.registry import did_you_mean
from mac_profiler.store.database import ELSEWHERE, Database, open_database
from mac_profiler.store.recording import Run, begin
from mac_profiler.store.tables import SCHEMA, Summary, measurements_of, summaries

# What names the newest run.
LAST = "last"
# Names the file where no option does.
VARIABLE = "MACPROF_STORE"


def default_path(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where results are kept: what MACPROF_STORE names, or else a file among the user's data.

    Args:
        environment: variables of the environment.
        platform: as `sys.platform` says.

    Raises:
        StoreFailed: the user has no home.
    """
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    return data_folder(environment, platform) / "results.sqlite"


def data_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where macprof keeps what it is to remember for this user.

    Args:
        environment: variables of the environment.
        platform: as `sys.platform` says.

    Raises:
        StoreFailed: the user has no home.
    """
    try:
        home = Path.home()
    except RuntimeError as error:
        raise StoreFailed(f"cannot find a place for results: {error}; {ELSEWHERE}") from error
    # https://specifications.freedesktop.org/basedir-spec says that a relative XDG_DATA_HOME is to be ignored.
    named, usual = {
        "win32": ("LOCALAPPDATA", home / "AppData" / "Local"),
        "darwin": ("", home / "Library" / "Application Support"),
    }.get(platform, ("XDG_DATA_HOME", home / ".local" / "share"))
    folder = Path(environment.get(named, ""))
    return (folder if folder.is_absolute() else usual) / "macprof"


def open_store(path: str | Path | None = None, *, read_only: bool = False) -> Store:
    """The results in that file, which is made where there is none.

    Args:
        path: the file; None takes `default_path`, and makes its folder.
        read_only: only to read: nothing is made, and nothing is written.

    Raises:
        StoreFailed: the file cannot be used: no permission, no folder, damaged, another program's.
    """
    file = default_path() if path is None else path
    if path is None and not read_only and not os.environ.get(VARIABLE):
        folder = Path(file).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(f"cannot make the folder '{folder}': {error.strerror or error}; {ELSEWHERE}") from error
    return Store(open_database(file, SCHEMA, read_only=read_only))


class Store:
    """A file of results; a context manager that closes it and lets go of its runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun: list[Run] = []

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the runs and close the file; a second time does nothing."""
        for run in self._begun:
            run.close()
        self._begun.clear()
        self._database.close()

    def begin(
        self,
        settings: Settings,
        environment: Mapping[str, Scalar],
        fingerprint: str,
        benchmarks: Sequence[str],
        *,
        resume: bool = False,
    ) -> Run:
        """A run to write to, which no other process writes to.

        Args:
            settings: how it measures.
            environment: facts of the machine; a resumed run keeps its first ones.
            fingerprint: those facts, "name: value" one a line, that must not change within a run.
            benchmarks: what it measures, in any order.
            resume: go on with the last unfinished run of the same benchmarks, fingerprint and settings; where there
                is no unfinished run of these benchmarks, a new one is begun (`Run.resumed` tells).

        Raises:
            StoreFailed: the unfinished runs were measured otherwise or elsewhere, another process is at work on the
                one to go on with, or the file cannot be written.
        """
        run = begin(self._database, settings, environment, fingerprint, benchmarks, resume=resume)
        self._begun.append(run)
        return run

    def runs(self) -> list[Summary]:
        """All runs, in the order in which they were begun."""
        return summaries(self._database)

    def find(self, name: str) -> Summary:
        """The run of that id, the only one whose id begins so, or the "last" one.

        Raises:
            UnknownName: there is none, or more than one.
        """
        runs = self.runs()
        if not runs:
            raise UnknownName(f"no run named '{name}': there is none in '{self.path}' yet")
        if name == LAST:
            return runs[-1]
        found = [run.id for run in runs if run.id.startswith(name.lower())]
        if name and len(found) == 1:
            return next(run for run in runs if run.id == found[0])
        if name and found:
            raise UnknownName(f"'{name}' begins {len(found)} runs: {', '.join(found[-5:])}; give more of the id")
        raise UnknownName(
            f"no run named '{name}' in '{self.path}'.{did_you_mean(name, [run.id for run in runs])} "
            f"'macprof results' lists the runs; '{LAST}' is the newest."
        )

    def measurements(self, run: str) -> list[Measurement]:
        """What a run holds, a measurement a case, in the order in which the cases were begun.

        A case that is not finished has stopped as "unfinished".

        Args:
            run: as for `find`.

        Raises:
            UnknownName: there is no such run.
        """
        return measurements_of(self._database, self.find(run))
