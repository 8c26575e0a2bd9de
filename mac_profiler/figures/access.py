"""Time against memory access, at equal multiply-adds, with the line through them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mac_profiler.measurement import MODELS
from mac_profiler.standing import explain

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.regression import Fit
    from mac_profiler.standing import Standing

COLUMNS = 3
POINT, LINE = "#2c7fb8", "#636363"


def applies(standings: Sequence[Standing]) -> bool:
    """Where a line can be drawn: accesses that differ at the same multiply-adds."""
    groups: dict[str, set[int]] = {}
    for each in standings:
        if each.median is not None and each.measurement.case.benchmark != MODELS:
            groups.setdefault(each.measurement.case.group, set()).add(each.counted.accesses)
    return any(len(accesses) > 2 for accesses in groups.values())


def draw(standings: Sequence[Standing], settings: Settings) -> Any:
    """A panel a group that a line can be drawn through."""
    import matplotlib.pyplot as plt

    fits = explain(standings, settings)
    groups = [(name, list(own)) for name, own in groupby(standings, key=lambda each: each.measurement.case.group)]
    groups = [(name, own) for name, own in groups if f"{own[0].measurement.case.benchmark}/{name}" in fits]
    rows = -(-len(groups) // COLUMNS)
    columns = min(len(groups), COLUMNS)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.6 * columns + 0.6, 3.0 * rows), squeeze=False, layout="constrained"
    )
    for panel, (name, own) in zip(axes.flat, groups, strict=False):
        draw_group(panel, name, own, fits[f"{own[0].measurement.case.benchmark}/{name}"])
    for panel in axes.flat[len(groups) :]:
        panel.set_visible(False)
    for row in axes:
        row[0].set_ylabel("time of a call, ms", size=8)
    return figure


def draw_group(panel: Any, name: str, own: Sequence[Standing], found: Fit) -> None:
    """One group on matplotlib's axes, with the line through it."""
    measured = [(each, each.median) for each in own if each.median is not None]
    xs = [each.counted.accesses / 1e6 for each, _ in measured]
    ys = [median.value * 1e3 for _, median in measured]
    low = [y - median.low * 1e3 for y, (_, median) in zip(ys, measured, strict=True)]
    high = [median.high * 1e3 - y for y, (_, median) in zip(ys, measured, strict=True)]
    panel.errorbar(xs, ys, [low, high], fmt="o", color=POINT, markersize=5, capsize=3)
    ends = [min(xs), max(xs)]
    panel.plot(
        ends, [(found.constant.value + found.slope.value * x * 1e6) * 1e3 for x in ends], color=LINE, linewidth=1
    )
    for i, ((each, _), x, y) in enumerate(zip(measured, xs, ys, strict=True)):
        # Neighbours may lie close together: every other label stands above its point.
        panel.annotate(
            each.measurement.case.name, (x, y), xytext=(6, -9 if i % 2 else 6), textcoords="offset points", size=7
        )
    panel.set_title(f"{name}: R² {found.explained.value:.2f}", size=9)
    panel.set_ylim(bottom=0)
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_xlabel("memory access, millions of elements", size=8)
