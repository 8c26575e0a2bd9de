"""Progress: a line on standard error that says what takes long; never in the output, never without a terminal.

While it is shown, a model's own code runs, and prints what it likes: that goes to standard error, too.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from itertools import cycle

FRAMES = "|/-\\"
# Shorter work is over before anybody could read the line.
PATIENCE_SECONDS = 0.5
FRAME_SECONDS = 0.1


@contextmanager
def apart() -> Iterator[None]:
    """Keep what a model's own code prints out of the document, and its warnings out of the one line of a failure."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Show a line while the body runs, if that takes long; yields a function that changes what it says."""
    said = [what]
    done = threading.Event()
    show = threading.Thread(target=_show, args=(said, done), daemon=True)
    if sys.stderr.isatty():
        show.start()
    try:
        with apart():
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
