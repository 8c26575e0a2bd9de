"""Worker: a process that measures a plan's cases and tells what it sees, a line of JSON for each event.

It reads the plan, tells what it runs on, and then reads the number of the process and the keys of the cases that are
still to be measured. What the models themselves print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple
from typing import Any, TextIO

from mac_profiler.devices import open_device
from mac_profiler.environment import describe_environment
from mac_profiler.errors import MacprofError
from mac_profiler.measure import measure
from mac_profiler.measurement import Case, Measurement, Sample
from mac_profiler.plan import Plan, cases_of


def main() -> None:
    """Measure what standard input asks for."""
    # Kept for the events alone: whatever prints must not stand between them.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    try:
        work(Plan.from_text(sys.stdin.readline()), sys.stdin, events)
    except MacprofError as error:
        _tell(events, "error", str(error))
    except BrokenPipeError:
        return  # whoever asked is gone, and so is the need


def work(plan: Plan, orders: TextIO, events: TextIO) -> None:
    """Tell what the device is, read which cases are wanted, measure them."""
    with closing(open_device(plan.settings)) as device:
        _tell(events, "environment", {**describe_environment(), **device.describe()})
        asked = json.loads(orders.readline() or "null")
        if asked is None:
            return
        wanted = set(asked["keys"])
        cases = [case for case in cases_of(plan) if case.key in wanted]

        def tell_round(taken: Sequence[tuple[Case, Sample]]) -> None:
            _tell(events, "round", [[case.key, *astuple(sample)] for case, sample in taken])

        def tell_case(done: Measurement) -> None:
            _tell(events, "case", [done.case.key, done.stopped, list(done.warnings), done.peak_bytes])

        measure(cases, device, plan.settings, process=asked["process"], on_round=tell_round, on_case=tell_case)


def _tell(events: TextIO, event: str, content: Any) -> None:
    events.write(json.dumps([event, content]) + "\n")


if __name__ == "__main__":
    main()
