"""Conduct: have a plan's cases measured by processes of their own, one after the other, and keep what they tell."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import IO, Any

from mac_profiler.environment import fingerprint
from mac_profiler.errors import InvalidInput, MeasureFailed
from mac_profiler.measurement import Case, Measurement, Sample, Scalar
from mac_profiler.own_code import marks_of
from mac_profiler.plan import Plan, cases_of
from mac_profiler.processes import own
from mac_profiler.store import Store
from mac_profiler.store.recording import Run
from mac_profiler.units import seconds as written_seconds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over.

    Attributes:
        run: its id in the store.
        measurements: every case of the plan, in the plan's order.
        resumed: a part of it was measured earlier.
    """

    run: str
    measurements: tuple[Measurement, ...]
    resumed: bool


def conduct(plan: Plan, store: Store, *, resume: bool = False, say: Say = lambda _: None) -> Outcome:
    """Measure what is not measured yet, process by process; every round is in the store when it ends.

    Each process measures every case that too few have measured. So a case's samples come from several processes, whose
    memory lies differently, and a run that was killed goes on where it stopped.

    Raises:
        InvalidInput: the plan names nothing, or nothing that this machine can do.
        StoreFailed: the store cannot be written.
        MeasureFailed: a process died.
    """
    cases = cases_of(plan)
    say("starting")
    with closing(_Worker(plan)) as first:
        environment = first.environment()
        told = {**fingerprint(environment, plan.settings), **marks_of(plan.models)}
        marks = "\n".join(f"{name}: {value}" for name, value in told.items())
        with store.begin(plan.settings, environment, marks, plan.subjects, resume=resume) as run:
            progress = _Progress(len(cases) * plan.settings.processes, say)
            _follow(first, run, cases, progress)
            while _left(run, cases):
                with closing(_Worker(plan)) as another:
                    another.environment()
                    _follow(another, run, cases, progress)
            run.end()
            found = {each.case.key: each for each in store.measurements(run.id)}
            return Outcome(run.id, tuple(found[case.key] for case in cases), run.resumed)


def _left(run: Run, cases: Sequence[Case]) -> list[Case]:
    """Cases that too few processes have measured; the whole group where it is one of them."""
    done = run.done()
    groups = {(case.benchmark, case.group) for case in cases if case.key not in done}
    return [case for case in cases if (case.benchmark, case.group) in groups]


class _Worker:
    """A process that measures, and what it tells."""

    def __init__(self, plan: Plan) -> None:
        # A file, not a pipe: what models print would fill that, and nobody reads it meanwhile.
        self.said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by close
        command, environment = own("mac_profiler.worker")
        self.popen = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
        )
        self.write(plan.to_text())

    def write(self, line: str) -> None:
        """Tell it something; that it is gone shows when it is listened to."""
        pipe: IO[str] = self.popen.stdin  # type: ignore[assignment]
        try:
            pipe.write(line + "\n")
            pipe.flush()
        except BrokenPipeError:
            return

    def environment(self) -> Mapping[str, Scalar]:
        """What it is, and where it runs."""
        first = next(self.events(), None)
        if first is None or first[0] != "environment":
            raise MeasureFailed("the measuring process ended before it began; does the model's file end the program?")
        _, content = first
        found: Mapping[str, Scalar] = content
        return found

    def events(self) -> Iterator[tuple[str, Any]]:
        """What it tells, until it is done.

        Raises:
            InvalidInput: it refused, and why.
            MeasureFailed: it died.
        """
        pipe: IO[str] = self.popen.stdout  # type: ignore[assignment]
        while line := pipe.readline():
            event, content = json.loads(line)
            if event == "error":
                raise InvalidInput(content)
            yield event, content
        status = self.popen.wait()
        if status:
            raise MeasureFailed(
                f"the measuring process {self._end(status)}; what it measured is kept, and --resume goes on"
            )

    def close(self) -> None:
        """End it, whatever it does."""
        self.popen.kill()
        for pipe in (self.popen.stdin, self.popen.stdout, self.said):
            # What was not written yet need not be: nobody reads it.
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self.popen.wait()

    def _end(self, status: int) -> str:
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        self.said.seek(0)
        lines = self.said.read().strip().splitlines()
        return f"ended with status {status}" + (f" ({lines[-1]})" if lines else "")


def _follow(worker: _Worker, run: Run, cases: Sequence[Case], progress: _Progress) -> None:
    """Have it measure what is left, and write down what it tells."""
    wanted = _left(run, cases)
    by_key = {case.key: case for case in cases}
    process = run.next_process()
    progress.begin(len(wanted), cases, run.done())
    worker.write(json.dumps({"process": process, "keys": [case.key for case in wanted]}))
    for event, content in worker.events():
        if event == "round":
            taken = [(by_key[key], Sample(*values)) for key, *values in content]
            progress.tell(taken[0][0])
            run.add(taken)
        elif event == "case":
            key, stopped, warnings, peak_bytes = content
            measurement = Measurement(by_key[key], (), stopped, tuple(warnings), peak_bytes)
            run.finish(measurement, process=None if stopped.startswith("failed") else process)
            progress.done += 1


class _Progress:
    """How far it is, and how long it will take."""

    def __init__(self, total: int, say: Say) -> None:
        self.total, self.say = total, say
        self.done = self.before = 0
        self.begun = time.monotonic()

    def begin(self, wanted: int, cases: Sequence[Case], finished: set[str]) -> None:
        """A process begins; on the first, what was measured earlier shows."""
        if self.done == 0:
            self.done = self.before = sum(case.key in finished for case in cases) * (self.total // max(len(cases), 1))
        self.done = max(self.done, min(self.done, self.total - wanted))

    def tell(self, case: Case) -> None:
        """Say what is measured now."""
        share = (self.done - self.before) / max(self.total - self.before, 1)
        passed = time.monotonic() - self.begun
        left = f", about {written_seconds(passed * (1 - share) / share)} left" if share > 0.02 else ""
        self.say(f"{case.benchmark} {case.group}: {self.done} of {self.total}{left}")
