"""Tables of the page that need no script: the columns of every other format, in HTML."""

from __future__ import annotations

from collections.abc import Sequence

from mac_profiler import units
from mac_profiler.columns import Column
from mac_profiler.document import Line, Table
from mac_profiler.page.markup import Content, Html, tag
from mac_profiler.predict import Prediction


def table(
    columns: Sequence[Column], lines: Sequence[Line], caption: str, total: Line | None = None, kind: str = ""
) -> Html:
    """A table with a caption and headers that say what they head.

    Args:
        columns: what is shown; the first one names the row.
        lines: the rows.
        caption: what the table is about.
        total: a last row that sums the others up.
        kind: class of the element.
    """
    head = tag("tr", [tag("th", column.title, scope="col", class_=_class(column)) for column in columns])
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", head),
            tag("tbody", [_row(columns, line) for line in lines]),
            tag("tfoot", _row(columns, total)) if total is not None else None,
            class_=kind or None,
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def of_document(found: Table, caption: str) -> Html:
    """A document's table."""
    return table(found.columns, found.lines, caption, found.total)


def described(pairs: Sequence[tuple[str, Content]], kind: str) -> Html:
    """Names and what they stand for."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs], class_=kind)


def predicted_time(prediction: Prediction) -> str:
    """Of the whole model; at least so long, where not every operator was counted."""
    return ("" if prediction.profile.complete else "≥ ") + units.seconds(prediction.total.total)


def _row(columns: Sequence[Column], line: Line) -> Html:
    cells = []
    for i, column in enumerate(columns):
        value = line.values.get(column.key)
        shown = "" if value is None and column.key not in line.values else units.text(line.unit(column), value)
        if i == 0:
            cells.append(tag("th", shown, scope="row", class_=_class(column)))
        else:
            cells.append(tag("td", shown, class_=_class(column)))
    return tag("tr", cells)


def _class(column: Column) -> str | None:
    return "number" if column.numeric else None
