"""The line that says what takes long."""

from __future__ import annotations

import io
import sys
import time

import pytest

from mac_profiler import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(progress, "FRAME_SECONDS", 0.01)


def wait_for(stream: io.StringIO, text: str) -> bool:
    deadline = time.monotonic() + 10
    while text not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    return text in stream.getvalue()


@pytest.mark.usefixtures("hasty")
def test_long_work_is_told_and_wiped_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress("building net") as say:
        assert wait_for(terminal, "building net")
        say("tracing net")
        assert wait_for(terminal, "tracing net")
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "\n" not in terminal.getvalue()


def test_short_work_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress("building net"):
        pass
    assert terminal.getvalue() == ""


@pytest.mark.usefixtures("hasty")
def test_without_a_terminal_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.progress("building net"):
        time.sleep(0.1)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("hasty")
def test_the_line_is_gone_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def fail() -> None:
        with progress.progress("building net"):
            wait_for(terminal, "building net")
            raise ValueError("the forward is odd")

    with pytest.raises(ValueError, match="odd"):
        fail()
    assert terminal.getvalue().endswith("\r\x1b[K")
