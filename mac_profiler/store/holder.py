"""Holder: which process a run belongs to while it is measured, and whether that process is still there."""

from __future__ import annotations

import os
import platform
import secrets
from dataclasses import dataclass
from pathlib import Path

# A process that cannot be seen from here (in another container) is taken for gone when it wrote nothing for so long.
SILENCE_SECONDS = 600.0
_HERE: set[str] = set()


@dataclass(frozen=True, slots=True)
class Holder:
    """One process, told apart from a later one of the same number.

    Attributes:
        token: of this hold; a process may hold several runs.
        boot: since which start of the machine its processes count; "" where it does not matter.
        space: within which its number counts; "" where there is only one.
        pid: number of the process.
        began: when it began, as its system says; "" where that cannot be told.
    """

    token: str
    boot: str
    space: str
    pid: int
    began: str

    def is_gone(self, silent: float) -> bool:
        """Whether nobody holds any more.

        Args:
            silent: seconds since it last wrote.
        """
        if self.boot != _boot():
            # The machine was started anew, or the file was brought here from another: a file cannot be shared by two.
            return True
        if self.space != _space() or not self.began:
            return silent > SILENCE_SECONDS
        if self.pid == os.getpid() and self.began == _began(self.pid):
            return self.token not in _HERE
        return self.began != _began(self.pid)


def hold() -> Holder:
    """This process as the holder of one more run."""
    token = secrets.token_hex(8)
    _HERE.add(token)
    return Holder(token, _boot(), _space(), os.getpid(), _began(os.getpid()))


def let_go(holder: Holder) -> None:
    """This process holds that run no longer; a second time does nothing."""
    _HERE.discard(holder.token)


def _boot() -> str:
    # Elsewhere than on Linux a process's beginning is told as a date, which no restart repeats.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _began(pid: int) -> str:
    """When the process began; "" where there is none, or where nothing can tell."""
    if platform.system() == "Linux":
        try:
            # The name, in brackets, may itself hold spaces and brackets.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        # A zombie is dead; only its parent has not asked yet.
        return "" if fields[0] in "ZX" else fields[19]
    try:
        import psutil
    except ImportError:
        return ""
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""
