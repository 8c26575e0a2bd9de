"""Standing: what was measured as a document, each case beside the first of its group and beside what was printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from mac_profiler import benchmarks
from mac_profiler.columns import COLUMNS
from mac_profiler.document import Document, Line, Table
from mac_profiler.intervals import Comparison, Estimate, median_of, quantile_interval, ratio
from mac_profiler.measurement import MODELS, Measurement, Scalar, Settings
from mac_profiler.published import Published
from mac_profiler.regression import FEWEST_CASES, Fit, fit

SHOWN = (
    "case", "mult_adds", "accesses", "least_accesses", "median_seconds", "rate", "ratio", "low_ratio", "high_ratio",
    "verdict", "ratio_per_mult_add", "published_rate", "published_ratio",
)  # fmt: skip
OF_MODELS = (
    "case", "mult_adds", "accesses", "median_seconds", "rate", "p90_seconds", "p99_seconds", "peak_bytes", "ratio",
    "low_ratio", "high_ratio", "verdict",
)  # fmt: skip
LEGEND = (
    ("median", "time of one call; its interval is in the other formats"),
    ("ratio", "time by that of the group's first case, from the rounds that both took part in, and its interval"),
    ("verdict", "same: within 1 %; faster, slower: surely; ambiguous: more samples would tell"),
    ("published", "what the paper printed of this row, on its own device"),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a case costs, counted.

    Attributes:
        mult_adds: multiply-adds of one call.
        accesses: memory access of one call, in elements.
        least_accesses: the least that its convolutions and products could have, each at its own multiply-adds.
        images: of one call.
    """

    mult_adds: int
    accesses: int
    least_accesses: int
    images: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One case, derived from its samples; None where it was not measured.

    Attributes:
        measurement: the samples.
        counted: what it costs.
        median: seconds of a call.
        beside: it beside the first of its group; None for that one.
        ratio_per_mult_add: the ratio, as if the case had the multiply-adds of the first.
        printed: what a paper printed of it.
        printed_ratio: by the paper's figures, the time by that of the first of the group.
    """

    measurement: Measurement
    counted: Counted
    median: Estimate | None = None
    beside: Comparison | None = None
    ratio_per_mult_add: float | None = None
    printed: Published | None = None
    printed_ratio: float | None = None


def stand(measurements: Sequence[Measurement], counted: Mapping[str, Counted], settings: Settings) -> list[Standing]:
    """Every case beside the first of its group."""
    found: list[Standing] = []
    for _, group in groupby(measurements, key=lambda each: (each.case.benchmark, each.case.group)):
        first: Standing | None = None
        for each in group:
            own = _stand(each, counted[each.case.key], first, settings)
            first = first or own
            found.append(own)
    return found


def _stand(each: Measurement, counted: Counted, first: Standing | None, settings: Settings) -> Standing:
    printed = None if each.case.benchmark == MODELS else benchmarks.printed(each.case)
    printed_ratio = None
    if first is not None and first.printed is not None and printed is not None:
        printed_ratio = first.printed.value / printed.value
    if not each.samples:
        return Standing(each, counted, printed=printed, printed_ratio=printed_ratio)
    beside = None
    fair = None
    if first is not None and first.measurement.samples:
        beside = ratio(first.measurement, each, settings)
        fair = beside.ratio.value * first.counted.mult_adds / counted.mult_adds if counted.mult_adds else None
    return Standing(each, counted, median_of(each, settings), beside, fair, printed, printed_ratio)


def explain(standings: Sequence[Standing], settings: Settings) -> dict[str, Fit]:
    """By benchmark and group, the line through time and memory access; where the accesses differ enough to draw one."""
    found = {}
    for (benchmark, name), group in groupby(
        standings, key=lambda each: (each.measurement.case.benchmark, each.measurement.case.group)
    ):
        measured = [each for each in group if each.median is not None]
        accesses = [float(each.counted.accesses) for each in measured]
        if benchmark != MODELS and len(measured) >= FEWEST_CASES and len(set(accesses)) > 1:
            found[f"{benchmark}/{name}"] = fit(accesses, [each.measurement for each in measured], settings)
    return found


def describe_bench(
    standings: Sequence[Standing], settings: Settings, run: str, environment: Mapping[str, Scalar], store: str
) -> Document:
    """The document of a run."""
    fits = explain(standings, settings)
    groups = groupby(standings, key=lambda each: (each.measurement.case.benchmark, each.measurement.case.group))
    tables = tuple(_table(benchmark, name, list(group)) for (benchmark, name), group in groups)
    told: dict[str, list[str]] = {}
    for each in standings:
        for warning in _warnings(each):
            told.setdefault(warning, []).append(each.measurement.case.key)
    failed = [each.measurement for each in standings if each.median is None]
    return Document(
        title=f"run {run}",
        facts={
            "device": settings.device,
            "processor": str(environment.get("gpu", environment.get("cpu", ""))),
            **({"threads": str(settings.threads)} if settings.device == "cpu" else {}),
            "dtype": settings.dtype,
            "torch": str(environment.get("torch", "")),
        },
        tables=tables,
        warnings=(
            *(f"{each.case.key} {each.stopped}" for each in failed),
            *(f"{warning} ({_name(keys)})" for warning, keys in told.items()),
        ),
        notes=(*(_say_fit(name, each) for name, each in fits.items()), f"Every sample is kept in '{store}'."),
        legend=LEGEND,
        data=lambda: _data(standings, fits, settings, run, environment),
    )


def _name(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{len(keys)} cases, {keys[0]} the first"


def _warnings(each: Standing) -> tuple[str, ...]:
    late = ("time was up before it was precise",) if each.measurement.stopped == "time is up" else ()
    return (*each.measurement.warnings, *late)


def _table(benchmark: str, group: str, standings: list[Standing]) -> Table:
    keys: tuple[str, ...] = OF_MODELS if benchmark == MODELS else SHOWN
    if not any(each.printed for each in standings):
        keys = tuple(key for key in keys if not key.startswith("published"))
    title = group if benchmark == MODELS else f"{benchmark}, {group}: {benchmarks.find(benchmark).TITLE}"
    return Table(tuple(COLUMNS[key] for key in keys), tuple(Line(_values(each)) for each in standings), title)


def _values(each: Standing) -> dict[str, Any]:
    measured = each.median is not None
    seconds = sorted(each.measurement.seconds)
    beside = each.beside.ratio if each.beside is not None else None
    return {
        "case": each.measurement.case.name,
        "mult_adds": each.counted.mult_adds,
        "accesses": each.counted.accesses,
        "least_accesses": each.counted.least_accesses,
        "median_seconds": each.median.value if each.median is not None else None,
        "low_seconds": each.median.low if each.median is not None else None,
        "high_seconds": each.median.high if each.median is not None else None,
        "rate": each.counted.images / each.median.value if each.median is not None else None,
        "p90_seconds": quantile_interval(seconds, 0.9).value if measured else None,
        "p99_seconds": quantile_interval(seconds, 0.99).value if measured else None,
        "peak_bytes": each.measurement.peak_bytes,
        "ratio": beside.value if beside else 1.0 if measured else None,
        "low_ratio": beside.low if beside else None,
        "high_ratio": beside.high if beside else None,
        "verdict": each.beside.verdict if each.beside is not None else "first" if measured else "failed",
        "ratio_per_mult_add": each.ratio_per_mult_add or (1.0 if measured and each.beside is None else None),
        "published_rate": each.printed.value if each.printed is not None else None,
        "published_ratio": each.printed_ratio or (1.0 if each.printed is not None else None),
    }


def _say_fit(name: str, found: Fit) -> str:
    part = found.explained
    return (
        f"{name}: at equal multiply-adds, memory access explains {part.value:.0%} of the differences in time "
        f"[{part.low:.0%}, {part.high:.0%}] (R² of a line through {found.cases} cases; rank correlation "
        f"{found.rank.value:.2f})."
    )


def _data(
    standings: Sequence[Standing],
    fits: Mapping[str, Fit],
    settings: Settings,
    run: str,
    environment: Mapping[str, Scalar],
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "run": run,
        "settings": settings.as_json(),
        "environment": dict(environment),
        "cases": [
            {
                "benchmark": each.measurement.case.benchmark,
                "group": each.measurement.case.group,
                "name": each.measurement.case.name,
                "axes": dict(each.measurement.case.axes),
                **_values(each),
                "samples": len(each.measurement.samples),
                "stopped": each.measurement.stopped,
                "warnings": list(each.measurement.warnings),
                "published_in": each.printed.source if each.printed is not None else "",
            }
            for each in standings
        ],
        "explained": {name: asdict(each) for name, each in fits.items()},
    }
