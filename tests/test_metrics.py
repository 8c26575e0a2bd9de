"""The guidelines' numbers by closed forms: excess of widths and of groups, intensity, launches, element-wise share."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mac_profiler.blocks import all_blocks, find_blocks
from mac_profiler.bounds import Product
from mac_profiler.cost import Cost
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.metrics import Metrics, excess, excess_of_groups, measure_ops, of_block, of_model
from mac_profiler.profile import Profile
from tests.machines import counted, of_zoo

widths = st.integers(1, 600)
AREA = 10**6


@given(st.integers(1, 10_000), widths, widths)
def test_the_excess_of_a_pointwise_convolution(area: int, c1: int, c2: int) -> None:
    # Eq. 1 of ShuffleNet V2, and its least: hw (c1 + c2) + c1 c2 over 2 hw sqrt(c1 c2) + c1 c2.
    expected = (area * (c1 + c2) + c1 * c2) / (2 * area * sqrt(c1 * c2) + c1 * c2)
    product = Product(area, area, c1, c2)
    # The least is a whole number, rounded up.
    assert excess(product) == pytest.approx(expected, rel=1 / product.least_accesses)
    assert excess_of_groups(product) == excess(product)
    assert excess(Product(area, area, c1, c1)) == 1


@pytest.mark.parametrize("ratio", [1, 2, 3, 6, 12])
def test_where_weights_are_few_the_excess_is_that_of_the_ratio_alone(ratio: int) -> None:
    assert excess(Product(AREA, AREA, 8, 8 * ratio)) == pytest.approx((1 + ratio) / (2 * sqrt(ratio)), rel=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("kernel_area", [1, 9])
def test_where_weights_are_few_groups_cost_their_root(groups: int, kernel_area: int) -> None:
    product = Product(AREA, AREA, 64, 64, kernel_area, groups)
    assert excess(product) == 1
    # At equal multiply-adds g groups have sqrt(g) times the channels.
    assert excess_of_groups(product) == pytest.approx(sqrt(groups), rel=1e-3 * kernel_area)


@given(st.integers(1, 2000), st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_groups_have_no_less_than_a_dense_one_and_more_maps_never_less(n: int, a: int, b: int, groups: int) -> None:
    product = Product(n, n, a * groups, b * groups, 9, groups)
    assert excess_of_groups(product) >= excess(product) >= 1
    larger = Product(4 * n, 4 * n, a * groups, b * groups, 9, groups)
    # The share of weights shrinks; roots are rounded up.
    assert excess(larger) >= excess(product) - 2 / product.least_accesses


def test_of_nothing_the_excess_is_not_told() -> None:
    assert excess(Product(0, 0, 1, 1)) == 1
    assert excess(Product(0, 0, 0, 0)) == 0
    empty = measure_ops(Profile(Graph("empty", ()), ()))
    assert empty == Metrics(0, 0, 0, 0, None, None, None)
    assert of_model(Profile(Graph("empty", ()), ()))["excess"] is None


def by_hand() -> Profile:
    """Convolution, batch-norm, a view, depthwise convolution, pooling, something uncounted."""
    made = [Value((1, 4, 8, 8)) for _ in range(6)]
    x, weight, depthwise = Value((1, 4, 8, 8), role="input"), Value((4, 4, 1, 1), role="weight"), Value((4, 1, 3, 3))
    ops = (
        Op("aten.convolution", "a", "", {"input": x, "weight": weight}, (made[0],)),
        Op("aten.batch_norm", "b", "", {"input": made[0], "training": False}, (made[1],)),
        Op("aten.view", "", "", {"self": made[1]}, (made[2],), view=True),
        Op("aten.convolution", "c", "", {"input": made[2], "weight": depthwise, "groups": 4}, (made[3],)),
        Op("aten.max_pool2d", "d", "", {"self": made[3]}, (made[4],)),
        Op("mylib.unknown", "", "", {"self": made[4]}, (made[5],)),
    )
    costs = (
        Cost(4096, 8192, 16, 256, 256, 2112), Cost(0, 512, 16, 256, 256, 2112), Cost(),
        Cost(2304, 4608, 36, 256, 256, 2192), Cost(0, 576, 0, 256, 64, 1280), None,
    )  # fmt: skip
    return Profile(Graph("net", ops, {}, (x,), (made[5],)), costs)


def test_metrics_of_a_net_by_hand() -> None:
    found = measure_ops(by_hand())
    accesses = 528 + 528 + 548 + 320
    assert found == Metrics(
        mult_adds=6400,
        accesses=accesses,
        op_count=4,
        fragments=3,
        # Batch-norm and depthwise convolution.
        elementwise_share=(528 + 548) / accesses,
        intensity=(8192 + 512 + 4608 + 576) / (2112 + 2112 + 2192 + 1280),
        launch_density=4 / 6400 * 1e6,
    )
    assert measure_ops(by_hand(), [1]) == Metrics(0, 528, 1, 0, 1.0, 512 / 2112, None)
    assert measure_ops(by_hand(), [2, 5]) == Metrics(0, 0, 0, 0, None, None, None)


@given(st.integers(1, 32), st.integers(1, 32), st.integers(1, 16), st.integers(1, 4))
def test_intensity_and_launches_of_one_convolution(c1: int, c2: int, size: int, batch: int) -> None:
    profile = counted(lambda: nn.Conv2d(c1, c2, 1, bias=False), (batch, c1, size, size))
    found = measure_ops(profile)
    positions = batch * size * size
    flops = positions * c2 * (2 * c1 - 1)
    moved = 4 * (positions * (c1 + c2) + c1 * c2)
    assert found.intensity is not None
    # A multiply-add is two operations, the first of a sum may be counted as one.
    assert flops / moved <= found.intensity <= 2 * positions * c1 * c2 / moved
    assert found.launch_density == pytest.approx(1e6 / (positions * c1 * c2))
    whole = of_model(profile)
    assert whole["excess"] == pytest.approx(
        (positions * (c1 + c2) + c1 * c2) / (2 * positions * sqrt(c1 * c2) + c1 * c2), rel=1 / positions
    )


@pytest.mark.parametrize("model", ["shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "resnet18"])
def test_parts_add_up_to_the_whole_and_blocks_are_as_they_are_found(model: str) -> None:
    profile = of_zoo(model)
    whole = measure_ops(profile)
    size = len(profile.graph.ops)
    halves = measure_ops(profile, range(size // 2)), measure_ops(profile, range(size // 2, size))
    for name in ("mult_adds", "accesses", "op_count", "fragments"):
        assert getattr(whole, name) == sum(getattr(half, name) for half in halves)
    assert (whole.mult_adds, whole.accesses) == (profile.total.mult_adds, profile.total.accesses)
    for block in all_blocks(find_blocks(profile.graph, profile.costs)):
        told = of_block(profile, block)
        assert told["elementwise_share"] == pytest.approx(block.elementwise_share)
        assert (told["fragments"], told["branches"]) == (len(block.fragments), len(block.branches))
        assert (told["path"], told["parallelism"]) == (block.path, block.work / block.span)


def test_excesses_of_networks_are_in_the_papers_order() -> None:
    told = {
        name: of_model(of_zoo(name)) for name in ("shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "shufflenet_v2_x1_0")
    }
    groups = {name: each["excess_of_groups"] for name, each in told.items()}
    # Section 3: ShuffleNet V1 against G1 and G2, MobileNet V2 against G1, ShuffleNet V2 against neither.
    assert told["mobilenet_v2_x1_0"]["excess"] > told["shufflenet_v2_x1_0"]["excess"]
    assert groups["shufflenet_v1_g3_x1_0"] > groups["shufflenet_v2_x1_0"]
    for each in told.values():
        assert 1 <= each["excess"] <= each["excess_of_groups"]
