"""Run a function in a forked copy of this process, which may hang, crash or leave the interpreter in any state."""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class ChildFailed(Exception):
    """The function raised, its process died, or it took too long; the message says which."""


def run_forked(function: Callable[[], Any], seconds: float) -> Any:
    """The result of the function, which is pickled.

    Args:
        function: called in a copy of this process, its standard streams closed.
        seconds: after which the copy is killed.

    Raises:
        ChildFailed: it gave no result.
    """
    child = Child(function)
    try:
        return child.receive(seconds)
    finally:
        child.end()


class Child:
    """A forked copy of this process that runs a function and sends its result.

    Not multiprocessing's: torchlens refuses to work in a process that multiprocessing made.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        here, there = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process = fork()
        if self.process == 0:
            # Whatever happens in the copy, it never returns into what was going on in the original.
            try:
                os.close(here)
                _serve(function, there)
            finally:
                os._exit(0)
        os.close(there)
        self.pipe = here

    def receive(self, seconds: float) -> Any:
        """What the function returned.

        Raises:
            ChildFailed: it raised, died, or took longer.
        """
        deadline, data = time.monotonic() + seconds, b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.pipe], [], [], left)[0]:
                raise ChildFailed(f"timed out after {seconds:g} s")
            part = os.read(self.pipe, 1 << 16)
            if not part:
                break
            data += part
        if not data:
            _, status = os.waitpid(self.process, 0)
            self.process = 0
            code = os.waitstatus_to_exitcode(status)
            raise ChildFailed(f"the process died: {signal.Signals(-code).name if code < 0 else f'exit status {code}'}")
        # Written by this program's own copy.
        good, result = pickle.loads(data)  # noqa: S301
        if not good:
            raise ChildFailed(result)
        return result

    def end(self) -> None:
        """Kill it where it still runs."""
        os.close(self.pipe)
        if self.process:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


def fork() -> int:
    """os.fork, without the word that Python 3.12 has on threads: the copy needs nothing that another thread held."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _serve(function: Callable[[], Any], there: int) -> None:
    silence()
    try:
        data = pickle.dumps((True, function()))
    # Whatever a peer raises is its answer, SystemExit too.
    except BaseException as error:  # noqa: BLE001
        data = pickle.dumps((False, in_one_line(error)))
    with os.fdopen(there, "wb") as pipe:
        pipe.write(data)


def silence() -> None:
    """Close the standard streams, for what prints where it was not asked to."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def in_one_line(error: BaseException) -> str:
    """Type and message, without line breaks, addresses and the tails of long messages."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 160 else f"{text[:157]}..."
