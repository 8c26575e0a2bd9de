"""Synthetic clocks: what two cases take that are timed in turns, under noise of a known kind.

A sample is cost × what the machine does at that time (drift, steps of the clock: both cases feel it) × what befell this
one sample (jitter, spikes, a neighbour) × what the process does to the case (where its memory lies).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mac_profiler.measurement import Case, Measurement, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

BASE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Noise:
    """How samples vary, as parts of the time.

    Attributes:
        jitter: standard deviation, each sample on its own.
        skew: mean of an exponential delay of every sample.
        spikes: chance that a sample is slowed by a further exponential delay ...
        spike: ... with this mean.
        doubled: chance that a neighbour takes half of a sample's processor.
        drift: the machine's from the first round to the last; a third of it in waves besides.
        contended: part of the time in which others keep the processor busy, so that samples last 1.5 to 2.5 times as
            long; comes and goes every four samples or so, in the mean.
        step: of the clock, up or down; after 33 samples in the mean.
        lingering: standard deviation of what each case keeps for a while ...
        memory: ... and the part of it that is left in the next round.
        bias: a process makes one of the cases slower or faster by up to so much, all the time.
    """

    jitter: float = 0.008
    skew: float = 0.0
    spikes: float = 0.0
    spike: float = 0.3
    doubled: float = 0.0
    drift: float = 0.0
    contended: float = 0.0
    step: float = 0.0
    lingering: float = 0.0
    memory: float = 0.8
    bias: float = 0.0


NOISES = {
    "quiet": Noise(jitter=0.003),
    "jitter": Noise(jitter=0.015),
    "skewed": Noise(jitter=0.005, skew=0.02),
    "spikes": Noise(spikes=0.1),
    "a neighbour": Noise(jitter=0.01, doubled=0.08),
    "drift": Noise(jitter=0.01, drift=0.1),
    "contended": Noise(contended=0.4),
    "clock steps": Noise(jitter=0.01, step=0.2),
    "lingering": Noise(jitter=0.004, lingering=0.01),
    "biased processes": Noise(bias=0.01),
    "all together": Noise(
        skew=0.01, spikes=0.05, doubled=0.03, drift=0.05, step=0.15, lingering=0.005, memory=0.7, bias=0.007
    ),
}


def unbiased(noise: Noise) -> Noise:
    """The same without what a process does to a case."""
    return replace(noise, bias=0.0)


def clock(noise: Noise, effect: float, rounds: int, generator: np.random.Generator) -> Reals:
    """Seconds that one process sees: [2, rounds], the second case `effect` times as slow as the first."""
    import numpy as np

    slots = 2 * rounds
    machine = noise.drift * np.linspace(0, 1, slots) * generator.choice((-1, 1))
    waves = np.arange(slots) / slots * 2 * np.pi * generator.uniform(1, 5) + generator.uniform(0, 2 * np.pi)
    machine += noise.drift / 3 * np.sin(waves) + noise.step * (np.cumsum(generator.random(slots) < 0.03) % 2)
    machine += np.log(_contention(noise.contended, slots, generator))
    # Which case comes first in a round is drawn anew in each.
    first = generator.integers(2, size=rounds)
    slot = np.stack([2 * np.arange(rounds) + first, 2 * np.arange(rounds) + 1 - first])
    shape = (2, rounds)
    own = noise.jitter * generator.standard_normal(shape) + noise.skew * generator.exponential(size=shape)
    own += np.log1p((generator.random(shape) < noise.spikes) * generator.exponential(noise.spike, shape))
    own += np.log(2) * (generator.random(shape) < noise.doubled)
    own += _lingering(noise, generator.standard_normal(shape))
    bias = np.array([[0.0], [np.log(effect) + generator.uniform(-noise.bias, noise.bias)]])
    found: Reals = BASE_SECONDS * np.exp(own + machine[slot] + bias)
    return found


def _contention(part: float, slots: int, generator: np.random.Generator) -> Reals:
    """By how much each sample is longer: whether others are there is kept from one to the next in three of four."""
    import numpy as np

    there = generator.random(slots) < part
    kept = generator.random(slots) < 0.75
    last = np.maximum.accumulate(np.where(kept, 0, np.arange(slots)))
    return np.where(there[last], generator.uniform(1.5, 2.5, slots), 1.0)


def _lingering(noise: Noise, shocks: Reals) -> Reals:
    """Autoregressive, of the first order."""
    import numpy as np

    kept = np.sqrt(1 - noise.memory**2)
    found = np.empty_like(shocks)
    found[:, 0] = shocks[:, 0]
    for number in range(1, shocks.shape[1]):
        found[:, number] = noise.memory * found[:, number - 1] + kept * shocks[:, number]
    return noise.lingering * found


def pair(
    noise: Noise, effect: float, processes: int, rounds: int, generator: np.random.Generator
) -> tuple[Measurement, Measurement]:
    """Both cases as measured by so many processes, so many rounds each."""
    seen = [clock(noise, effect, rounds, generator) for _ in range(processes)]
    plain, planted = (
        Measurement(
            Case("trust", "synthetic", name),
            tuple(
                Sample(process, number, float(seconds))
                for process, every in enumerate(seen)
                for number, seconds in enumerate(every[row])
            ),
            "precise",
        )
        for row, name in enumerate(("plain", "planted"))
    )
    return plain, planted
