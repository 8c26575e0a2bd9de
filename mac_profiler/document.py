"""Document: what a command says, before any output format: tables, totals, warnings, and the data behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mac_profiler.columns import Column
from mac_profiler.units import Unit


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table.

    Attributes:
        values: raw figures by column key; None is unknown.
        level: depth in the tree; 0 where the table is flat.
        label: what a tree shows instead of the first column's value; "" shows the value.
        partial: something in the row was not counted, so its costs are lower bounds.
        units: by column key, of figures that are of another unit than their column.
    """

    values: Mapping[str, Any]
    level: int = 0
    label: str = ""
    partial: bool = False
    units: Mapping[str, Unit] = field(default_factory=dict)

    def unit(self, column: Column) -> Unit:
        """Of the figure in a column."""
        return self.units.get(column.key, column.unit)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns.

    Attributes:
        columns: what is shown, in order.
        lines: the rows.
        title: a heading; "" for none.
        total: a last row that sums the others up.
        tree: the rows are a tree, by their levels.
        more: number of rows that were left out by the reader's wish.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    title: str = ""
    total: Line | None = None
    tree: bool = False
    more: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What a command says.

    Attributes:
        title: one line that names the subject.
        facts: what the figures hold for: input, mode, dtype.
        tables: the first one is what CSV holds.
        totals: figures of the whole, with their columns.
        partial: the totals are lower bounds.
        warnings: what must not be overlooked.
        notes: what a reader should know.
        legend: the convention: a term and what it means.
        data: the JSON document, built on demand.
    """

    title: str
    tables: tuple[Table, ...]
    data: Callable[[], Mapping[str, Any]]
    facts: Mapping[str, str]
    totals: tuple[tuple[Column, Any], ...] = ()
    partial: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()

    @property
    def filled(self) -> tuple[Table, ...]:
        """The tables that have a row: a heading above nothing tells a reader nothing."""
        return tuple(table for table in self.tables if table.lines or table.total is not None)


@dataclass(frozen=True, slots=True)
class Screen:
    """What the text is written on.

    Attributes:
        width: characters in a line.
        color: whether it shows colours.
        unicode: whether it shows more than ASCII.
    """

    width: int = 100
    color: bool = False
    unicode: bool = True
