"""table.md of flops_are_not_speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.prediction.predictors import FULL
from experiments.reporting.files import environment_table, markdown_table

# What is expected of the laws: error, whether the figure is to be at most or at least, and the limit.
EXPECTED = (
    ("median", "median error at most 10 %", False, 0.10),
    ("within", "half of the networks within 10 %", True, 0.50),
    ("rank", "Spearman of the times at least 0.98", True, 0.98),
    ("slowness", "Spearman of time by multiply-adds at least 0.93", True, 0.93),
)
_PROTOCOL = """\
- Times are the tables'; nothing was measured here. Counts are macprof's, at the size and batch of each row.
- {trained_on} networks drawn by chance are learned from, all others are told; {seeds} draws, and the figures are means
  over them. Every predictor has the same draws, and is fitted in the same way (relative errors, robust, no negative
  number).
- Multiply-adds, parameters, memory access: one number each. Both: two. The laws: ten numbers, as of
  `macprof platforms fit`, which also decides whether the software fuses operators.
- Slowness is time by multiply-adds: what multiply-adds do not tell. They themselves rank no slowness."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    parts = ["# Multiply-adds are not speed", "![time against multiply-adds, and told by the laws](figure.svg)"]
    for name, table in results["tables"].items():
        engine = "fused" if table["fused"] else "one by one"
        parts += [
            f"## {name}",
            f"{table['networks']} networks, {table['trained_on']} of them learned from; operators {engine}.",
            _expected(table),
            _errors(table),
            "Median error by family, tested networks only:",
            _families(table),
            "What the laws tell worst, median over the draws: "
            + ", ".join(f"{each['model']} {100 * each['error']:+.0f} %" for each in table["worst"])
            + ".",
            "The numbers, learned from all networks, in seconds of one:",
            markdown_table(["number", "seconds"], [[key, f"{value:.3g}"] for key, value in table["numbers"].items()]),
        ]
        if table["left_out"]:
            parts.append("Left out, as they could not be counted: " + "; ".join(table["left_out"]) + ".")
    parts += [
        "## Protocol",
        _PROTOCOL.format(**results["protocol"]),
        environment_table(results["environment"]),
    ]
    return "\n\n".join(parts)


def _expected(table: Mapping[str, Any]) -> str:
    rows = []
    for key, claim, at_least, limit in EXPECTED:
        found = table["errors"][FULL][key]
        met = found >= limit if at_least else found <= limit
        shown = f"{found:.3f}" if key in ("rank", "slowness") else f"{100 * found:.1f} %"
        rows.append([claim, shown, "met" if met else "not met"])
    return markdown_table(["expected of the laws", "found", "verdict"], rows)


def _errors(table: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            f"{100 * each['median']:.1f} %",
            f"{100 * each['within']:.0f} %",
            f"{100 * each['nine_in_ten']:.0f} %",
            f"{each['rank']:.3f}",
            "–" if each["slowness"] is None else f"{each['slowness']:.3f}",
        ]
        for name, each in table["errors"].items()
    ]
    header = ["told from", "median error", "within 10 %", "nine in ten within", "Spearman", "Spearman of slowness"]
    return markdown_table(header, rows)


def _families(table: Mapping[str, Any]) -> str:
    names = list(table["errors"])
    rows = [
        [each["family"], each["networks"], *(f"{100 * each['median'][name]:.0f} %" for name in names)]
        for each in table["families"]
    ]
    return markdown_table(["family", "networks", *names], rows)
