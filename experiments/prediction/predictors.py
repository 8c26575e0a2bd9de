"""What times are told from: multiply-adds alone, parameters alone, memory access alone, and the laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mac_profiler.fitting import Counted, fit
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.learning import Number, learn
from mac_profiler.platform import Platform
from mac_profiler.predict import seconds_of

Predictor = Callable[[Sequence[Counted]], Callable[[Sequence[Counted]], list[float]]]


def _parts(kinds: Sequence[str], *amounts: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, amount) for kind in kinds for amount in amounts)


MULT_ADDS = Number("multiply-add", _parts(tuple(PRODUCTS), "operations"))
PARAMETERS = Number("byte of weights", _parts(tuple(KINDS), "weight_bytes"), 25)
ACCESSES = Number("byte", _parts(tuple(KINDS), "read_bytes", "write_bytes", "weight_bytes"), 25)


def _by(*numbers: Number) -> Predictor:
    def train(known: Sequence[Counted]) -> Callable[[Sequence[Counted]], list[float]]:
        values = learn([each.eager for each in known], numbers).values

        def predict(asked: Sequence[Counted]) -> list[float]:
            return [
                sum(
                    value * getattr(each.eager.works[kind], amount)
                    for number, value in zip(numbers, values, strict=True)
                    for kind, amount in number.parts
                    if kind in each.eager.works
                )
                for each in asked
            ]

        return predict

    return train


def _by_laws(known: Sequence[Counted]) -> Callable[[Sequence[Counted]], list[float]]:
    platform = fit("trained", known, device="cuda", dtype="float32", table="a part of a table")
    return lambda asked: [seconds(each, platform) for each in asked]


def seconds(counted: Counted, platform: Platform) -> float:
    """What a counted model takes on a platform."""
    works = (counted.fused if platform.fused else counted.eager).works
    return sum(seconds_of(work, platform).total for work in works.values())


PREDICTORS: dict[str, Predictor] = {
    "multiply-adds": _by(MULT_ADDS),
    "parameters": _by(PARAMETERS),
    "memory access": _by(ACCESSES),
    "multiply-adds and memory access": _by(MULT_ADDS, ACCESSES),
    "laws by kind of work": _by_laws,
}
FULL = "laws by kind of work"
