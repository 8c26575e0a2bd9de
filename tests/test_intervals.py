"""Medians, ratios and verdicts: closed forms, laws, and coverage on synthetic clocks with fixed seeds."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.trust import synthetic
from experiments.trust.simulate import location_errors, verdicts
from mac_profiler import intervals
from mac_profiler.intervals import (
    DIFFERENT,
    DIFFERENT_IN_ONE_PROCESS,
    SAME,
    Estimate,
    fewest_samples,
    is_steady,
    judge,
    label_outliers,
    median_interval,
    median_of,
    paired_ratio,
    quantile_interval,
    ratio,
    unpaired_ratio,
)
from mac_profiler.measurement import Case, Measurement, Sample, Settings
from mac_profiler.regression import fit
from mac_profiler.resampling import _student, block_length, draw, medians, once

SECONDS = st.floats(1e-6, 10.0, allow_nan=False)
SAMPLES = st.lists(SECONDS, min_size=1, max_size=40)


def measured(*processes: Sequence[float], name: str = "a case") -> Measurement:
    samples = [
        Sample(process, number, seconds)
        for process, every in enumerate(processes)
        for number, seconds in enumerate(every)
    ]
    return Measurement(Case("g1", "a group", name), tuple(samples), "precise")


def times(seed: int, count: int = 30, spread: float = 0.02) -> list[float]:
    drawn = random.Random(seed)  # noqa: S311 - the same samples each time, no secret
    return [0.01 * drawn.lognormvariate(0, spread) for _ in range(count)]


# ------------------------------------------------------------------------------------------ order statistics


@pytest.mark.parametrize("size", range(1, 11))
@pytest.mark.parametrize("share", [0.5, 0.25, 0.9])
def test_confidence_is_that_of_all_ways_the_samples_can_lie(size: int, share: float) -> None:
    # Each sample lies below the quantile with chance `share`: all 2^n ways, weighed, give how often the interval that
    # was chosen holds the quantile. Samples are named by their rank.
    found = quantile_interval([float(rank) for rank in range(1, size + 1)], share, 0.8)
    held = 0.0
    for ways in itertools.product((True, False), repeat=size):
        below = sum(ways)
        if found.low <= below < found.high:
            held += share**below * (1 - share) ** (size - below)
    assert found.confidence == pytest.approx(held)


@pytest.mark.parametrize(
    ("size", "confidence", "low", "high"),
    # Conover, Practical Nonparametric Statistics, table of the binomial at 1/2: ranks of the 95 % and 99 % intervals.
    [(6, 0.95, 1, 6), (8, 0.99, 1, 8), (10, 0.95, 2, 9), (15, 0.95, 4, 12), (20, 0.95, 6, 15), (20, 0.99, 4, 17)],
)
def test_ranks_of_the_median(size: int, confidence: float, low: int, high: int) -> None:
    found = median_interval([float(rank) for rank in range(1, size + 1)], confidence)
    assert (found.low, found.high) == (low, high)
    assert found.confidence is not None
    assert found.confidence >= confidence


def test_no_narrower_interval_has_the_confidence() -> None:
    for size in (9, 14, 33):
        ranked = [float(rank) for rank in range(1, size + 1)]
        found = median_interval(ranked, 0.95)
        tail = sum(math.comb(size, k) for k in range(int(found.low) + 1)) / 2**size
        assert tail > 0.025


def test_few_samples_say_how_little_they_know() -> None:
    found = median_interval([3.0, 1.0, 2.0], 0.99)
    assert (found.low, found.value, found.high) == (1.0, 2.0, 3.0)
    assert found.confidence == pytest.approx(0.75)
    alone = median_interval([3.0], 0.99)
    assert (alone.low, alone.value, alone.high) == (3.0, 3.0, 3.0)
    assert alone.confidence == pytest.approx(0.0)
    with pytest.raises(ValueError, match="no samples"):
        median_interval([])


def test_the_99th_percentile_needs_hundreds_of_samples() -> None:
    few = quantile_interval(times(1, 100), 0.99, 0.95)
    many = quantile_interval(times(1, 1000), 0.99, 0.95)
    assert few.confidence == pytest.approx(1 - 0.99**100, abs=0.03)
    assert few.confidence is not None
    assert many.confidence is not None
    assert few.confidence < 0.95 <= many.confidence


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_fewest_samples_are_enough_and_one_fewer_is_not(confidence: float) -> None:
    size = fewest_samples(confidence)
    enough, short = (median_interval([1.0 * k for k in range(n)], confidence).confidence for n in (size, size - 1))
    assert enough is not None
    assert short is not None
    assert short < confidence <= enough + 1e-9


@given(SAMPLES, st.sampled_from([0.1, 0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_its_interval_and_is_numpys(samples: list[float], share: float) -> None:
    found = quantile_interval(samples, share, 0.9)
    assert found.value == pytest.approx(float(np.quantile(samples, share)), rel=1e-9)
    if share == 0.5:
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx(statistics.median(samples))


@given(SAMPLES, st.floats(1e-3, 1e3), st.randoms())
def test_a_median_scales_and_does_not_mind_the_order(samples: list[float], factor: float, order: random.Random) -> None:
    found = median_interval(samples)
    mixed = [factor * each for each in samples]
    order.shuffle(mixed)
    scaled = median_interval(mixed)
    expected = [factor * each for each in (found.low, found.value, found.high)]
    assert [scaled.low, scaled.value, scaled.high] == pytest.approx(expected)
    assert scaled.confidence == found.confidence


def test_the_median_interval_covers_what_it_says() -> None:
    drawn, hits = random.Random(0), 0  # noqa: S311 - the same
    for _ in range(1000):
        # Right-skewed; its median is exp(0).
        found = median_interval([drawn.lognormvariate(0, 1) for _ in range(25)], 0.9)
        hits += found.low <= 1.0 <= found.high
    assert found.confidence is not None
    # 3.3 standard deviations of a share of 1,000 to either side.
    assert abs(hits / 1000 - found.confidence) < 0.03


# ------------------------------------------------------------------------------------------------ resampling


def test_a_resample_has_as_many_processes_and_whole_blocks() -> None:
    counts = draw([16, 16, 16], 0, draws=200)
    assert counts.shape == (200, 48)
    assert set(counts.sum(axis=1)) == {48}
    # Processes are drawn whole: each gives 0, 16, 32 or 48 samples, and sometimes none.
    by_process = counts.reshape(200, 3, 16).sum(axis=2)
    assert set(by_process.ravel()) <= {0, 16, 32, 48}
    assert (by_process == 0).any()
    # One of a size that blocks do not fill is as long all the same.
    assert set(draw([17, 17], 0, draws=50)[:, :17].sum(axis=1)) == {0, 17, 34}
    # Blocks of 4: sample k comes with its neighbours, so in few resamples alone.
    assert block_length(16) == 4
    alone = (counts > 0) & (np.roll(counts, 1, axis=1) == 0) & (np.roll(counts, -1, axis=1) == 0)
    assert not alone[:, 1:15].any()


def test_resamples_draw_every_sample_equally_often() -> None:
    counts = draw([30], 1, draws=4000)
    assert counts.mean(axis=0) == pytest.approx(np.ones(30), abs=0.12)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12).filter(any), st.randoms())
def test_a_weighted_median_is_that_of_the_samples_written_out(counts: list[int], drawn: random.Random) -> None:
    values = [drawn.random() for _ in counts]
    written = [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
    found = medians(np.asarray([counts]), np.asarray(values))
    assert float(found[0]) == pytest.approx(statistics.median(written))


@pytest.mark.parametrize(
    ("freedom", "expected"),
    # Student's quantiles for 99 % of both sides, as printed in every table, by the normal one.
    [(4, 4.604), (9, 3.250), (20, 2.845), (60, 2.660)],
)
def test_students_quantile(freedom: int, expected: float) -> None:
    assert _student(0.99, freedom) * 2.5758 == pytest.approx(expected, rel=0.013)


# ---------------------------------------------------------------------------------------------------- ratios


def test_a_ratio_is_that_of_the_rounds() -> None:
    # Rounds differ in speed, and both samples of a round alike: the ratio is the same in all of them.
    below = [1.0, 2.0, 4.0, 1.5, 3.0, 2.5, 1.0]
    found = ratio(measured(below), measured([3 * each for each in below]), Settings())
    assert [found.ratio.low, found.ratio.value, found.ratio.high] == pytest.approx([3.0, 3.0, 3.0])
    assert (found.verdict, found.rounds) == ("slower", 7)
    pairs = paired_ratio([3 * each for each in below], below)
    assert [pairs.low, pairs.value, pairs.high] == pytest.approx([3.0, 3.0, 3.0])
    with pytest.raises(ValueError, match="3 samples cannot be paired with 7"):
        paired_ratio([1.0, 2.0, 3.0], below)


def test_the_same_samples_are_the_same() -> None:
    case = measured(times(1), times(2))
    for found in (
        ratio(case, case, Settings()),
        unpaired_ratio(measured([0.01] * 9), measured([0.01] * 9), Settings()),
    ):
        assert [found.ratio.low, found.ratio.value, found.ratio.high] == pytest.approx([1.0, 1.0, 1.0])
        assert found.verdict == "same"


def test_only_rounds_that_both_took_part_in_count() -> None:
    base, other = measured([1.0] * 10), measured([2.0] * 10)
    # The base has rounds of a slow time of its own; the other stopped before them.
    longer = replace(base, samples=(*base.samples, *(Sample(0, number, 50.0) for number in range(10, 40))))
    found = ratio(longer, other, Settings())
    assert found.ratio.value == pytest.approx(2.0)
    assert found.rounds == 10
    elsewhere = replace(other, samples=tuple(replace(each, process=7) for each in other.samples))
    with pytest.raises(ValueError, match="share no round"):
        ratio(base, elsewhere, Settings())


def test_a_clock_too_coarse_gives_no_sample() -> None:
    base = measured([1.0] * 9 + [0.0])
    assert ratio(base, measured([2.0] * 10), Settings()).rounds == 9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3), st.floats(0.7, 1.4))
def test_swapping_the_cases_inverts_the_ratio(seed: int, processes: int, effect: float) -> None:
    base = measured(*(times(seed + n) for n in range(processes)))
    other = measured(*([effect * each for each in times(seed + 50 + n)] for n in range(processes)))
    there, back = ratio(base, other, Settings()), ratio(other, base, Settings())
    assert [there.ratio.low, there.ratio.value, there.ratio.high] == pytest.approx(
        [1 / back.ratio.high, 1 / back.ratio.value, 1 / back.ratio.low]
    )
    mirror = {"faster": "slower", "slower": "faster"}
    assert there.verdict == mirror.get(back.verdict, back.verdict)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3), st.randoms())
def test_a_ratio_knows_neither_units_nor_the_order_of_samples(seed: int, factor: float, order: random.Random) -> None:
    base, other = measured(times(seed), times(seed + 1)), measured(times(seed + 2), times(seed + 3))
    found = ratio(base, other, Settings())

    def scaled(case: Measurement) -> Measurement:
        samples = [replace(each, seconds=factor * each.seconds) for each in case.samples]
        return replace(case, samples=tuple(order.sample(samples, len(samples))))

    again = ratio(scaled(base), scaled(other), Settings())
    assert [again.ratio.low, again.ratio.value, again.ratio.high] == pytest.approx(
        [found.ratio.low, found.ratio.value, found.ratio.high]
    )


def test_permuting_the_rounds_of_both_leaves_the_ratio() -> None:
    base, other = times(1), times(2)
    order = random.Random(0).sample(range(30), 30)  # noqa: S311 - the same
    found = ratio(measured(base), measured(other), Settings())
    mixed = ratio(measured([base[k] for k in order]), measured([other[k] for k in order]), Settings())
    # Which rounds are neighbours has changed, so the ends may move a little, the ratio not.
    assert mixed.ratio.value == pytest.approx(found.ratio.value)
    assert mixed.ratio.low == pytest.approx(found.ratio.low, rel=0.01)


def test_the_seed_decides_and_nothing_else_does() -> None:
    base, other = measured(times(1)), measured(times(2))
    assert ratio(base, other, Settings(seed=3)) == ratio(base, other, Settings(seed=3))
    assert (draw([30, 30], 3) == draw([30, 30], 3)).all()
    assert (draw([30, 30], 3) != draw([30, 30], 4)).any()


def test_what_slows_both_of_a_round_is_not_in_the_interval() -> None:
    weather = [1.0 if number % 20 < 10 else 1.6 for number in range(60)]
    base = [each * slow for each, slow in zip(times(1, 60, 0.004), weather, strict=True)]
    other = [1.03 * each * slow for each, slow in zip(times(2, 60, 0.004), weather, strict=True)]
    paired = ratio(measured(base), measured(other), Settings())
    apart = unpaired_ratio(measured(base), measured(other), Settings())
    assert paired.verdict == "slower"
    assert paired.ratio.high - paired.ratio.low < 0.01 < apart.ratio.high - apart.ratio.low
    assert apart.verdict == "ambiguous"


def test_processes_that_disagree_widen_the_interval() -> None:
    base = measured(*([0.01 * each for each in times(seed)] for seed in range(3)))
    agreeing = measured(*([0.0104 * each for each in times(seed)] for seed in range(3)))
    factors = (0.0104, 0.0100, 0.0108)
    disagreeing = measured(*([factors[seed] * each for each in times(seed)] for seed in range(3)))
    assert ratio(base, agreeing, Settings()).verdict == "slower"
    found = ratio(base, disagreeing, Settings())
    assert (found.ratio.low, found.ratio.high) == pytest.approx((1.0, 1.08), abs=0.01)
    assert found.verdict == "ambiguous"


def test_the_median_of_a_measurement_has_its_processes_in_the_interval() -> None:
    calm = measured(times(1), times(2), times(3))
    torn = measured(times(1), [1.2 * each for each in times(2)], [1.1 * each for each in times(3)])
    found = median_of(calm, Settings())
    assert found.value == pytest.approx(statistics.median(calm.seconds))
    assert found.low < found.value < found.high
    wide = median_of(torn, Settings())
    assert wide.high - wide.low > 5 * (found.high - found.low)


# -------------------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.995, 1.005, "same"),
        (1 / (1 + SAME) + 1e-9, 1 + SAME - 1e-9, "same"),
        # Beyond the threshold, yet all of it within what counts as the same.
        (1 + DIFFERENT + 1e-4, 1 + SAME - 1e-4, "same"),
        (1 + DIFFERENT + 1e-9, 1.05, "slower"),
        (1 + DIFFERENT - 1e-9, 1.05, "ambiguous"),
        (0.95, 1 / (1 + DIFFERENT) - 1e-9, "faster"),
        (0.95, 1 / (1 + DIFFERENT) + 1e-9, "ambiguous"),
        (0.9, 1.1, "ambiguous"),
        (1.0001, 1.02, "ambiguous"),
        (1.4, 1.6, "slower"),
    ],
)
def test_the_rules_of_the_verdicts(low: float, high: float, verdict: str) -> None:
    assert judge(Estimate(math.sqrt(low * high), low, high), DIFFERENT) == verdict


def test_one_process_must_show_more() -> None:
    # All rounds say 1.008 .. 1.013: enough from two processes, not from one.
    drawn = random.Random(0)  # noqa: S311 - the same
    base = [0.01] * 40
    other = [0.01 * drawn.uniform(1.0078, 1.0128) for _ in range(40)]
    assert ratio(measured(base, base), measured(other, other), Settings()).verdict == "slower"
    alone = ratio(measured(base), measured(other), Settings())
    assert 1 + DIFFERENT < alone.ratio.low < 1 + DIFFERENT_IN_ONE_PROCESS
    assert alone.verdict == "ambiguous"


def test_the_interval_must_be_clear_of_the_bias_of_processes() -> None:
    # One process says 0.6 % slower, the other 1.2 %: their biases may well be all of it.
    base = [0.01] * 30
    near, far = measured([0.01006] * 30, [0.01012] * 30), measured([0.0101] * 30, [0.01016] * 30)
    assert ratio(measured(base, base), near, Settings()).verdict == "ambiguous"
    assert ratio(measured(base, base), far, Settings()).verdict == "slower"


def test_runs_apart_must_differ_by_more() -> None:
    base = measured(times(1, spread=0.002), times(2, spread=0.002))
    twins = {
        effect: measured(*([effect * each for each in times(seed, spread=0.002)] for seed in (3, 4)))
        for effect in (1.02, 1.05, 0.95)
    }
    found = {effect: unpaired_ratio(base, twin, Settings()) for effect, twin in twins.items()}
    assert [each.verdict for each in found.values()] == ["ambiguous", "slower", "faster"]
    for effect, each in found.items():
        assert each.ratio.low < each.ratio.value < each.ratio.high
        assert each.ratio.value == pytest.approx(effect, rel=0.003)
        assert each.rounds == 60
    # Two runs are drawn apart from each other, even where their samples are the same.
    again = unpaired_ratio(measured(times(1)), measured(times(1)), Settings()).ratio
    assert again.low < 0.999 < 1.001 < again.high


@pytest.mark.parametrize(("rounds", "verdict"), [(1, "ambiguous"), (5, "ambiguous"), (6, "slower")])
def test_too_few_rounds_decide_nothing(rounds: int, verdict: str) -> None:
    assert ratio(measured([1.0] * rounds), measured([2.0] * rounds), Settings()).verdict == verdict


# ---------------------------------------------------------------------------------------- on synthetic clocks


@pytest.mark.parametrize("noise", synthetic.NOISES)
def test_a_network_is_not_different_from_itself_and_one_of_3_percent_is_found(noise: str) -> None:
    # Seeds are fixed: these numbers do not change by chance. 99 % of 40 or more are expected.
    same = verdicts(synthetic.NOISES[noise], 0, 3, 40, seed=1)
    assert same["slower"] + same["faster"] <= 1
    slower = verdicts(synthetic.NOISES[noise], 3, 3, 40, seed=1)
    assert slower["slower"] >= 38
    assert slower["faster"] == slower["same"] == 0


def test_the_interval_covers_what_it_says() -> None:
    for noise in ("jitter", "skewed", "spikes", "drift", "clock steps", "contended"):
        assert verdicts(synthetic.NOISES[noise], 2, 1, 60, seed=2)["covered"] >= 56


def test_without_blocks_and_processes_intervals_would_be_too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = synthetic.NOISES["lingering"]
    with_blocks = verdicts(noise, 0, 1, 60, seed=3)["covered"]
    monkeypatch.setattr("mac_profiler.resampling.block_length", lambda rounds: 1)
    assert verdicts(noise, 0, 1, 60, seed=3)["covered"] < 52 < with_blocks


def test_the_median_of_ratios_bears_a_machine_that_others_use() -> None:
    errors = location_errors(60, seed=0)
    assert errors["contended"]["median"] < 0.7 * errors["contended"]["mean of the middle half"]
    for by_way in errors.values():
        assert by_way["median"] < 1.5 * min(by_way.values())
    assert errors["spikes"]["mean"] > 3 * errors["spikes"]["median"]


def test_a_synthetic_clock_has_the_effect_that_was_planted() -> None:
    generator = np.random.default_rng(0)
    quiet = synthetic.clock(synthetic.Noise(jitter=0.0), 1.03, 50, generator)
    assert quiet[1] / quiet[0] == pytest.approx(np.full(50, 1.03))
    stepping = synthetic.clock(synthetic.Noise(jitter=0.0, step=0.2), 1.0, 400, generator)
    assert set(np.round(np.log(stepping / synthetic.BASE_SECONDS).ravel(), 6)) == {0.0, 0.2}


# --------------------------------------------------------------------------------------- warm-up and outliers


@pytest.mark.parametrize(
    ("durations", "steady"),
    [
        ([1.0] * 5, False),
        ([1.0] * 6, True),
        ([9.0, 5.0, 3.0, 1.0, 1.0, 1.0], False),
        ([9.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0], False),
        ([9.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0], True),
        ([1.0, 1.0, 1.0, 1.01, 1.01, 1.01], True),
        ([1.0, 1.0, 1.0, 1.1, 1.1, 1.1], False),
        # Noise: the windows' medians differ, their samples are mixed.
        ([1.0, 1.3, 1.2, 1.3, 1.1, 1.0], True),
        ([1.1**number for number in range(60)], False),
        ([0.9**number for number in range(60)], False),
    ],
)
def test_steady(durations: list[float], steady: bool) -> None:
    assert is_steady(durations) is steady


@given(st.lists(SECONDS, max_size=30), st.floats(1e-3, 1e3))
def test_steadiness_has_no_unit(durations: list[float], factor: float) -> None:
    assert is_steady(durations) == is_steady([2.0**10 * each for each in durations])


def test_slow_samples_are_labelled_and_fast_ones_are_not() -> None:
    # Quartiles 2 and 4; the fences stand at 4 + 3 and 4 + 6.
    samples = [1.0, 2.0, 3.0, 4.0, 5.0] * 20 + [6.9, 7.1, 9.9, 10.1, 0.001]
    assert label_outliers(samples)[-5:] == ("", "mild", "mild", "severe", "")
    assert set(label_outliers(samples)[:-5]) == {""}


def test_samples_that_are_almost_equal_have_no_outliers() -> None:
    assert set(label_outliers([1.0] * 20 + [1.001])) == {""}
    assert label_outliers([1.0] * 20 + [1.5])[-1] == "severe"
    assert label_outliers([1.0, 9.0]) == ("", "")


# ------------------------------------------------------------------------------------------------ regression


def cases_on_a_line(accesses: Sequence[float], spread: float = 0.0) -> list[Measurement]:
    cases = []
    for number, each in enumerate(accesses):
        middle = 2e-3 + 1e-9 * each
        cases.append(measured(*([middle * t / 0.01 for t in times(10 * number + p, 20, spread)] for p in range(2))))
    return cases


def test_a_line_is_found_again() -> None:
    accesses = [1e6, 2e6, 4e6, 8e6]
    found = fit(accesses, cases_on_a_line(accesses), Settings())
    for estimate, expected in ((found.constant, 2e-3), (found.slope, 1e-9), (found.explained, 1.0), (found.rank, 1.0)):
        assert [estimate.low, estimate.value, estimate.high] == pytest.approx([expected] * 3)
    assert found.cases == 4


def test_r_squared_and_rank_in_closed_form() -> None:
    # Points (0, 1), (1, 3), (2, 2): slope 1/2, R² = 1/4, ranks 1 3 2: correlation 1/2.
    found = fit([0.0, 1.0, 2.0], [measured([each] * 6) for each in (1.0, 3.0, 2.0)], Settings())
    values = (found.constant.value, found.slope.value, found.explained.value, found.rank.value)
    assert values == pytest.approx((1.5, 0.5, 0.25, 0.5))


def test_equal_accesses_share_their_rank() -> None:
    # Ranks 1.5 1.5 3 against 1 2 3.
    found = fit([1.0, 1.0, 2.0], [measured([each] * 6) for each in (1.0, 2.0, 3.0)], Settings())
    assert found.rank.value == pytest.approx(math.sqrt(3) / 2)


def test_time_that_does_not_vary_is_not_explained() -> None:
    found = fit([1.0, 2.0, 3.0], [measured([1.0] * 6)] * 3, Settings())
    assert (found.explained.value, found.explained.high) == (0.0, 0.0)


def test_noise_and_the_choice_of_cases_widen_the_intervals() -> None:
    accesses = [1e6 * n for n in range(1, 13)]
    calm = fit(accesses, cases_on_a_line(accesses, 0.001), Settings())
    noisy = fit(accesses, cases_on_a_line(accesses, 0.05), Settings())
    chosen = fit(accesses, cases_on_a_line(accesses, 0.05), Settings(), over_cases=True)
    widths = [each.slope.high - each.slope.low for each in (calm, noisy, chosen)]
    assert 3 * widths[0] < widths[1] < widths[2] / 1.02
    assert calm.slope.low <= 1e-9 <= calm.slope.high
    for each in (calm, noisy, chosen):
        assert each.explained.low <= each.explained.value <= each.explained.high <= 1.0


@pytest.mark.parametrize("accesses", [[1.0, 2.0], [1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
def test_a_line_through_too_little_is_refused(accesses: list[float]) -> None:
    cases = [measured([1.0] * 6)] * min(2, len(accesses)) if len(set(accesses)) > 1 else [measured([1.0] * 6)] * 3
    with pytest.raises(ValueError, match="a line needs more"):
        fit(accesses, cases, Settings())


def test_every_sample_stands_once_in_what_was_seen() -> None:
    assert once(5).tolist() == [[1, 1, 1, 1, 1]]
    assert intervals.by_process({(1, 4): 3.0, (0, 2): 1.0, (1, 0): 2.0}) == ([1, 2], [1.0, 2.0, 3.0])
