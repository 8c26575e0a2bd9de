"""Speed tables: measured speeds of known models, in the layout of timm's published results, and what they teach.

A table has a row a model: ``model``, ``infer_img_size``, ``infer_batch_size``, ``infer_samples_per_sec``; other columns
are not read. The models are built without weights and counted at the size and batch of their row; a platform is learned
from their counts and speeds, so that times can be told for a machine that is not at hand.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from os import PathLike
from pathlib import Path

from mac_profiler.errors import InvalidInput, MacprofError
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.learning import Learned, Number, Observation, laws_of, learn
from mac_profiler.platform import Platform
from mac_profiler.profile import Profile
from mac_profiler.work import tally, tasks

COLUMNS = ("model", "infer_img_size", "infer_batch_size", "infer_samples_per_sec")
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
class Row:
    """One measured model.

    Attributes:
        model: as the table names it.
        size: side of its images.
        batch: images of one call.
        seconds: of one call.
    """

    model: str
    size: int
    batch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Counted:
    """One measured model, counted; its work as its operators stand, and as a fusing engine runs them."""

    row: Row
    eager: Observation
    fused: Observation


def read_table(path: str | PathLike[str]) -> list[Row]:
    """The rows of a table; a model without a speed is left out.

    Raises:
        InvalidInput: no such file, columns that are missing, or a figure that is none.
    """
    place = Path(path)
    try:
        with place.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidInput(
                    f"'{path}' has no column {', '.join(missing)}; a table of speeds has {', '.join(COLUMNS)}"
                )
            return [_row(line, f"'{path}', line {reader.line_num}") for line in reader if line[COLUMNS[3]]]
    except OSError as error:
        raise InvalidInput(f"cannot read '{path}': {error.strerror or error}; give a table of speeds") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"'{path}' is no table of speeds: it is no CSV text ({error})") from error


def _row(line: dict[str, str], place: str) -> Row:
    try:
        size, batch, speed = int(line[COLUMNS[1]]), int(line[COLUMNS[2]]), float(line[COLUMNS[3]])
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{place}: size, batch and speed must be numbers ({error})") from error
    if not (size > 0 and batch > 0 and speed > 0 and isfinite(speed)):
        raise InvalidInput(f"{place}: size {size}, batch {batch} and speed {speed:g} must be above zero")
    return Row(line[COLUMNS[0]], size, batch, batch / speed)


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


def worst(counted: Sequence[Counted], learned: Learned, most: int) -> Iterator[tuple[str, float]]:
    """The models that were predicted worst while they were held out, and by how much."""
    ranked = sorted(zip(counted, learned.errors, strict=True), key=lambda pair: -abs(pair[1]))
    for each, error in ranked[:most]:
        yield each.row.model, error
