"""Amounts and budgets: what is read, what is refused, and what is certain of a lower bound."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler import units
from mac_profiler.amounts import parse_amount
from mac_profiler.budget import FIGURES, Item, check, parse_budget
from mac_profiler.cost import Cost
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Module, Op, Value
from mac_profiler.profile import Profile, totals


def refused(text: Any) -> str:
    """What is said of an amount; one line, with the amount and a remedy."""
    with pytest.raises(InvalidInput) as caught:
        parse_amount(text)
    said = str(caught.value)
    assert "\n" not in said
    assert "; write " in said
    return said


def profile(*costs: Cost | None) -> Profile:
    """One operator a cost, None for one without a formula."""
    x, w, y = Value((2, 3), role="input"), Value((4, 3), role="weight"), Value((2, 4))
    ops = tuple(Op("aten.linear", "f", "", {"input": x, "weight": w}, (y,)) for _ in costs)
    return Profile(Graph("m", ops, {"": Module("", "M", 0), "f": Module("f", "Linear", 12)}, (x,), (y,)), costs)


# -------------------------------------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0), ("7", 7), ("150M", 150_000_000), ("1.5G", 1_500_000_000), ("2e6", 2_000_000), ("2E+6", 2_000_000),
        ("20_000_000", 20_000_000), ("3k", 3000), ("3K", 3000), ("2T", 2 * 10**12), ("3Mi", 3 * 2**20),
        ("3MiB", 3 * 2**20), ("1.5 KiB", 1536), (" 146 M ", 146_000_000), ("0.5k", 500), (".5k", 500), ("7.", 7),
        ("5000e-3", 5), ("1e3k", 10**6), ("1.1G", 1_100_000_000), ("1.2345k", 1234),
        ("23.4 MiB", 24_536_678), ("0k", 0), ("0.0", 0), (12, 12), (1.5e6, 1_500_000), (2.0, 2),
    ],
)  # fmt: skip
def test_an_amount(text: str | float, amount: int) -> None:
    assert parse_amount(text) == amount
    assert type(parse_amount(text)) is int


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "M", "k5", "x", "nan", "inf", "-inf", "1e", "1eM", ".", "_1", "1_", "1__0", "0x10", "1,000", "5\nk",
        "5  k", "1.2.3", "+5", "٣", "²", "5µ", "5KIB", "5kib", "5ki",
        float("nan"), float("inf"), True, False, None, [], {},
    ],
)  # fmt: skip
def test_what_is_no_amount(text: Any) -> None:
    assert "is no amount" in refused(text)


@pytest.mark.parametrize("text", ["-1", "-1\nx", "-1.5M", "- 3", "-.5", -1, -0.5])
def test_an_amount_is_not_negative(text: Any) -> None:
    assert "negative" in refused(text)


@pytest.mark.parametrize("text", ["0.5", "1.5", "1e-1", "0.0001k", "1e-9Ki", 1.5, 1e-7])
def test_an_amount_is_whole(text: Any) -> None:
    assert "is no whole number" in refused(text)


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "9" * 50, "1e" + "9" * 50, 10**30, -(10**30)])
def test_an_amount_beyond_all_models_is_refused_at_once(text: Any) -> None:
    assert "digits" in refused(text)


def test_a_number_that_python_would_not_print_is_refused() -> None:
    assert "digits" in refused(10**5000)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("150m", "write 150M"), ("1.5g", "write 1.5G"), ("2t", "write 2T"), ("3MB", "write 3M"), ("3KB", "write 3k"),
        ("7B", "write 7 for bytes, 7G for billions"), ("7b", "write 7 for bytes, 7G for billions"),
    ],
)  # fmt: skip
def test_what_is_not_guessed_is_asked_for(text: str, remedy: str) -> None:
    # Milli, and bytes or billions: a budget a thousand million times too large would never be exceeded.
    assert refused(text).endswith(remedy)


@given(st.integers(0, 10**20))
def test_every_way_to_write_an_amount_is_read_back(number: int) -> None:
    assert parse_amount(number) == number
    for text in (str(number), f"{number:_}", f"{number}.0", f"{number}e0", f" {number} "):
        assert parse_amount(text) == number


@given(st.integers(0, 10**9), st.sampled_from(["k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]))
def test_a_prefix_multiplies(number: int, prefix: str) -> None:
    factor = (1024 if prefix.endswith("i") else 1000) ** ("kMGT".index(prefix[0].replace("K", "k")) + 1)
    assert parse_amount(f"{number}{prefix}") == number * factor
    assert parse_amount(f"{number}.5{prefix}") == (number + Fraction(1, 2)) * factor


@given(st.integers(0, 10**14))
def test_what_a_report_shows_is_read(number: int) -> None:
    # "146 M" and "23.4 MiB" are copied from a report into a budget; only "512 B" is left to be asked for.
    assert abs(parse_amount(units.count(number)) - number) <= number * 0.006
    if number >= 1024:
        assert abs(parse_amount(units.size(number)) - number) <= number * 0.006


# -------------------------------------------------------------------------------------------------------------- budgets


def test_a_budget_keeps_its_order() -> None:
    read = parse_budget(" mult_adds = 150M , accesses=20M,parameters=3_000_000")
    assert list(read.items()) == [("mult_adds", 150_000_000), ("accesses", 20_000_000), ("parameters", 3_000_000)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a part is empty"), (" ", "a part is empty"), ("mult_adds=1,", "a part is empty"),
        (",mult_adds=1", "a part is empty"), ("mult_adds", "'mult_adds' is no FIGURE=AMOUNT"),
        ("mult_adds=", "is no FIGURE=AMOUNT"), ("=5", "is no FIGURE=AMOUNT"),
        ("flops=150,000", "'000' is no FIGURE=AMOUNT"), ("flops=1,accesses=2,flops=1", "has 'flops' twice"),
        ("flops=150m", "the budget of flops cannot be read: '150m'"),
        ("mult_ads=1", "no figure named 'mult_ads'. Did you mean 'mult_adds'?"),
        ("mult-adds=1", "Did you mean 'mult_adds'?"), ("FLOPS=1", "Did you mean 'flops'?"),
        ("x\ny=1", "A budget is of mult_adds, flops, accesses"), ("x\ny", "is no FIGURE=AMOUNT"),
    ],
)  # fmt: skip
def test_what_is_no_budget(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_budget(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.dictionaries(st.sampled_from(list(FIGURES)), st.integers(0, 10**15), min_size=1))
def test_a_budget_is_read_back(budget: dict[str, int]) -> None:
    assert parse_budget(",".join(f"{figure}={limit}" for figure, limit in budget.items())) == budget


# ------------------------------------------------------------------------------------------------------------- verdicts


def test_every_figure_of_the_totals_can_be_budgeted() -> None:
    found = profile(Cost(24, 48, 12, 6, 8, 104))
    items = check(found, dict.fromkeys(FIGURES, 10**9))
    assert {item.figure: item.found for item in items} | {"complete": True} == totals(found)
    assert list(FIGURES) == [item.figure for item in items]
    assert all(item.complete and item.certain and not item.exceeded for item in items)


def test_as_much_as_allowed_is_not_too_much() -> None:
    found = profile(Cost(24, 48, 12, 6, 8, 104))
    at, below = check(found, {"mult_adds": 24}) + check(found, {"mult_adds": 23})
    assert (at.exceeded, below.exceeded) == (False, True)


def test_a_lower_bound_below_the_limit_is_no_verdict() -> None:
    found = profile(Cost(24, 48, 12, 6, 8, 104), None)
    low, high = check(found, {"flops": 40}) + check(found, {"flops": 50})
    assert low == Item("flops", 40, 48, complete=False)
    assert (low.exceeded, low.certain) == (True, True)
    assert (high.exceeded, high.certain) == (False, False)


def test_what_hangs_on_no_formula_is_complete_without_it() -> None:
    items = check(profile(None), dict.fromkeys(FIGURES, 10**9))
    assert {item.figure for item in items if item.complete} == {"parameters", "peak_activation_bytes", "op_count"}
    assert {item.figure for item in items if item.certain} == {"parameters", "peak_activation_bytes", "op_count"}


def test_fused_accesses_around_an_unknown_operator_are_no_bound() -> None:
    # The unknown operator might be fused, and its neighbours then move less than was counted.
    assert not Item("fused_accesses", 1, 2, complete=False).certain
    assert Item("fused_accesses", 1, 2, complete=True).certain


def test_what_fuses_has_a_figure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mac_profiler.profile.fused_accesses", lambda *given: 7)
    assert [item.found for item in check(profile(Cost(24, 48, 12, 6, 8, 104)), {"fused_accesses": 5})] == [7]


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> int:
        raise AssertionError("computed")

    monkeypatch.setattr("mac_profiler.profile.fused_accesses", fail)
    monkeypatch.setattr("mac_profiler.profile.peak_activation_bytes", fail)
    assert check(profile(None), {}) == ()
    assert [item.found for item in check(profile(None), {"parameters": 5, "op_count": 0})] == [12, 1]


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'flops'"):
        check(profile(), {"flop": 1})
