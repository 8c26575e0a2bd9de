"""table.md of peer_features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reporting.files import environment_table, markdown_table


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    return "\n\n".join(
        [
            "# What profilers do besides counting",
            matrix(results),
            "![yes and no](figure.svg)",
            "## What each answer rests on",
            _grounds(results),
            "## Protocol",
            _PROTOCOL,
            environment_table(results["environment"]),
        ]
    )


_PROTOCOL = """\
- Every question is a program (`experiments/features/asked.py`), run in a process of its own.
- Where a public function or argument answers, it is looked up in the installed package and named below; whether what it
  prints is right is no part of the question (the conformance report asks that).
- "leaves a model as found" compares attributes, hooks, mode and buffers of a small model before and after one call."""


def matrix(results: Mapping[str, Any]) -> str:
    """Yes and no."""
    answers = results["answers"]
    rows = [
        [said, *("yes" if answers[name][question]["answer"] else "no" for name in answers)]
        for question, said in results["questions"].items()
    ]
    return markdown_table(["", *answers], rows)


def _grounds(results: Mapping[str, Any]) -> str:
    rows = [
        [name, said, "yes" if found["answer"] else "no", found["because"]]
        for name, every in results["answers"].items()
        for said, found in ((results["questions"][question], every[question]) for question in every)
    ]
    return markdown_table(["profiler", "question", "answer", "because"], rows, 4)
