"""Run every experiment in full, one after the other, and write the index of their reports.

    python -m experiments.reporting.everything [TABLE.csv ...] [--only NAME ...] [--smoke --output DIR]

It takes hours, and measures: leave the machine alone meanwhile. An experiment that fails does not keep the others from
running; one that reads tables of measured speeds is skipped where none is given.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.reporting import index
from experiments.reporting.asked import EXPERIMENTS, Asked, all_asked

ROOT = EXPERIMENTS.parent


def main() -> None:
    """Run all of them; the exit status is 1 where one has failed."""
    parser = argparse.ArgumentParser(
        prog="experiments.reporting.everything",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tables", nargs="*", type=Path, help="tables of measured speeds, CSV, for those that read some")
    parser.add_argument("--only", action="append", metavar="NAME", help="run this one; give it again for another")
    parser.add_argument("--output", type=Path, help="folder that the reports are written to [reports/]")
    parser.add_argument("--smoke", action="store_true", help="take the least of everything, to see that they run")
    given = parser.parse_args()
    if given.smoke and given.output is None:
        parser.error("--smoke needs --output DIR: its figures mean nothing and belong into no report")
    experiments = all_asked()
    unknown = set(given.only or ()) - {each.name for each in experiments}
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    chosen = [each for each in experiments if not given.only or each.name in given.only]
    tables = [path.resolve() for path in given.tables]
    failed = [each.name for each in chosen if not run(each, tables, given.output, smoke=given.smoke)]
    if given.output is None:
        index.main()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def run(asked: Asked, tables: Sequence[Path], output: Path | None, *, smoke: bool) -> bool:
    """Run one, or say why not; False where it failed."""
    if asked.reads_tables and not tables:
        print(f"{asked.name}: skipped, it reads tables of measured speeds; name some: make experiments TABLES=FILE.csv")
        return True
    print(f"{asked.name}: {asked.title}", flush=True)
    start = time.monotonic()
    status = subprocess.run(command(asked, tables, output, smoke=smoke), cwd=ROOT, check=False).returncode
    minutes = (time.monotonic() - start) / 60
    print(f"{asked.name}: {'done' if status == 0 else f'failed with exit status {status}'}, {minutes:.1f} minutes")
    return status == 0


def command(asked: Asked, tables: Sequence[Path], output: Path | None, *, smoke: bool) -> list[str]:
    """What runs it; its report goes to a folder of its name."""
    return [
        sys.executable,
        "-m",
        f"experiments.{asked.name}",
        *(map(str, tables) if asked.reads_tables else ()),
        *(("--output", str(output.resolve() / asked.name)) if output is not None else ()),
        *(("--smoke",) if smoke else ()),
    ]


if __name__ == "__main__":
    main()
