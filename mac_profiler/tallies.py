"""Tallies: a row of figures for every contender of a comparison, by column, and the order of the rows."""

from __future__ import annotations

from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.comparison import LEVELS, Comparison, Contender, per_second
from mac_profiler.errors import InvalidInput
from mac_profiler.registry import did_you_mean

COSTS = ("mult_adds", "flops", "accesses", "fused_accesses", "parameters")
BUILD = ("peak_activation_bytes", "op_count", "block_fragments", "score")
PREDICTED = ("predicted_seconds", "predicted_rate")
MEASURED = ("median_seconds", "rate", "low_rate", "high_rate")
PUBLISHED = (
    "published_mult_adds",
    "apart",
    "top1_error",
    "published_gpu_rate",
    "published_arm_rate",
    "published_arm_seconds",
)
BESIDE = (
    "theoretical_speed_up", "access_speed_up", "predicted_speed_up", "measured_speed_up", "low_speed_up",
    "high_speed_up", "gpu_speed_up", "arm_speed_up",
)  # fmt: skip
SORTABLE = (*COSTS, *BUILD, *PREDICTED, *MEASURED[:2], *PUBLISHED[1:], *BESIDE)


def tally(comparison: Comparison, each: Contender) -> dict[str, Any]:
    """Every figure of a contender; None where it is not known."""
    printed = each.figures.get("mult_adds")
    error = each.figures.get("top1_error_percent")
    return {
        "model": each.label,
        "row": each.row,
        "setting": each.setting,
        "level": each.level if each.level in LEVELS else "",
        "images": each.images,
        **_counted(each),
        "predicted_rate": per_second(each.predicted),
        **_measured(each),
        "published_mult_adds": None if printed is None else printed.printed,
        "apart": each.apart,
        "top1_error": None if error is None else error.value,
        "published_gpu_rate": gpu.value if (gpu := each.figures.get("gpu_batches_per_second")) else None,
        "published_arm_rate": arm.value if (arm := each.figures.get("arm_images_per_second")) else None,
        "published_arm_seconds": seconds.value if (seconds := each.figures.get("seconds")) else None,
        **_beside(each, comparison.baseline_of(each)),
        "reason": each.reason,
    }


def _counted(each: Contender) -> dict[str, Any]:
    counts = each.counts
    names = {key: key for key in (*COSTS, *BUILD, PREDICTED[0])} | {"block_fragments": "fragments"}
    return {key: None if counts is None else getattr(counts, name) for key, name in names.items()}


def _measured(each: Contender) -> dict[str, Any]:
    found = each.median
    if found is None:
        return dict.fromkeys(MEASURED)
    ends = (each.images / end if end else None for end in (found.high, found.low))
    return dict(zip(MEASURED, (found.value, each.images / found.value, *ends), strict=True))


def _beside(each: Contender, first: Contender | None) -> dict[str, Any]:
    if first is None:
        return dict.fromkeys(BESIDE)
    alone = each is first
    measured = (each.speed_up.value, each.speed_up.low, each.speed_up.high) if each.speed_up else (None, None, None)
    ends = (None, None) if alone else measured[1:]
    return dict(
        zip(
            BESIDE,
            (
                _ratio(first.mult_adds, each.mult_adds),
                _ratio(_accesses(first), _accesses(each)),
                _ratio(first.predicted, each.predicted),
                1.0 if alone and each.median else measured[0],
                *ends,
                _ratio(first.published_gpu, each.published_gpu),
                _ratio(first.published_arm, each.published_arm),
            ),
            strict=True,
        )
    )


def _accesses(each: Contender) -> float | None:
    """Of one image."""
    return None if each.counts is None else each.counts.accesses / each.images


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def ordered(comparison: Comparison, sort: str | None) -> list[Contender]:
    """The contenders by a column, largest first; without one by size of images, level and multiply-adds.

    Raises:
        InvalidInput: there is no such column, or it holds no numbers.
    """
    if sort is not None:
        key = check_sort(sort)
        tallied = [(tally(comparison, each)[key], each) for each in comparison.contenders]
        # A stable sort; what is unknown comes last, and an error may be negative.
        return [each for value, each in sorted(tallied, key=lambda pair: (pair[0] is None, -(pair[0] or 0)))]
    sizes, levels = comparison.settings_of_images, list(LEVELS)

    def place(each: Contender) -> tuple[int, float, bool, float]:
        adds = each.mult_adds
        # A network at no level stands where its multiply-adds put it.
        level = (
            levels.index(each.level)
            if each.level in LEVELS
            else sum(value < (adds or 0) for value in LEVELS.values()) - 0.5
        )
        return sizes.index(each.setting), level, adds is None, adds or 0

    return sorted(comparison.contenders, key=place)


def check_sort(sort: str) -> str:
    """Key of the column that is meant.

    Raises:
        InvalidInput: there is no such column, or it holds no numbers.
    """
    key = sort.replace("-", "_").lower()
    if key not in SORTABLE:
        raise InvalidInput(
            f"cannot sort by '{sort}'.{did_you_mean(key, list(SORTABLE))} The columns are {', '.join(SORTABLE)}."
        )
    assert COLUMNS[key].numeric  # noqa: S101 - the list above is of such columns
    return key
