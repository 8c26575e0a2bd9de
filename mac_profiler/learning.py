"""Learning: the numbers of a platform from works whose seconds are known.

A time is a sum of amounts times numbers that cannot be negative, so the numbers are found by non-negative least squares
(Lawson and Hanson, Solving Least Squares Problems, 1974; scipy's `nnls`). Times of models differ a thousandfold, and a
prediction is judged by its ratio, so every equation is divided by its time; and a model that no such law describes
should not bend it for the others, so the squares are re-weighted until they stand for the distances of the logarithms,
to either side alike (iteratively re-weighted least squares). Few observations do not tell apart numbers that always
occur together: a weak pull towards their usual proportions decides there, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mac_profiler.platform import Law
from mac_profiler.work import Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

# Amount of a work -> the number of a law that it is multiplied by.
FIELDS: Mapping[str, str] = {
    "operations": "operation_seconds",
    "read_bytes": "read_seconds",
    "write_bytes": "write_seconds",
    "weight_bytes": "weight_seconds",
    "calls": "launch_seconds",
}
ROUNDS = 20
# Logarithms that are nearer than this count as equally good: closer, a weight would make one model an exact solution.
NEAR = 0.04
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Number:
    """One number to be learned: seconds of certain amounts.

    Attributes:
        name: for a reader.
        parts: kind of work and amount ("operations", ...) that it is multiplied by.
        usual: its usual size beside the other numbers, in multiply-adds of a dense convolution.
    """

    name: str
    parts: tuple[tuple[str, str], ...]
    usual: float = 1.0


@dataclass(frozen=True, slots=True)
class Observation:
    """Work whose seconds are known.

    Attributes:
        name: of the model.
        works: its sums by kind.
        seconds: that they took together.
        known: seconds of them that other numbers explain already.
    """

    name: str
    works: Mapping[str, Work]
    seconds: float
    known: float = 0.0


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned.

    Attributes:
        values: of the numbers, in order, in seconds.
        errors: by observation that was held out, in their order: predicted by measured seconds, less 1.
    """

    values: tuple[float, ...]
    errors: tuple[float, ...]

    def within(self, share: float) -> float:
        """Relative error that such a share of the held-out observations stay within, to either side alike."""
        import numpy as np

        distances = np.abs(np.log1p(np.maximum(np.asarray(self.errors), -0.999)))
        return float(np.expm1(np.quantile(distances, share)))


def learn(observations: Sequence[Observation], numbers: Sequence[Number], *, pull: float = 0.0) -> Learned:
    """Find the numbers, and what they are worth on observations that they were not learned from.

    Args:
        observations: as many as there are numbers at least, for a result that means something.
        numbers: what is to be found.
        pull: towards the usual proportions; 0 is none.

    Raises:
        ValueError: no observation, or a time that is not positive.
    """
    import numpy as np

    if not observations or not all(each.seconds > 0 for each in observations):
        raise ValueError("laws are learned from observations that took time")
    amounts = _amounts(observations, numbers)
    seconds = np.asarray([each.seconds for each in observations])
    known = np.asarray([each.known for each in observations])
    usual = np.asarray([each.usual for each in numbers])
    values = _solve(amounts, seconds, known, usual, pull)
    # Folds are dealt out by size, so that each has small models and large ones.
    fold = np.empty(len(seconds), dtype=int)
    fold[np.argsort(seconds, kind="stable")] = np.arange(len(seconds)) % FOLDS
    errors = np.zeros(len(seconds))
    for number in range(min(FOLDS, len(seconds))):
        out = fold == number
        if out.all():
            break
        own = _solve(amounts[~out], seconds[~out], known[~out], usual, pull)
        errors[out] = (amounts[out] @ own + known[out]) / seconds[out] - 1
    return Learned(tuple(map(float, values)), tuple(map(float, errors)))


def laws_of(numbers: Sequence[Number], values: Sequence[float]) -> dict[str, Law]:
    """The laws that the numbers make up; what no number is part of is 0."""
    found: dict[str, dict[str, float]] = {}
    for number, value in zip(numbers, values, strict=True):
        for kind, amount in number.parts:
            own = found.setdefault(kind, {})
            own[FIELDS[amount]] = own.get(FIELDS[amount], 0.0) + value
    return {kind: Law(**own) for kind, own in found.items()}


def _amounts(observations: Sequence[Observation], numbers: Sequence[Number]) -> Reals:
    """[observations, numbers]: what each number is multiplied by."""
    import numpy as np

    found = np.zeros((len(observations), len(numbers)))
    for row, observation in enumerate(observations):
        for column, number in enumerate(numbers):
            found[row, column] = sum(
                getattr(observation.works[kind], amount) for kind, amount in number.parts if kind in observation.works
            )
    return found


def _solve(amounts: Reals, seconds: Reals, known: Reals, usual: Reals, pull: float) -> Reals:
    import numpy as np
    from scipy.optimize import nnls

    relative = amounts / seconds[:, None]
    left = 1 - known / seconds
    # In units in which every number is about 1, if the usual proportions hold.
    whole = relative @ usual
    scale = usual * np.median(left[whole > 0] / whole[whole > 0]) if (whole > 0).any() else usual
    scale = np.where(scale > 0, scale, usual)
    relative = relative * scale
    pulled = pull * np.eye(len(usual))
    aims = np.full(len(usual), pull)
    # The usual proportions are a start that no single time can spoil.
    values = np.ones(len(usual))
    for _ in range(ROUNDS):
        told = np.maximum(relative @ values + known / seconds, 1e-9)
        # With these weights a step of least squares goes where the distances of the logarithms fall.
        weights = 1 / np.sqrt(np.maximum(told, NEAR) * np.maximum(np.abs(told - 1), NEAR))
        rows = np.vstack([relative * weights[:, None], pulled])
        values, _residual = nnls(rows, np.concatenate([left * weights, aims]), maxiter=3000)
    found: Reals = values * scale
    return found
