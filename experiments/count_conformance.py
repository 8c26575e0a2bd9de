"""Which profilers count multiply-adds right where the answer can be derived by hand?

Question: of the calls in experiments/conformance_cases, each with a closed form, how many does macprof count right, and
how many do the other profilers? Where one is wrong, does it say that it left something out, or does it say nothing?
Expectation: macprof is right in all of them; no other profiler is, and many of their errors are silent.
Source: the closed forms stand beside the cases; the convention is that of the papers and of torchvision: multiply-adds
of convolution, matrix and vector products, attention (dense) and recurrent cells; bias and normalisation are none.

    python -m experiments.count_conformance [--smoke] [--output DIR]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from experiments import peers
from experiments.conformance.ask import EPILOGUES
from experiments.conformance.figure import draw
from experiments.conformance.table import write
from experiments.conformance_cases import CASES, Case
from experiments.reporting.environment import ONE_THREAD, describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Ask every peer about every case and write the report."""
    options = read_options("count_conformance", __doc__)
    cases = CASES[:: len(CASES) // 6] if options.smoke else CASES
    results = collect(cases)
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def collect(cases: list[Case]) -> dict[str, Any]:
    """Cases, conventions, and every answer as it was given; outcomes are derived from them."""
    answers = ask(cases)
    allowances = answers.pop(EPILOGUES)
    found = {name: peers.find(name) for name in peers.names()}
    return {
        "environment": describe(),
        "cases": [
            {
                "name": case.name,
                "family": case.family,
                "mult_adds": case.mult_adds,
                "derivation": case.derivation,
                "allowance": allowances[case.name].get("count", 0),
            }
            for case in cases
        ],
        "peers": [
            {
                "name": peer.NAME,
                "version": peers.installed(peer),
                "convention": peer.CONVENTION,
                "factor": peer.FACTOR,
                # The one that is examined is held to the number itself.
                "exact": name == "macprof",
                "answers": answers[name],
            }
            for name, peer in found.items()
        ],
    }


def ask(cases: list[Case]) -> dict[str, Any]:
    """All answers by peer and case, from a process of its own, in which torch has one thread from the start."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "answers.json"
        command = [sys.executable, "-m", "experiments.conformance.ask", str(target), *(case.name for case in cases)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, check=True)
        answers: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return answers


if __name__ == "__main__":
    main()
