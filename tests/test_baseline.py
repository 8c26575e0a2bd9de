"""Baselines: what is known is no news, wherever its line has moved; what is new, gone or much worse is told."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.baseline import Baseline, Known, fingerprint, narrowed, read_baseline, write_baseline
from mac_profiler.errors import InvalidInput, OutputFailed
from mac_profiler.finding import Finding, Place


def finding(code: str = "G101", paths: Sequence[str] = ("a",), measured: float = 2.0, **fields: Any) -> Finding:
    made = Finding(
        code, "a-name", "warning", "high", "wide", measured, 1.5, "ratio", 0.4, 8e-3, 1000, "narrow it", False,
        tuple(Place(path, "model.py:1") for path in paths),
    )  # fmt: skip
    return replace(made, **fields)


def kept(folder: Path, *findings: Finding, model: str = "net") -> Baseline:
    write_baseline(str(folder / "known.json"), findings, model)
    return read_baseline(str(folder / "known.json"))


CODES = st.sampled_from(["G101", "G102", "G205"])
PATHS = st.sampled_from(["", "a", "a.2", "a.10", "b.größe", 'c"\\\n'])
MEASURED = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 10) | st.integers(0, 5)
FINDINGS = st.lists(st.builds(finding, CODES, st.lists(PATHS, min_size=1, max_size=5), MEASURED), max_size=6)


def places(findings: Sequence[Finding]) -> Counter[str]:
    return Counter(fingerprint(each, place) for each in findings for place in each.places)


# ----------------------------------------------------------------------------------------------------------------- laws


@given(FINDINGS)
def test_what_was_written_is_known_and_nothing_is_gone(findings: list[Finding]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        new, known, gone = kept(Path(folder), *findings).split(findings, "net")
    assert (new, gone) == ((), ())
    assert places(known) == places(findings)


@given(FINDINGS, FINDINGS)
def test_every_place_is_new_or_known_and_what_is_left_over_is_gone(before: list[Finding], after: list[Finding]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        baseline = kept(Path(folder), *before)
    new, known, gone = baseline.split(after, "net")
    assert places(new) + places(known) == places(after)
    assert Counter(each.fingerprint for each in gone) == places(before) - places(after)
    assert not places(known) - places(before)


@given(FINDINGS, FINDINGS, FINDINGS)
def test_who_knows_more_finds_less_new(before: list[Finding], more: list[Finding], after: list[Finding]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        few, many = kept(Path(folder), *before), kept(Path(folder), *before, *more)
    assert not places(many.split(after, "net")[0]) - places(few.split(after, "net")[0])
    assert not places(few.split(after, "net")[0]) - places(few.split([*after, *more], "net")[0])


@given(FINDINGS, st.randoms())
def test_the_order_of_findings_does_not_matter_to_the_file(findings: list[Finding], random: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "known.json"
        write_baseline(str(place), findings, "net")
        first = place.read_text(encoding="utf-8")
        random.shuffle(findings)
        write_baseline(str(place), findings, "net")
        assert place.read_text(encoding="utf-8") == first


# ------------------------------------------------------------------------------------------------------------- the same


def test_a_moved_line_and_other_seconds_are_no_news(tmp_path: Path) -> None:
    before = finding(paths=["a.0", "a.1"])
    moved = replace(
        before, seconds=9.0, share=0.1, accesses=7, message="other", measured=2.1,
        places=(Place("a.1", "other.py:99"), Place("a.0", "")),
    )  # fmt: skip
    assert kept(tmp_path, before).split([moved], "net") == ((), (moved,), ())


def test_numbers_in_a_path_are_part_of_it() -> None:
    assert fingerprint(finding(), Place("a.0.conv", "x.py:3")) == "G101 a.0.conv"
    assert fingerprint(finding(), Place("a.1.conv", "x.py:3")) == "G101 a.1.conv"


@pytest.mark.parametrize(
    ("recorded", "measured", "worse"),
    [
        (4.0, 4.0, False), (4.0, 4.4, False), (4.0, 4.41, True), (4.0, 1.0, False), (0.0, 0.0, False), (0.0, 0.1, True),
        (-1.0, -0.95, False), (-1.0, -0.8, True), (inf, 1e300, False), (1e300, inf, True), (nan, 9.0, False),
        (nan, nan, False), (2.0, nan, False), (1e308, 1e308, False),
    ],
)  # fmt: skip
def test_a_tenth_worse_is_new(tmp_path: Path, recorded: float, measured: float, worse: bool) -> None:
    new, known, gone = kept(tmp_path, finding(measured=recorded)).split([finding(measured=measured)], "net")
    assert (len(new), len(known)) == ((1, 0) if worse else (0, 1))
    assert gone == (), "it got worse, and so is there"


def test_several_in_one_module_are_counted(tmp_path: Path) -> None:
    baseline = kept(tmp_path, finding(measured=2.0), finding(measured=8.0))
    new, _, gone = baseline.split([finding(measured=8.0), finding(measured=2.0), finding(measured=1.0)], "net")
    assert [each.measured for each in new] == [8.0], "two of three are allowed, and the smaller ones fit first"
    assert gone == ()
    assert baseline.split([finding(measured=8.0)], "net")[2] == (Known("G101", "a", 2.0),)


def test_what_got_worse_and_more_is_not_gone(tmp_path: Path) -> None:
    worse = [finding(measured=9.0)] * 4
    assert kept(tmp_path, *[finding(measured=2.0)] * 3).split(worse, "net") == (tuple(worse), (), ())


def test_a_finding_is_cut_into_its_new_and_its_known_places(tmp_path: Path) -> None:
    whole = finding(paths=["a", "b", "c", "d"])
    new, known, gone = kept(tmp_path, finding(paths=["b"]), finding("G205", ["d"])).split([whole], "net")
    assert [place.path for place in new[0].places] == ["a", "c", "d"]
    assert [place.path for place in known[0].places] == ["b"]
    assert gone == (Known("G205", "d", 2.0),)
    assert (new[0].share, new[0].seconds, new[0].accesses) == pytest.approx((0.3, 6e-3, 750))
    assert (known[0].share, known[0].seconds, known[0].accesses) == pytest.approx((0.1, 2e-3, 250))
    assert replace(new[0], places=whole.places, share=0.4, seconds=8e-3, accesses=1000) == whole


def test_all_places_are_the_finding_itself() -> None:
    whole = finding(paths=["a", "b", "c"], share=0.1)
    assert narrowed(whole, whole.places) is whole


def test_another_model_knows_nothing_of_it(tmp_path: Path) -> None:
    baseline = kept(tmp_path, finding())
    assert baseline.split([finding()], "other") == ((finding(),), (), ())
    assert Baseline().split([finding()], "net") == ((finding(),), (), ())


# ------------------------------------------------------------------------------------------------------------- the file


def test_the_file_is_readable(tmp_path: Path) -> None:
    kept(tmp_path, finding("G205", ["a.10", "a.2"], 1 / 3), finding("G101", ["b"], inf))
    kept(tmp_path, model="empty")
    text = (tmp_path / "known.json").read_text(encoding="utf-8")
    assert text.splitlines()[1:3] == [' "kind": "macprof baseline",', ' "schema_version": 1,']
    assert text.splitlines()[4:] == [
        ' "models": {',
        '  "empty": [],',
        '  "net": [',
        '   {"code": "G101", "path": "b", "measured": null},',
        '   {"code": "G205", "path": "a.2", "measured": 0.3333},',
        '   {"code": "G205", "path": "a.10", "measured": 0.3333}',
        "  ]",
        " }",
        "}",
    ]
    assert json.loads(text)["models"]["empty"] == []


def test_models_share_a_file(tmp_path: Path) -> None:
    kept(tmp_path, finding(paths=["a"]), model="one")
    kept(tmp_path, finding(paths=["b"]), model="two")
    both = kept(tmp_path, finding(paths=["c"]), model="one")
    assert both == Baseline({"one": (Known("G101", "c", 2.0),), "two": (Known("G101", "b", 2.0),)})
    assert kept(tmp_path, model="two").models["one"] == both.models["one"]


NO_BASELINE = "is no baseline and is left alone;"
DAMAGED = [
    (b"", "is no baseline ("), (b"<<<<<<< HEAD\n{}", "is no baseline ("), (b"\xff\xfe", "is no baseline ("),
    (b"[" * 100_000, "is no baseline ("), (b"[]", NO_BASELINE), (b"{}", NO_BASELINE),
    (b'{"schema_version": 1, "laws": {}}', NO_BASELINE),
    (b'{"kind": "macprof baseline"}', "is a baseline of version None"),
    (b'{"kind": "macprof baseline", "schema_version": 2}', "is a baseline of version 2, and this macprof reads"),
]  # fmt: skip
WRONG = [
    "3", "[]", "null",
    '{"net": {}}', '{"net": ""}', '{"net": 3}', '{"net": null}', '{"net": "ab"}', '{"net": [3]}', '{"net": [{}]}',
    '{"net": [{"code": "G1", "path": "a"}]}', '{"net": [{"code": 1, "path": "a", "measured": 1}]}',
    '{"net": [{"code": "", "path": "a", "measured": 1}]}', '{"net": [{"code": "G1", "path": null, "measured": 1}]}',
    '{"net": [{"code": "G1", "path": "a", "measured": "1"}]}',
    '{"net": [{"code": "G1", "path": "a", "measured": true}]}',
    '{"net": [{"code": "G1", "path": "a", "measured": NaN}]}',
    '{"net": [{"code": "G1", "path": "a", "measured": 1%s}]}' % ("0" * 400),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    DAMAGED
    + [
        (b'{"kind": "macprof baseline", "schema_version": 1, "models": %s}' % each.encode(), "is a damaged baseline")
        for each in WRONG
    ],
    ids=map(str, range(len(DAMAGED) + len(WRONG))),
)
def test_what_is_no_baseline_is_refused_and_left_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "known.json"
    file.write_bytes(content)
    for ask in (lambda: read_baseline(str(file)), lambda: write_baseline(str(file), [finding()], "net")):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert reason in str(caught.value)
        assert f"'{file}'" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert file.read_bytes() == content


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read the baseline '.*none\.json': No such file.*--write-baseline"):
        read_baseline(str(tmp_path / "none.json"))
    with pytest.raises(OutputFailed, match="does not exist; create it first"):
        write_baseline(str(tmp_path / "none" / "known.json"), [], "net")
