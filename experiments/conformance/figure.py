"""figure of count_conformance: a stacked bar a profiler."""

from __future__ import annotations

from collections import Counter
from typing import Any

from experiments.conformance.judge import OUTCOMES, Outcome
from experiments.conformance.outcomes import Results, ranked

# Told apart by those who see no red or no green too, and in grey.
_COLOURS: dict[Outcome, str] = {
    "right": "#2c7fb8", "disclosed": "#a6cee3", "silently wrong": "#d95f0e", "crashed": "#636363",
}  # fmt: skip


def draw(results: Results) -> Any:
    """Bars from most to fewest right answers."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    found = ranked(results)
    figure, axes = plt.subplots(figsize=(9, 0.42 * len(found) + 1.6))
    left = [0] * len(found)
    for outcome in OUTCOMES:
        widths = [Counter(each.values())[outcome] for _, each in found]
        bars = axes.barh(range(len(found)), widths, left=left, color=_COLOURS[outcome], label=outcome, height=0.72)
        # A segment narrower than its number stays without.
        labels = [str(width) if width > 0.02 * len(results["cases"]) else "" for width in widths]
        axes.bar_label(bars, labels, label_type="center", color="black" if outcome == "disclosed" else "white", size=9)
        left = [total + width for total, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(found)), [f"{peer['name']} {peer['version']}" for peer, _ in found])
    axes.set_ylim(len(found) - 0.5, -0.6)
    axes.set_xlim(0, len(results["cases"]))
    axes.set_xlabel(f"cases, of {len(results['cases'])} derived by hand")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False)
    return figure
