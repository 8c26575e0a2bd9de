"""Line-up: what is known of contenders besides their counts: level, printed figures, measured times, the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

from mac_profiler.comparison import LEVELS, Comparison, Contender
from mac_profiler.intervals import Estimate, median_of, shared
from mac_profiler.measurement import Measurement, Settings
from mac_profiler.published import Published, figures_by_model, table

# Where ShuffleNet V2 says which network is at which level.
LEVELS_TABLE = "v2_table8"
# Further from every level than this factor, a network is at none of them.
REACH = 2.0
_SIZED = "input_size"
# What is compared of networks that classify ImageNet; detectors that are built of them have figures of their own.
QUANTITIES = ("mult_adds", "top1_error_percent", "gpu_batches_per_second", "arm_images_per_second")


def same_network(model: str, contenders: Sequence[Contender]) -> Contender | None:
    """The one of them that is the same network, with the same images; None where there is none."""
    return next((each for each in contenders if each.model == model), None)


def published_figures(model: str) -> dict[str, Published]:
    """What the papers printed of a network with its own images, as the table of levels has it before any other."""
    found: dict[str, Published] = {}
    first = {figure for row in table(LEVELS_TABLE).rows if row.model == model for figure in row.figures.values()}
    figures = figures_by_model().get(model, ())
    for figure in sorted(figures, key=lambda each: each not in first):
        if figure.quantity in QUANTITIES and _SIZED not in figure.conditions:
            found.setdefault(figure.quantity, figure)
    return found


def with_levels(contenders: Sequence[Contender], *, published: bool = True) -> list[Contender]:
    """The contenders at their levels: as it is said already, as the paper's table has it, or the nearest by count.

    Of a network that is there with images of several sizes the smallest count is looked at, as levels are those of
    small images.

    Args:
        contenders: all of them.
        published: they have images of their own, and those of the paper's table its levels.
    """
    smallest: dict[str, float] = {}
    for each in contenders:
        if each.mult_adds is not None:
            smallest[each.label] = min(each.mult_adds, smallest.get(each.label, each.mult_adds))
    rows = table(LEVELS_TABLE).rows if published else ()
    known = {row.model: row.conditions["level"] for row in rows if row.model}
    return [
        replace(each, level=each.level or known[each.model], level_published=True)
        if each.level or each.model in known
        else replace(each, level=nearest_level(smallest.get(each.label, 0)))
        for each in contenders
    ]


def nearest_level(mult_adds: float) -> str:
    """The level that is nearest by factors; "" where the nearest is more than twice as large or small."""
    if mult_adds <= 0:
        return ""
    name = min(LEVELS, key=lambda level: abs(log(mult_adds / LEVELS[level])))
    return name if abs(log(mult_adds / LEVELS[name])) <= log(REACH) else ""


def with_times(
    contenders: Sequence[Contender], found: Mapping[str, Measurement], settings: Settings
) -> list[Contender]:
    """The contenders with what was measured of each.

    Args:
        contenders: all of them.
        found: measurements by the name that a contender is built by.
        settings: how they were measured.
    """
    medians = {name: median_of(each, settings) for name, each in found.items() if each.samples}
    timed = []
    for each in contenders:
        own = found.get(each.built_as) if each.counts is not None else None
        failed = own.stopped if own is not None and not own.samples else ""
        timed.append(
            replace(each, measurement=own, median=medians.get(each.built_as) if own else None,
                    missing=f"not measured: {failed}" if failed else each.missing)
        )  # fmt: skip
    return timed


def with_speed_ups(comparison: Comparison) -> Comparison:
    """The comparison with every measured contender set beside the baseline, round by round."""
    if comparison.settings is None or not comparison.baseline:
        return comparison
    found = []
    for each in comparison.contenders:
        first = comparison.baseline_of(each)
        beside = None if first is None else shared(first.measurement, each.measurement, comparison.settings)
        if first is None or beside is None:
            found.append(each)
            continue
        times, share = beside.ratio, each.images / first.images
        found.append(replace(each, speed_up=Estimate(share / times.value, share / times.high, share / times.low)))
    return replace(comparison, contenders=tuple(found))
