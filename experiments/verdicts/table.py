"""table.md of audit_paper_verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.reporting.files import environment_table, markdown_table

_CONVENTIONS = """\
- **Loud** is a finding that is a warning or an error: all findings of its rule lose 0.5 % or 10 % of the network's time
  together, and it has a fifth of that share by itself. All others are notes.
- Shares are of the time on the nominal platform: the paper's GPU (GeForce GTX 1080 Ti) at its peaks by the data sheet,
  operators one by one, launches shared by the 8 images of the paper's batch. Nothing was measured, limits are the
  rules' own, and no rule knows a network.
- G401 (foldable batch-norm) and G402 (unfused activation) are notes by their nature: engines undo them. They are left
  out of the tables, and are in `results.json`.
- **Score**: the part of that time that the multiply-adds alone would take at the best; what is lost is put down to one
  guideline or to the rest, so that all of it is 100."""
_NOTES = ("G401", "G402")


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    judged = results["judged"]
    parts = ["# What an audit says of the networks that the paper judges, and of others", _verdict(judged)]
    parts += [_judged([each for each in judged if each["by_paper"]])]
    others = [each for each in judged if not each["by_paper"]]
    if others:
        parts += ["## Networks that the paper does not judge in words", _judged(others)]
    parts += [_units(results["stride_1_units"]), _fragments(results["fragments"])]
    parts += ["![share of the time that each rule finds lost](figure.svg)"]
    if results["zoo"]:
        parts += ["## All networks of the zoo", _zoo(results["zoo"])]
    parts += ["## Conventions", _CONVENTIONS, environment_table(results["environment"])]
    return "\n\n".join(part for part in parts if part)


def _verdict(judged: Sequence[Mapping[str, Any]]) -> str:
    agreed = [each for each in judged if not each["missing"] and not each["besides"]]
    paper = [each for each in judged if each["by_paper"]]
    said = [each for each in paper if each in agreed]
    return (
        f"Of {len(paper)} networks that the paper judges, the audit says the same of {len(said)}; of all {len(judged)} "
        f"below it says what was expected, and nothing loud besides, of {len(agreed)}."
    )


def _judged(judged: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            each["title"],
            ", ".join(each["expected"]) or "nothing",
            each["because"],
            _found(each, loud=True) or "nothing",
            _found(each, loud=False) or "–",
            _agrees(each),
        ]
        for each in judged
    ]
    return markdown_table(["network", "expected", "because", "loud, share lost", "notes", "verdict"], rows, left=6)


def _agrees(each: Mapping[str, Any]) -> str:
    if each["missing"]:
        return f"missing: {', '.join(each['missing'])}"
    return f"besides: {', '.join(each['besides'])}" if each["besides"] else "agrees"


def _found(each: Mapping[str, Any], *, loud: bool) -> str:
    return ", ".join(
        f"{code} {100 * found['lost_share']:.1f} %"
        for code, found in each["findings"].items()
        if code not in _NOTES and (found["severity"] != "info") == loud
    )


def _units(units: Sequence[Mapping[str, Any]]) -> str:
    if not units:
        return ""
    rows = [[each["model"], each["units"], ", ".join(each["found"]) or "nothing"] for each in units]
    return "## Stride-1 units of ShuffleNet V2\n\n" + markdown_table(
        ["network", "stride-1 units", "found against G1 to G3"], rows, left=1
    )


def _fragments(networks: Sequence[Mapping[str, Any]]) -> str:
    if not networks:
        return ""
    rows = [[each["model"], _numbers(each["plain"]), _numbers(each["fitted"])] for each in networks]
    return "## Fragments of a residual block\n\n" + markdown_table(
        ["network", "with an identity", "with a convolution in the shortcut"], rows, left=1
    )


def _numbers(found: Sequence[int]) -> str:
    return ", ".join(map(str, found))


def _zoo(rows: Sequence[Mapping[str, Any]]) -> str:
    guidelines = list(rows[0]["points"])
    cells = [
        [
            each["model"],
            f"{each['mult_adds'] / 1e6:,.0f}M",
            f"{each['score']:.1f}",
            *(f"{each['points'][guideline]:.1f}" for guideline in guidelines),
            _found(each, loud=True) or "–",
        ]
        for each in rows
    ]
    return markdown_table(["network", "multiply-adds", "score", *guidelines, "loud, share lost"], cells)
