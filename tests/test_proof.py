"""Proofs: what is measured for which finding, and what a finding says of itself afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from mac_profiler.audit import Found, Hit, Proof
from mac_profiler.finding import Finding, Gain, Place, Severity
from mac_profiler.intervals import ratio
from mac_profiler.measurement import Case, Measurement, Sample
from mac_profiler.plan import SKETCHES, Drawn, Plan, cases_of
from mac_profiler.proof import AS_FOUND, REMEDY, SETTINGS, to_measure, with_gains
from mac_profiler.sketch import Draft, Sketch
from tests.auditing import found_in
from tests.machines import measured, of_zoo


def relus(number: int, width: int = 4) -> Sketch:
    draft = Draft()
    tensor = draft.input((1, width))
    for _ in range(number):
        tensor = draft.call("aten.relu", {"self": tensor})[0]
    return draft.sketch(tensor)


def found(proof: Proof | None, severity: Severity = "warning", path: str = "unit") -> Found:
    finding = Finding(
        "G101", "made-up", severity, "high", "too much", 2.0, 1.0, "size", 0.1, 0.1, 10, "less", False,
        (Place(path, "net.py:3"),),
    )  # fmt: skip
    return Found(finding, (Hit((0,), 0, "too much", 2.0, 0.1, 10, proof=lambda: proof),))


PROOF = Proof(relus(2), relus(1), "two beside one")


def timed(drawn: list[Drawn], seconds: Mapping[str, float]) -> list[Measurement]:
    """Every case takes what is said of its name."""
    return [measured(Case(SKETCHES, group, name), seconds[name]) for group, name, _ in drawn]


def gains(seconds: Mapping[str, float], *given: Found) -> list[Finding]:
    drawn, proofs = to_measure(given)
    findings, failed = with_gains(given, proofs, timed(drawn, seconds), SETTINGS)
    assert failed == []
    return findings


def test_equal_sketches_are_measured_once() -> None:
    given = [found(PROOF), found(Proof(relus(3), relus(1), "three beside one")), found(PROOF, path="other")]
    drawn, proofs = to_measure(given)
    assert [(group, name) for group, name, _ in drawn] == [
        ("000", AS_FOUND), ("000", REMEDY), ("001", AS_FOUND), ("001", REMEDY)
    ]  # fmt: skip
    assert proofs == {0: ("000", "two beside one"), 1: ("001", "three beside one"), 2: ("000", "two beside one")}
    assert [Sketch.from_text(text) for _, _, text in drawn[:2]] == [PROOF.found, PROOF.remedy]


def test_what_cannot_be_built_or_changes_nothing_is_not_measured() -> None:
    given = [found(None), found(Proof(relus(1), relus(1), "the same")), Found(found(None).finding, (replace(
        found(None).hits[0], proof=None),))]  # fmt: skip
    assert to_measure(given) == ([], {})
    findings, failed = with_gains(given, {}, [], SETTINGS)
    assert findings == [each.finding for each in given]
    assert failed == []


@pytest.mark.parametrize(
    ("remedy", "verdict"),
    [
        (0.5, "faster"),
        (0.9, "faster"),
        (0.98, "faster"),
        (1.0, "same"),
        (0.995, "same"),
        (1.02, "slower"),
        (3, "slower"),
    ],
)
def test_verdict_and_figures_are_those_of_the_samples(remedy: float, verdict: str) -> None:
    (finding,) = gains({AS_FOUND: 0.002, REMEDY: 0.002 * remedy}, found(PROOF))
    gain = finding.gain
    assert gain is not None
    assert (gain.verdict, gain.subject) == (verdict, "two beside one")
    for value in (gain.ratio, gain.low, gain.high):
        assert value == pytest.approx(remedy)
    assert gain.seconds == pytest.approx(0.002)
    assert gain.remedy_seconds == pytest.approx(0.002 * remedy)


@pytest.mark.parametrize("severity", ["info", "warning", "error"])
@pytest.mark.parametrize(("remedy", "kept"), [(0.5, True), (1.0, False), (2.0, False)])
def test_what_gains_nothing_is_a_note(severity: Severity, remedy: float, kept: bool) -> None:
    (finding,) = gains({AS_FOUND: 0.002, REMEDY: 0.002 * remedy}, found(PROOF, severity))
    assert finding.severity == (severity if kept else "info")
    # All else stays as it was found.
    assert replace(finding, gain=None, severity=severity) == found(PROOF, severity).finding


def test_what_is_not_sure_stays_as_severe_as_it_was() -> None:
    given = [found(PROOF, "error")]
    drawn, proofs = to_measure(given)
    cases = [Case(SKETCHES, group, name) for group, name, _ in drawn]
    # The remedy takes twice the time and half of it in turns.
    swinging = [
        tuple(Sample(process, n, 0.001 * (2.0 if n % 2 else 0.5) ** number) for process in (0, 1) for n in range(8))
        for number in (0, 1)
    ]
    measurements = [Measurement(case, samples, "time is up") for case, samples in zip(cases, swinging, strict=True)]
    ((finding,), failed) = with_gains(given, proofs, measurements, SETTINGS)
    assert failed == []
    assert finding.gain is not None
    assert (finding.gain.verdict, finding.severity) == ("ambiguous", "error")
    assert finding.gain.low < 1 < finding.gain.high
    before, after = measurements
    beside = ratio(before, after, SETTINGS)
    assert finding.gain == Gain(
        beside.verdict, beside.ratio.value, beside.ratio.low, beside.ratio.high, 0.001, finding.gain.remedy_seconds,
        "two beside one",
    )  # fmt: skip


@pytest.mark.parametrize("missing", [AS_FOUND, REMEDY])
def test_what_could_not_be_measured_is_told(missing: str) -> None:
    given = [found(PROOF, "error"), found(None), found(PROOF, path="")]
    drawn, proofs = to_measure(given)
    measurements = [
        Measurement(each.case, (), "out of memory") if each.case.name == missing else each
        for each in timed(drawn, {AS_FOUND: 0.002, REMEDY: 0.001})
    ]
    findings, failed = with_gains(given, proofs, measurements, SETTINGS)
    assert findings == [each.finding for each in given]
    assert failed == [
        "G101 at unit could not be measured: out of memory", "G101 at the model could not be measured: out of memory"
    ]  # fmt: skip


def test_measurements_of_other_things_are_passed_over() -> None:
    drawn, proofs = to_measure([found(PROOF)])
    others = [measured(Case("g1", group, name), 1.0) for group, name, _ in drawn]
    findings, _ = with_gains([found(PROOF)], proofs, timed(drawn, {AS_FOUND: 2.0, REMEDY: 1.0}) + others, SETTINGS)
    assert findings[0].gain is not None
    assert findings[0].gain.ratio == pytest.approx(0.5)


def test_a_plan_builds_what_was_drawn() -> None:
    drawn, proofs = to_measure(found_in(of_zoo("shufflenet_v1_g3_x1_0"), "G103", "G404"))
    assert len(proofs) == len({group for group, _ in proofs.values()}) == len(drawn) // 2
    plan = Plan(sketches=tuple(drawn), settings=SETTINGS)
    assert Plan.from_text(plan.to_text()) == plan
    cases = cases_of(plan)
    assert [(each.group, each.name) for each in cases] == [(group, name) for group, name, _ in drawn]
    for case in cases[-2:]:
        assert case.build is not None
        module, inputs = case.build()
        with torch.no_grad():
            assert module(*inputs).shape[0] == 1
