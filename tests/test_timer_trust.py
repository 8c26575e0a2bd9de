"""What the report on trust derives from outcomes; measuring itself is left to the smoke run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from experiments import timer_trust
from experiments.reporting.options import Options
from experiments.trust import nets
from experiments.trust.derived import rate, share, verdicts
from experiments.trust.outcome import Outcome, direction

Pairs = list[dict[str, Any]]


def pairs(percent: int, said: dict[str, list[str]], ratio: float = 1.03) -> Pairs:
    """A pair for each verdict; rules of the same number of verdicts side by side."""
    return [
        {
            "percent": percent,
            "outcomes": {
                rule: asdict(Outcome(ratio, {rule: verdict}, 10, 1.0)) for rule, verdict in zip(said, each, strict=True)
            },
        }
        for each in zip(*said.values(), strict=True)
    ]


def results(own_false: int, own_found: int, their_false: int, their_found: int) -> dict[str, Any]:
    """Of 20 pairs each."""

    def verdict(hits: int, word: str) -> list[str]:
        return [word] * hits + ["ambiguous"] * (20 - hits)

    same = {"macprof": verdict(own_false, "faster"), "other": verdict(their_false, "slower")}
    planted = {"macprof": verdict(own_found, "slower"), "other": verdict(their_found, "slower")}
    return {
        "rules": ["macprof", "other"],
        "pairs": pairs(0, same, 1.0) + pairs(3, planted),
        "reference": [{"percent": 3, "ratio": 1.029}],
    }


def test_a_rate_counts_directions_apart() -> None:
    said = ["slower"] * 6 + ["faster"] + ["same"] + ["ambiguous"] * 2
    found = rate("macprof", 3, pairs(3, {"macprof": said}), true=1.029)
    assert (found.different.value, found.found.value, found.reversed) == (0.7, 0.6, 0.1)
    assert found.error == pytest.approx(0.001)
    assert (found.samples, found.seconds) == (10, 1.0)


def test_wilsons_interval() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 15 of 148 and 0 of 20.
    found = share(15, 148)
    assert (found.low, found.high) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    none = share(0, 20)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert share(20, 20).high == 1.0


@pytest.mark.parametrize(
    ("counts", "met"),
    [
        ((1, 20, 2, 20), ["met", "met", "met"]),
        ((1, 20, 1, 19), ["met", "met", "met"]),
        # As good as the other is not better; and better at one does not make up for the other.
        ((1, 20, 1, 20), ["met", "met", "not met"]),
        ((1, 19, 2, 20), ["met", "met", "not met"]),
        ((2, 18, 3, 17), ["not met", "not met", "met"]),
    ],
)
def test_what_was_expected_is_judged(counts: tuple[int, int, int, int], met: list[str]) -> None:
    assert [verdict for _, _, verdict in verdicts(results(*counts))] == met


def test_a_rule_that_knows_two_answers() -> None:
    assert direction(1.5, different=False) == "not different"
    assert (direction(1.5, different=True), direction(0.5, different=True)) == ("slower", "faster")


def test_planted_nets_repeat_more_of_the_same_work() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    flops = {}
    for case in nets.pair(3, "a pair", planted_first=True):
        assert case.build is not None
        module, inputs = case.build()
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            module(*inputs)
        flops[case.name] = counter.get_total_flops()
    assert [*flops] == ["planted", "plain"]
    assert flops["planted"] * nets.REPETITIONS == flops["plain"] * (nets.REPETITIONS + 3)


class Told:
    """A harness that says what it is told to, and dies when it has said it so often."""

    NAME, RULES = "told", ("told",)

    def __init__(self, lasts: int) -> None:
        self.lasts, self.asked = lasts, 0

    def judge(self, cases: object, seconds: float, seed: int) -> Outcome:
        if self.asked == self.lasts:
            raise KeyboardInterrupt
        self.asked += 1
        return Outcome(1.0 + seed / 100, {"told": "same"}, 1, seconds)


def test_what_was_measured_before_a_kill_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options, kept = Options(tmp_path / "report", smoke=True, seed=0), tmp_path / "report" / "pairs.jsonl"

    def judge(lasts: int, seconds: float = 1.0) -> tuple[Pairs, int]:
        harness = Told(lasts)
        monkeypatch.setattr(timer_trust, "HARNESSES", (harness,))
        return list(timer_trust.judge_pairs(options, seconds, kept)), harness.asked

    whole, asked = judge(99)
    assert asked == len(whole) == 6
    kept.unlink()
    with pytest.raises(KeyboardInterrupt):
        judge(4)
    # Killed in the middle of a line.
    kept.write_text(kept.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    assert judge(99) == (whole, 3)
    # Other settings are another run.
    assert judge(99, seconds=2.0)[1] == 6
    assert json.loads(kept.read_text(encoding="utf-8").splitlines()[0])["seconds"] == 2.0
