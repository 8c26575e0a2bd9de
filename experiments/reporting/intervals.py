"""Medians and ratios with the interval that resampling gives them."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


def median(samples: Sequence[float]) -> Estimate:
    """Median of the samples; interval by percentile bootstrap."""
    return _resample(len(samples), lambda chosen: statistics.median(samples[i] for i in chosen))


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """Ratio of the medians of samples taken in pairs; whole pairs are drawn for the interval.

    A pair was taken in one round, so what slowed the machine in that round slowed both.
    """
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} samples cannot be paired with {len(denominators)}")

    def of(chosen: Sequence[int]) -> float:
        above = statistics.median(numerators[i] for i in chosen)
        return above / statistics.median(denominators[i] for i in chosen)

    return _resample(len(numerators), of)


def _resample(size: int, of: Callable[[Sequence[int]], float], draws: int = 1000) -> Estimate:
    generator = random.Random(0)  # noqa: S311 - the same interval from the same samples, no secret
    found = sorted(of([generator.randrange(size) for _ in range(size)]) for _ in range(draws))
    return Estimate(of(range(size)), found[int(0.025 * draws)], found[int(0.975 * draws) - 1])
