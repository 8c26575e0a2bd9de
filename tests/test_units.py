"""Numbers to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1.00 k"), (1234, "1.23 k"), (12_345, "12.3 k"), (99_950, "100 k"),
        (999_499, "999 k"), (999_500, "1.00 M"), (145_839_016, "146 M"), (1_250_000_000, "1.25 G"),
        (10**15, "1.00 P"), (-146_000_000, "-146 M"), (-3, "-3"), (0.5, "0.50"), (None, "?"),
    ],
)  # fmt: skip
def test_a_count_has_three_significant_digits(number: float | None, text: str) -> None:
    assert units.count(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"), (1_048_575, "1.00 MiB"),
        (54_354_352, "51.8 MiB"), (80 * 2**30, "80.0 GiB"), (None, "?"),
    ],
)  # fmt: skip
def test_bytes_go_by_powers_of_1024(number: int | None, text: str) -> None:
    assert units.size(number) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0 s"), (1.0, "1.00 s"), (0.99999, "1.00 s"), (0.0125, "12.5 ms"), (8.7e-4, "870 µs"), (1.2e-8, "12.0 ns"),
        (3.2e-12, "0.00 ns"), (125.0, "125 s"), (-0.0125, "-12.5 ms"), (float("inf"), "inf"), (None, "?"),
    ],
)  # fmt: skip
def test_seconds_choose_their_unit(duration: float | None, text: str) -> None:
    assert units.seconds(duration) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0.0%"), (0.0004, "<0.1%"), (-0.0004, "-<0.1%"), (0.123456, "12.3%"), (1, "100.0%"), (None, "?")],
)
def test_a_share_that_is_there_never_reads_as_zero(fraction: float | None, text: str) -> None:
    assert units.percent(fraction) == text


def test_shapes() -> None:
    assert units.shape((1, 3, 224, 224)) == "1×3×224×224"
    assert units.shape(()) == "scalar"
    assert units.shapes([(2, 3), (3,)]) == "2×3, 3"
    assert units.shape(None) == units.shapes(None) == "?"


def test_every_unit_writes_the_unknown_as_unknown() -> None:
    assert units.exact(145_839_016) == "145,839,016"
    assert units.exact(None) == units.ratio(None) == units.text("count", None) == "?"
    assert units.text("ratio", 1.339) == "1.34×"


@given(st.integers(min_value=0, max_value=10**19))
def test_a_count_is_within_half_a_unit_of_its_last_digit(number: int) -> None:
    digits, _, prefix = units.count(number).partition(" ")
    factor = 1000 ** units.SI.index(prefix)
    assert abs(float(digits) * factor - number) <= 0.00501 * max(number, 1)
    assert len(digits.replace(".", "")) <= 3 or prefix == "E"


@given(st.integers(min_value=0, max_value=2**60), st.integers(min_value=0, max_value=2**60))
def test_larger_counts_never_read_smaller(one: int, other: int) -> None:
    def value(text: str) -> float:
        digits, _, prefix = text.partition(" ")
        return float(f"{digits}e{3 * units.SI.index(prefix)}")

    small, large = sorted((one, other))
    assert value(units.count(small)) <= value(units.count(large))
