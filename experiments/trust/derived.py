"""How often each rule was right, from the outcomes in results.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, median
from typing import Any

from mac_profiler.intervals import Estimate

OWN = "macprof"
# What the harness is held to: so often at most a difference where there is none, so often at least one of 3 %.
FALSE_AT_MOST, FOUND_AT_LEAST, FOUND_PERCENT = 0.05, 0.95, 3


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a rule saw what it was to see.

    Attributes:
        rule: whose verdict.
        percent: planted; 0 is the same net twice.
        different: share of the pairs that were called different, in whichever direction.
        found: share of the pairs in which the planted net was called slower.
        reversed: share in which it was called faster.
        error: median distance of the ratio from the true one.
        samples: median number of samples of each net.
        seconds: median time spent on a pair.
    """

    rule: str
    percent: int
    different: Estimate
    found: Estimate
    reversed: float
    error: float
    samples: float
    seconds: float


def rates(results: Mapping[str, Any]) -> list[Rate]:
    """Every rule at every effect."""
    return [
        rate(rule, percent, [pair for pair in results["pairs"] if pair["percent"] == percent], true)
        for rule in results["rules"]
        for percent, true in true_effects(results).items()
    ]


def rate(rule: str, percent: int, pairs: Iterable[Mapping[str, Any]], true: float) -> Rate:
    """One rule at one effect.

    Args:
        rule: its name.
        percent: planted.
        pairs: the outcomes.
        true: the ratio that is there.
    """
    outcomes = [outcome for pair in pairs for outcome in pair["outcomes"].values() if rule in outcome["verdicts"]]
    verdicts = [outcome["verdicts"][rule] for outcome in outcomes]
    slower, faster = verdicts.count("slower"), verdicts.count("faster")
    return Rate(
        rule,
        percent,
        share(slower + faster, len(verdicts)),
        share(slower, len(verdicts)),
        faster / len(verdicts),
        median(abs(outcome["ratio"] - true) for outcome in outcomes),
        median(outcome["samples"] for outcome in outcomes),
        median(outcome["seconds"] for outcome in outcomes),
    )


def true_effects(results: Mapping[str, Any]) -> dict[int, float]:
    """By what was planted: the ratio that the reference run found; 1 for the same net twice."""
    return {0: 1.0} | {each["percent"]: each["ratio"] for each in results["reference"]}


def share(hits: int, total: int, confidence: float = 0.95) -> Estimate:
    """A share and Wilson's interval."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (hits + z * z / 2) / (total + z * z)
    reach = z / (total + z * z) * sqrt(hits * (total - hits) / total + z * z / 4)
    value = hits / total
    return Estimate(value, max(0.0, min(value, middle - reach)), min(1.0, max(value, middle + reach)), confidence)


def verdicts(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What was expected, what was found, and whether it is met."""
    found = {(each.rule, each.percent): each for each in rates(results)}
    own_false, own_found = found[OWN, 0].different, found[OWN, FOUND_PERCENT].found
    rows = [
        (f"the same net twice: different in at most {FALSE_AT_MOST:.0%}", own_false, own_false.value <= FALSE_AT_MOST),
        (
            f"{FOUND_PERCENT} % planted: found in at least {FOUND_AT_LEAST:.0%}",
            own_found,
            own_found.value >= FOUND_AT_LEAST,
        ),
    ]
    said = [(claim, percent(estimate), "met" if met else "not met") for claim, estimate, met in rows]
    for rule in results["rules"]:
        if rule == OWN:
            continue
        theirs_false, theirs_found = found[rule, 0].different, found[rule, FOUND_PERCENT].found
        # Better is better at one and no worse at the other; a rule that always or never sees a difference wins one.
        wins = [theirs_false.value - own_false.value, own_found.value - theirs_found.value]
        met = min(wins) >= 0 and max(wins) > 0
        text = f"{percent(theirs_false)} false, {percent(theirs_found)} of {FOUND_PERCENT} % found"
        said.append((f"better than {rule} in the same time", text, "met" if met else "not met"))
    return said


def percent(found: Estimate) -> str:
    """A share with its interval."""
    return f"{100 * found.value:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"
