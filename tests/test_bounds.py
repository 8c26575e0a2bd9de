"""The least memory access: no widths and no groups have less, and a graph's products are what the counter says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import mac_profiler
from mac_profiler.bounds import Bound, Product, bound, product_of
from mac_profiler.graph import Graph, Op, Value
from tests.building import Net

positions = st.integers(1, 3000)
widths = st.integers(1, 60)
areas = st.sampled_from((1, 3, 9, 25))


def divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def grouped(n: int, m: int, a: int, b: int, area: int, groups: int) -> Product:
    return Product(n, m, a * groups, b * groups, area, groups)


@given(positions, positions, widths, widths, areas, st.integers(1, 8), st.booleans())
def test_no_widths_of_the_same_products_have_less(
    n: int, m: int, a: int, b: int, area: int, groups: int, transposed: bool
) -> None:
    given_one = Product(n, m, a * groups, b * groups, area, groups, transposed)
    # Channels a group: any two numbers of the same product.
    rivals = [Product(n, m, d * groups, a * b // d * groups, area, groups, transposed) for d in divisors(a * b)]
    assert {rival.mult_adds for rival in rivals} == {given_one.mult_adds}
    assert {rival.least_accesses for rival in rivals} == {given_one.least_accesses}
    assert all(rival.accesses >= given_one.least_accesses for rival in rivals)
    # Widths that are no whole numbers, in sixteenths, do no better either: the bound is not of whole numbers alone.
    for sixteenths in range(1, 16 * 4):
        wide = given_one.channels_in * sixteenths / 16
        narrow = given_one.channels_in * given_one.channels_out / wide
        assert n * wide + m * narrow + given_one.weights > given_one.least_accesses - 1


@given(positions, positions, st.integers(1, 40), areas)
def test_no_groups_have_less_than_one(n: int, m: int, width: int, area: int) -> None:
    # All widths and groups that have as many weights, and so as many multiply-adds, as width x width in one group.
    rivals = [
        Product(n, m, groups * a, groups * (width**2 // groups // a), area, groups)
        for groups in divisors(width**2)
        for a in divisors(width**2 // groups)
    ]
    assert {rival.mult_adds for rival in rivals} == {area * width**2 * m}
    (least,) = {rival.least_ungrouped for rival in rivals}
    assert all(rival.accesses >= rival.least_accesses >= least for rival in rivals)
    assert min(rival.accesses for rival in rivals if rival.groups > 1 or width == 1) > least - (width == 1)


@given(widths, widths, widths, areas, st.integers(1, 8))
def test_it_is_attained_where_both_maps_are_equal(n: int, m: int, a: int, area: int, groups: int) -> None:
    # n positions of a m channels, and m positions of a n channels: as many elements in as out.
    product = grouped(n, m, a * m, a * n, area, groups)
    assert product.accesses == product.least_accesses
    lopsided = grouped(n, m, 2 * a * m, 2 * a * n * 3, area, groups)
    assert lopsided.accesses > lopsided.least_accesses


@given(st.integers(1, 60), st.integers(1, 60))
def test_it_is_the_papers_bound(side: int, channels: int) -> None:
    # Equation 1, where its root is a whole number: hw B = (hw)^2 c c.
    product = Product(side**2, side**2, channels, channels)
    assert product.mult_adds == side**2 * channels**2
    root = side**2 * channels
    assert product.least_accesses == product.least_ungrouped == 2 * root + product.mult_adds // side**2


def test_it_is_rounded_up_to_whole_accesses() -> None:
    # 2 sqrt(1 x 1 x 2 x 3) + 6 = 10.9
    assert Product(1, 1, 2, 3).least_accesses == 11
    assert Product(1, 1, 2, 3).accesses == 11
    # 2 sqrt(6 / 1 x 100) + 600 = 648.98...
    assert Product(1, 1, 20, 30).least_accesses == 649
    assert Product(0, 0, 4, 4).least_accesses == 16


x = torch.empty(2, 12, 9, 7, device="meta")
MODULES: dict[str, tuple[nn.Module, Tensor]] = {
    "1x1": (nn.Conv2d(12, 20, 1, bias=False), x),
    "strided": (nn.Conv2d(12, 20, 3, stride=2, padding=1, bias=False), x),
    "dilated": (nn.Conv2d(12, 20, (3, 2), dilation=2, bias=False), x),
    "grouped": (nn.Conv2d(12, 20, 3, groups=4, bias=False), x),
    "depthwise": (nn.Conv2d(12, 24, 3, groups=12, bias=False), x),
    "transposed": (nn.ConvTranspose2d(12, 20, 3, stride=2, bias=False), x),
    "transposed, grouped": (nn.ConvTranspose2d(12, 20, 2, stride=2, groups=2, bias=False), x),
    "one image": (nn.Conv2d(12, 20, 3, bias=False), x[0]),
    "1d": (nn.Conv1d(12, 20, 3, bias=False), x[:, :, 0]),
    "3d": (nn.Conv3d(2, 20, 3, bias=False), x[None]),
    "linear": (nn.Linear(7, 30, bias=False), x),
    "linear of a vector": (nn.Linear(7, 30, bias=False), x[0, 0, 0]),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_layer_is_what_the_counter_says(name: str) -> None:
    module, inputs = MODULES[name]
    agrees(mac_profiler.analyze(module.to("meta"), inputs))


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (torch.mm, [(5, 6), (6, 7)]),
        (torch.bmm, [(3, 5, 6), (3, 6, 7)]),
        (torch.matmul, [(2, 3, 5, 6), (2, 3, 6, 7)]),
    ],
)
def test_a_product_is_what_the_counter_says(function: Callable[..., Tensor], shapes: list[tuple[int, ...]]) -> None:
    tensors = [torch.empty(shape, device="meta") for shape in shapes]
    agrees(mac_profiler.analyze(Net(lambda _, *given: function(*given)), *tensors))


def agrees(profile: Any) -> None:
    assert bound(profile.graph).mult_adds == profile.total.mult_adds > 0
    assert bound(profile.graph).accesses == profile.total.accesses


@pytest.mark.parametrize("function", [torch.addmm, torch.baddbmm])
def test_what_is_added_to_a_product_is_left_out(function: Callable[..., Tensor]) -> None:
    batch = [] if function is torch.addmm else [3]
    added, left, right = (torch.empty(*batch, *shape, device="meta") for shape in ((5, 7), (5, 6), (6, 7)))
    profile = mac_profiler.analyze(Net(lambda _, *given: function(*given)), added, left, right)
    assert bound(profile.graph).mult_adds == profile.total.mult_adds
    assert bound(profile.graph).accesses == profile.total.accesses - added.numel()


def test_the_positions_of_a_product_are_those_of_the_maps() -> None:
    # A weight times maps: [20, 6] x [6, 9] has 9 positions, not 20.
    weight, maps = Value((20, 6), role="weight"), Value((6, 9))
    swapped = product_of(Op("aten.mm", "", "", {"self": weight, "mat2": maps}, (Value((20, 9)),)))
    assert swapped == Product(9, 9, 6, 20)
    straight = product_of(Op("aten.mm", "", "", {"self": Value((9, 6)), "mat2": Value((6, 20))}, (Value((9, 20)),)))
    assert straight == swapped


def test_a_graph_is_the_sum_of_its_products() -> None:
    net = nn.Sequential(nn.Conv2d(12, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 12, 1, bias=False)).eval()
    profile = mac_profiler.analyze(net.to("meta"), x)
    n = 2 * 9 * 7
    one = Product(n, n, 12, 4)
    assert bound(profile.graph) == Bound(2 * n * 48, 2 * one.accesses, 2 * one.least_accesses, 2 * one.least_ungrouped)
    assert bound(profile.graph).accesses < profile.total.accesses
    assert bound(Graph("nothing", ())) == Bound()
