"""figure of analysis_speed: warm and first calls by profiler and model, and the chains."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from experiments.speed.derived import OWN, Line, chain_seconds, lines

# Told apart by those who see no red or no green too; the markers by everybody.
_STYLES = (("o", "#0072b2"), ("s", "#d55e00"), ("^", "#009e73"), ("D", "#cc79a7"), ("v", "#56b4e9"))


def draw(results: Mapping[str, Any]) -> Any:
    """Three panels: warm, first call, chains."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = {name: peer["name"] for name, peer in results["peers"].items()}
    by_model = {samples["model"]: lines(samples, [*names]) for samples in results["models"]}
    order = _order(by_model, [*names])
    figure, (warm, first, chains) = plt.subplots(
        1, 3, figsize=(14, 0.4 * len(order) + 1.8), width_ratios=[5, 5, 3], layout="constrained"
    )
    for (model, every), (marker, colour) in zip(by_model.items(), _STYLES, strict=False):
        found = {line.peer: line for line in every if not line.error}
        style = {"marker": marker, "color": colour, "linestyle": "none", "markersize": 6, "alpha": 0.9}
        rows = [row for row, name in enumerate(order) if name in found]
        for axes, seconds in ((warm, _warm), (first, _first)):
            points = [(seconds(found[order[row]]), row) for row in rows]
            shown = [(x, y) for x, y in points if x is not None]
            axes.plot([x for x, _ in shown], [y for _, y in shown], label=model, **style)
    for axes, title in ((warm, "a warm call, s"), (first, "the first call, import included, s")):
        axes.set_xscale("log")
        axes.set_xlabel(title)
        axes.set_yticks(range(len(order)), [names[name] for name in order])
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
        axes.axhspan(-0.5, 0.5, color="#eeeeee", zorder=0)
        axes.set_ylim(len(order) - 0.5, -0.5)
    first.set_yticklabels([])
    handles, labels = warm.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(by_model), loc="outside upper center", frameon=False)
    found_chains = chain_seconds(results)
    chains.loglog([*found_chains], [*found_chains.values()], "o-", color=_STYLES[0][1], label="macprof")
    start, least = next(iter(found_chains.items()))
    chains.loglog([*found_chains], [least * n / start for n in found_chains], ":", color="grey", label="linear")
    chains.set_xlabel("operators in a chain")
    chains.set_ylabel("a call, s")
    chains.grid(alpha=0.3)
    chains.legend(frameon=False)
    for axes in (warm, first, chains):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _warm(line: Line) -> float | None:
    return line.warm.value if line.warm else None


def _first(line: Line) -> float | None:
    return line.first_with_import


def _order(by_model: Mapping[str, list[Line]], names: list[str]) -> list[str]:
    """First macprof, then the others by their median over the models."""

    def rank(name: str) -> tuple[bool, float]:
        found = [line.warm.value for every in by_model.values() for line in every if line.peer == name and line.warm]
        return (name != OWN, statistics.median(found) if found else float("inf"))

    return sorted(names, key=rank)
