"""Output: a finished text to standard output or, whole or not at all, to a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mac_profiler.errors import OutputFailed


def check_writable(path: str) -> None:
    """Refuse a place that cannot be written, before the work whose result would be lost.

    Raises:
        OutputFailed: the path is a folder, or lies in none that exists and can be written.
    """
    if not path:
        raise OutputFailed("cannot write the output: the file name is empty; give --output a file")
    file = Path(path)
    folder = file.parent
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # The usual case: it is made.
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    if file.is_dir():
        raise OutputFailed(f"cannot write '{path}': it is a folder; give a file in it")
    if not folder.exists():
        raise OutputFailed(f"cannot write '{path}': the folder '{folder}' does not exist; create it first")
    if not folder.is_dir():
        raise OutputFailed(f"cannot write '{path}': '{folder}' is no folder; give another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputFailed(f"cannot write '{path}': no permission to write in '{folder}'; give another place")


def write_file(path: str, text: str) -> None:
    """Write a text to a file in one step: readers see the old file or the whole new one.

    Raises:
        OutputFailed: it cannot be written; nothing is left behind.
    """
    check_writable(path)
    if Path(path).exists() and not Path(path).is_file():
        _write_special(path, text)
        return
    # A link is written through, not replaced: what it points at is the file that was meant.
    target = Path(path).resolve()
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".macprof-", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.chmod(_permissions(target))
        temporary.replace(target)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _failed(path, error) from error
        raise


def _write_special(path: str, text: str) -> None:
    # /dev/stdout or a named pipe: something to write into, which replacing would destroy.
    try:
        with Path(path).open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: str, error: OSError | ValueError) -> OutputFailed:
    # A name with a NUL in it is a ValueError.
    reason = getattr(error, "strerror", None) or error
    return OutputFailed(f"cannot write {path!r}: {reason}; give another place")


def _permissions(target: Path) -> int:
    """Those of the file that is replaced, or what the process's mask leaves of a new file's."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_stdout(text: str) -> None:
    """Write a text to standard output; a reader who has gone away (`| head`) is no error.

    Raises:
        OutputFailed: the stream cannot be written: a full disk behind a redirection.
    """
    if sys.stdout is None:
        raise OutputFailed("standard output is closed; give a file with --output")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more at exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputFailed(f"cannot write to standard output: {error.strerror or error}") from error


def terminal_width() -> int:
    """Characters in a line: COLUMNS, or else the terminal's, or else 100; at least 40."""
    return max(40, shutil.get_terminal_size(fallback=(100, 24)).columns)


def shows_color() -> bool:
    """Whether standard output is a terminal that wants colours (https://no-color.org)."""
    return (
        sys.stdout is not None
        and sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "") not in ("", "dumb")
    )


def shows_unicode() -> bool:
    """Whether standard output can carry more than ASCII."""
    try:
        "├└│─…×·≥█▏▎▍▌▋▊▉µ".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
