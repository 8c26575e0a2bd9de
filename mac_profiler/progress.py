"""Progress: a line on standard error that says what takes long; never in the output, never without a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

FRAMES = "|/-\\"
# Shorter work is over before anybody could read the line.
PATIENCE_SECONDS = 0.5
FRAME_SECONDS = 0.1


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Show a line while the body runs, if that takes long; yields a function that changes what it says."""
    said = [what]
    done = threading.Event()
    show = threading.Thread(target=_show, args=(said, done), daemon=True)
    if sys.stderr.isatty():
        show.start()
    try:
        yield lambda message: said.__setitem__(0, message)
    finally:
        done.set()
        if show.is_alive():
            show.join()


def _show(said: list[str], done: threading.Event) -> None:
    if done.wait(PATIENCE_SECONDS):
        return
    for frame in cycle(FRAMES):
        # One line of the narrowest terminal, so that the carriage return finds its beginning.
        sys.stderr.write(f"\r\x1b[K{frame} {said[0][:70]}")
        sys.stderr.flush()
        if done.wait(FRAME_SECONDS):
            break
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
