"""A copy of this process in which one profiler is loaded and called on command; everything timed happens in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import torch

from experiments import peers
from experiments.reporting.forking import ChildFailed, fork, in_one_line, silence

LIMIT_SECONDS = 120.0


class Worker:
    """One profiler, in a process forked from one that has imported torch and torchvision and built the model.

    Profilers replace torch's functions and leave hooks behind, so each has a process of its own; only one of them works
    at a time.
    """

    def __init__(self, name: str, model: torch.nn.Module, image: torch.Tensor) -> None:
        here, there = socket.socketpair()
        self.process = fork()
        if self.process == 0:
            try:
                here.close()
                silence()
                _serve(there, name, model, image)
            finally:
                os._exit(0)
        there.close()
        here.settimeout(LIMIT_SECONDS)
        self.lines = here.makefile("rw")
        self.socket = here

    def tell(self, command: str) -> dict[str, Any]:
        """Have it "load" or "call".

        Returns:
            {"seconds", ...} of what was done, or {"error"}.
        """
        try:
            self.lines.write(command + "\n")
            self.lines.flush()
            reply = self.lines.readline()
        except OSError as error:
            return {"error": in_one_line(error)}
        if not reply:
            return {"error": in_one_line(ChildFailed("the process died"))}
        found: dict[str, Any] = json.loads(reply)
        return found

    def end(self) -> None:
        """Kill it."""
        with contextlib.suppress(OSError):
            self.lines.close()
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def _serve(there: socket.socket, name: str, model: torch.nn.Module, image: torch.Tensor) -> None:
    lines = there.makefile("rw")
    peer = peers.find(name)
    before = _begin_peak()
    for line in lines:
        try:
            if line.strip() == "load":
                start = time.perf_counter()
                peer.load()
                reply: dict[str, Any] = {"seconds": time.perf_counter() - start}
            else:
                # Untimed: some leave hooks behind, and would pay for them in the next call.
                _forget_hooks(model)
                with torch.no_grad():
                    start = time.perf_counter()
                    count = peer.count(model, (image,), {})
                    seconds = time.perf_counter() - start
                reply = {"seconds": seconds, "count": count, "peak_bytes": _peak_since(before)}
        # Whatever a profiler raises is its answer.
        except Exception as error:  # noqa: BLE001
            reply = {"error": in_one_line(error)}
        lines.write(json.dumps(reply) + "\n")
        lines.flush()


def _forget_hooks(model: torch.nn.Module) -> None:
    for module in model.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()


_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def _begin_peak() -> int | None:
    """Resident bytes now, from which on their peak is taken; None where the system does not tell."""
    try:
        _CLEAR.write_text("5", encoding="ascii")
        return _resident("VmRSS")
    except OSError:
        return None


def _peak_since(before: int | None) -> int | None:
    return None if before is None else _resident("VmHWM") - before


def _resident(field: str) -> int:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
