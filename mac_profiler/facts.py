"""Facts: what the probes of a calibration show by themselves, for a reader; no law is learned from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

from mac_profiler.intervals import DIFFERENT_APART, Estimate, median_of
from mac_profiler.kinds_of_work import PRODUCTS
from mac_profiler.measurement import Measurement, Settings
from mac_profiler.platform import Fact
from mac_profiler.probes import BANDWIDTH, NETWORK
from mac_profiler.work import Work


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe: what it has to do, and how long that took.

    Attributes:
        measurement: its samples.
        works: of its operators, in order.
    """

    measurement: Measurement
    works: tuple[Work, ...]

    @property
    def group(self) -> str:
        """What it tells."""
        return self.measurement.case.group


def undisturbed(seconds: Sequence[float]) -> float:
    """The lower quartile of some times.

    Others on the machine make calls slower, and none faster: between two calibrations in a row of a shared machine this
    differed half as much as the median.
    """
    return quantiles(seconds, n=4, method="inclusive")[0] if len(seconds) > 1 else seconds[0]


def drift(known: Sequence[Probed]) -> float:
    """By how much the first process and the last differ, in nine of ten probes; 0 where there is one.

    What changes within a minute does so in the next, too: a profile holds no better than that.
    """
    found = []
    for each in known:
        by_process: dict[int, list[float]] = {}
        for sample in each.measurement.samples:
            by_process.setdefault(sample.process, []).append(sample.seconds)
        if len(by_process) > 1:
            first, last = undisturbed(by_process[min(by_process)]), undisturbed(by_process[max(by_process)])
            found.append(max(first, last) / min(first, last) - 1)
    return quantiles(found, n=10, method="inclusive")[-1] if len(found) > 1 else 0.0


def facts_of(known: Sequence[Probed], settings: Settings) -> list[Fact]:
    """For each kind of work the best rate that any of its probes reached; bandwidths; what the smallest call takes.

    Args:
        known: probes that were measured.
        settings: that they were measured with.
    """
    medians = {id(each): _lasting(median_of(each.measurement, settings)) for each in known if each.group != NETWORK}
    found: dict[tuple[str, str], Fact] = {}
    for each in known:
        if id(each) not in medians:
            continue
        fact = _rate(each, medians[id(each)])
        best = found.get((fact.group, fact.name))
        if best is None or fact.value > best.value:
            found[fact.group, fact.name] = fact
    return [*found.values(), *_launch(known, medians)]


def _lasting(median: Estimate) -> Estimate:
    """With an interval that is to hold tomorrow, when the machine may be another one by a little."""
    return Estimate(
        median.value, median.low / (1 + DIFFERENT_APART), median.high * (1 + DIFFERENT_APART), median.confidence
    )


def _rate(each: Probed, median: Estimate) -> Fact:
    case = each.measurement.case
    if each.group == BANDWIDTH:
        amount, name, group, unit = float(case.axes["working_set"]), case.name, BANDWIDTH, "bytes/s"
    elif each.group in PRODUCTS:
        amount, name, group, unit = sum(work.operations for work in each.works), each.group, "rate", "multiply-adds/s"
    else:
        amount, name, group, unit = sum(work.bytes_moved for work in each.works), each.group, "rate", "bytes/s"
    # An interval that reaches nothing says that little is known; a rate without end would say no more.
    high = amount / max(median.low, median.value / 10)
    return Fact(name, group, unit, amount / median.value, amount / median.high, high, case.name)


def _launch(known: Sequence[Probed], medians: dict[int, Estimate]) -> Iterator[Fact]:
    """Of the element-wise operator that has least to do."""
    small = [each for each in known if each.group == "elementwise"]
    if small:
        least = min(small, key=lambda each: sum(work.bytes_moved for work in each.works))
        calls = sum(work.calls for work in least.works)
        median = medians[id(least)]
        seconds = (median.value / calls, median.low / calls, median.high / calls)
        yield Fact("launch", "launch", "s", *seconds, least.measurement.case.name)
