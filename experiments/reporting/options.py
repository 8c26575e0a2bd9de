"""The command line that all experiments share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

REPORTS = Path(__file__).resolve().parents[2] / "reports"


@dataclass(frozen=True, slots=True)
class Options:
    """How an experiment is run.

    Attributes:
        output: folder of the report.
        smoke: take the least of everything: it shows that the experiment runs, its figures mean nothing.
        seed: of whatever is drawn by chance.
    """

    output: Path
    smoke: bool
    seed: int


def read_options(name: str, description: str | None) -> Options:
    """Parse the command line.

    Args:
        name: of the experiment, and of its folder under reports/.
        description: the experiment's docstring.
    """
    parser = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=REPORTS / name, help="folder of the report [%(default)s]")
    parser.add_argument("--smoke", action="store_true", help="take the least of everything, to see that it runs")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the calls [%(default)s]")
    given = parser.parse_args()
    return Options(given.output, given.smoke, given.seed)
