"""table.md of published_order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from experiments.reporting.files import environment_table, markdown_table
from mac_profiler.agreements import MEASURED, MULT_ADDS
from mac_profiler.comparison import TOLERANCE
from mac_profiler.units import count

# Two orders agree in so many of the pairs of one complexity that both decide.
AGREES = 0.9
_CONVENTIONS = """\
- **Pairs of one complexity**: of networks that ShuffleNet V2 compares at one level; where a table has no levels, all
  pairs with images of one size. A pair is decided where both orders put one before the other: printed figures are no
  tie, and the rounds that both took part in say which was faster. Shares are of decided pairs.
- **Measured**: {processes} processes, {threads} thread(s), networks take turns in an order drawn anew each round, up to
  {max_seconds:g} s a network; intervals at {confidence:.0%}.
- **Predicted**: from counts and a calibration of this machine alone, made just before."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    found = results["presets"]
    settings = next(iter(found.values()))["settings"]
    return "\n\n".join(
        [
            "# In what order does this machine put the papers' networks, and who else puts them so?",
            *_verdicts([row for each in found.values() for row in judge(each)]),
            "![whose order agrees](figure.svg)",
            "## Whose order agrees, in pairs of one complexity",
            markdown_table(
                ["table", "order", "beside", "pairs", "agree", "disagree", "undecided", "share"],
                [row for name, each in found.items() for row in _orders(name, each)],
                3,
            ),
            *(part for name, each in found.items() for part in _preset(name, each)),
            "## Conventions",
            _CONVENTIONS.format(**settings),
            environment_table(results["environment"]),
        ]
    )


def judge(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What was expected of a preset, what was found, and the verdict."""
    name = found["title"].partition(":")[0]
    told = [each for each in found["models"] if each["apart"] is not None]
    if told:
        apart = [each for each in told if abs(each["apart"]) > TOLERANCE]
        silent = [each["model"] for each in apart if not each["reason"] or "no reason is known" in each["reason"]]
        yield (
            f"{name}: multiply-adds within {TOLERANCE:.0%} of printed ones, or a reason",
            f"{len(told) - len(apart)} of {len(told)} within, {len(apart) - len(silent)} with a reason"
            + (f", without: {', '.join(silent)}" if silent else ""),
            _verdict(not silent),
        )
    same = found["same_pairs"]
    if same["pairs"]:
        yield (
            f"{name}: the measured order is ARM's in more pairs than that of multiply-adds is",
            f"{same[MEASURED]} of {same['pairs']} beside {same[MULT_ADDS]}",
            _verdict(same[MEASURED] > same[MULT_ADDS]),
        )
    foretold, pairs = share(found, "measured", "predicted")
    if foretold is not None:
        yield (
            f"{name}: the predicted order is the measured one in {AGREES:.0%} of the pairs",
            f"{foretold:.1%} of {pairs}",
            _verdict(foretold >= AGREES),
        )
    ups = [each for each in found["models"] if each["model"] != found["baseline"] and each["measured_speed_up"]]
    if ups:
        short = [each for each in ups if each["measured_speed_up"] < each["theoretical_speed_up"]]
        yield (
            f"{name}: actual speed-ups over {found['baseline']} are below the theoretical ones",
            f"{len(short)} of {len(ups)}",
            _verdict(len(short) == len(ups)),
        )


def _verdicts(rows: Sequence[Sequence[str]]) -> list[str]:
    return [markdown_table(["expected", "found", "verdict"], rows, 2)] if rows else []


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def share(found: Mapping[str, Any], order: str, beside: str) -> tuple[float | None, int]:
    """Of the decided pairs of one complexity, the share in which two orders agree, and how many are decided.

    There is no share where none is.
    """
    for each in found["agreements"]:
        if (each["order"], each["beside"]) == (order, beside):
            own = pairs_of(each)
            return own["agree_share"], own["agree"] + own["disagree"]
    return None, 0


def pairs_of(agreement: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pairs within levels, or all where there are no levels."""
    within: Mapping[str, Any] = agreement["within_levels"]
    return within if within["pairs"] else agreement["overall"]


def _orders(name: str, found: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for each in found["agreements"]:
        own = pairs_of(each)
        said = "–" if own["agree_share"] is None else f"{own['agree_share']:.1%}"
        yield name, each["order"], each["beside"], own["pairs"], own["agree"], own["disagree"], own["undecided"], said


def _preset(name: str, found: Mapping[str, Any]) -> list[str]:
    columns: list[tuple[str, str, Callable[[Any], str]]] = [
        ("setting", "images", str), ("level", "level", str), ("model", "network", str),
        ("mult_adds", "multiply-adds", count), ("published_mult_adds", "printed", str),
        ("predicted_rate", "predicted, images/s", count), ("rate", "measured, images/s", count),
        ("low_rate", "from", count), ("high_rate", "to", count),
        ("published_arm_rate", "ARM, images/s", str), ("published_arm_seconds", "ARM, s", str),
        ("published_gpu_rate", "GPU, batches/s", str), ("theoretical_speed_up", "theoretical speed-up", _times),
        ("measured_speed_up", "actual speed-up", _times), ("arm_speed_up", "actual on ARM", _times),
    ]  # fmt: skip
    known = [each for each in columns if any(row[each[0]] not in (None, "") for row in found["models"])]
    rows = [
        ["–" if row[key] in (None, "") else show(row[key]) for key, _, show in known] for row in found["models"]
    ]  # fmt: skip
    left = [title for _, title, _ in known].index("network") + 1
    return [
        f"## {found['title']}",
        f"{found['source']}. What `macprof compare --preset {name} --measure` says of it: [table]({name}/table.md).",
        markdown_table([title for _, title, _ in known], rows, left),
    ]


def _times(value: float) -> str:
    return f"{value:.2f}"
