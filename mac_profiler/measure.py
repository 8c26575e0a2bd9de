"""Measure: time cases in turns until every answer is precise enough, or its time is up.

Knows no torch and no clock: the device is an argument (see `mac_profiler.devices`), and a test brings its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil, sqrt
from statistics import median

from mac_profiler.devices import Conditions, Device, Timer
from mac_profiler.errors import MeasureFailed
from mac_profiler.intervals import is_steady, median_interval
from mac_profiler.measurement import Case, Measurement, Sample, Settings

# Calls that a warm-up consists of at least; the second half tells what a call takes.
WARMUP_CALLS = 6
# Below so many samples a median says nothing, whatever the time.
FEWEST_ROUNDS = 3
# A round that began or ended on a throttled device is taken again so often, after a rest.
REPEATS, REST_SECONDS = 5, 2.0
# A clock that is so much lower than the fastest one seen is a throttled one, whatever the driver says.
CLOCK_FALL = 0.05
# What the warnings call noisy, short and loaded.
NOISY, SHORT_SECONDS, LOADED = 0.1, 20e-6, 0.1

# Told of every round when it ends, and of every case when no more samples of it will come.
OnRound = Callable[[Sequence[tuple[Case, Sample]]], None]
OnCase = Callable[[Measurement], None]


@dataclass(slots=True)
class _Turn:
    """A case while its group is measured."""

    case: Case
    timer: Timer
    calls: int = 1
    samples: list[Sample] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def measure(
    cases: Iterable[Case],
    device: Device,
    settings: Settings,
    *,
    process: int = 0,
    earlier: Mapping[str, Sequence[Sample]] | None = None,
    on_round: OnRound | None = None,
    on_case: OnCase | None = None,
) -> list[Measurement]:
    """Time the cases, group by group; those of a group in turns, in an order that is drawn anew each round.

    Whatever slows the machine for a while so slows all that are compared.

    Args:
        cases: cases of one group stand together.
        device: where they run.
        settings: how.
        process: number of this process, for the samples.
        earlier: samples that other processes took, by key of the case; they count towards the precision.
        on_round: told of the samples of every round.
        on_case: told of every case that is done.

    Returns:
        A measurement a case, with the samples of this process; of one that failed, with none.
    """
    found = []
    for _, group in groupby(cases, key=lambda case: (case.benchmark, case.group)):
        done = _measure_group(list(group), device, settings, process, earlier or {}, on_round)
        for measurement in done:
            if on_case is not None:
                on_case(measurement)
        found += done
    return found


def _measure_group(
    cases: list[Case],
    device: Device,
    settings: Settings,
    process: int,
    earlier: Mapping[str, Sequence[Sample]],
    on_round: OnRound | None,
) -> list[Measurement]:
    turns: list[_Turn] = []
    failed: dict[str, Measurement] = {}
    try:
        for case in cases:
            try:
                turns.append(_Turn(case, device.prepare(case, settings)))
            except MeasureFailed as error:
                failed[case.key] = Measurement(case, (), f"failed: {error}")
        for turn in turns:
            turn.calls = _warm_up(turn, device, settings)
        stopped = _take_rounds(turns, device, settings, process, earlier, on_round) if turns else {}
        measured = {
            turn.case.key: Measurement(
                turn.case,
                tuple(turn.samples),
                stopped[turn.case.key],
                (*turn.warnings, *_warnings(turn)),
                turn.timer.peak_bytes(),
            )
            for turn in turns
        }
    finally:
        for turn in turns:
            turn.timer.release()
    return [(measured | failed)[case.key] for case in cases]


def _warm_up(turn: _Turn, device: Device, settings: Settings) -> int:
    """Call until calls take what the ones before took; how many of them make a sample."""
    durations: list[float] = []
    begin = device.now()
    while len(durations) < WARMUP_CALLS or not is_steady(durations):
        durations.append(turn.timer.time(1))
        if device.now() - begin > settings.warmup_seconds and len(durations) >= WARMUP_CALLS:
            turn.warnings.append(
                f"not steady after {settings.warmup_seconds:g} s of warm-up: the first samples may be slow; "
                "more warm-up or a quieter machine helps"
            )
            break
    call = median(durations[len(durations) // 2 :])
    return max(1, ceil(settings.sample_seconds / call)) if call > 0 else 1


def _take_rounds(
    turns: list[_Turn],
    device: Device,
    settings: Settings,
    process: int,
    earlier: Mapping[str, Sequence[Sample]],
    on_round: OnRound | None,
) -> dict[str, str]:
    """Sample all cases round by round until all are precise or their time is up; why each stopped."""
    order = random.Random(f"{settings.seed} {process} {turns[0].case.key}")  # noqa: S311 - an order, no secret
    limit = settings.max_seconds / settings.processes * len(turns)
    first = 1 + max((sample.round for turn in turns for sample in earlier.get(turn.case.key, ())), default=-1)
    begin = device.now()
    fastest, repeated = 0.0, 0
    number = first
    while True:
        before = device.conditions()
        taken = _take_round(turns, device, settings, order, process, number)
        after = device.conditions()
        fastest = max(fastest, before.clock_hz or 0.0, after.clock_hz or 0.0)
        if _throttled((before, after), fastest) and repeated < REPEATS:
            repeated += 1
            device.idle(REST_SECONDS)
            continue
        for turn, sample in zip(turns, taken, strict=True):
            turn.samples.append(sample)
        if on_round is not None:
            on_round([(turn.case, sample) for turn, sample in zip(turns, taken, strict=True)])
        number += 1
        precise = {turn.case.key: _precise(turn, settings, earlier) for turn in turns}
        rounds = number - first
        up = device.now() - begin >= limit and rounds >= FEWEST_ROUNDS
        if up or (rounds >= settings.min_rounds and all(precise.values())):
            _tell_conditions(turns, repeated, after)
            return {key: "precise" if enough else "time is up" for key, enough in precise.items()}


def _take_round(
    turns: list[_Turn], device: Device, settings: Settings, order: random.Random, process: int, number: int
) -> list[Sample]:
    taken: dict[int, Sample] = {}
    for index in order.sample(range(len(turns)), len(turns)):
        turn = turns[index]
        if settings.cold:
            # A cache is cold once: each call has a sample of its own, and those are added up.
            seconds = 0.0
            for _ in range(turn.calls):
                device.flush()
                seconds += turn.timer.time(1)
        else:
            seconds = turn.timer.time(turn.calls)
        taken[index] = Sample(process, number, seconds / turn.calls, turn.calls)
    return [taken[index] for index in range(len(turns))]


def _precise(turn: _Turn, settings: Settings, earlier: Mapping[str, Sequence[Sample]]) -> bool:
    """Whether the median's interval is narrow enough; of one process among several, so much wider as they add up."""
    seconds = [sample.seconds for sample in turn.samples]
    if len(seconds) < FEWEST_ROUNDS:
        return False
    found = median_interval(seconds, settings.confidence)
    share = sqrt(settings.processes) if turn.case.key not in earlier else 1.0
    return (found.high - found.low) / 2 <= settings.precision * share * found.value


def _throttled(seen: Iterable[Conditions], fastest: float) -> bool:
    return any(each.throttled or (each.clock_hz or fastest) < (1 - CLOCK_FALL) * fastest for each in seen)


def _tell_conditions(turns: list[_Turn], repeated: int, last: Conditions) -> None:
    told = []
    if repeated:
        told.append(f"the clock fell: {repeated} rounds were taken again; cool the machine or fix its clock")
    if last.load is not None and last.load > LOADED:
        told.append(f"other programs used {last.load:.0%} of the processor: close them, or trust the ratios alone")
    for turn in turns:
        turn.warnings += told


def _warnings(turn: _Turn) -> list[str]:
    """What the samples themselves give away."""
    seconds = [sample.seconds for sample in turn.samples]
    middle = median(seconds)
    spread = median(abs(each - middle) for each in seconds)
    told = []
    if spread > NOISY * middle:
        told.append(
            f"noisy: samples are {spread / middle:.0%} off their median; close other programs, or measure longer"
        )
    if middle < SHORT_SECONDS:
        told.append(f"a call lasts {middle * 1e6:.1f} µs, which is mostly the cost of calling; take a larger batch")
    return told
