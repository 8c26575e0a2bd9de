"""The files of a report: results.json, table.md, figure.svg and figure.png."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def write_report(folder: Path, results: Mapping[str, Any], table: str, figure: Any) -> None:
    """Write all four.

    Args:
        folder: made where it does not exist.
        results: raw samples and answers, as JSON has them.
        table: Markdown.
        figure: a matplotlib figure; it is closed.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(table.rstrip() + "\n", encoding="utf-8")
    # The same data give the same file: no date, no random names inside.
    with mpl.rc_context({"svg.hashsalt": folder.name}):
        figure.savefig(folder / "figure.svg", bbox_inches="tight", metadata={"Date": None})
    figure.savefig(folder / "figure.png", bbox_inches="tight", dpi=150)
    plt.close(figure)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> str:
    """A table in Markdown.

    Args:
        header: titles of the columns.
        rows: their cells.
        left: so many columns are aligned to the left, the others to the right.
    """
    marks = [":--" if i < left else "--:" for i in range(len(header))]
    lines = [header, marks, *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def environment_table(environment: Mapping[str, str]) -> str:
    """What `describe` found, in Markdown."""
    return "\n".join(f"- {name}: {value}" for name, value in environment.items())
