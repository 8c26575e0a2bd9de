"""Proof: what findings and their remedies were measured to take on this machine, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mac_profiler.audit import Found
from mac_profiler.finding import Finding, Gain
from mac_profiler.intervals import median_of, ratio
from mac_profiler.measurement import Measurement, Settings
from mac_profiler.plan import SKETCHES, Drawn

AS_FOUND, REMEDY = "as found", "remedy"
# Enough to tell 5 % in most cases; a model may have twenty findings, and each has two cases.
SETTINGS = Settings(precision=0.02, processes=2, min_rounds=11, max_seconds=1.2, warmup_seconds=0.3)


def to_measure(found: Sequence[Found]) -> tuple[list[Drawn], dict[int, tuple[str, str]]]:
    """Cases for the findings that can be built; equal ones are measured once.

    Returns:
        The cases, and by position of a finding the group that it is measured in, and what is in it, in words.
    """
    groups: dict[tuple[str, str], str] = {}
    drawn: list[Drawn] = []
    proofs: dict[int, tuple[str, str]] = {}
    for number, each in enumerate(found):
        proof = each.prove()
        if proof is None:
            continue
        pair = proof.found.to_text(), proof.remedy.to_text()
        if pair[0] == pair[1]:
            continue
        if pair not in groups:
            groups[pair] = f"{len(groups):03d}"
            drawn += [(groups[pair], AS_FOUND, pair[0]), (groups[pair], REMEDY, pair[1])]
        proofs[number] = groups[pair], proof.subject
    return drawn, proofs


def with_gains(
    found: Sequence[Found],
    proofs: Mapping[int, tuple[str, str]],
    measurements: Sequence[Measurement],
    settings: Settings,
) -> tuple[list[Finding], list[str]]:
    """The findings with what their remedies were measured to bring, and a line for each that could not be measured."""
    measured = {(each.case.group, each.case.name): each for each in measurements if each.case.benchmark == SKETCHES}
    findings, failed = [], []
    for number, each in enumerate(found):
        finding = each.finding
        if number in proofs:
            group, subject = proofs[number]
            before, after = measured[group, AS_FOUND], measured[group, REMEDY]
            if before.samples and after.samples:
                gain = _gain(before, after, subject, settings)
                # What gains nothing where it was measured is worth knowing, and nothing more.
                severity = "info" if gain.verdict in ("same", "slower") else finding.severity
                finding = replace(finding, gain=gain, severity=severity)
            else:
                reason = (after if before.samples else before).stopped
                failed.append(f"{finding.code} at {finding.path or 'the model'} could not be measured: {reason}")
        findings.append(finding)
    return findings, failed


def _gain(before: Measurement, after: Measurement, subject: str, settings: Settings) -> Gain:
    beside = ratio(before, after, settings)
    return Gain(
        beside.verdict,
        beside.ratio.value,
        beside.ratio.low,
        beside.ratio.high,
        median_of(before, settings).value,
        median_of(after, settings).value,
        subject,
    )
