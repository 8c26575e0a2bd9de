"""What samples tell: medians and quantiles with their intervals, and which of two cases is faster.

Times have a hard floor and a long tail: a neighbour, an interrupt, a lower clock make a sample slower, nothing makes it
faster than it is. So nothing here is a mean over all samples, and no normal distribution is assumed. Cases that were
timed in turns are compared round by round, because what slowed a round slowed both.

How often the verdicts are wrong is simulated, and measured, in `experiments/timer_trust.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, floor, lgamma, log, log1p, log2
from statistics import median, quantiles
from typing import Literal

from mac_profiler.measurement import Measurement, Settings
from mac_profiler.resampling import draw, medians, once, spread

Verdict = Literal["faster", "slower", "same", "ambiguous"]
Outlier = Literal["", "mild", "severe"]

# "same": the whole interval of the ratio is within so much of 1, to either side. Where the memory of a network happens
# to lie is worth as much, so a smaller difference is none of the network's.
SAME = 0.01
# "faster", "slower": not the same, and the whole interval is more than this to one side of 1. It is above zero because
# each process has a bias of its own, of up to 1 %, that more rounds do not average out: with three of them an interval
# for 99 % leaves 1 out in every eighth comparison of a network with itself, and 1.0075 in none of the 1,000 simulated.
DIFFERENT = 0.0075
# The same for cases that one process alone has timed: it shows nothing of what another one would have.
DIFFERENT_IN_ONE_PROCESS = 0.01
# The same for two runs that did not take turns: the machine may have been another one by so much in between.
DIFFERENT_APART = 0.03
# Below so many shared rounds the verdict is "ambiguous" whatever the interval: too few to know their own spread.
FEWEST_ROUNDS = 6

# Calls are steady when the medians of the last ones and of those before differ by less than this, ...
STEADY = 0.02
# ... or when fewer than this part of all pairs (one of the last, one from before) go the same way: then it is noise.
ONE_WAY = 0.9
# Fewer calls are never steady: two windows of three are compared at least.
FEWEST_CALLS = 6
# Distances from the third quartile, in quartile ranges (Tukey), and what the range is at least, as a part of the
# median: of samples that are almost equal none is an outlier.
MILD, SEVERE, LEAST_RANGE = 1.5, 3.0, 0.002


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval.

    Attributes:
        value: best guess.
        low: end of the interval.
        high: the other end.
        confidence: how often such an interval holds the true value. From order statistics, as exact as it is: more than
            was asked for, because samples are whole, and less where there are too few of them. None where not known.
    """

    value: float
    low: float
    high: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One case beside another.

    Attributes:
        ratio: its seconds as a multiple of the other's: below 1 it is faster.
        verdict: "faster", "slower", "same" or "ambiguous"; the rules stand beside the constants of this module.
        rounds: that both took part in; of two runs, the samples of the one that has fewer.
    """

    ratio: Estimate
    verdict: Verdict
    rounds: int


def median_interval(seconds: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Median and the order statistics around it, see `quantile_interval`."""
    return quantile_interval(seconds, 0.5, confidence)


def quantile_interval(seconds: Sequence[float], share: float, confidence: float = 0.95) -> Estimate:
    """A quantile, as p99 is at share 0.99; the interval runs from one sample to another.

    So many of n independent samples lie below the quantile as a binomial distribution says, whatever theirs is (David
    and Nagaraja, Order Statistics, section 7.1). No resampling, no assumption but independence; of samples that have
    processes or drift in them, `median_of` knows more.

    Raises:
        ValueError: no samples.
    """
    if not seconds:
        raise ValueError("of no samples there is no quantile")
    ranked = sorted(seconds)
    place = share * (len(ranked) - 1)
    below, above = ranked[floor(place)], ranked[ceil(place)]
    low, high, reached = _ranks(len(ranked), share, confidence)
    return Estimate(below + (above - below) * (place % 1), ranked[low - 1], ranked[high - 1], reached)


def fewest_samples(confidence: float) -> int:
    """So many samples it takes until their range holds the median with this confidence: 8 at 99 %."""
    return ceil(1 - log2(1 - confidence) - 1e-9)


@lru_cache(maxsize=1024)
def _ranks(size: int, share: float, confidence: float) -> tuple[int, int, float]:
    """Ranks of the samples, from 1, between which the quantile lies, and how surely."""
    # binomial: chances[k] that k samples are below the quantile
    logs = (log(share), log1p(-share), lgamma(size + 1))
    chances = [
        exp(logs[2] - lgamma(k + 1) - lgamma(size - k + 1) + k * logs[0] + (size - k) * logs[1])
        for k in range(size + 1)
    ]
    tail = (1 - confidence) / 2
    low, left = 0, 0.0
    while low < size and left + chances[low] <= tail:
        left += chances[low]
        low += 1
    high, right = size + 1, 0.0
    while high > 0 and right + chances[high - 1] <= tail:
        right += chances[high - 1]
        high -= 1
    low, high = min(max(low, 1), size), max(min(high, size), 1)
    return low, high, sum(chances[low:high])


def median_of(measurement: Measurement, settings: Settings) -> Estimate:
    """Median seconds of a call; the interval has in it what differs between processes, and drift.

    Raises:
        ValueError: no samples.
    """
    import numpy as np

    sizes, seconds = by_process({(each.process, each.round): each.seconds for each in measurement.samples})
    value = float(medians(once(len(seconds)), np.asarray(seconds))[0])
    drawn = medians(draw(sizes, settings.seed), np.asarray(seconds))
    low, high = spread(value, drawn, sizes, settings.confidence)
    return Estimate(value, max(0.0, low), high, settings.confidence)


def ratio(base: Measurement, other: Measurement, settings: Settings) -> Comparison:
    """How long `other` takes beside `base`: the median of the ratios in the rounds that both took part in.

    A mean over the middle half of them, or Hodges and Lehmann's estimate, errs a sixth or a fifth less where samples
    vary a little each, but twice as much where two in five are slowed to about double, as they are on a machine that
    others use, and those on both sides do not cancel (simulated in `experiments/timer_trust.py`).

    Raises:
        ValueError: they share no round: they were not timed in turns, see `unpaired_ratio`.
    """
    below, above = by_round(base), by_round(other)
    logs = {key: log(above[key] / below[key]) for key in below.keys() & above.keys()}
    if not logs:
        raise ValueError(f"{base.case.key} and {other.case.key} share no round")
    sizes, values = by_process(logs)
    found = _ratio(sizes, values, settings.confidence, settings.seed)
    least = DIFFERENT if len(sizes) > 1 else DIFFERENT_IN_ONE_PROCESS
    return Comparison(found, judge(found, least) if len(values) >= FEWEST_ROUNDS else "ambiguous", len(values))


def shared(base: Measurement | None, other: Measurement | None, settings: Settings) -> Comparison | None:
    """The same where it is not sure that both were measured, and in the same rounds; None where they were not."""
    if base is None or other is None or not by_round(base).keys() & by_round(other).keys():
        return None
    return ratio(base, other, settings)


def paired_ratio(
    numerators: Sequence[float], denominators: Sequence[float], confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Ratio of samples that were taken in pairs, by one process, in this order.

    Raises:
        ValueError: one has more samples than the other, or none.
    """
    if len(numerators) != len(denominators) or not numerators:
        raise ValueError(f"{len(numerators)} samples cannot be paired with {len(denominators)}")
    logs = [log(above / below) for above, below in zip(numerators, denominators, strict=True)]
    return _ratio([len(logs)], logs, confidence, seed)


def unpaired_ratio(base: Measurement, other: Measurement, settings: Settings) -> Comparison:
    """How long `other` takes beside `base` where each has a run of its own: the ratio of their medians.

    Raises:
        ValueError: one has no samples.
    """
    import numpy as np

    drawn, values, sizes = [], [], []
    for number, measurement in enumerate((base, other)):
        own, seconds = by_process(by_round(measurement))
        logs = np.log(seconds)
        values.append(float(medians(once(len(logs)), logs)[0]))
        drawn.append(medians(draw(own, (settings.seed, number)), logs))
        sizes.append(own)
    value = values[1] - values[0]
    # What is known worst decides how far the interval is widened.
    fewer = min(sizes, key=sum)
    low, high = spread(value, drawn[1] - drawn[0], fewer, settings.confidence)
    found = Estimate(exp(value), exp(low), exp(high), settings.confidence)
    verdict = judge(found, DIFFERENT_APART) if sum(fewer) >= FEWEST_ROUNDS else "ambiguous"
    return Comparison(found, verdict, sum(fewer))


def judge(found: Estimate, different: float) -> Verdict:
    """The verdict on a ratio; swapping the cases turns "faster" into "slower" and leaves the others.

    Args:
        found: the ratio and its interval.
        different: by how much it has to be another than 1.
    """
    if -log1p(SAME) <= log(found.low) and log(found.high) <= log1p(SAME):
        return "same"
    if log(found.low) > log1p(different):
        return "slower"
    if log(found.high) < -log1p(different):
        return "faster"
    return "ambiguous"


def is_steady(durations: Sequence[float]) -> bool:
    """Whether the last calls take as long as those before: then a warm-up is done."""
    if len(durations) < FEWEST_CALLS:
        return False
    size = max(FEWEST_CALLS // 2, len(durations) // 4)
    last, before = durations[-size:], durations[-2 * size : -size]
    if abs(median(last) - median(before)) <= STEADY * median(last):
        return True
    # Mann and Whitney's statistic, as a part of all pairs.
    lower = sum((new < old) + (new == old) / 2 for new in last for old in before) / size**2
    return max(lower, 1 - lower) < ONE_WAY


def label_outliers(seconds: Sequence[float]) -> tuple[Outlier, ...]:
    """Which samples are slower than the others explain; a fast one is none, as nothing makes a call too fast."""
    if len(seconds) < FEWEST_ROUNDS:
        return tuple(_label(0.0) for _ in seconds)
    first, middle, third = quantiles(seconds, n=4, method="inclusive")
    reach = max(third - first, LEAST_RANGE * middle)
    return tuple(_label((each - third) / reach if reach else 0.0) for each in seconds)


def _label(distance: float) -> Outlier:
    return "severe" if distance > SEVERE else "mild" if distance > MILD else ""


def by_round(measurement: Measurement) -> dict[tuple[int, int], float]:
    """Seconds by process and round; a sample of no time, on a clock too coarse, is none."""
    return {(each.process, each.round): each.seconds for each in measurement.samples if each.seconds > 0}


def by_process(values: dict[tuple[int, int], float]) -> tuple[list[int], list[float]]:
    """How many values each process has, and all of them in the order of processes and rounds."""
    if not values:
        raise ValueError("no samples")
    sizes: dict[int, int] = {}
    for process, _ in sorted(values):
        sizes[process] = sizes.get(process, 0) + 1
    return list(sizes.values()), [values[key] for key in sorted(values)]


def _ratio(sizes: Sequence[int], logs: Sequence[float], confidence: float, seed: int) -> Estimate:
    import numpy as np

    values = np.asarray(logs)
    value = float(medians(once(len(logs)), values)[0])
    low, high = spread(value, medians(draw(sizes, seed), values), sizes, confidence)
    return Estimate(exp(value), exp(low), exp(high), confidence)
