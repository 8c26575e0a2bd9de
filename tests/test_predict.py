"""Predicted seconds: by hand for a hand-made model, and the laws that they keep to on any machine."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mac_profiler import models
from mac_profiler.api.analysis import profile_of
from mac_profiler.cost import Cost
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Module, Op, Value
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.platform import Bandwidth, Law
from mac_profiler.predict import Parts, predict, seconds_of
from mac_profiler.profile import Profile
from mac_profiler.work import Work, tally, tasks
from tests.machines import ANY_LAW, ANY_LAWS, BANDWIDTHS, LAWS, machine, of_zoo

ZOO = ("shufflenet_v2_x0_5", "shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "resnet18")
# Whole numbers that powers of two scale, so that the seconds by hand are the same to the last bit.
CONV = Law(2.0, 4.0, 8.0, 16.0, 1024.0)
RELU = Law(0.5, 0.25, 0.125, 0.0, 512.0)


@cache
def by_hand() -> Profile:
    """Two modules: a convolution and a ReLU in one, a view and a ReLU in the other; and something unknown."""
    x, y, z, w = (Value((1, 2, 4, 4)) for _ in range(4))
    view = Value((1, 2, 16), base=z)
    weight = Value((2, 2, 1, 1), role="weight")
    ops = (
        Op("aten.convolution", "stem.conv", "", {"input": x, "weight": weight}, (y,)),
        Op("aten.relu", "stem", "", {"self": y}, (z,)),
        Op("aten.view", "head", "", {"self": z}, (view,), view=True),
        Op("aten.relu", "head", "", {"self": view}, (w,)),
        Op("mylib.unknown", "head", "", {"self": w}, (Value((1,)),)),
    )
    costs = (
        Cost(64, 128, 4, 32, 32, 4 * 68), Cost(0, 32, 0, 32, 32, 4 * 64), Cost(), Cost(0, 32, 0, 32, 32, 4 * 64), None,
    )  # fmt: skip
    modules = {path: Module(path, "Module", 0) for path in ("", "stem", "stem.conv", "head")}
    return Profile(Graph("net", ops, modules, (x,), (w,)), costs)


PLATFORM = machine({"pointwise_conv": CONV, "elementwise": RELU}, error=0.25)
# 64 multiply-adds, 32 elements in, 32 out, 4 of weights; 32 FLOPs, 32 elements in and out.
OF_CONV = Parts(64 * 2.0, 128 * 4.0 + 128 * 8.0 + 16 * 16.0, 1024.0)
OF_RELU = Parts(32 * 0.5, 128 * 0.25 + 128 * 0.125, 512.0)


def added(one: Parts, *others: Parts) -> Parts:
    for other in others:
        one = one + other
    return one


# -------------------------------------------------------------------------------------------------------------- by hand


def test_every_operator_takes_what_its_law_says() -> None:
    found = predict(by_hand(), PLATFORM)
    assert [each.task.ops for each in found.tasks] == [(0,), (1,), (3,)]
    assert [each.seconds for each in found.tasks] == [OF_CONV, OF_RELU, OF_RELU]
    assert [each.seconds.bound for each in found.tasks] == ["memory", "launch", "launch"]
    whole = added(OF_CONV, OF_RELU, OF_RELU)
    assert found.total == whole
    assert found.interval == (whole.total / 1.25, whole.total * 1.25)
    assert found.by_kind() == {"pointwise_conv": OF_CONV, "elementwise": added(OF_RELU, OF_RELU)}
    assert list(found.by_kind()) == ["pointwise_conv", "elementwise"]


def test_modules_hold_what_their_children_take() -> None:
    found = predict(by_hand(), PLATFORM)
    stem = added(OF_CONV, OF_RELU)
    everything = {"": added(stem, OF_RELU), "stem": stem, "stem.conv": OF_CONV, "head": OF_RELU}
    assert found.by_module() == everything
    assert found.by_module(1) == {path: parts for path, parts in everything.items() if path != "stem.conv"}
    assert found.by_module(0) == {"": found.total}


def test_the_ideal_is_the_multiply_adds_at_the_best_rate() -> None:
    # Grouped convolutions and the laws that are nothing do not say what a machine could do at best.
    laws = {"pointwise_conv": CONV, "elementwise": RELU, "linear": Law(), "matmul": Law(1.5), "grouped_conv": Law(0.1)}
    assert predict(by_hand(), machine(laws)).ideal == 64 * 1.5
    assert predict(by_hand(), machine({"other": RELU})).ideal == 0.0


def test_fused_it_is_one_kernel() -> None:
    found = predict(by_hand(), machine({"pointwise_conv": CONV, "elementwise": RELU}, fused=True))
    # The convolution's kernel ends with both ReLUs: maps in, maps out, a weight, one launch.
    assert [each.task.ops for each in found.tasks] == [(0, 1, 3)]
    assert found.total == OF_CONV


def test_maps_that_no_cache_holds_take_longer_and_weights_do_not() -> None:
    curve = (Bandwidth(64, 8.0, 8.0, 8.0), Bandwidth(256, 2.0, 2.0, 2.0))
    found = predict(by_hand(), machine({"pointwise_conv": CONV, "elementwise": RELU}, bandwidths=curve))
    # 256 bytes of maps: four times as long.
    assert found.tasks[0].seconds == Parts(OF_CONV.compute, 4 * (128 * 12.0) + 16 * 16.0, 1024.0)
    assert found.tasks[1].seconds.memory == 4 * OF_RELU.memory


def test_parts_name_the_largest() -> None:
    assert [Parts(3, 2, 1).bound, Parts(1, 3, 2).bound, Parts(1, 2, 3).bound] == ["compute", "memory", "launch"]
    assert Parts(1, 2, 4).total == 7


def test_a_kind_that_the_machine_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="tells nothing of elementwise"):
        predict(by_hand(), machine({"pointwise_conv": CONV}))


def test_nothing_takes_nothing() -> None:
    empty = predict(Profile(Graph("empty", ()), ()), machine())
    assert (empty.tasks, empty.total, empty.by_kind(), empty.by_module()) == ((), Parts(), {}, {})
    assert (empty.ideal, empty.interval) == (0.0, (0.0, 0.0))


# ----------------------------------------------------------------------------------------------------------------- laws


@settings(max_examples=20)
@given(ANY_LAWS, st.sampled_from(ZOO), st.booleans(), st.booleans())
def test_parts_kinds_and_modules_add_up(laws: dict[str, Law], name: str, fused: bool, curved: bool) -> None:
    found = predict(of_zoo(name), machine(laws, fused=fused, bandwidths=BANDWIDTHS if curved else ()))
    total = found.total
    for part in ("compute", "memory", "launch", "total"):
        whole = pytest.approx(getattr(total, part), rel=1e-9, abs=1e-30)
        assert sum(getattr(each.seconds, part) for each in found.tasks) == whole
        assert sum(getattr(parts, part) for parts in found.by_kind().values()) == whole
        assert getattr(found.by_module()[""], part) == whole
    assert total.compute + total.memory + total.launch == pytest.approx(total.total, rel=1e-9)
    ranked = [parts.total for parts in found.by_kind().values()]
    assert ranked == sorted(ranked, reverse=True)
    assert found.interval[0] <= total.total <= found.interval[1]


@settings(max_examples=20)
@given(ANY_LAWS, st.sampled_from(ZOO), st.floats(1e-3, 1e3))
def test_a_machine_twice_as_slow_takes_twice_as_long(laws: dict[str, Law], name: str, factor: float) -> None:
    slower = {kind: Law(*(factor * value for value in asdict(law).values())) for kind, law in laws.items()}
    one, other = predict(of_zoo(name), machine(laws)), predict(of_zoo(name), machine(slower))
    assert other.total.total == pytest.approx(factor * one.total.total, rel=1e-9)


@settings(max_examples=20)
@given(ANY_LAW, st.sampled_from(ZOO))
def test_fused_is_never_slower_where_all_kinds_run_alike(law: Law, name: str) -> None:
    # Where they do not, an element-wise operator may have the slower bytes of the convolution that it runs with.
    laws = dict.fromkeys(KINDS, law)
    eager, fused = (predict(of_zoo(name), machine(laws, fused=fused)).total for fused in (False, True))
    for part in ("compute", "memory", "launch"):
        assert getattr(fused, part) <= getattr(eager, part) * (1 + 1e-9)


@pytest.mark.parametrize("name", ZOO)
def test_two_images_double_operations_and_maps_but_neither_weights_nor_launches(name: str) -> None:
    profiles = of_zoo(name), profile_of(models.find(name, inputs=("2x3x224x224",)))
    one, two = (tally(task.work for task in tasks(profile)) for profile in profiles)
    assert list(one) == list(two)
    for kind, work in one.items():
        found = two[kind]
        assert (found.operations, found.calls) == (2 * work.operations, work.calls)
        # Bytes are dealt out among reads, writes and weights by elements, which rounds.
        assert found.read_bytes == pytest.approx(2 * work.read_bytes, rel=1e-12)
        assert found.write_bytes == pytest.approx(2 * work.write_bytes, rel=1e-12)
        assert found.weight_bytes == pytest.approx(work.weight_bytes, rel=1e-12)
    alone, both = (predict(profile, machine()).total for profile in profiles)
    assert both.compute == pytest.approx(2 * alone.compute)
    assert both.launch == pytest.approx(alone.launch)
    assert alone.memory < both.memory < 2 * alone.memory


@given(st.sampled_from(list(KINDS)), *(st.integers(0, 10**9) for _ in range(4)))
def test_work_is_told_by_its_own_law(kind: str, operations: int, read: int, write: int, weight: int) -> None:
    law = LAWS[kind]
    found = seconds_of(Work(kind, operations, read, write, weight, 3.0), machine())
    assert found.compute == operations * law.operation_seconds
    assert found.memory == read * law.read_seconds + write * law.write_seconds + weight * law.weight_seconds
    assert found.launch == 3.0 * law.launch_seconds
    assert (kind in PRODUCTS) == (kind in list(KINDS)[: len(PRODUCTS)])


def test_predicting_calls_nothing_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = of_zoo("resnet50")
    # Whoever imports it now fails.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.setitem(sys.modules, name, None)
    found = predict(profile, machine(fused=True))
    assert found.total.total > 0
    assert found.by_kind().keys() <= set(KINDS)
