"""What do profilers do besides counting, and what do they do better than macprof?

Question: each profiler that is installed is asked, by a small program, whether it takes a model on the meta device,
leaves a model as it was found, states memory access, can be taught an operator, and so on. What is the answer?
Expectation: none is written down before: this is a survey, and macprof is expected to lack things that others have.
Source: the programs of `experiments/features/asked.py`.

    python -m experiments.peer_features [--smoke] [--output DIR]
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from experiments.features.asked import PACKAGES, QUESTIONS, TRIED
from experiments.features.figure import draw
from experiments.features.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120


def main() -> None:
    """Ask every profiler and write the report."""
    options = read_options("peer_features", __doc__)
    names = list(PACKAGES)[: 1 if options.smoke else None]
    results = {
        "environment": describe(),
        "questions": QUESTIONS,
        "answers": {name: ask(name) for name in names},
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def ask(name: str) -> dict[str, Any]:
    """Answers of one profiler; what is tried has a process of its own."""
    found: dict[str, Any] = {}
    looked_up = [question for question in QUESTIONS if question not in TRIED]
    for questions in (looked_up, *([question] for question in TRIED)):
        command = [sys.executable, "-m", "experiments.features.asked", name, *questions]
        try:
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
            found |= json.loads(ran.stdout.strip().rpartition("\n")[2])
        except subprocess.TimeoutExpired:
            found |= _failed(questions, f"no answer in {SECONDS} s")
        except json.JSONDecodeError:
            found |= _failed(questions, ran.stderr.strip().rpartition("\n")[2][:160])
    return found


def _failed(questions: list[str], because: str) -> dict[str, Any]:
    return {question: {"answer": False, "because": because} for question in questions}


if __name__ == "__main__":
    main()
