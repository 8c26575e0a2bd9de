"""Measuring, on a clock that a test winds up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, count, cycle, repeat

import pytest

from mac_profiler.devices import Conditions
from mac_profiler.measure import FEWEST_ROUNDS, REPEATS, WARMUP_CALLS, measure
from mac_profiler.measurement import Case, Measurement, Sample, Settings
from tests.clockwork import Clockwork

QUICK = Settings(processes=1, sample_seconds=0.0, min_rounds=10, max_seconds=60.0)


def cases(*names: str, group: str = "a group") -> list[Case]:
    return [Case("g1", group, name) for name in names]


def steady(seconds: float) -> Iterator[float]:
    return repeat(seconds)


def noisy(seconds: float, spread: float, seed: int) -> Iterator[float]:
    draw = random.Random(seed)  # noqa: S311 - noise, no secret
    return (seconds * (1 + spread * draw.random()) for _ in count())


def test_a_steady_case_is_precise_after_the_least_number_of_rounds() -> None:
    (found,) = measure(cases("one"), Clockwork(lambda _: steady(0.01)), QUICK)
    assert found.stopped == "precise"
    assert len(found.samples) == QUICK.min_rounds
    assert set(found.seconds) == {0.01}
    assert [sample.round for sample in found.samples] == list(range(QUICK.min_rounds))
    assert found.warnings == ()
    assert found.peak_bytes == 1000


def test_a_noisy_case_is_measured_until_it_is_precise() -> None:
    (found,) = measure(cases("one"), Clockwork(lambda _: noisy(0.01, 0.1, 1)), QUICK)
    assert found.stopped == "precise"
    assert len(found.samples) > 3 * QUICK.min_rounds


def test_time_runs_out_on_what_does_not_get_precise() -> None:
    settings = Settings(processes=1, sample_seconds=0.0, min_rounds=10, max_seconds=2.0)
    (found,) = measure(cases("one"), Clockwork(lambda _: cycle([0.01, 0.03])), settings)
    assert found.stopped == "time is up"
    assert sum(found.seconds) == pytest.approx(2.0, abs=0.05)
    assert any("noisy" in warning for warning in found.warnings)


def test_a_slow_case_has_a_few_samples_whatever_the_time() -> None:
    (found,) = measure(cases("one"), Clockwork(lambda _: steady(100.0)), QUICK)
    assert len(found.samples) == FEWEST_ROUNDS
    assert found.stopped == "precise"


def test_the_first_calls_are_not_in_the_samples() -> None:
    slow_start = chain([0.5, 0.1, 0.05, 0.03, 0.02], steady(0.01))
    (found,) = measure(cases("one"), Clockwork(lambda _: slow_start), QUICK)
    assert set(found.seconds) == {0.01}


def test_what_never_gets_steady_is_told_of() -> None:
    growing = (0.01 * 1.1**n for n in count())
    settings = Settings(processes=1, sample_seconds=0.0, min_rounds=3, max_seconds=1.0, warmup_seconds=0.5)
    (found,) = measure(cases("one"), Clockwork(lambda _: growing), settings)
    assert any("not steady" in warning for warning in found.warnings)


def test_a_short_call_is_repeated_until_the_clock_can_tell() -> None:
    settings = Settings(processes=1, sample_seconds=0.005, min_rounds=10)
    (found,) = measure(cases("one"), Clockwork(lambda _: steady(1e-6)), settings)
    assert {sample.calls for sample in found.samples} == {5000}
    assert found.seconds[0] == pytest.approx(1e-6)
    assert any("cost of calling" in warning for warning in found.warnings)


def rounds_of(device: Clockwork, names: set[str]) -> list[tuple[str, ...]]:
    timed = [name for what, name in device.log if what == "time"][WARMUP_CALLS * len(names) :]
    return [tuple(timed[i : i + len(names)]) for i in range(0, len(timed), len(names))]


def test_the_cases_of_a_group_take_turns_in_an_order_drawn_anew() -> None:
    device = Clockwork(lambda _: steady(0.01))
    measure(cases("a", "b", "c"), device, QUICK)
    rounds = rounds_of(device, {"a", "b", "c"})
    assert len(rounds) == QUICK.min_rounds
    assert all(sorted(each) == ["a", "b", "c"] for each in rounds)
    assert len(set(rounds)) > 1


def test_the_order_follows_from_the_seed() -> None:
    def order(seed: int) -> list[tuple[str, ...]]:
        device = Clockwork(lambda _: steady(0.01))
        measure(cases("a", "b", "c"), device, Settings(processes=1, sample_seconds=0.0, seed=seed))
        return rounds_of(device, {"a", "b", "c"})

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_a_group_goes_on_until_its_last_case_is_precise() -> None:
    def durations(case: Case) -> Iterator[float]:
        return steady(0.01) if case.name == "calm" else noisy(0.01, 0.1, 1)

    calm, wild = measure(cases("calm", "wild"), Clockwork(durations), QUICK)
    assert len(calm.samples) == len(wild.samples) > QUICK.min_rounds


def test_groups_are_measured_one_after_the_other_and_released() -> None:
    device = Clockwork(lambda _: steady(0.01))
    measure([*cases("a", group="first"), *cases("b", group="second")], device, QUICK)
    steps = [step for step in device.log if step[0] != "time"]
    assert steps == [("prepare", "a"), ("release", "a"), ("prepare", "b"), ("release", "b")]


def test_a_case_that_cannot_be_built_leaves_the_others_alone() -> None:
    told: list[Measurement] = []
    device = Clockwork(lambda _: steady(0.01))
    good, bad = measure(cases("good", "broken"), device, QUICK, on_case=told.append)
    assert good.stopped == "precise"
    assert (bad.samples, bad.stopped) == ((), "failed: broken: out of memory")
    assert told == [good, bad]


def test_a_failure_in_the_middle_releases_what_was_prepared() -> None:
    device = Clockwork(lambda _: iter([0.01] * 10))
    with pytest.raises((RuntimeError, StopIteration)):
        measure(cases("a", "b"), device, QUICK)
    assert [name for what, name in device.log if what == "release"] == ["a", "b"]


def test_every_round_is_told_when_it_ends() -> None:
    told: list[list[tuple[str, int]]] = []

    def see(taken: object) -> None:
        assert isinstance(taken, list)
        told.append([(case.name, sample.round) for case, sample in taken])

    measure(cases("a", "b"), Clockwork(lambda _: steady(0.01)), QUICK, on_round=see)
    assert told == [[("a", n), ("b", n)] for n in range(QUICK.min_rounds)]


def test_a_throttled_round_is_taken_again_after_a_rest() -> None:
    hot = Conditions(throttled=True)
    weather = chain(repeat(Conditions(), 6), [hot, hot, hot], repeat(Conditions()))
    device = Clockwork(lambda _: steady(0.01), weather)
    (found,) = measure(cases("one"), device, QUICK)
    assert len(found.samples) == QUICK.min_rounds
    assert device.idled > 0
    assert any("clock fell" in warning for warning in found.warnings)


def test_a_clock_that_falls_is_noticed_without_the_driver() -> None:
    clocks = chain(repeat(2.0e9, 8), [1.5e9, 1.5e9], repeat(2.0e9))
    device = Clockwork(lambda _: steady(0.01), (Conditions(clock_hz=clock) for clock in clocks))
    (found,) = measure(cases("one"), device, QUICK)
    assert device.idled > 0
    assert any("clock fell" in warning for warning in found.warnings)


def test_a_device_that_stays_hot_does_not_stop_the_measurement() -> None:
    device = Clockwork(lambda _: steady(0.01), repeat(Conditions(throttled=True)))
    (found,) = measure(cases("one"), device, QUICK)
    assert len(found.samples) == QUICK.min_rounds
    timed = sum(what == "time" for what, _ in device.log) - WARMUP_CALLS
    assert timed == QUICK.min_rounds + REPEATS


def test_other_programs_are_told_of() -> None:
    device = Clockwork(lambda _: steady(0.01), repeat(Conditions(load=0.4)))
    (found,) = measure(cases("one"), device, QUICK)
    assert any("other programs used 40%" in warning for warning in found.warnings)


def test_a_cold_cache_is_emptied_before_every_call() -> None:
    settings = Settings(processes=1, sample_seconds=0.03, min_rounds=4, cold=True)
    device = Clockwork(lambda _: steady(0.01))
    (found,) = measure(cases("one"), device, settings)
    assert {sample.calls for sample in found.samples} == {3}
    assert sum(what == "flush" for what, _ in device.log) == 3 * 4


def test_rounds_go_on_from_those_that_others_took() -> None:
    (case,) = cases("one")
    earlier = {case.key: [Sample(0, n, 0.01) for n in range(7)]}
    (found,) = measure([case], Clockwork(lambda _: steady(0.01)), QUICK, process=1, earlier=earlier)
    assert [sample.round for sample in found.samples] == list(range(7, 7 + QUICK.min_rounds))
    assert {sample.process for sample in found.samples} == {1}
