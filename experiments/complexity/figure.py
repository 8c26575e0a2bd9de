"""figure of published_complexity: a point a row, at the ratio of our count to the printed one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.complexity.rows import TOLERANCE, Line
from mac_profiler import published

_COLOURS = {"mult_adds": "#2c7fb8", "parameters": "#d95f0e"}
_NAMES = {"mult_adds": "multiply-adds", "parameters": "parameters"}
# Beyond these a point stands at the border, its ratio beside it.
_BORDERS = (0.92, 1.08)


def draw(results: Mapping[str, Any]) -> Any:
    """All rows that print a complexity, table by table; a filled point where the printed digits follow."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    lines: list[Line] = [line for line in results["lines"] if line["ratio"] is not None]
    places, headings, height = _layout(lines)
    figure, axes = plt.subplots(figsize=(8, 0.165 * height + 1))
    axes.axvspan(1 - TOLERANCE, 1 + TOLERANCE, color="#ececec", zorder=0)
    axes.axvline(1, color="#999999", linewidth=0.8, zorder=1)
    for y, line in zip(places, lines, strict=True):
        x = min(max(line["ratio"], _BORDERS[0]), _BORDERS[1])
        colour = _COLOURS[line["quantity"]]
        axes.plot(x, y, "o", color=colour, markerfacecolor=colour if line["follows"] else "white", markersize=5)
        if x != line["ratio"]:
            axes.annotate(
                f"{line['ratio']:.2f}", (x, y), xytext=(6, 0), textcoords="offset points", va="center", size=7
            )
    for y, name in headings.items():
        axes.text(-0.015, y, name, transform=axes.get_yaxis_transform(), ha="right", va="center", size=8, weight="bold")
    labels = [f"{line['row']}, {line['printed']}" for line in lines]
    axes.set_yticks(places, labels, size=7)
    axes.set_ylim(height - 0.5, -1)
    axes.set_xlim(_BORDERS[0] - 0.006, _BORDERS[1] + 0.006)
    axes.set_xlabel("ours / published; within 2 % in grey")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", top=True, labeltop=True)
    axes.spines[["right", "left"]].set_visible(False)
    axes.legend(handles=_legend(plt), frameon=False, loc="upper center", bbox_to_anchor=(0.4, -0.03), ncols=4)
    return figure


def _layout(lines: list[Line]) -> tuple[list[int], dict[int, str], int]:
    """Place of every line, heading by place, and how many places there are."""
    places: list[int] = []
    headings: dict[int, str] = {}
    y, before = 0, ""
    for line in lines:
        if line["table"] != before:
            before = line["table"]
            y += 1 if headings else 0
            headings[y] = published.table(before).source.partition(", arXiv")[0] + _number(before)
            y += 1
        places.append(y)
        y += 1
    return places, headings, y


def _number(name: str) -> str:
    return ", " + published.table(name).source.rpartition(", ")[2]


def _legend(plt: Any) -> list[Any]:
    marks = [
        plt.Line2D([], [], marker="o", linestyle="", color=colour, label=_NAMES[quantity])
        for quantity, colour in _COLOURS.items()
    ]
    for label, fill in (("digits follow", "#555555"), ("they do not", "white")):
        marks.append(plt.Line2D([], [], marker="o", linestyle="", color="#555555", markerfacecolor=fill, label=label))
    return marks
