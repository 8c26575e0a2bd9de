"""Speed tables: measured speeds of known models, in the layout of timm's published results.

A table has a row a model: ``model``, ``infer_img_size``, ``infer_batch_size``, ``infer_samples_per_sec``; other columns
are not read.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import isfinite
from os import PathLike
from pathlib import Path

from mac_profiler.errors import InvalidInput

COLUMNS = ("model", "infer_img_size", "infer_batch_size", "infer_samples_per_sec")


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
