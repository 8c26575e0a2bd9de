"""Rank change: the order of the networks of a level by multiply-adds, beside their order by speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mac_profiler.comparison import Comparison, Contender
from mac_profiler.hues import Speed, own_speed, short_name

# By seconds a network is further down than by multiply-adds, further up, or where it was.
SLOWER, FASTER, SAME = "#d55e00", "#0072b2", "#999999"
COLUMNS = 2
# More networks than these make a panel a level.
MOST = 8


def applies(comparison: Comparison) -> bool:
    """Where some group has an order."""
    return bool(_groups(comparison, own_speed(comparison)))


def draw(comparison: Comparison) -> Any:
    """A panel a level, and a size of images; fewest multiply-adds, and the fastest, are at the top."""
    import matplotlib.pyplot as plt

    speed = own_speed(comparison)
    groups = _groups(comparison, speed)
    columns = min(COLUMNS, len(groups))
    rows = [groups[i : i + columns] for i in range(0, len(groups), columns)]
    heights = [0.22 * max(len(networks) for _, networks in row) + 0.7 for row in rows]
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(6.4 * columns, sum(heights) + 0.6), squeeze=False, layout="constrained",
        gridspec_kw={"height_ratios": heights},
    )  # fmt: skip
    for panel in axes.flat:
        panel.set_axis_off()
    for row, places in zip(rows, axes, strict=True):
        for (title, networks), panel in zip(row, places, strict=False):
            draw_group(panel, networks, speed)
            panel.set_title(title, size=9)
    figure.suptitle(f"{comparison.title}\nby multiply-adds, fewest first, and by speed ({speed.title}), fastest first",
                    size=10)  # fmt: skip
    return figure


def draw_group(panel: Any, networks: Sequence[Contender], speed: Speed) -> None:
    """One level: a line a network, from its place by multiply-adds to that by speed."""
    by_cost = sorted(networks, key=lambda each: each.mult_adds or 0)
    by_speed = sorted(networks, key=lambda each: -(speed.rate(each) or 0))
    for before, each in enumerate(by_cost):
        after = by_speed.index(each)
        colour = SAME if after == before else SLOWER if after > before else FASTER
        panel.plot([0, 1], [before, after], "o-", color=colour, linewidth=1.4, markersize=4, clip_on=False)
        adds = f"{(each.mult_adds or 0) / 1e6:,.0f}M" if (each.mult_adds or 0) >= 1e7 else f"{each.mult_adds:,.0f}"
        rate = speed.rate(each) or 0
        panel.text(-0.05, before, f"{short_name(each)}  {adds}", ha="right", va="center", size=7)
        written = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
        panel.text(1.05, after, f"{written}  {short_name(each)}", ha="left", va="center", size=7)
    panel.set_xlim(-1.6, 2.6)
    panel.set_ylim(len(networks) - 0.4, -0.6)


def _groups(comparison: Comparison, speed: Speed) -> list[tuple[str, list[Contender]]]:
    """Networks of one size of images that have a speed; level by level, where they are too many for one panel."""
    known = [each for each in comparison.networks if each.mult_adds and speed.rate(each)]
    found = []
    for size in comparison.settings_of_images:
        own = [each for each in known if each.setting == size]
        parts = [("", own)]
        if len(own) > MOST and len(comparison.levels) > 1:
            parts = [(level, [each for each in own if each.level == level]) for level in comparison.levels]
            parts.append(("at no level", [each for each in own if each.level not in comparison.levels]))
        found += [(", ".join(filter(None, (size, level))), part) for level, part in parts if len(part) > 1]
    return found
