"""Speed along a benchmark's axis, by that of the first case: measured, and where a paper printed it, published."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.standing import Standing

# Told apart by those who see no red or no green too, and in grey.
MEASURED, PUBLISHED = "#2c7fb8", "#d95f0e"
COLUMNS = 3


def applies(standings: Sequence[Standing]) -> bool:
    """Where cases were compared."""
    return any(each.beside is not None for each in standings) and len(standings) > 1


def draw(standings: Sequence[Standing], settings: Settings) -> Any:
    """A panel a group."""
    import matplotlib.pyplot as plt

    groups = [(name, list(own)) for name, own in groupby(standings, key=lambda each: each.measurement.case.group)]
    rows = -(-len(groups) // COLUMNS)
    columns = min(len(groups), COLUMNS)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.6 * columns + 0.6, 3.0 * rows), squeeze=False, sharey=True, layout="constrained"
    )
    for panel, (name, own) in zip(axes.flat, groups, strict=False):
        draw_group(panel, name, own)
    for panel in axes.flat[len(groups) :]:
        panel.set_visible(False)
    for row in axes:
        row[0].set_ylabel("speed by that of the first")
    shown = {
        label: handle for panel in axes.flat for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=2, frameon=False)
    benchmark = standings[0].measurement.case.benchmark
    figure.suptitle(f"{benchmark} on {settings.device}, {settings.dtype}", size=10)
    return figure


def draw_group(panel: Any, name: str, own: Sequence[Standing]) -> None:
    """One group on matplotlib's axes."""
    measured = [(i, each.beside.ratio) for i, each in enumerate(own) if each.beside is not None]
    places = [i for i, _ in measured]
    speeds = [1 / found.value for _, found in measured]
    below = [speed - 1 / found.high for speed, (_, found) in zip(speeds, measured, strict=True)]
    above = [1 / found.low - speed for speed, (_, found) in zip(speeds, measured, strict=True)]
    if own[0].median is not None:
        # The first is what the others are measured by, and has no interval.
        places, speeds, below, above = [0, *places], [1.0, *speeds], [0.0, *below], [0.0, *above]
    panel.errorbar(
        places, speeds, [below, above],
        color=MEASURED, marker="o", markersize=5, capsize=3, label="measured here",
    )  # fmt: skip
    printed = [(i, 1 / each.printed_ratio) for i, each in enumerate(own) if each.printed_ratio is not None]
    if printed:
        panel.plot(
            [0, *(i for i, _ in printed)], [1.0, *(speed for _, speed in printed)],
            color=PUBLISHED, marker="s", markersize=4, linestyle="--", label="published",
        )  # fmt: skip
    panel.set_xticks(range(len(own)), [each.measurement.case.name for each in own], rotation=30, ha="right", size=8)
    panel.set_title(name, size=9)
    # The first at 1 is never at the upper edge.
    panel.set_ylim(0, max(1.15, panel.get_ylim()[1]))
    panel.spines[["top", "right"]].set_visible(False)
