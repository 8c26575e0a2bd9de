"""Formulas of a user: where they apply, and how their faults are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

import mac_profiler
from mac_profiler import Cost, MacprofError, Op, analyze, formula, traffic
from mac_profiler.cost import FORMULAS


@pytest.fixture(autouse=True)
def formulas_as_found() -> Iterator[None]:
    len(FORMULAS)  # the room is read before, so that the copy has it
    before = dict(FORMULAS._things)
    yield
    FORMULAS._things.clear()
    FORMULAS._things.update(before)


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_formula_may_be_replaced_before_the_first_analysis() -> None:
    code = """
import mac_profiler as mp, torch
@mp.formula("aten.relu", replace=True)
def relu(op): return mp.traffic(op, flops=7)
linear = mp.analyze(torch.nn.Linear(2, 2), torch.ones(1, 2))
print(mp.analyze(torch.relu, torch.ones(2)).total.flops, linear.total.mult_adds)
"""
    assert in_a_new_process(code) == "7 4"


def test_a_name_that_the_room_has_is_refused_at_once() -> None:
    code = """
import mac_profiler as mp
try: mp.formula("aten.relu")(lambda op: mp.Cost())
except mp.MacprofError as error: print(error)
"""
    assert "'aten.relu' is registered already" in in_a_new_process(code)


def test_a_composite_that_was_followed_is_kept_whole_once_it_has_a_formula() -> None:
    a = torch.zeros(3, 4, 5)

    def multiply(x: torch.Tensor) -> torch.Tensor:
        return torch.matmul(x, x.transpose(1, 2))

    assert "aten.matmul" not in {op.target for op in analyze(multiply, a).graph.ops}
    formula("aten.matmul")(lambda op: traffic(op, mult_adds=1))
    profile = analyze(multiply, a)
    assert "aten.matmul" in {op.target for op in profile.graph.ops}
    assert profile.total.mult_adds == 1


def test_a_formula_that_raises_is_named() -> None:
    @formula("aten.relu", replace=True)
    def wrong(op: Op) -> Cost:
        return traffic(op, flops=op.args["nope"])

    with pytest.raises(MacprofError, match=r"the formula of 'aten.relu' raised KeyError: 'nope'"):
        analyze(torch.relu, torch.ones(11))


def test_a_formula_that_returns_no_cost_is_named() -> None:
    formula("aten.relu", replace=True)(lambda op: 3)  # type: ignore[type-var]
    with pytest.raises(MacprofError, match=r"the formula of 'aten.relu' returned int, not a mac_profiler.Cost"):
        analyze(torch.relu, torch.ones(12))


def test_what_numpy_computes_is_said_to_be_uncounted() -> None:
    profile = analyze(lambda x: torch.from_numpy(x.numpy() * 2) @ x, torch.ones(4, 4))
    assert any("numpy" in note for note in profile.graph.notes)


def test_a_profile_and_a_graph_are_shown_in_a_line() -> None:
    profile = mac_profiler.analyze("shufflenet_v2")
    assert repr(profile) == f"Profile(shufflenet_v2, ops={profile.op_count}, mult_adds={profile.total.mult_adds})"
    assert len(repr(profile.graph)) < 100


def test_parameters_that_the_model_does_not_hold_are_differentiated() -> None:
    profile = analyze(lambda x: torch.nn.Linear(2, 2)(x), torch.ones(3, 2), backward=True)
    backward = [cost for op, cost in zip(profile.graph.ops, profile.costs, strict=True) if op.phase == "backward"]
    assert sum(cost.mult_adds for cost in backward if cost) == 3 * 2 * 2


def test_a_forward_that_leaves_the_process_is_a_failure() -> None:
    with pytest.raises(MacprofError, match=r"called sys.exit\(0\)"):
        analyze(lambda x: sys.exit(0), torch.ones(1))
