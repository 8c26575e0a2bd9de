"""The command line that all experiments share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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
        device: what is timed; "cpu" for an experiment that has no choice.
        tables: files that it reads.
    """

    output: Path
    smoke: bool
    seed: int
    device: str = "cpu"
    tables: tuple[Path, ...] = ()


def read_options(name: str, description: str | None, devices: Sequence[str] = (), *, tables: bool = False) -> Options:
    """Parse the command line.

    Args:
        name: of the experiment, and of its folder under reports/; of another device than the CPU, it is part of it.
        description: the experiment's docstring.
        devices: what it can be told to time.
        tables: it reads files that are named on the command line.
    """
    parser = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help=f"folder of the report [{REPORTS / name}]")
    parser.add_argument("--smoke", action="store_true", help="take the least of everything, to see that it runs")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the calls [%(default)s]")
    if devices:
        parser.add_argument("--device", choices=devices, default="cpu", help="what is timed [%(default)s]")
    if tables:
        parser.add_argument("tables", nargs="*", type=Path, help="tables of measured speeds, CSV")
    given = parser.parse_args()
    device = given.device if devices else "cpu"
    folder = name if device == "cpu" else f"{name}_{device}"
    return Options(
        given.output or REPORTS / folder, given.smoke, given.seed, device, tuple(given.tables) if tables else ()
    )
