"""The audit itself: equal hits are one finding, shares decide how severe it is, and limits and platforms count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler.audit import ERROR_SHARE, FAIR_PART, RULES, WARNING_SHARE, Hit, Rule, audit, rule
from mac_profiler.errors import DuplicateName, UnknownName
from mac_profiler.finding import SEVERITIES, Confidence, Finding, Place, Severity
from mac_profiler.nominal import nominal_platform
from mac_profiler.platform import Law
from mac_profiler.subject import Subject
from tests.auditing import findings_of, found_in, subject_of
from tests.building import Net
from tests.machines import counted, machine, of_zoo

MODELS = ("shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "nasnet_mobile", "shufflenet_v2_x1_0", "torchvision:resnet50")


class Unit(nn.Module):
    """ShuffleNet V1's idea: thin in the middle, in groups, with a shortcut around."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, width // 4, 1)
        self.restore = nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.restore(self.reduce(x))


def repeated(number: int, width: int = 256) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 1), *(Unit(width) for _ in range(number)), nn.Conv2d(width, 10, 1))


def subject_of_chain(number: int) -> Subject:
    """Equal convolutions; each takes the same share of the time but the first, which is far smaller."""
    return subject_of(counted(lambda: nn.Sequential(*(nn.Conv2d(8, 8, 1) for _ in range(number))), (1, 8, 16, 16)))


def made_up(*hits: Hit, most: Severity = "error", confidence: Confidence = "high", limit: float = 1.0) -> Rule:
    """A rule that always finds the same, or more with a lower limit."""

    def check(_: Subject, allowed: float) -> Iterator[Hit]:
        yield from (hit for hit in hits if hit.measured > allowed)

    return Rule("X101", "made-up", check, limit, "size", "make it smaller", False, confidence, most)


def hit(at: int, message: str = "too large", *, seconds: float = 0.0, measured: float = 2.0, remedy: str = "") -> Hit:
    return Hit((at,), at, message, measured, seconds, 10 + at, remedy)


def only(subject: Subject, rule: Rule, **limits: float) -> Finding:
    (found,) = audit(subject, [rule], limits=limits)
    return found.finding


# ------------------------------------------------------------------------------------------------------------- grouping


def test_equal_blocks_are_one_finding_with_all_their_places() -> None:
    (found,) = findings_of(counted(lambda: repeated(12), (1, 3, 56, 56)), "G103")
    assert found.count == 12
    assert [place.path for place in found.places] == [f"{number}.reduce" for number in range(1, 13)]
    assert (found.path, found.guideline) == ("1.reduce", "G1")
    (one,) = findings_of(counted(lambda: repeated(1), (1, 3, 56, 56)), "G103")
    assert found.message == one.message
    assert found.accesses == 12 * one.accesses
    assert found.seconds == pytest.approx(12 * one.seconds)


def test_blocks_of_other_sizes_are_other_findings() -> None:
    def build() -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, 256, 1), Unit(256), nn.MaxPool2d(2), Unit(256), nn.Conv2d(256, 10, 1))

    found = findings_of(counted(build, (1, 3, 112, 112)), "G103")
    assert sorted(each.path for each in found) == ["1.reduce", "3.reduce"]


def test_hits_with_one_message_are_together_and_their_worst_figure_stands() -> None:
    hits = (
        hit(2, seconds=2e-7, measured=5.0), hit(0, seconds=1e-7), hit(1, "other"), hit(3, seconds=3e-7, remedy="own")
    )  # fmt: skip
    found = [each.finding for each in audit(subject_of_chain(4), [made_up(*hits)])]
    assert sorted((each.message, each.count, each.remedy) for each in found) == [
        ("other", 1, "make it smaller"),
        ("too large", 1, "own"),
        ("too large", 2, "make it smaller"),
    ]
    pair = next(each for each in found if each.count == 2)
    assert [place.path for place in pair.places] == ["0", "2"]
    assert (pair.measured, pair.limit, pair.metric) == (5.0, 1.0, "size")
    assert pair.accesses == 10 + 12
    assert pair.seconds == pytest.approx(3e-7)


@pytest.mark.parametrize("model", MODELS)
def test_no_place_is_told_twice_and_sums_are_those_of_the_operators(model: str) -> None:
    subject = subject_of(of_zoo(model))
    for found in audit(subject, [RULES[code] for code in RULES]):
        finding = found.finding
        assert len(found.hits) == finding.count >= 1
        ops = {i for each in found.hits for i in each.ops}
        assert finding.share == pytest.approx(subject.seconds(ops) / subject.total)
        assert 0 <= finding.seconds <= subject.total
        assert finding.measured > finding.limit or finding.code in ("G401", "G402")
        assert finding.accesses >= 0
        assert "\n" not in finding.message + finding.remedy


# ------------------------------------------------------------------------------------------------------------- severity


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=5), st.sampled_from(SEVERITIES))
def test_shares_decide_the_severity_and_a_rule_may_cap_it(shares: list[float], most: Severity) -> None:
    subject = subject_of_chain(5)
    hits = [hit(i, f"no. {i}", seconds=share * subject.total) for i, share in enumerate(shares)]
    found = {each.finding.message: each.finding for each in audit(subject, [made_up(*hits, most=most)])}
    for i, share in enumerate(shares):
        expected = "info"
        for severity, least in (("warning", WARNING_SHARE), ("error", ERROR_SHARE)):
            near = any(abs(one / two - 1) < 1e-9 for one, two in ((sum(shares), least), (share, FAIR_PART * least)))
            if near:
                return
            if sum(shares) > least and share > FAIR_PART * least:
                expected = severity
        capped = min(SEVERITIES.index(expected), SEVERITIES.index(most))
        assert SEVERITIES.index(found[f"no. {i}"].severity) == capped


def test_a_share_of_no_time_is_none() -> None:
    nothing = machine(dict.fromkeys(("other",), Law()))
    profile = counted(lambda: nn.Conv2d(64, 64, 1, groups=8), (1, 64, 28, 28))
    for found in findings_of(profile, platform=nothing):
        assert (found.severity, found.share, found.seconds) == ("info", 0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_the_most_severe_comes_first_and_of_equal_ones_what_loses_most(model: str) -> None:
    found = findings_of(of_zoo(model))
    keys = [(-SEVERITIES.index(each.severity), -each.seconds) for each in found]
    assert keys == sorted(keys)
    for each in found:
        assert SEVERITIES.index(each.severity) <= SEVERITIES.index(RULES[each.code].most)


# ------------------------------------------------------------------------------------------- limits, platforms, places


def test_another_limit_is_kept_to_and_told() -> None:
    profile = counted(lambda: repeated(2), (1, 3, 56, 56))
    (found,) = findings_of(profile, "G103")
    assert found.limit == RULES["G103"].limit < found.measured
    (again,) = findings_of(profile, "G103", limits={"G103": found.measured - 1e-9})
    assert again == replace(found, limit=found.measured - 1e-9)
    assert findings_of(profile, "G103", limits={"G103": found.measured}) == []
    assert findings_of(profile, "G103", limits={"G101": 100}) == [found]


@pytest.mark.parametrize("code", ["G101", "G103", "G104", "G201", "G202", "G301", "G403", "G404", "G405"])
def test_a_higher_limit_never_finds_more(code: str) -> None:
    for model in MODELS:
        places = {
            factor: {
                place.path
                for each in findings_of(of_zoo(model), code, limits={code: RULES[code].limit * factor})
                for place in each.places
            }
            for factor in (0.5, 1.0, 1.5)
        }
        # Where a lower limit finds a block, those within it are passed over.
        if code != "G301":
            assert places[1.5] <= places[1.0] <= places[0.5]
        else:
            assert len(places[1.5]) <= len(places[1.0])


@pytest.mark.parametrize(("own", "stated"), [("high", "medium"), ("medium", "low"), ("low", "low")])
def test_what_nobody_measured_is_known_less_surely(own: Confidence, stated: Confidence) -> None:
    profile = counted(lambda: nn.Conv2d(8, 8, 1), (1, 8, 4, 4))
    assert own in get_args(Confidence)
    assert only(subject_of(profile, nominal_platform()), made_up(hit(0), confidence=own)).confidence == stated
    assert only(subject_of(profile, machine()), made_up(hit(0), confidence=own)).confidence == own


def test_a_place_is_where_the_operator_was_called_unless_somebody_knows_better() -> None:
    subject = subject_of(counted(lambda: repeated(1), (1, 3, 8, 8)))
    (found,) = audit(subject, [made_up(hit(1))])
    assert found.finding.places == (Place("1.reduce", subject.ops[1].source, (subject.ops[1].source,)),)
    known = Place("elsewhere", "net.py:3")
    (found,) = audit(subject, [made_up(hit(1))], locate=lambda _, each: known if each.at == 1 else Place("", ""))
    assert (found.finding.places, found.finding.source) == ((known,), "net.py:3")


@pytest.mark.parametrize("model", ["shufflenet_v2_x1_0", "resnet18", "mobilenet_v2_x1_0"])
def test_where_software_fuses_nothing_is_said_of_what_it_fuses(model: str) -> None:
    profile = of_zoo(model)
    assert {each.code for each in findings_of(profile, platform=machine())} >= {"G401", "G402"}
    learned = replace(nominal_platform(), fused=True, provenance={"learned_from": "v2_table8"})
    assert not {each.code for each in findings_of(profile, platform=learned)} & {"G401", "G402", "G302"}


# -------------------------------------------------------------------------------------------------- rules from outside


def test_a_rule_from_outside_is_checked_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(RULES) > 0
    monkeypatch.setattr(RULES, "_things", dict(RULES._things))

    @rule("X901", "sigmoid", limit=0, metric="sigmoids", remedy="use ReLU; this changes the network")
    def check(subject: Subject, limit: float) -> Iterator[Hit]:
        """Sigmoids."""
        found = [i for i, op in enumerate(subject.ops) if op.target == "aten.sigmoid"]
        for i in found if len(found) > limit else ():
            yield Hit((i,), i, "a sigmoid", len(found), subject.seconds([i]), 0)

    profile = counted(lambda: Net(lambda _, x: torch.sigmoid(torch.sigmoid(x))), (1, 8, 4, 4))
    (found,) = findings_of(profile, "X901")
    # All the time is theirs.
    assert (found.count, found.severity, found.safe) == (2, "error", False)
    assert found.share == pytest.approx(1.0)
    assert "X901" in {each.code for each in findings_of(profile)}
    assert (RULES["X901"].manual, found.places[0].path) == ((__doc__ or "").strip(), "")
    with pytest.raises(DuplicateName, match="X901"):
        rule("X901", "again", limit=0, metric="", remedy="")(check)


def test_a_rule_that_is_not_there_is_asked_back_for() -> None:
    with pytest.raises(UnknownName, match="G101"):
        RULES["G1O1"]


def test_no_proof_is_made_before_it_is_asked_for() -> None:
    asked: list[int] = []
    found = found_in(of_zoo("shufflenet_v1_g3_x1_0"), "G202")[0]
    first, *others = found.hits

    def prove() -> None:
        asked.append(first.at)

    watched = replace(found, hits=(replace(first, proof=prove), *(replace(each, proof=None) for each in others)))
    assert (watched.prove(), asked) == (None, [first.at])
    assert replace(found, hits=(replace(first, proof=None),)).prove() is None
