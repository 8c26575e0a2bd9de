"""reports/README.md: what every report asks, expected and found, with its figure and the machine that it was made on.

    python -m experiments.reporting.index

It is made from the docstrings of the experiments and from the reports, never edited by hand.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.reporting.asked import Asked, all_asked, experiment_of
from experiments.reporting.options import REPORTS
from experiments.reporting.verdicts import verdicts

NAME = "README.md"
_BEGINNING = """\
# Reports

What was asked of macprof and of the papers, what was expected, and what was found. A report is made by one command,
`python -m experiments.<name>`; all of them by `make experiments`. Whatever was measured holds for the machine that is
named beside it. This page is made by `make index` from the experiments and their reports."""


def main() -> None:
    """Write the index of the reports."""
    (REPORTS / NAME).write_text(index(REPORTS, all_asked()), encoding="utf-8")
    print(REPORTS / NAME)


def index(reports: Path, experiments: Sequence[Asked]) -> str:
    """The whole file.

    Args:
        reports: folder of the reports, a folder each.
        experiments: what is asked.

    Raises:
        ValueError: there is a report that no experiment makes.
    """
    folders = sorted(path.parent for path in reports.glob("*/results.json"))
    owners = {folder: experiment_of(folder.name, experiments) for folder in folders}
    lost = [folder.name for folder, owner in owners.items() if owner is None]
    if lost:
        raise ValueError(f"reports that no experiment makes: {', '.join(lost)}")
    found = {folder: owner for folder, owner in owners.items() if owner is not None}
    asked = {owner.name for owner in found.values()}
    unasked = [each for each in experiments if each.name not in asked]
    contents = [f"- [{owner.title}](#{folder.name})" for folder, owner in found.items()]
    parts = [_BEGINNING, "\n".join(contents), *(_section(folder, owner) for folder, owner in found.items())]
    if unasked:
        parts += [
            "## Without a report",
            "\n".join(f"- `{each.name}`: {each.title}" for each in unasked),
        ]
    return "\n\n".join(parts) + "\n"


def _section(folder: Path, asked: Asked) -> str:
    environment = json.loads((folder / "results.json").read_text(encoding="utf-8"))["environment"]
    found = verdicts((folder / "table.md").read_text(encoding="utf-8"))
    whole = f"{folder.name}/table.md"
    return "\n\n".join(
        [
            # The name is the heading, so that a link to it is short and stays.
            f"## {folder.name}",
            f"**{asked.title}**",
            *(_fill(f"*{title}:* {said}") for title, said in _said(asked).items()),
            # A survey has a table and no verdict.
            f"*Found, in short* ([all of it]({whole})):" if found else f"*Found:* [a table]({whole}).",
            *found,
            f"![{folder.name}]({folder.name}/figure.svg)",
            _fill(f"*Made:* {_machine(environment)}"),
        ]
    )


def _said(asked: Asked) -> dict[str, str]:
    return {"Asked": asked.question, "Expected": asked.expectation, "Source": asked.source}


def _machine(environment: Mapping[str, str]) -> str:
    """Date, processor, system and versions, in one line."""
    processor = environment.get("gpu", environment.get("cpu", environment["device"]))
    if "cores_logical" in environment:
        processor += f", {environment['cores_logical']} cores, {environment['memory_gib']} GiB"
    threads = [f"{environment['threads']} thread(s)"] if "threads" in environment else []
    python = environment["python"].removeprefix("CPython ")
    versions = [f"Python {python}", f"torch {environment['torch']}"]
    return "; ".join([f"{environment['date']} on {processor}", *threads, environment["system"], *versions]) + "."


def _fill(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
