"""CSV: the first table, raw: integers with every digit, shapes as 1x3x224x224, an unknown figure empty."""

from __future__ import annotations

import csv
import io
from typing import Any

from mac_profiler.columns import Column
from mac_profiler.document import Document, Screen


def render(document: Document, screen: Screen) -> str:
    """One row a line of the table, under the columns' keys."""
    table = document.tables[0]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.key for column in table.columns)
    for line in table.lines:
        writer.writerow(_cell(column, line.values.get(column.key)) for column in table.columns)
    return stream.getvalue()


def _cell(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.unit == "shape":
        return _shape(value)
    if column.unit == "shapes":
        return ";".join(map(_shape, value))
    return value


def _shape(sizes: Any) -> str:
    return "x".join(map(str, sizes)) or "scalar"
