"""How often the verdicts are wrong on synthetic clocks, and which location of the log ratios has the least error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.trust.synthetic import NOISES, Noise, clock, pair, unbiased
from mac_profiler.intervals import ratio
from mac_profiler.measurement import Settings

EFFECTS = (0, 1, 2, 3, 5)
# As many rounds in all, by one process and by several.
ROUNDS = 150
PROCESSES = (1, 3)


def verdicts(noise: Noise, percent: int, processes: int, pairs: int, seed: int) -> dict[str, float]:
    """Verdicts on so many pairs, and how often the interval held the true ratio.

    The true ratio is that of the nets, whatever bias the processes have.
    """
    import numpy as np

    generator = np.random.default_rng((seed, percent, processes))
    effect = 1 + percent / 100
    found: dict[str, float] = dict.fromkeys(("faster", "slower", "same", "ambiguous", "covered"), 0)
    width = 0.0
    for number in range(pairs):
        plain, planted = pair(noise, effect, processes, ROUNDS // processes, generator)
        seen = ratio(plain, planted, Settings(seed=number))
        found[seen.verdict] += 1
        found["covered"] += seen.ratio.low <= effect <= seen.ratio.high
        width += (seen.ratio.high - seen.ratio.low) / 2 / pairs
    return {**found, "pairs": pairs, "half_width": width}


def simulate(pairs: int, seed: int) -> list[dict[str, Any]]:
    """All noises, processes and effects."""
    return [
        {"noise": name, "processes": processes, "percent": percent, **verdicts(noise, percent, processes, pairs, seed)}
        for name, noise in NOISES.items()
        for processes in PROCESSES
        for percent in EFFECTS
    ]


def location_errors(pairs: int, seed: int, rounds: int = 80) -> dict[str, dict[str, float]]:
    """Root of the mean squared error of the log ratio, by noise and way of estimating it."""
    import numpy as np

    generator = np.random.default_rng(seed)
    found: dict[str, dict[str, float]] = {}
    for name, noise in NOISES.items():
        logs = [np.log(clock(unbiased(noise), 1.0, rounds, generator)) for _ in range(pairs)]
        differences = [above - below for below, above in logs]
        found[name] = {
            how: float(np.sqrt(np.mean([estimate(each) ** 2 for each in differences])))
            for how, estimate in _locations().items()
        }
    return found


def _locations() -> dict[str, Callable[[Any], float]]:
    import numpy as np

    def trimmed(share: float) -> Callable[[Any], float]:
        def estimate(values: Any) -> float:
            cut = int(share * len(values))
            return float(np.sort(values)[cut : len(values) - cut].mean())

        return estimate

    def hodges_lehmann(values: Any) -> float:
        first, second = np.triu_indices(len(values))
        return float(np.median((values[first] + values[second]) / 2))

    return {
        "mean": lambda values: float(np.mean(values)),
        "10 % trimmed": trimmed(0.1),
        "20 % trimmed": trimmed(0.2),
        "mean of the middle half": trimmed(0.25),
        "33 % trimmed": trimmed(1 / 3),
        "median": lambda values: float(np.median(values)),
        "Hodges-Lehmann": hodges_lehmann,
    }
