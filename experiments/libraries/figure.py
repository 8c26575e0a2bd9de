"""figure of library_counts: our count by theirs, a point a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.libraries.agreement import tested


def draw(results: Mapping[str, Any]) -> Any:
    """Both libraries on one diagonal; what is off it is off by that factor."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    pairs = {
        "torchvision, as printed": [
            (1e9 * line["printed"], line["mult_adds"]) for line in results["torchvision"] if "error" not in line
        ],
        "timm, by FlopCounterMode": [
            (line["torch"], line["mult_adds"]) for line in results["timm"] if tested(line) and "error" not in line
        ],
    }
    figure, axes = plt.subplots(figsize=(7, 3.6))
    axes.axhline(1, color="#999999", linewidth=0.8, zorder=1)
    for (name, points), colour in zip(pairs.items(), ("#2c7fb8", "#d95f0e"), strict=True):
        axes.plot(
            [theirs for theirs, _ in points],
            [ours / theirs for theirs, ours in points],
            "o",
            color=colour,
            markersize=4,
            alpha=0.7,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_xlabel("multiply-adds, theirs")
    axes.set_ylabel("ours / theirs")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
