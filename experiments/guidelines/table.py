"""table.md of a guideline's report: the printed table beside ours, and what agrees, in words made from the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from experiments.reporting.files import environment_table, markdown_table
from mac_profiler import benchmarks
from mac_profiler.measurement import Settings
from mac_profiler.standing import Standing, explain
from mac_profiler.units import count, percent, seconds

# Two ratios that are no further apart agree.
AGREES = 0.1

_PROTOCOL = """\
Cases of a group take turns, in an order drawn anew each round; {processes} processes of their own, {threads} thread(s),
hot caches. A sample lasts at least {sample_seconds:g} s; a case ends when its median is known to {precision:.0%}, or
after {max_seconds:g} s. Intervals are at {confidence:.0%}: over processes and rounds, from rounds that both cases took
part in. Multiply-adds and memory access are counted, not taken from the paper. A ratio above 1 is slower than the first
row."""


def write(
    benchmark: str,
    one: Sequence[Standing],
    two: Sequence[Standing],
    settings: Settings,
    environment: Mapping[str, str],
) -> str:
    """The whole file."""
    found = benchmarks.find(benchmark)
    groups = [(name, list(own)) for name, own in groupby(one, key=lambda each: each.measurement.case.group)]
    return "\n\n".join(
        [
            f"# {found.TITLE}: {found.QUESTION}",
            found.SOURCE,
            "\n".join(f"- {line}" for line in _tell(groups, two, settings)),
            "![speed along the axis, time against memory access](figure.svg)",
            *(part for name, own in groups for part in (f"## {name}", _table(own))),
            *_two_threads(two),
            "## Protocol",
            _PROTOCOL.format(**settings.as_json()),
            environment_table(environment),
        ]
    )


def _two_threads(two: Sequence[Standing]) -> list[str]:
    if not two:
        return []
    heading = ["## Two threads", "A short run of the smallest groups with two threads, for what threads change."]
    groups = groupby(two, key=lambda each: each.measurement.case.group)
    return heading + [part for name, own in groups for part in (f"### {name}", _table(list(own)))]


def _table(own: Sequence[Standing]) -> str:
    rows = []
    for each in own:
        beside = each.beside.ratio if each.beside is not None else None
        rows.append(
            [
                each.measurement.case.name,
                count(each.counted.mult_adds),
                count(each.counted.accesses),
                count(each.counted.least_accesses),
                "–" if each.median is None else seconds(each.median.value),
                "–" if each.median is None else count(each.counted.images / each.median.value),
                "1" if beside is None else f"{beside.value:.3f} [{beside.low:.3f}, {beside.high:.3f}]",
                "first" if each.beside is None else each.beside.verdict,
                "1" if each.ratio_per_mult_add is None else f"{each.ratio_per_mult_add:.3f}",
                "–" if each.printed is None else each.printed.printed,
                "–" if each.printed is None else "1" if each.printed_ratio is None else f"{each.printed_ratio:.3f}",
            ]
        )
    header = [
        "case", "multiply-adds", "memory access", "least access", "median", "images/s", "ratio", "verdict",
        "per multiply-add", "published rate", "published ratio",
    ]  # fmt: skip
    return markdown_table(header, rows)


def _tell(groups: Sequence[tuple[str, Sequence[Standing]]], two: Sequence[Standing], settings: Settings) -> list[str]:
    """What agrees with the paper, what does not, and what the data say of the reason."""
    told = []
    fits = explain([each for _, own in groups for each in own], settings)
    for name, own in groups:
        printed = [each for each in own if each.printed_ratio is not None and each.beside is not None]
        if printed:
            told.append(_beside_the_paper(name, printed))
        else:
            told.append(_without_the_paper(name, own))
        fit = fits.get(f"{own[0].measurement.case.benchmark}/{name}")
        if fit is not None:
            part = fit.explained
            told.append(
                f"{name}: memory access explains {percent(part.value)} [{percent(part.low)}, {percent(part.high)}] of "
                f"the differences in time at equal multiply-adds; {fit.cases} cases, rank correlation "
                f"{fit.rank.value:.2f}."
            )
    told += _threads(groups, two)
    told.append(_precision([each for _, own in groups for each in own], settings))
    return told


def _precision(cases: Sequence[Standing], settings: Settings) -> str:
    """How well the medians are known: within a process, and with what differs between processes."""
    widths = sorted((each.median.high - each.median.low) / 2 / each.median.value for each in cases if each.median)
    calm = sum(each.measurement.stopped == "precise" for each in cases)
    return (
        f"Each process knows {calm} of {len(cases)} medians to {settings.precision:.0%}; with what differs between "
        f"processes, an interval is {percent(widths[len(widths) // 2])} to either side in the middle, "
        f"{percent(widths[-1])} at most."
    )


def _beside_the_paper(name: str, printed: Sequence[Standing]) -> str:
    pairs = [(each, each.beside.ratio.value, each.printed_ratio) for each in printed if each.beside is not None]
    near = [each for each, ours, theirs in pairs if theirs and abs(ours / theirs - 1) <= AGREES]
    same_side = [each for each, ours, theirs in pairs if theirs and (ours > 1) == (theirs > 1)]
    apart = [
        f"{each.measurement.case.name} ({ours:.2f} here, {theirs:.2f} there)"
        for each, ours, theirs in pairs
        if theirs and abs(ours / theirs - 1) > AGREES
    ]
    others = f"; others: {', '.join(apart)}" if apart else ""
    return (
        f"{name}: {len(same_side)} of {len(pairs)} rows are on the paper's side of the first, {len(near)} within "
        f"{AGREES:.0%} of its ratio{others}."
    )


def _without_the_paper(name: str, own: Sequence[Standing]) -> str:
    ratios = [f"{each.measurement.case.name} {each.beside.ratio.value:.2f}" for each in own if each.beside is not None]
    return f"{name}, which the paper does not have: {', '.join(ratios)}."


def _threads(groups: Sequence[tuple[str, Sequence[Standing]]], two: Sequence[Standing]) -> list[str]:
    """How the ratios change with a second thread, group by group."""
    alone = {each.measurement.case.key: each for _, own in groups for each in own}
    told = []
    for name, own in groupby(two, key=lambda each: each.measurement.case.group):
        changes = [
            f"{each.measurement.case.name} {alone[each.measurement.case.key].beside.ratio.value:.2f} → "  # type: ignore[union-attr]
            f"{each.beside.ratio.value:.2f}"
            for each in own
            if each.beside is not None
            and each.measurement.case.key in alone
            and alone[each.measurement.case.key].beside is not None
        ]
        if changes:
            told.append(f"{name}, from one thread to two: {', '.join(changes)}.")
    return told
