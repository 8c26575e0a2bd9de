"""What the report on the order of the papers' networks derives from comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.order.table import judge, pairs_of, share, write

REPORT = Path(__file__).resolve().parents[1] / "reports" / "published_order"


def pairs(agree: int, disagree: int, undecided: int = 0) -> dict[str, Any]:
    decided = agree + disagree
    return {
        "pairs": decided + undecided, "agree": agree, "disagree": disagree, "undecided": undecided,
        "agree_share": agree / decided if decided else None,
    }  # fmt: skip


def agreement(order: str, beside: str, within: dict[str, Any], overall: dict[str, Any]) -> dict[str, Any]:
    return {"order": order, "beside": beside, "within_levels": within, "overall": overall}


def model(name: str, **figures: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("apart", "measured_speed_up", "theoretical_speed_up"))
    return {"model": name, "reason": "", **blank, **figures}


def comparison(**besides: Any) -> dict[str, Any]:
    return {"title": "a-preset: some networks", "baseline": "", "models": [], "agreements": [], **besides}


def test_pairs_are_those_of_one_level_where_there_are_levels() -> None:
    assert pairs_of(agreement("a", "b", pairs(3, 1), pairs(9, 3)))["agree"] == 3
    assert pairs_of(agreement("a", "b", pairs(0, 0), pairs(9, 3)))["agree"] == 9


def test_a_share_is_of_decided_pairs() -> None:
    found = comparison(agreements=[agreement("measured", "ARM", pairs(3, 1, 4), pairs(8, 1))])
    assert share(found, "measured", "ARM") == (0.75, 4)
    assert share(found, "measured", "GPU") == (None, 0)
    assert share(comparison(agreements=[agreement("a", "b", pairs(0, 0, 2), pairs(0, 0, 2))]), "a", "b") == (None, 0)


@pytest.mark.parametrize(
    ("reason", "verdict"), [("biases added", "met"), ("", "not met"), ("no reason is known", "not met")]
)
def test_a_complexity_that_is_apart_owes_a_reason(reason: str, verdict: str) -> None:
    found = comparison(
        models=[model("near", apart=0.019), model("far", apart=-0.021, reason=reason), model("unprinted")]
    )
    ((expected, said, judged),) = judge(found)
    assert "within 2%" in expected
    assert said.startswith("1 of 2 within")
    assert judged == verdict
    assert ("without: far" in said) == (verdict == "not met")


@pytest.mark.parametrize(("ours", "verdict"), [(pairs(8, 2), "met"), (pairs(6, 4), "not met")])
def test_our_order_is_held_against_that_of_multiply_adds(ours: dict[str, Any], verdict: str) -> None:
    none = pairs(0, 0)
    orders = [agreement("measured", "ARM", ours, none), agreement("ARM", "multiply-adds", pairs(7, 3), none)]
    assert [row[2] for row in judge(comparison(agreements=orders))] == [verdict]
    # Beside a baseline, networks of all complexities are compared.
    assert not list(judge(comparison(agreements=orders, baseline="alexnet")))


@pytest.mark.parametrize(("foretold", "verdict"), [(pairs(9, 1), "met"), (pairs(89, 11), "not met")])
def test_nine_pairs_in_ten_are_foretold(foretold: dict[str, Any], verdict: str) -> None:
    orders = [agreement("measured", "predicted", foretold, pairs(0, 0))]
    assert [row[2] for row in judge(comparison(agreements=orders))] == [verdict]


@pytest.mark.parametrize(("actual", "verdict"), [(4.9, "met"), (5.1, "not met")])
def test_an_actual_speed_up_is_below_the_theoretical(actual: float, verdict: str) -> None:
    models = [
        model("alexnet", measured_speed_up=1.0, theoretical_speed_up=1.0),
        model("small", measured_speed_up=actual, theoretical_speed_up=5.0),
    ]
    assert [row[2] for row in judge(comparison(models=models, baseline="alexnet"))] == [verdict]


def test_the_report_is_what_its_results_say() -> None:
    results = json.loads((REPORT / "results.json").read_text(encoding="utf-8"))
    assert (REPORT / "table.md").read_text(encoding="utf-8") == write(results).rstrip() + "\n"
    assert all((REPORT / name / "table.md").is_file() for name in results["presets"])
