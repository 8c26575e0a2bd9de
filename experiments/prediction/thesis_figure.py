"""figure of flops_are_not_speed: a row a table: time against multiply-adds, and against what the laws tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

POINT, LINE = "#2c7fb8", "#636363"


@dataclass(frozen=True, slots=True)
class Points:
    """One network, for one image.

    Attributes:
        mult_adds: counted.
        predicted: seconds by the laws.
        measured: seconds.
    """

    mult_adds: float
    predicted: float
    measured: float


def draw(tables: Mapping[str, Sequence[Points]]) -> Any:
    """Both panels of every table."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    figure, axes = plt.subplots(len(tables), 2, figsize=(10, 4.6 * len(tables)), squeeze=False, layout="constrained")
    for (name, points), (left, right) in zip(tables.items(), axes, strict=True):
        work = np.asarray([each.mult_adds for each in points]) / 1e9
        told = np.asarray([each.predicted for each in points]) * 1e3
        seen = np.asarray([each.measured for each in points]) * 1e3
        left.scatter(work, seen, 9, POINT, alpha=0.5, linewidths=0)
        rate = float(np.median(seen / work))
        ends = np.asarray([work.min(), work.max()])
        left.plot(ends, rate * ends, color=LINE, linewidth=1)
        spread = seen / work / rate
        low, high = np.quantile(spread, [0.05, 0.95])
        left.set_title(f"multiply-adds: nine in ten take {low:.2f} to {high:.2f} times the middle rate", size=9)
        left.set_xlabel("multiply-adds of an image, billions")
        right.scatter(told, seen, 9, POINT, alpha=0.5, linewidths=0)
        ends = np.asarray([min(told.min(), seen.min()), max(told.max(), seen.max())])
        right.plot(ends, ends, color=LINE, linewidth=1)
        low, high = np.quantile(seen / told, [0.05, 0.95])
        right.set_title(f"laws: nine in ten take {low:.2f} to {high:.2f} times what is told", size=9)
        right.set_xlabel("told time of an image, ms")
        for panel in (left, right):
            panel.set(xscale="log", yscale="log")
            panel.set_ylabel("measured time of an image, ms")
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(alpha=0.25)
        left.annotate(name, (0.0, 1.1), xycoords="axes fraction", size=10, weight="bold")
    return figure
