"""Figure of a guideline's report: speed along the axis above, time against memory access below."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from mac_profiler.figures import access, speed
from mac_profiler.measurement import Settings
from mac_profiler.standing import Standing, explain


def draw(standings: Sequence[Standing], settings: Settings) -> Any:
    """Two rows of panels, a column a group."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    groups = [(name, list(own)) for name, own in groupby(standings, key=lambda each: each.measurement.case.group)]
    fits = explain(standings, settings)
    figure, axes = plt.subplots(
        2, len(groups), figsize=(3.3 * len(groups) + 0.6, 6.2), squeeze=False, layout="constrained"
    )
    for (name, own), above, below in zip(groups, axes[0], axes[1], strict=True):
        speed.draw_group(above, name, own)
        found = fits.get(f"{own[0].measurement.case.benchmark}/{name}")
        if found is None:
            below.set_visible(False)
        else:
            access.draw_group(below, name, own, found)
    axes[0][0].set_ylabel("speed by that of the first")
    axes[1][0].set_ylabel("time of a call, ms")
    shown = {
        label: handle for panel in axes[0] for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=2, frameon=False)
    return figure
