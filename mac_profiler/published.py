"""The figures that papers and authors printed, read from the tables in published/; see `Table` for their form."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mac_profiler.errors import UnknownName
from mac_profiler.registry import did_you_mean

FOLDER = Path(__file__).with_name("published")
# Columns that say what a row is about; every other one is a quantity, a remark on one, or a condition.
ABOUT = ("model", "row", "source")
REMARKS = ("_reading", "_note")
CONDITION = "at_"
_ADDED = re.compile(r"\[\d+\]|\*|\(ours\)|\(our impl\.\)|ours, |, our impl\.")
FACTORS = {"K": 1e3, "M": 1e6, "G": 1e9, "ms": 1e-3, "": 1.0}


@dataclass(frozen=True, slots=True)
class Published:
    """One figure of a model, as its source printed it.

    Attributes:
        quantity: column that it stands in: "mult_adds", "parameters", "top1_error_percent", ...
        printed: the figure as printed, the unit of its column added: "146M", "37.8ms".
        source: where.
        reading: which count of ours has the printed digits; "" where the plain total, rounded, has. Parts are joined
            by ", ": "convolutions only" (the classifier left out), "batch-norm left out", "global pooling added",
            "pooling added", "activations added" (one for each element that goes in), "biases added", "truncated"
            (digits cut, not rounded), "rounded" (final zeros are no digits), "not reproduced" (no count that we know
            of has them).
        note: what a reader should know of it; what is not reproduced has one.
        conditions: what it holds for, if not for the model as it is listed: "input_size 640x480".
    """

    quantity: str
    printed: str
    source: str
    reading: str = ""
    note: str = ""
    conditions: str = ""

    @property
    def value(self) -> float:
        """The figure as a number, in units of one, seconds or per cent.

        Raises:
            ValueError: it is no number.
        """
        digits = self.printed.rstrip("KMGms")
        return float(digits) * FACTORS[self.printed[len(digits) :]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a printed table.

    Attributes:
        model: name in the zoo; "" where the row is about no network, or one that the zoo does not have.
        label: what the source calls it.
        figures: by quantity, those that the source printed.
        conditions: what they hold for, such as "input_size" or "platform".
    """

    model: str
    label: str
    figures: Mapping[str, Published]
    conditions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One printed table: published/<name>.csv.

    The file begins with comments, "# source: ..." and "# title: ...". Columns are ``model`` (name in the zoo), ``row``
    (as printed), the quantities with their figures, for each quantity Q where needed ``Q_reading`` and ``Q_note``
    (see `Published`), and ``at_C`` for a condition C that the row holds for. A column ``source`` says where a row
    stands that stands elsewhere than the file as a whole. Networks that were printed side by side have a row each.

    Attributes:
        name: name of the file: "v1_table5".
        title: what it is about.
        source: citation.
        rows: in printed order.
    """

    name: str
    title: str
    source: str
    rows: tuple[Row, ...]


def names() -> list[str]:
    """Names of the tables, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


@cache
def table(name: str) -> Table:
    """One table.

    Raises:
        UnknownName: there is none of that name.
    """
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        raise UnknownName(f"no published table named '{name}'.{did_you_mean(name, names())}")
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if line.startswith("#")]
    said = dict(line.lstrip("# ").split(": ", 1) for line in head)
    cells = csv.DictReader(lines[len(head) :], strict=True)
    return Table(name, said["title"], said["source"], tuple(_row(row, said["source"]) for row in cells))


def _row(cells: Mapping[str, str], source: str) -> Row:
    own = cells.get("source") or source
    conditions = {key.removeprefix(CONDITION): cell for key, cell in cells.items() if key.startswith(CONDITION)}
    holds_for = ", ".join(f"{name} {value}" for name, value in conditions.items() if value)
    figures = {
        quantity: Published(
            quantity,
            printed,
            own,
            cells.get(f"{quantity}_reading") or "",
            cells.get(f"{quantity}_note") or "",
            holds_for,
        )
        for quantity, printed in cells.items()
        if printed and quantity not in ABOUT and not quantity.endswith(REMARKS) and not quantity.startswith(CONDITION)
    }
    return Row(cells["model"], cells["row"], figures, conditions)


@cache
def models_by_label() -> Mapping[str, str]:
    """Names in the zoo by what the tables call a network, for those that one network alone is called.

    What a table adds to a name is left out: citations, marks, whose implementation it is.
    """
    found: dict[str, set[str]] = {}
    for name in names():
        for row in table(name).rows:
            if row.model:
                label = _ADDED.sub("", row.label).strip()
                found.setdefault(label, set()).add(row.model)
    return {label: models.pop() for label, models in found.items() if len(models) == 1}


@cache
def figures_by_model() -> Mapping[str, tuple[Published, ...]]:
    """All figures of every model that has some, each once, in the order of the tables."""
    found: dict[str, dict[Published, None]] = {}
    for name in names():
        for row in table(name).rows:
            found.setdefault(row.model, {}).update(dict.fromkeys(row.figures.values()))
    return {model: tuple(figures) for model, figures in found.items() if model}
