"""Commands that a tutorial shows are run, and what they print stands below them: python -m website.shown.

In a tutorial a console block that is followed by a text block has its output there. Files are the blocks with a title.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from website.excerpts import ROOT

DOCS = ROOT / "docs"
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code in a page.

    Attributes:
        language: python, console, text, toml or yaml.
        title: the file that it is, or "".
        code: what stands in it.
        start: where the code begins in the page.
        end: where it ends.
    """

    language: str
    title: str
    code: str
    start: int
    end: int


def fences(text: str) -> list[Fence]:
    """The blocks of a page, in order."""
    return [Fence(each[1], each[2] or "", each[3], each.start(3), each.end(3)) for each in _FENCE.finditer(text)]


def commands(fence: Fence) -> list[str]:
    """Lines of a console block that are commands."""
    return [line.removeprefix("$ ") for line in fence.code.splitlines() if line.startswith("$ ")]


def tutorials() -> list[Path]:
    """Pages whose commands are run."""
    return sorted((DOCS / "tutorials").glob("*.md"))


def refreshed(text: str) -> str:
    """The page with what its commands print now."""
    blocks = fences(text)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_files(blocks, place)
        printed = {
            after.start: (after.end, run(before, place))
            for before, after in zip(blocks, [*blocks[1:], None], strict=True)
            if after is not None and (before.language, after.language) == ("console", "text")
        }
    for start, (end, output) in sorted(printed.items(), reverse=True):
        text = text[:start] + output + text[end:]
    return text


def write_files(blocks: list[Fence], folder: Path) -> None:
    """Blocks with a title, as files."""
    for block in blocks:
        if block.title:
            (folder / block.title).write_text(block.code, encoding="utf-8")


def run(fence: Fence, folder: Path) -> str:
    """What the commands of a console block print, 80 columns wide.

    Raises:
        RuntimeError: a command could not run.
    """
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    for name, arguments in (("macprof", "-m mac_profiler "), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n', encoding="utf-8")
        program.chmod(0o755)
    path = os.pathsep.join((str(ROOT), *filter(None, (os.environ.get("PYTHONPATH"),))))
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": path,
        "COLUMNS": "80",
    }
    printed = ""
    for command in commands(fence):
        ran = subprocess.run(  # noqa: S602 - the documentation's own commands
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        # 1 is what findings, or a budget that is exceeded, are told by; of anything else it is a failure.
        told = ran.returncode == 1 and re.match(r"macprof (audit|diff|results)\b", command)
        if ran.returncode and not told:
            raise RuntimeError(f"{command}: {ran.stderr}")
        printed += ran.stdout
    return "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n"


def stale() -> Iterator[tuple[Path, str]]:
    """Tutorials whose output is no longer what is printed, with what they should be."""
    for path in tutorials():
        text = path.read_text(encoding="utf-8")
        now = refreshed(text)
        if now != text:
            yield path, now


if __name__ == "__main__":
    for page, text in stale():
        page.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page}\n")
