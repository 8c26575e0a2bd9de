"""table.md of score_ranks_slowness."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from experiments.reporting.files import environment_table, markdown_table

EXPECTED = 0.9
_CONVENTIONS = """\
- **Slowness**: measured time of a call by its multiply-adds.
- **Score**: 100 is a model whose predicted time is that of its multiply-adds at the best rate. Spearman's correlation
  is of slowness with the score, turned round: 1 where the lowest score is the slowest.
- **Nominal**: the platform of data sheets; nothing of the table was learned.
- **Learned**: ten numbers from 60 networks drawn by chance; mean over the draws, and the least. Ranked are only
  networks of other names. No limit was tuned on any of the tables: a score has none."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    rows = []
    for name, table in results["tables"].items():
        learned = table["spearman"][1:]
        rows.append(
            [
                name,
                len(table["networks"]),
                f"{table['spearman'][0]:.3f}",
                f"{mean(learned):.3f}",
                f"{min(learned):.3f}",
                min(table["tested"][1:]),
                f"{table['intensity']:.3f}",
                "met" if min(learned) >= EXPECTED else "not met",
            ]
        )
    header = [
        "table", "networks", "nominal", "learned from 60", "the least of the draws", "ranked",
        "multiply-adds by access alone", f"at least {EXPECTED}",
    ]  # fmt: skip
    return "\n\n".join(
        [
            "# Does the score tell which networks are slow for their multiply-adds?",
            markdown_table(header, rows),
            "![slowness against score](figure.svg)",
            "## Conventions",
            _CONVENTIONS,
            environment_table(results["environment"]),
        ]
    )
