"""Published top-1 error against multiply-adds, and against speed (ShuffleNet V2, Figure 1 a and b)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mac_profiler.comparison import Comparison, Contender
from mac_profiler.hues import draw_points, families, name_families, own_speed, plain_numbers


def applies(comparison: Comparison) -> bool:
    """Where two networks have an error; it is that of one size of images."""
    return len(comparison.settings_of_images) == 1 and len(_known(comparison)) > 1


def draw(comparison: Comparison) -> Any:
    """A panel for multiply-adds, one for speed: the better, the lower, and there the further to the right."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.7), sharey=True, layout="constrained")
    speed = own_speed(comparison)
    _draw_panel(left, comparison, lambda each: each.mult_adds and each.mult_adds / 1e6, joined=True)
    left.set_xlabel("multiply-adds of an image, millions", size=8)
    left.set_ylabel("top-1 error of ImageNet, %, published", size=8)
    _draw_panel(right, comparison, speed.rate, joined=False)
    right.set_xlabel(f"{speed.axis} ({speed.title.partition(', ')[2]})", size=8)
    name_families(figure, [left, right])
    figure.suptitle(comparison.title, size=10)
    return figure


def _known(comparison: Comparison) -> list[tuple[Contender, float]]:
    return [
        (each, each.figures["top1_error_percent"].value)
        for each in comparison.networks
        if "top1_error_percent" in each.figures and each.counts is not None
    ]


def _draw_panel(panel: Any, comparison: Comparison, cost: Callable[[Contender], float | None], *, joined: bool) -> None:
    found = [(each, place, error) for each, error in _known(comparison) if (place := cost(each))]
    panel.set_xscale("log")
    places = [(place, error, None) for _, place, error in found]
    draw_points(
        panel, [each for each, _, _ in found], families(comparison), places, [0 if joined else None] * len(found)
    )
    panel.margins(0.08)
    panel.tick_params(labelsize=7)
    if found:
        plain_numbers(panel.xaxis)
