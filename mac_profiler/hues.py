"""Hues: what the figures of a comparison draw alike: families by colour and mark, speeds with their axes."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from mac_profiler.comparison import Comparison, Contender, per_second
from mac_profiler.layout import shorten

# Told apart by those who see no red or no green too (Okabe and Ito), and by their marks in grey.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
# An axis is labelled at powers of ten alone from the first factor on, and at more than 1, 2 and 5 below the second.
MOST, FEW = 100, 5
LONGEST = 34
MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


@dataclass(frozen=True, slots=True)
class Speed:
    """One kind of speed.

    Attributes:
        title: above its panel.
        axis: with its unit.
        rate: of a network; None where it is not known.
        ends: of its interval; None where it has none.
        order: what `Contender.place` calls it.
    """

    title: str
    axis: str
    rate: Callable[[Contender], float | None]
    ends: Callable[[Contender], tuple[float, float] | None] = lambda _: None
    order: str = ""


def own_speed(comparison: Comparison) -> Speed:
    """Ours: measured where anything was, else predicted."""
    if comparison.settings is None:
        name = comparison.platform.partition(" (")[0]
        return Speed(f"predicted, {name}", "images a second, predicted", lambda each: per_second(each.predicted),
                     order="predicted")  # fmt: skip
    device = comparison.settings.device
    return Speed(
        f"measured, {device}",
        "images a second, measured",
        lambda each: per_second(each.measured.value if each.measured else None),
        lambda each: (1 / each.measured.high, 1 / each.measured.low) if each.measured and each.measured.low else None,
        "measured",
    )


def speeds(comparison: Comparison) -> list[Speed]:
    """Ours, and those that the paper prints of any network."""
    known = [
        own_speed(comparison),
        Speed("published, GPU", "batches a second", lambda each: per_second(each.published_gpu), order="GPU"),
        Speed("published, ARM", "images a second", lambda each: per_second(each.published_arm), order="ARM"),
    ]
    return [speed for speed in known if any(speed.rate(each) is not None for each in comparison.networks)]


def family_of(each: Contender) -> str:
    """What a network is drawn as one of: its family in the zoo, or itself."""
    return each.family or re.sub(r"_\d+$", "", short_name(each))


def short_name(each: Contender) -> str:
    """What a network is called, of a length that a figure has room for: a path to a file may be long."""
    # Between two dollar signs matplotlib reads a formula.
    return shorten(each.label, LONGEST).replace("$", r"\$")


def families(comparison: Comparison) -> dict[str, tuple[str, str]]:
    """Colour and mark of every family, in the order of the rows."""
    names = dict.fromkeys(family_of(each) for each in comparison.contenders)
    return {name: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]) for i, name in enumerate(names)}


def draw_points(
    panel: Any,
    networks: Sequence[Contender],
    drawn: dict[str, tuple[str, str]],
    places: Sequence[tuple[float, float, tuple[float, float] | None]],
    lines: Sequence[Hashable],
) -> None:
    """Points in the colours of their families; those of one family and one line are joined along the axis.

    Args:
        panel: matplotlib's axes.
        networks: what the points are of.
        drawn: colour and mark of every family.
        places: x, y, and the ends of y's interval, of each.
        lines: which line each lies on; None for none.
    """
    own = [family_of(each) for each in networks]
    for family, (colour, mark) in drawn.items():
        chosen = [(place, line) for place, line, name in zip(places, lines, own, strict=True) if name == family]
        if not chosen:
            continue
        points = sorted(place for place, _ in chosen)
        xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
        for line in {line for _, line in chosen if line is not None}:
            ends_at = sorted(place[:2] for place, of in chosen if of == line)
            panel.plot(*zip(*ends_at, strict=True), color=colour, linewidth=0.8, alpha=0.5, zorder=1)
        panel.plot(xs, ys, mark, color=colour, markersize=5.5, linestyle="", label=family, markeredgecolor="white",
                   markeredgewidth=0.4)  # fmt: skip
        for x, y, ends in points:
            if ends is not None:
                panel.errorbar([x], [y], [[max(0, y - ends[0])], [max(0, ends[1] - y)]], color=colour, linewidth=0.8,
                               capsize=2, zorder=1)  # fmt: skip
    panel.spines[["top", "right"]].set_visible(False)


def name_families(figure: Any, panels: Sequence[Any]) -> None:
    """One legend for all panels, beside them: no name lies on a point."""
    shown = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown.keys(), loc="outside right upper", frameon=False, fontsize=8)


def plain_numbers(axis: Any) -> None:
    """Write the ticks of a logarithmic axis as numbers: 1, 2 and 5 of every power of ten, fewer or more by length."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    span = high / low
    steps = (1.0,) if span > MOST else (1.0, 2.0, 5.0) if span > FEW else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())
