"""The numbers of a platform, found again from works whose seconds were made from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mac_profiler.learning import Learned, Number, Observation, laws_of, learn
from mac_profiler.platform import Law
from mac_profiler.work import Work

KIND = "elementwise"
AMOUNTS = ("operations", "read_bytes", "write_bytes", "weight_bytes", "calls")
NUMBERS = [Number(amount, ((KIND, amount),)) for amount in AMOUNTS]
TRUE = (1e-11, 2e-10, 3e-10, 5e-10, 4e-6)
# One number over two kinds of work, one of a single kind: in closed form.
PRODUCT = Number("a product's", (("linear", "operations"), ("matmul", "operations")))
LAUNCH = Number("launch", (("linear", "calls"), ("matmul", "calls")), 1e6)


def told(amounts: Sequence[float], values: Sequence[float] = TRUE) -> float:
    return sum(amount * value for amount, value in zip(amounts, values, strict=True))


def drawn(seed: int, count: int = 40) -> list[Observation]:
    """Works over four orders of magnitude, and what they take without any noise."""
    generator = random.Random(seed)  # noqa: S311 - the same works each time, no secret
    found = []
    for number in range(count):
        amounts = [10 ** generator.uniform(4, 8), *(10 ** generator.uniform(3, 7) for _ in range(3))]
        amounts.append(float(generator.randint(1, 50)))
        found.append(Observation(str(number), {KIND: Work(KIND, *amounts)}, told(amounts)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_exact_times_give_the_numbers_back(seed: int) -> None:
    found = learn(drawn(seed), NUMBERS)
    assert found.values == pytest.approx(TRUE, rel=1e-9)
    assert found.errors == pytest.approx([0.0] * 40, abs=1e-9)
    assert found.within(1.0) == pytest.approx(0.0, abs=1e-9)


def test_two_numbers_in_closed_form() -> None:
    # 1,000 and 3,000 multiply-adds in one and two calls take 5 and 11: 2 a thousand, and 3 resp. 2.5 a call; so that
    # both hold, a thousand takes t and a call c with t + c = 5 and 3 t + 2 c = 11: t = 1, c = 4.
    known = [
        Observation("one", {"linear": Work("linear", operations=1000)}, 5.0),
        Observation("two", {"matmul": Work("matmul", operations=3000, calls=2)}, 11.0),
    ]
    assert learn(known, [PRODUCT, LAUNCH]).values == pytest.approx((1e-3, 4.0))
    both = Observation("both", {"linear": known[0].works["linear"], "matmul": known[1].works["matmul"]}, 16.0)
    assert learn([*known, both], [PRODUCT, LAUNCH]).values == pytest.approx((1e-3, 4.0))


def test_kinds_that_no_number_names_explain_nothing() -> None:
    silent = Observation("one", {"linear": Work("linear", 1000), "softmax": Work("softmax", 9e9)}, 5.0)
    assert learn([silent], [PRODUCT]).values == pytest.approx((5e-3,))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(1, 1e9), st.floats(1e-9, 1e3)), min_size=1, max_size=12))
def test_no_number_is_negative(rows: list[tuple[float, float, float]]) -> None:
    known = [Observation("", {"linear": Work("linear", a, calls=b)}, seconds) for a, b, seconds in rows]
    for pull in (0.0, 0.1):
        found = learn(known, [PRODUCT, LAUNCH], pull=pull)
        assert all(value >= 0 for value in found.values)
        assert len(found.errors) == len(rows)
        assert all(error >= -1 for error in found.errors)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factor", [10.0, 3.3, 0.3, 0.1])
def test_one_that_no_law_describes_bends_nothing(seed: int, factor: float) -> None:
    for place in range(0, 40, 3):
        known = drawn(seed)
        known[place] = replace(known[place], seconds=factor * known[place].seconds)
        found = learn(known, NUMBERS)
        assert found.values == pytest.approx(TRUE, rel=0.03)
        # It alone is told wrong while it is held out.
        assert found.errors[place] == pytest.approx(1 / factor - 1, rel=0.05)
        assert found.within(0.9) < 0.02
        assert found.within(1.0) == pytest.approx(max(factor, 1 / factor) - 1, rel=0.05)


def test_what_is_known_already_is_not_explained_again() -> None:
    known = [replace(each, known=0.25 * each.seconds) for each in drawn(0)]
    more = [replace(each, known=each.seconds, seconds=2 * each.seconds) for each in drawn(0)]
    assert learn(known, NUMBERS).values == pytest.approx([0.75 * value for value in TRUE], rel=1e-9)
    assert learn(more, NUMBERS).values == pytest.approx(TRUE, rel=1e-9)
    # Where others explain all of it, and more, nothing is left.
    over = [replace(each, known=1.5 * each.seconds) for each in drawn(0)]
    assert learn(over, NUMBERS).values == (0.0,) * 5
    assert learn(over, NUMBERS).errors == pytest.approx([0.5] * 40)


def test_the_pull_decides_between_numbers_that_occur_together() -> None:
    # A launch comes with every byte: only their usual sizes say how much of the time is whose.
    reads = Number("byte", ((KIND, "read_bytes"),), 1.0)
    for usual in (0.5, 1.0, 3.0):
        launch = Number("launch", ((KIND, "calls"),), usual)
        known = [
            Observation("", {KIND: Work(KIND, read_bytes=n, calls=n)}, 8e-6 * n) for n in (1.0, 10.0, 300.0, 5000.0)
        ]
        byte, call = learn(known, [reads, launch], pull=0.1).values
        assert byte + call == pytest.approx(8e-6, rel=1e-6)
        assert call / byte == pytest.approx(usual, rel=1e-6)


def test_the_pull_does_not_move_what_the_times_tell() -> None:
    # Proportions in truth are 1 : 20 : 30 : 50 : 400,000; three to four times off they hardly matter.
    usual = (1.0, 6.0, 100.0, 15.0, 1e5)
    numbers = [replace(number, usual=size) for number, size in zip(NUMBERS, usual, strict=True)]
    for seed in range(3):
        assert learn(drawn(seed), numbers, pull=0.02).values == pytest.approx(TRUE, rel=0.01)


def test_held_out_errors_stand_in_the_order_of_the_observations() -> None:
    # Eleven alike and one that takes twice as long, which is predicted at half of its time wherever it stands.
    for place in (0, 5, 11):
        known = [Observation("", {"linear": Work("linear", 1000)}, 1.0) for _ in range(12)]
        known[place] = replace(known[place], seconds=2.0)
        errors = learn(known, [PRODUCT]).errors
        assert errors[place] == pytest.approx(-0.5, abs=0.02)
        assert max(abs(error) for i, error in enumerate(errors) if i != place) < 0.02


def test_an_error_is_as_large_to_either_side() -> None:
    # Twice as long and half as long are equally far off.
    assert Learned((), (1.0,)).within(0.5) == pytest.approx(1.0)
    assert Learned((), (-0.5,)).within(0.5) == pytest.approx(1.0)
    assert Learned((), (0.0, 0.1, -0.5)).within(0.5) == pytest.approx(0.1)


def test_one_observation_has_nothing_to_be_held_out_from() -> None:
    found = learn([Observation("", {"linear": Work("linear", 1000)}, 1.0)], [PRODUCT])
    assert found == Learned((pytest.approx(1e-3),), (0.0,))  # type: ignore[arg-type]


def test_laws_are_put_together_from_their_numbers() -> None:
    numbers = [PRODUCT, LAUNCH, Number("more", (("linear", "calls"), ("softmax", "write_bytes")))]
    assert laws_of(numbers, (1.0, 2.0, 4.0)) == {
        "linear": Law(operation_seconds=1.0, launch_seconds=6.0),
        "matmul": Law(operation_seconds=1.0, launch_seconds=2.0),
        "softmax": Law(write_seconds=4.0),
    }
    with pytest.raises(ValueError, match="zip"):
        laws_of(numbers, (1.0,))


@pytest.mark.parametrize("seconds", [[], [0.0], [1.0, -1.0]])
def test_nothing_is_learned_from_what_took_no_time(seconds: list[float]) -> None:
    known = [Observation("", {"linear": Work("linear", 1000)}, each) for each in seconds]
    with pytest.raises(ValueError, match="observations that took time"):
        learn(known, [PRODUCT])
