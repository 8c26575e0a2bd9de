"""Audit: which guideline each part of a network breaks, where, what it costs, and what to do.

A rule looks at a `Subject` and yields hits; hits of one rule that say the same of repeated blocks become one
`Finding`. What a finding costs is predicted: the seconds that the platform needs more than for the remedy, at equal
multiply-adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import cleandoc, getmodule
from typing import Final

from mac_profiler.finding import SEVERITIES, Confidence, Finding, Place, Severity
from mac_profiler.registry import Registry
from mac_profiler.sketch import Sketch
from mac_profiler.subject import Subject

# Share of the model's time that is lost, from which a finding is more than a note.
WARNING_SHARE, ERROR_SHARE = 0.005, 0.10
# A design that is repeated in other sizes loses a little everywhere: what all findings of a rule lose together decides,
# for each of them that has a fair part in it.
FAIR_PART = 0.2


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to be built and measured, to see what a remedy brings.

    Attributes:
        found: as it is.
        remedy: what should stand in its place, with no fewer multiply-adds, or the same function.
        subject: both in words.
    """

    found: Sketch
    remedy: Sketch
    subject: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a rule found at one place.

    Attributes:
        ops: positions of the operators that it is about.
        at: position of the operator that it is to be shown at.
        message: what is wrong, with figures, without the place.
        measured: the figure that the rule looks at.
        seconds: predicted to be lost.
        accesses: elements too many.
        remedy: what to do, if there is more to say than the rule says.
        proof: makes what is to be measured; None where nothing can be built. It is asked for one hit of a finding.
    """

    ops: tuple[int, ...]
    at: int
    message: str
    measured: float
    seconds: float
    accesses: int
    remedy: str = ""
    proof: Callable[[], Proof | None] | None = None


Check = Callable[[Subject, float], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of one guideline.

    Attributes:
        code: "G101"; the first digit is the guideline's.
        name: the pattern that it finds, to be read as "allow ...".
        check: yields what exceeds the limit.
        limit: of the figure that it looks at; a user's configuration may give another.
        metric: what the figure is.
        remedy: what to do.
        safe: the remedy keeps the function.
        confidence: how sure it is, on a platform that was measured, that what it finds costs time.
        most: no finding is more severe.
    """

    code: str
    name: str
    check: Check = field(repr=False)
    limit: float
    metric: str
    remedy: str
    safe: bool
    confidence: Confidence
    most: Severity

    @property
    def manual(self) -> str:
        """The docstring of its file: what it does, why, an example, what to use instead, references."""
        return cleandoc(getattr(getmodule(self.check), "__doc__", "") or "")

    @property
    def summary(self) -> str:
        """The first line of the manual, without the rule's name."""
        return self.manual.partition("\n")[0].partition(": ")[2]


RULES: Final = Registry[Rule]("rule", "mac_profiler.rules")


def rule(
    code: str,
    name: str,
    *,
    limit: float,
    metric: str,
    remedy: str,
    safe: bool = False,
    confidence: Confidence = "medium",
    most: Severity = "error",
) -> Callable[[Check], Check]:
    """Decorator: register a function as a rule; see `Rule` for the arguments.

    Raises:
        DuplicateName: the code is taken.
    """

    def register(check: Check) -> Check:
        RULES.register(code, Rule(code, name, check, limit, metric, remedy, safe, confidence, most))
        return check

    return register


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and what would prove it.

    Attributes:
        finding: it.
        hits: what it was made of, those of its places, in their order.
    """

    finding: Finding
    hits: tuple[Hit, ...]

    def prove(self) -> Proof | None:
        """What is to be measured: of the first place, as all are alike."""
        make = self.hits[0].proof
        return make() if make is not None else None


def audit(
    subject: Subject,
    rules: Iterable[Rule],
    *,
    limits: Mapping[str, float] | None = None,
    locate: Callable[[Subject, Hit], Place] | None = None,
) -> tuple[Found, ...]:
    """What the rules find in a model: the most severe first, of equal ones what loses most.

    Args:
        subject: the model.
        rules: those to check.
        limits: other limits than the rules' own, by code.
        locate: tells where a hit is; None takes the line that called the operator.
    """
    found = []
    for each in rules:
        groups: dict[tuple[str, str], list[Hit]] = {}
        for hit in each.check(subject, (limits or {}).get(each.code, each.limit)):
            groups.setdefault((hit.message, hit.remedy), []).append(hit)
        limit = (limits or {}).get(each.code, each.limit)
        together = sum(hit.seconds for hits in groups.values() for hit in hits)
        own = [_found(subject, each, hits, limit, together, locate or place_of) for hits in groups.values()]
        found += own if each.most == "info" else _fewer_notes(own)
    return tuple(sorted(found, key=lambda one: (-SEVERITIES.index(one.finding.severity), -one.finding.seconds)))


def _fewer_notes(found: Sequence[Found]) -> list[Found]:
    """Notes of one rule on layers that one line builds, each of another size, are one: that of what loses most."""
    by_line: dict[str, list[Found]] = {}
    kept = []
    for each in found:
        if each.finding.severity == "info" and each.finding.source:
            by_line.setdefault(each.finding.source, []).append(each)
        else:
            kept.append(each)
    for alike in by_line.values():
        worst = max(alike, key=lambda each: each.finding.seconds)
        others = [each for each in alike if each is not worst]
        if others:
            findings = [each.finding for each in (worst, *others)]
            number = sum(each.count for each in findings[1:])
            finding = replace(
                worst.finding,
                message=f"{worst.finding.message}; {number} more of other sizes lose less",
                measured=max(each.measured for each in findings),
                share=sum(each.share for each in findings),
                seconds=sum(each.seconds for each in findings),
                accesses=sum(each.accesses for each in findings),
                places=tuple(place for each in findings for place in each.places),
            )
            worst = Found(finding, tuple(hit for each in (worst, *others) for hit in each.hits))
        kept.append(worst)
    return kept


def place_of(subject: Subject, hit: Hit) -> Place:
    """Where a hit is, by the operator that it is shown at."""
    op = subject.ops[hit.at]
    return Place(op.path, op.source, (op.source,) if op.source else ())


def _found(
    subject: Subject,
    rule: Rule,
    hits: Sequence[Hit],
    limit: float,
    together: float,
    locate: Callable[[Subject, Hit], Place],
) -> Found:
    ordered = sorted(hits, key=lambda hit: hit.at)
    seconds = sum(hit.seconds for hit in ordered)
    ops = {i for hit in ordered for i in hit.ops}
    # Of a platform that knows no time at all, nothing is a share.
    whole = subject.total or 1.0
    finding = Finding(
        rule.code,
        rule.name,
        _severity(seconds / whole, together / whole, rule.most),
        rule.confidence if subject.measured_platform else _less(rule.confidence),
        ordered[0].message,
        max(hit.measured for hit in ordered),
        limit,
        rule.metric,
        subject.seconds(ops) / whole,
        seconds,
        sum(hit.accesses for hit in ordered),
        ordered[0].remedy or rule.remedy,
        rule.safe,
        tuple(locate(subject, hit) for hit in ordered),
    )
    return Found(finding, tuple(ordered))


def _severity(lost: float, together: float, most: Severity) -> Severity:
    """How grave it is to lose such a share of the time, where all findings of the rule lose another."""
    own = sum(together >= share and lost >= FAIR_PART * share for share in (WARNING_SHARE, ERROR_SHARE))
    return SEVERITIES[min(own, SEVERITIES.index(most))]


def _less(confidence: Confidence) -> Confidence:
    """What nobody measured is known less surely."""
    return "medium" if confidence == "high" else "low"
