"""figure of peer_features: a filled square is a yes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def draw(results: Mapping[str, Any]) -> Any:
    """Questions down, profilers across."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    answers, questions = results["answers"], results["questions"]
    figure, axes = plt.subplots(figsize=(0.55 * len(answers) + 5, 0.3 * len(questions) + 1))
    for x, every in enumerate(answers.values()):
        for y, question in enumerate(questions):
            colour = "#2c7fb8" if every[question]["answer"] else "white"
            axes.plot(x, y, "s", color="#2c7fb8", markerfacecolor=colour, markersize=9)
    axes.set_xticks(range(len(answers)), list(answers), rotation=40, ha="left", size=8)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(questions)), list(questions.values()), size=8)
    axes.set_ylim(len(questions) - 0.5, -0.5)
    axes.set_xlim(-0.5, len(answers) - 0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
