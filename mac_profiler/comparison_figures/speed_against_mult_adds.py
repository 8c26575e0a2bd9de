"""Speed against multiply-adds (ShuffleNet V2, Figure 1 c and d): ours, and the paper's on its two platforms."""

from __future__ import annotations

from typing import Any

from mac_profiler.comparison import Comparison
from mac_profiler.hues import Speed, draw_points, families, name_families, plain_numbers, speeds

# Multiply-adds within this factor were meant to be equal.
ALIKE = 1.05


def applies(comparison: Comparison) -> bool:
    """Where networks differ in multiply-adds."""
    return bool(_sizes(comparison))


def draw(comparison: Comparison) -> Any:
    """A row of panels for each size of images, a panel for each kind of speed."""
    import matplotlib.pyplot as plt

    sizes, kinds = _sizes(comparison), speeds(comparison)
    figure, axes = plt.subplots(
        len(sizes), len(kinds), figsize=(3.7 * len(kinds) + 1.8, 3.3 * len(sizes) + 0.4), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for row, size in zip(axes, sizes, strict=True):
        for panel, speed in zip(row, kinds, strict=True):
            draw_panel(panel, comparison, speed, size)
    name_families(figure, list(axes.flat))
    figure.suptitle(comparison.title, size=10)
    return figure


def draw_panel(panel: Any, comparison: Comparison, speed: Speed, size: str) -> None:
    """One kind of speed at one size of images, on logarithmic axes."""
    found = [
        (each, adds / 1e6, rate)
        for each in comparison.networks
        if each.setting == size and (adds := each.mult_adds) and (rate := speed.rate(each))
    ]
    panel.set_xscale("log")
    panel.set_yscale("log")
    places = [(adds, rate, speed.ends(each)) for each, adds, rate in found]
    # Speeds of other batches are no line with these.
    lines = [place.setting if (place := each.place(speed.order)) else None for each, _, _ in found]
    draw_points(panel, [each for each, _, _ in found], families(comparison), places, lines)
    panel.margins(0.08)
    mixed = " (batches differ)" if len(set(lines)) > 1 else ""
    panel.set_title(f"{speed.title}{f', {size}' if size else ''}{mixed}", size=9)
    panel.set_xlabel("multiply-adds of an image, millions", size=8)
    panel.set_ylabel(speed.axis, size=8)
    panel.tick_params(labelsize=7)
    if found:
        plain_numbers(panel.xaxis)
        plain_numbers(panel.yaxis)


def _sizes(comparison: Comparison) -> list[str]:
    """Sizes of images at which networks differ in multiply-adds; equal ones leave nothing to draw speed against."""
    found = []
    for size in comparison.settings_of_images:
        adds = [each.mult_adds for each in comparison.networks if each.setting == size and each.mult_adds]
        if len(adds) > 1 and max(adds) > ALIKE * min(adds):
            found.append(size)
    return found
