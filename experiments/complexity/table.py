"""table.md of published_complexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.complexity.rows import TOLERANCE, Line
from experiments.reporting.files import environment_table, markdown_table
from mac_profiler import published

_PROTOCOL = """\
Ours is the plain count of `mac_profiler.analyze` at the network's own input: multiply-adds of convolution and matrix
products, parameters with batch-norm's. *Digits follow* where that count, or the one that the last column describes,
rounded like the figure, gives the printed digits. Where ours and the printed figure are more than 2 % apart, the last
column holds the reason that was found: another convention, a network that the paper leaves open in part, another build
of it, a rounded level. Whatever is chosen where a paper is silent is said in the docstring of the network's file."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    lines: Sequence[Line] = results["lines"]
    sections = [
        part
        for name in dict.fromkeys(line["table"] for line in lines)
        for part in (_heading(name), _section([line for line in lines if line["table"] == name]))
    ]
    return "\n\n".join(
        [
            "# Published complexity and ours",
            _verdict(lines),
            "![our count by the published one](figure.svg)",
            "## Further apart than 2 %",
            _section([line for line in lines if line["apart"]]),
            *sections,
            "## Protocol",
            _PROTOCOL,
            environment_table(results["environment"]),
        ]
    )


def _verdict(lines: Sequence[Line]) -> str:
    told = [line for line in lines if line["ratio"] is not None]
    missing = sorted({line["model"] for line in lines if line["ours"] is None})
    apart = [line for line in told if line["apart"]]
    silent = [line for line in apart if not line["reason"]]
    near, follow = len(told) - len(apart), sum(line["follows"] for line in told)
    whole = sum(not line["uncounted"] for line in lines if line["ours"] is not None)
    said = (
        f"{len(told)} printed figures of {len({line['model'] for line in lines})} networks: the digits of {follow} "
        f"follow from our count, {near} are within {TOLERANCE:.0%} of it, {len(apart)} further apart, "
        f"of which {len(silent)} without a reason. Of {len(lines)} rows {whole} are counted whole."
    )
    return said + (f" Not analyzed, their package being missing: {', '.join(missing)}." if missing else "")


def _heading(name: str) -> str:
    table = published.table(name)
    return f"## {table.title}\n\n{table.source}"


def _section(lines: Sequence[Line]) -> str:
    return markdown_table(
        ["row", "model", "quantity", "published", "ours", "ours / published", "digits follow", "reason"],
        [
            [
                line["row"],
                f"`{line['model']}`",
                {"mult_adds": "multiply-adds"}.get(line["quantity"], line["quantity"]),
                line["printed"] or "–",
                "–" if line["ours"] is None else f"{line['ours'] / 1e6:,.2f}M",
                "–" if line["ratio"] is None else f"{line['ratio']:.3f}",
                "yes" if line["follows"] else "no" if line["printed"] else "–",
                line["reason"],
            ]
            for line in lines
        ],
        3,
    )
