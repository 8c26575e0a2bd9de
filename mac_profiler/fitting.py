"""Fitting: a platform from measured speeds of known models, so that times can be told for a machine not at hand.

The models are built without weights and counted at the size and batch of their row; a platform is learned from their
counts and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mac_profiler.errors import InvalidInput, MacprofError
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.learning import Learned, Number, Observation, laws_of, learn
from mac_profiler.platform import Platform
from mac_profiler.profile import Profile
from mac_profiler.speed_tables import Row
from mac_profiler.work import tally, tasks

FEWEST = 12
# Towards the usual proportions; so weak that it only tells apart what a table of sixty models leaves open.
PULL = 0.1
_CONVOLUTIONS = ("dense_conv", "pointwise_conv")
_STREAMED = ("elementwise", "transcendental", "batch_norm", "other")
_STRIDED = ("normalisation", "softmax", "max_pool", "avg_pool", "reduction", "movement", "transposition")


def _all(kinds: Iterable[str], *amounts: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, amount) for kind in kinds for amount in amounts)


# The ten numbers of a platform that is learned from whole models. Usual sizes are in multiply-adds of a convolution: a
# byte costs as much as 25 of them, a launch as much as a million; within a factor of ten they hardly matter.
NUMBERS = (
    Number("multiply-add of a convolution", _all(_CONVOLUTIONS, "operations")),
    Number("multiply-add of a linear layer", _all(("linear",), "operations")),
    Number("multiply-add of other products", _all(("matmul", "attention", "recurrent"), "operations"), 1.5),
    Number("multiply-add of a grouped convolution", _all(("grouped_conv",), "operations"), 2),
    Number("multiply-add of a depthwise convolution", _all(("depthwise_conv",), "operations"), 5),
    Number("byte of maps, of products", _all(PRODUCTS, "read_bytes", "write_bytes"), 25),
    Number("byte of maps, element-wise", _all(_STREAMED, "read_bytes", "write_bytes"), 25),
    Number("byte of maps, of norms, pooling and copies", _all(_STRIDED, "read_bytes", "write_bytes"), 40),
    Number("byte of weights", _all(KINDS, "weight_bytes"), 25),
    Number("launch", _all(KINDS, "calls"), 1e6),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """One measured model, counted; its work as its operators stand, and as a fusing engine runs them."""

    row: Row
    eager: Observation
    fused: Observation


def count_rows(
    rows: Sequence[Row], profile_of: Callable[[Row], Profile], say: Callable[[str], None] = lambda _: None
) -> tuple[list[Counted], list[str]]:
    """Count every model of a table.

    Args:
        rows: of `read_table`.
        profile_of: builds and counts the model of a row.
        say: told how far it is.

    Returns:
        What could be counted, and a line for each model that could not.
    """
    found, left_out = [], []
    for number, row in enumerate(rows):
        say(f"counting {row.model}: {number + 1} of {len(rows)}")
        try:
            profile = profile_of(row)
        except MacprofError as error:
            left_out.append(f"{row.model}: {error}")
            continue
        eager, fused = (
            Observation(row.model, tally(task.work for task in tasks(profile, fused=fused)), row.seconds)
            for fused in (False, True)
        )
        found.append(Counted(row, eager, fused))
    return found, left_out


def fit(name: str, counted: Sequence[Counted], *, device: str, dtype: str, table: str) -> Platform:
    """Learn a platform; whether it fuses is what the held-out models are predicted better by.

    Args:
        name: of the platform.
        counted: models with their speeds.
        device: what they ran on, for the reader.
        dtype: that they ran in, likewise.
        table: where the speeds are from.

    Raises:
        InvalidInput: too few models.
    """
    if len(counted) < FEWEST:
        raise InvalidInput(f"{len(counted)} models of {table} could be counted; a platform takes at least {FEWEST}")
    tried: dict[bool, Learned] = {
        fused: learn([each.fused if fused else each.eager for each in counted], NUMBERS, pull=PULL)
        for fused in (False, True)
    }
    fused = tried[True].within(0.5) < tried[False].within(0.5)
    learned = tried[fused]
    return Platform(
        name,
        device,
        dtype,
        fused,
        laws_of(NUMBERS, learned.values),
        error=learned.within(0.9),
        median_error=learned.within(0.5),
        provenance={
            "learned_from": table,
            "models": len(counted),
            "numbers": {number.name: value for number, value in zip(NUMBERS, learned.values, strict=True)},
        },
    )
