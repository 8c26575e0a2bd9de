"""The text of docs/ledger.md and docs/compared.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.ledger.compared import compared
from experiments.ledger.evidence import EVIDENCE, GUIDELINES, REPORTS, Line, guideline, results_of
from experiments.reporting.files import markdown_table
from experiments.reporting.verdicts import verdicts

DOCS = REPORTS.parent / "docs"
_INTRODUCTION = """\
# The ledger

How right macprof is, as far as it was tested. Every line is taken from a report, and so are its date and its machine;
`make ledger` writes this page, and a test fails where it differs from what the reports say. What is expected
stands in each experiment's docstring; what is not met stays here."""
_PAPER = """\
## The paper's own experiments, here

Whether each row of the paper's tables 1 to 4 is slower, or faster, than the first of its group on this CPU, too."""


_UNMET = """\
## What was expected and is not met

Row by row, as the reports have it."""


def written() -> dict[Path, str]:
    """Path and text of every page that is made from reports."""
    return {DOCS / "ledger.md": ledger(), DOCS / "compared.md": compared()}


def ledger() -> str:
    """The whole page."""
    found: list[tuple[str, Line]] = []
    missing = []
    for report, read in EVIDENCE.items():
        results = results_of(report)
        if results is None:
            missing.append(report)
        else:
            found += [(report, line) for line in read(results)]
    judged = [line.met for _, line in found if line.met is not None]
    paper = [
        (report, line)
        for report in GUIDELINES
        if (results := results_of(report)) is not None
        for line in guideline(results, (REPORTS / report / "table.md").read_text(encoding="utf-8"))
    ]
    parts = [
        _INTRODUCTION,
        f"Of {len(judged)} expectations {sum(judged)} are met and {len(judged) - sum(judged)} are not.",
        _table(found),
        _PAPER,
        _table(paper),
    ]
    unmet = list(not_met())
    if unmet:
        parts += [_UNMET, "\n".join(unmet)]
    if missing:
        parts.append(f"No report of {', '.join(missing)} is here.")
    return "\n\n".join(parts) + "\n"


def not_met() -> Iterator[str]:
    """Every row that its report says is not met, in the report's words, whether a line above is about it or not."""
    for folder in sorted(path.parent for path in REPORTS.glob("*/table.md")):
        for part in verdicts((folder / "table.md").read_text(encoding="utf-8")):
            for row in part.splitlines():
                if row.startswith("- not met"):
                    yield f"- [{folder.name}](../reports/{folder.name}/table.md): {row.removeprefix('- ')}"


def _table(found: list[tuple[str, Line]]) -> str:
    marks = {True: "met", False: "**not met**", None: "–"}
    rows = [
        [
            line.asked,
            line.expected or "–",
            line.found,
            marks[line.met],
            f"[{report}](../reports/{report}/table.md)",
            _when(report),
        ]
        for report, line in found
    ]
    return markdown_table(["asked", "expected", "found", "", "report", "made"], rows, 6)


def _when(report: str) -> str:
    environment: Any = results_of(report)["environment"]
    device = environment["device"]
    if device == "cpu":
        device = f"{environment['cpu']}, {environment['cores_physical']} cores, {environment['memory_gib']} GiB"
    return f"{environment['date'].partition(' ')[0]}, {device}"
