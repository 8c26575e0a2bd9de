"""figure of timer_trust: what each rule calls different, by what is there; and the ratios behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.trust.derived import FALSE_AT_MOST, rates, true_effects

# Told apart by those who see no red or no green too; the markers by everybody.
_STYLES = (("o", "#0072b2"), ("s", "#d55e00"), ("^", "#009e73"), ("D", "#cc79a7"))


def draw(results: Mapping[str, Any]) -> Any:
    """Two panels: shares by effect, and every ratio that was seen."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (shares, ratios) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    effects = true_effects(results)
    for (marker, colour), rule in zip(_STYLES, results["rules"], strict=False):
        found = [each for each in rates(results) if each.rule == rule]
        middle = [100 * (each.found if each.percent else each.different).value for each in found]
        ends = [each.found if each.percent else each.different for each in found]
        reach = [[m - 100 * e.low for m, e in zip(middle, ends, strict=True)]]
        reach += [[100 * e.high - m for m, e in zip(middle, ends, strict=True)]]
        # Side by side, so that no interval hides another.
        aside = 0.05 * (results["rules"].index(rule) - 1.5)
        places = [100 * (effects[each.percent] - 1) + aside for each in found]
        shares.errorbar(places, middle, reach, marker=marker, color=colour, capsize=3, label=rule)
    shares.axhline(100 * FALSE_AT_MOST, color="grey", linestyle=":", zorder=0)
    shares.set_xlabel("planted, in truth, % slower (0: the same net twice)")
    shares.set_ylabel("called slower, % of the pairs (at 0: different)")
    figure.legend(*shares.get_legend_handles_labels(), ncols=4, loc="outside upper center", frameon=False)
    harnesses = list(results["pairs"][0]["outcomes"])
    # As on the left; torch's two readings share their ratios.
    colours = [_STYLES[row][1] for row in (0, 1, 3)]
    for row, (harness, colour) in enumerate(zip(harnesses, colours, strict=False)):
        for place, percent in enumerate(effects):
            seen = [pair["outcomes"][harness]["ratio"] for pair in results["pairs"] if pair["percent"] == percent]
            # Side by side, and spread a little in the order in which they were taken.
            across = [place + 0.26 * (row - 1) + 0.18 * (n / len(seen) - 0.5) for n in range(len(seen))]
            ratios.plot(across, [100 * (each - 1) for each in seen], ".", color=colour, markersize=4)
    for place, true in enumerate(effects.values()):
        ratios.hlines(100 * (true - 1), place - 0.42, place + 0.42, color="black", linewidth=1)
    ratios.set_xticks(range(len(effects)), [f"{percent} %" if percent else "none" for percent in effects])
    # A few pairs that a disturbance spoilt would hide all others.
    ratios.set_ylim(-10, 15)
    ratios.set_xlabel("planted")
    ratios.set_ylabel("seen, % slower (bar: in truth)")
    for axes in (shares, ratios):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
