"""Database: one SQLite file that is ours: found, recognised, written in transactions; failures told in one line."""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from mac_profiler.errors import StoreFailed

# "MPRF" in the header says that a file is ours, https://www.sqlite.org/fileformat2.html#application_id
APPLICATION: Final = 0x4D505246
VERSION: Final = 1
MAGIC, HEADER = b"SQLite format 3\0", 100
# A transaction lasts milliseconds: who cannot write for so long stands behind something that is stuck.
PATIENCE_SECONDS: Final = 30.0
ELSEWHERE: Final = "give another file with --store"


class Database:
    """An open file.

    Args:
        path: where it is, for the messages.
        connection: open, in autocommit mode.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._file = _identity(path)

    def read(self, query: str, *values: Any) -> list[Any]:
        """All rows of a query.

        Raises:
            StoreFailed: the file is damaged, or cannot be read any more.
        """
        with _told(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is written inside is on disk as a whole when it ends, or not at all.

        Raises:
            StoreFailed: it cannot be written; what earlier transactions wrote stays.
        """
        if _identity(self.path) != self._file:
            # SQLite would write on, into a file that no longer has a name.
            raise StoreFailed(
                f"cannot write '{self.path}': it was removed or replaced while it was in use; begin a new run"
            )
        with _told(self.path):
            # Not deferred: who reads before it writes cannot be made to wait, and fails instead.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._connection.close()


def open_database(
    path: str | Path, schema: str, *, read_only: bool = False, patience: float = PATIENCE_SECONDS
) -> Database:
    """The database in that file, which is made where there is none.

    Args:
        path: the file.
        schema: statements that make its tables.
        read_only: never write, and make no file.
        patience: seconds to wait for another process that writes.

    Raises:
        StoreFailed: there is none and none can be made, or the file is damaged or another program's.
    """
    if not str(path):
        raise StoreFailed(f"cannot open the file of results: its name is empty; {ELSEWHERE}")
    file = Path(path)
    _check_place(file, read_only)
    with _told(file):
        connection = _open_to_read(file, patience) if read_only else _connect(file, "mode=rwc", patience)
        try:
            if not read_only:
                _make(connection, file, schema)
                _use_write_ahead_log(connection, patience)
            _check_content(connection, file)
        except BaseException:
            connection.close()
            raise
    return Database(file, connection)


def _check_place(file: Path, read_only: bool) -> None:
    """Refuse what SQLite would take for a database, or would refuse in words that name no remedy."""
    folder = file.absolute().parent
    there = True
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except (OSError, ValueError) as error:
        # A name with a NUL in it is a ValueError.
        reason = getattr(error, "strerror", None) or error
        raise StoreFailed(f"cannot open {str(file)!r}: {reason}; {ELSEWHERE}") from error
    if file.is_dir():
        raise StoreFailed(f"cannot open '{file}': it is a folder; give a file in it")
    if there and not file.is_file():
        raise StoreFailed(f"cannot open '{file}': it is no regular file; {ELSEWHERE}")
    if not folder.exists():
        raise StoreFailed(f"cannot open '{file}': the folder '{folder}' does not exist; create it first")
    if not folder.is_dir():
        raise StoreFailed(f"cannot open '{file}': '{folder}' is no folder; {ELSEWHERE}")
    if read_only and not there:
        raise StoreFailed(f"cannot open '{file}': it does not exist; {ELSEWHERE}")
    if there and not os.access(file, os.R_OK):
        raise StoreFailed(f"cannot open '{file}': no permission to read it; {ELSEWHERE}")
    if not read_only and there and not os.access(file, os.W_OK):
        raise StoreFailed(f"cannot write '{file}': no permission; {ELSEWHERE}")
    # SQLite keeps its log beside the file.
    if not read_only and not os.access(folder, os.W_OK | os.X_OK):
        raise StoreFailed(f"cannot write '{file}': no permission to write in '{folder}'; {ELSEWHERE}")
    if there:
        _check_header(file, read_only)


def _check_header(file: Path, read_only: bool) -> None:
    # Read by hand: even asking SQLite may change the files of a database that is not ours.
    with file.open("rb") as stream:
        header = stream.read(HEADER)
    if not header and not read_only:
        return
    if len(header) < HEADER or not header.startswith(MAGIC):
        raise StoreFailed(f"cannot open '{file}': it holds no results of macprof; {ELSEWHERE}")
    version, application = struct.unpack_from(">i4xi", header, 60)
    if application != APPLICATION:
        raise StoreFailed(f"cannot open '{file}': it is a database of another program; {ELSEWHERE}")
    if version != VERSION:
        raise StoreFailed(
            f"cannot open '{file}': its format is {version}, and this macprof knows {VERSION}; "
            f"update macprof, or {ELSEWHERE}"
        )


def _connect(file: Path, options: str, patience: float) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?{options}"
    return sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)


def _open_to_read(file: Path, patience: float) -> sqlite3.Connection:
    connection = _connect(file, "mode=ro", patience)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = file.with_name(f"{file.name}-wal")
        if os.access(file.absolute().parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        # Even a reader makes files beside it, unless it is told that nobody writes: here, nobody can.
        return _connect(file, "mode=ro&immutable=1", patience)
    return connection


def _make(connection: sqlite3.Connection, file: Path, schema: str) -> None:
    """Make the tables of a new file; whole or not at all, and once, whoever else makes them too."""
    if _is_made(connection):
        return
    connection.execute("BEGIN EXCLUSIVE")
    try:
        if not _is_made(connection):
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise StoreFailed(f"cannot open '{file}': it is a database of another program; {ELSEWHERE}")
            for statement in schema.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_made(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION)


def _use_write_ahead_log(connection: sqlite3.Connection, patience: float) -> None:
    # Readers and a writer do not disturb each other then. A process that is killed loses nothing that was committed;
    # a machine that loses its power may lose the last seconds: a sync a round would disturb what is measured.
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait here by itself for others who open the same new file.
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _check_content(connection: sqlite3.Connection, file: Path) -> None:
    with closing(connection.execute("PRAGMA quick_check(1)")) as answers:
        said = answers.fetchone()[0]
    if said != "ok":
        raise _damaged(file, said)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _code(error: sqlite3.Error) -> int:
    # The lowest byte is the kind, the others say more of it; sqlite3 gives none to errors of its own.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise explain(file, error) from error


def explain(file: Path, error: sqlite3.DatabaseError) -> StoreFailed:
    """What went wrong with the file, and what can be done."""
    match _code(error):
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return _damaged(file, str(error))
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StoreFailed(
                f"cannot go on with '{file}': {error}; what was written before is kept: make room, then use --resume"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return StoreFailed(f"cannot use '{file}': another program keeps it locked; wait for it, or {ELSEWHERE}")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreFailed(
                f"cannot open '{file}': {error}; give a file in a folder that can be written, with --store"
            )
    return StoreFailed(f"cannot use '{file}': {error}; {ELSEWHERE}")


def _damaged(file: Path, said: str) -> StoreFailed:
    return StoreFailed(
        f"cannot use '{file}': it is damaged ({' '.join(said.split())}); move it away (the sqlite3 program's .recover "
        f"saves what is left), or {ELSEWHERE}"
    )
