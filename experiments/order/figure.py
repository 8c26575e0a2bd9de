"""figure of published_order: of the pairs of one complexity, the share in which two orders agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.order.table import share

# Two orders, and what a bar of them is called.
BARS = (
    ("measured", "predicted", "measured here, and predicted", "#0072b2"),
    ("measured", "ARM", "measured here, and on the paper's ARM", "#56b4e9"),
    ("measured", "GPU", "measured here, and on the paper's GPU", "#009e73"),
    ("measured", "multiply-adds", "measured here, and by multiply-adds", "#d55e00"),
    ("ARM", "multiply-adds", "the paper's ARM, and by multiply-adds", "#e69f00"),
    ("GPU", "multiply-adds", "the paper's GPU, and by multiply-adds", "#f0e442"),
)
_HEIGHT = 0.8


def draw(results: Mapping[str, Any]) -> Any:
    """A group of bars for each table, one for each two orders; half is what chance gives."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    found = results["presets"]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.95 * len(found)), layout="constrained")
    step = _HEIGHT / len(BARS)
    for bar, (order, beside, title, colour) in enumerate(BARS):
        places, widths, labels = [], [], []
        for row, each in enumerate(found.values()):
            width, pairs = share(each, order, beside)
            if width is not None:
                places.append(row - _HEIGHT / 2 + (bar + 0.5) * step)
                widths.append(100 * width)
                # Shares of few pairs and of many look alike.
                labels.append(f"{width:.0%} of {pairs}")
        bars = axes.barh(places, widths, height=step, color=colour, label=title, edgecolor="white", linewidth=0.4)
        axes.bar_label(bars, labels, padding=2, size=6.5)
    axes.axvline(50, color="#777777", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.set_xlim(0, 113)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("same order, % of the decided pairs of one complexity")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
    return figure
