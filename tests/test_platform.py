"""A platform's file is read as it was written, or refused; its laws and its curve of bandwidths by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.errors import InvalidInput
from mac_profiler.kinds_of_work import KINDS
from mac_profiler.platform import SCHEMA, Bandwidth, Fact, Law, Platform, from_json
from tests.machines import ANY_LAWS, BANDWIDTHS, LAWS, machine

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
RATES = st.floats(1e-3, 1e15)
TIMES = st.floats(0, 1e3)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), TEXT)
ANY_BANDWIDTH = st.builds(Bandwidth, st.integers(1, 2**40), RATES, RATES, RATES)
ANY_FACT = st.builds(Fact, TEXT, TEXT, TEXT, TIMES, TIMES, TIMES | st.just(float("inf")), TEXT)
ANY_PLATFORM = st.builds(
    Platform, TEXT, TEXT, TEXT, st.booleans(), ANY_LAWS,
    st.lists(ANY_BANDWIDTH, max_size=4).map(tuple), st.lists(ANY_FACT, max_size=4).map(tuple), TIMES, TIMES,
    st.dictionaries(TEXT, SCALARS | st.dictionaries(TEXT, SCALARS, max_size=3), max_size=4),
)  # fmt: skip
WHOLE = machine(
    bandwidths=BANDWIDTHS,
    facts=(Fact("launch", "launch", "s", 1e-6, 9e-7, 2e-6, "add"),),
    error=0.2,
    median_error=0.1,
    provenance={"cpu": "one", "models": 3},
)


def refused(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        from_json(text, "kept/one.json")
    said = str(caught.value)
    assert "\n" not in said
    assert "'kept/one.json'" in said
    assert "calibrate" in said
    return said


# ------------------------------------------------------------------------------------------------------------- the file


@given(ANY_PLATFORM)
def test_what_is_written_is_read(platform: Platform) -> None:
    again = from_json(platform.to_json(), "file")
    assert again == platform
    assert again.to_json() == platform.to_json()


def test_a_file_is_readable_and_says_its_version() -> None:
    text = WHOLE.to_json()
    assert json.loads(text)["schema_version"] == SCHEMA
    assert text.endswith("}\n")
    assert text.count("\n") > len(KINDS)
    assert from_json(text, "file") == WHOLE


@pytest.mark.parametrize("text", ["", "laws: 3", "[]", "7", "null", '"text"', "{}", '{"laws": {}}'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    assert "is no profile of a platform" in refused(text)


@pytest.mark.parametrize("version", [SCHEMA + 1, 0, "1", None])
def test_a_profile_of_another_version_is_refused(version: object) -> None:
    said = refused(json.dumps(json.loads(WHOLE.to_json()) | {"schema_version": version}))
    assert f"version {version}" in said
    assert f"version {SCHEMA}" in said


Damage = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("field", ["name", "device", "dtype", "fused", "laws", "bandwidths", "facts"])
def test_a_profile_that_lacks_a_field_is_refused(field: str) -> None:
    read = json.loads(WHOLE.to_json())
    del read[field]
    assert "damaged" in refused(json.dumps(read))


@pytest.mark.parametrize(
    "damage",
    [
        lambda read: read.update(surprise=1),
        lambda read: read.update(name=3),
        lambda read: read.update(fused="no"),
        lambda read: read.update(error="a lot"),
        lambda read: read.update(error=-0.1),
        lambda read: read.update(median_error=None),
        lambda read: read.update(provenance=[]),
        lambda read: read.update(laws=[]),
        lambda read: read["laws"].update(linear=3),
        lambda read: read["laws"]["linear"].update(read_seconds="fast"),
        lambda read: read["laws"]["linear"].update(read_seconds=None),
        lambda read: read["laws"]["linear"].update(read_seconds=-1e-9),
        lambda read: read["laws"]["linear"].update(read_seconds=float("nan")),
        lambda read: read["laws"]["linear"].update(surprise=1),
        lambda read: read["bandwidths"][0].pop("copy"),
        lambda read: read["bandwidths"][0].update(copy="fast"),
        lambda read: read["bandwidths"][0].update(copy=-1.0),
        lambda read: read["bandwidths"][0].update(copy=0),
        lambda read: read["bandwidths"][0].update(working_set=0),
        lambda read: read["facts"][0].pop("value"),
        lambda read: read["facts"][0].update(low="small"),
        lambda read: read["facts"][0].update(high=-1),
    ],
)
def test_a_damaged_profile_is_refused(damage: Damage) -> None:
    read = json.loads(WHOLE.to_json())
    damage(read)
    assert "damaged" in refused(json.dumps(read))


# --------------------------------------------------------------------------------------------------------- what it says


def test_a_kind_that_was_not_measured_goes_by_other() -> None:
    few = machine({"linear": LAWS["linear"], "other": LAWS["other"]})
    assert few.law("linear") == LAWS["linear"]
    assert few.law("softmax") == LAWS["other"]
    with pytest.raises(InvalidInput, match="'made-up' tells nothing of softmax; calibrate it anew"):
        machine({"linear": Law()}).law("softmax")


@pytest.mark.parametrize("known", [(), BANDWIDTHS[:1]])
def test_without_a_curve_a_byte_is_a_byte(known: tuple[Bandwidth, ...]) -> None:
    assert {machine(bandwidths=known).stretch(size) for size in (0, 1, 2**20, 1e12)} == {1.0}


def test_a_byte_takes_longer_as_copies_are_slower() -> None:
    platform = machine(bandwidths=BANDWIDTHS)
    # 12 GB/s is the fastest; what touches less than that is not slower for its bytes, but for its call.
    assert [platform.stretch(size) for size in (0, 1, 2**14, 2**15, 2**16)] == [1.0] * 5
    assert [platform.stretch(each.working_set) for each in BANDWIDTHS[1:]] == [1.0, 12 / 6, 12 / 3]
    # Half-way between two sizes, on a scale of logarithms, a copy is the geometric mean of both.
    assert platform.stretch(2**18) == pytest.approx(sqrt(2))
    assert platform.stretch(2**22) == pytest.approx(2 * sqrt(2))
    assert {platform.stretch(size) for size in (2**24, 2**24 + 1, 1e12)} == {4.0}


def test_the_last_size_may_be_the_fastest() -> None:
    rising = tuple(replace(each, copy=1e9 * (1 + i)) for i, each in enumerate(BANDWIDTHS))
    assert {machine(bandwidths=rising).stretch(size) for size in (1, 2**16, 2**24, 1e12)} == {1.0}


@given(
    st.lists(st.floats(1e8, 1e12), min_size=2, max_size=7).map(lambda rates: sorted(rates, reverse=True)),
    st.lists(st.floats(1, 1e12), min_size=2, max_size=8).map(sorted),
)
def test_where_copies_only_get_slower_so_does_a_byte(rates: list[float], sizes: list[float]) -> None:
    curve = tuple(Bandwidth(2 ** (10 + 3 * i), rate, rate, rate) for i, rate in enumerate(rates))
    platform = machine(bandwidths=curve)
    found = [platform.stretch(size) for size in sizes]
    for nearer, farther in pairwise(found):
        assert nearer <= farther * (1 + 1e-12)
    assert all(1 - 1e-12 <= each <= rates[0] / rates[-1] * (1 + 1e-12) for each in found)
    for each in curve:
        assert platform.stretch(each.working_set) == rates[0] / each.copy
