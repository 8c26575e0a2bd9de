"""Whether the process that a run belongs to is still there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from mac_profiler.store import holder


def test_a_holder_is_told_from_one_that_is_gone() -> None:
    here = holder.hold()
    assert not here.is_gone(1e9)
    assert replace(here, boot="before the restart").is_gone(0)
    # Of a process in another container nothing can be seen but what it writes.
    assert not replace(here, space="other").is_gone(holder.SILENCE_SECONDS - 1)
    assert replace(here, space="other").is_gone(holder.SILENCE_SECONDS + 1)
    # The same number, but not the same process.
    assert replace(here, began="0").is_gone(0)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = holder._began(child.pid)
    theirs = replace(here, pid=child.pid, began=began)
    assert not theirs.is_gone(1e9)
    child.kill()
    # Dead, though nobody has asked for it yet: a zombie.
    wait_until(lambda: holder._began(child.pid) == "")
    assert theirs.is_gone(0)
    child.communicate()
    assert theirs.is_gone(0)
    holder.let_go(here)
    assert here.is_gone(0)


def test_elsewhere_than_on_linux_psutil_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    here = holder.hold()
    assert float(here.began) > 0
    assert not here.is_gone(1e9)
    assert replace(here, began="1.5").is_gone(0)
    assert holder._began(2**22 + 1) == ""
    monkeypatch.setitem(sys.modules, "psutil", None)
    blind = holder.hold()
    assert blind.began == ""
    assert not blind.is_gone(0)
    assert blind.is_gone(holder.SILENCE_SECONDS + 1)


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.002)
