"""How much of the time at fixed multiply-adds memory access explains: seconds = constant + slope * accesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mac_profiler.intervals import Estimate, by_process, by_round
from mac_profiler.measurement import Measurement, Settings
from mac_profiler.resampling import draw, medians, once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

# Through two points goes a line, and it explains everything.
FEWEST_CASES = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """A line by least squares through the median seconds of the cases.

    Attributes:
        constant: seconds where nothing is accessed.
        slope: seconds for each access more.
        explained: R²: part of the variance of the medians that the line explains.
        rank: Spearman's correlation of accesses and seconds: 1 where more accesses always take longer, line or not.
        cases: points.
    """

    constant: Estimate
    slope: Estimate
    explained: Estimate
    rank: Estimate
    cases: int


def fit(
    accesses: Sequence[float], measurements: Sequence[Measurement], settings: Settings, *, over_cases: bool = False
) -> Fit:
    """Fit the line; the intervals are percentiles of fits to resamples.

    Args:
        accesses: memory access of each case, in elements (or in bytes: then the slope is seconds a byte).
        measurements: of the same cases, all with the same multiply-adds.
        settings: confidence and seed.
        over_cases: draw the cases anew too. Without it an interval says how sure the fit to these cases is, given the
            noise of their samples; with it, how much hangs on which cases they were. That takes some ten of them: of
            four, every third resample has two different ones or fewer, and those are left out.

    Raises:
        ValueError: fewer than three cases, or all with the same accesses.
    """
    import numpy as np

    x = np.asarray(accesses, dtype=np.float64)
    if len(x) != len(measurements) or len(np.unique(x)) < 2 or len(x) < FEWEST_CASES:
        raise ValueError(f"{len(measurements)} cases with {len(np.unique(x))} different accesses: a line needs more")
    seen, drawn = [], []
    for number, measurement in enumerate(measurements):
        sizes, seconds = by_process(by_round(measurement))
        values = np.asarray(seconds)
        seen.append(medians(once(len(values)), values))
        drawn.append(medians(draw(sizes, (settings.seed, number)), values))
    found = _lines(x[None], np.stack(seen, axis=1))
    y = np.stack(drawn, axis=1)
    chosen = np.broadcast_to(np.arange(len(x)), y.shape)
    if over_cases:
        chosen = np.random.default_rng(settings.seed).integers(len(x), size=y.shape)
        distinct = (np.diff(np.sort(chosen, axis=1), axis=1) > 0).sum(axis=1) + 1
        chosen, y = chosen[distinct >= FEWEST_CASES], y[distinct >= FEWEST_CASES]
    x_drawn, y_drawn = x[chosen], np.take_along_axis(y, chosen, axis=1)
    varies = np.ptp(x_drawn, axis=1) > 0
    resampled = _lines(x_drawn[varies], y_drawn[varies])
    tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
    # Noise makes every resample's R² less than that of the medians, so the ends are stretched to hold the value.
    estimates = [
        Estimate(
            float(one[0]),
            min(float(one[0]), float(np.quantile(many, tails[0]))),
            max(float(one[0]), float(np.quantile(many, tails[1]))),
            settings.confidence,
        )
        for one, many in zip(found, resampled, strict=True)
    ]
    return Fit(estimates[0], estimates[1], estimates[2], estimates[3], len(x))


def _lines(x: Reals, y: Reals) -> tuple[Reals, Reals, Reals, Reals]:
    """Constant, slope, R² and rank correlation of each row of points."""
    covariance, variance, _ = _moments(x, y)
    slope = covariance / variance
    return y.mean(axis=1) - slope * x.mean(axis=1), slope, _correlation(x, y) ** 2, _correlation(_ranks(x), _ranks(y))


def _moments(x: Reals, y: Reals) -> tuple[Reals, Reals, Reals]:
    dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return (dx * dy).mean(axis=1), (dx * dx).mean(axis=1), (dy * dy).mean(axis=1)


def _correlation(x: Reals, y: Reals) -> Reals:
    """Pearson's; 0 where the seconds are all the same, since there is nothing to explain."""
    import numpy as np

    covariance, *variances = _moments(x, y)
    scale = np.sqrt(variances[0] * variances[1])
    found: Reals = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
    return found


def _ranks(x: Reals) -> Reals:
    """From 1, equal ones share the mean of theirs."""
    import numpy as np

    less, equal = x[:, None, :] < x[:, :, None], x[:, None, :] == x[:, :, None]
    found: Reals = less.sum(axis=2) + (equal.sum(axis=2) + 1) / np.float64(2)
    return found
