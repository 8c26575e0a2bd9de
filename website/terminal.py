"""A picture of a terminal in which an audit is run, for the first screen of README: python -m website.terminal."""

from __future__ import annotations

import re
import sys
import tempfile
from html import escape
from pathlib import Path

from website.shown import DOCS, fences, run

COMMAND = "macprof audit --model shufflenet_v1 --platform nominal --min-severity warning"
PICTURE = DOCS / "terminal.svg"
# What the terminal shows of it.
LINES = 22
_WIDTH, _LINE, _MARGIN, _CHARACTER = 80, 17, 16, 7.8
_COLOURS = ((r"\berror\b", "#ff7b72"), (r"\bwarning\b", "#e3b341"), (r"^  (?:Remedy|Safe):", "#7ee787"))


def picture() -> str:
    """The picture, of what the command prints now."""
    with tempfile.TemporaryDirectory() as folder:
        (block,) = fences(f"```console\n$ {COMMAND}\n```\n")
        printed = run(block, Path(folder))
    return drawn([f"$ {COMMAND}", "", *printed.splitlines()[:LINES]])


def drawn(lines: list[str]) -> str:
    """Lines of text as they stand in a terminal; every reader has some font of equal widths."""
    width, height = round(_WIDTH * _CHARACTER) + 2 * _MARGIN, _LINE * len(lines) + 2 * _MARGIN
    rows = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * (number + 0.8):.1f}" textLength="{_CHARACTER * len(line):.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{_coloured(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    size = f'width="{width}" height="{height}"'
    style = "font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre;"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" role="img">'
    frame = f'<rect {size} rx="8" fill="#0d1117"/>'
    title = f"<title>{escape(COMMAND)}</title>"
    return "\n".join([head, title, f"<style>text {{ {style} }}</style>", frame, *rows, "</svg>\n"])


def _coloured(line: str) -> str:
    for pattern, colour in () if line.startswith("$") else _COLOURS:
        found = re.search(pattern, line)
        if found:
            before, marked, after = line[: found.start()], found[0], line[found.end() :]
            return f'{escape(before)}<tspan fill="{colour}">{escape(marked)}</tspan>{escape(after)}'
    return escape(line)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")
