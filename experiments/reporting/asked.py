"""What an experiment asks, read from its docstring; nothing is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parents[1]
_HEADINGS = ("Question", "Expectation", "Source")


@dataclass(frozen=True, slots=True)
class Asked:
    """One experiment.

    Attributes:
        name: of its file and of its report.
        title: first line of the docstring.
        question: what it asks.
        expectation: what was expected.
        source: where question and figures come from.
        reads_tables: it is given tables of measured speeds on the command line.
    """

    name: str
    title: str
    question: str
    expectation: str
    source: str
    reads_tables: bool


def all_asked(folder: Path = EXPERIMENTS) -> list[Asked]:
    """Every experiment of a folder, by name."""
    return [asked(path) for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]


def asked(path: Path) -> Asked:
    """The experiment in a file.

    Raises:
        ValueError: its docstring does not say what it asks.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    parts = {heading: _paragraph(text, heading) for heading in _HEADINGS}
    missing = [heading for heading, said in parts.items() if not said]
    if missing:
        raise ValueError(f"{path.name}: the docstring has no {' and no '.join(missing)}")
    usage = re.search(rf"^ +python -m experiments\.{path.stem}\b(.*)$", text, re.MULTILINE)
    return Asked(
        name=path.stem,
        title=text.partition("\n")[0].strip(),
        question=parts["Question"],
        expectation=parts["Expectation"],
        source=parts["Source"],
        reads_tables=usage is not None and "TABLE" in usage[1],
    )


def experiment_of(report: str, experiments: Sequence[Asked]) -> Asked | None:
    """Whose report it is: of another device than the CPU, the device's name is behind the experiment's."""
    fitting = [each for each in experiments if report == each.name or report.startswith(f"{each.name}_")]
    return max(fitting, key=lambda each: len(each.name), default=None)


def _paragraph(text: str, heading: str) -> str:
    """What stands behind "Question: ", up to the next heading or an empty line, in one line."""
    found = re.search(rf"^{heading}:(.*?)(?=^(?:{'|'.join(_HEADINGS)}):|^\s*$|\Z)", text, re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""
