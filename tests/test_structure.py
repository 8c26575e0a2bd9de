"""How operators hang together: chains of products and bottlenecks, on little nets whose answers anyone can see."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler.bounds import Product, product_of
from mac_profiler.profile import Profile
from mac_profiler.structure.bottlenecks import Bottleneck, find_bottlenecks
from mac_profiler.structure.chains import Chains, find_chains, positions
from mac_profiler.structure.equal_widths import equal_accesses
from mac_profiler.structure.regions import common_path, connected
from tests.building import Net
from tests.machines import counted, of_zoo

MAPS = (1, 8, 16, 16)


def chains_of(build: Callable[[], nn.Module], *shapes: tuple[int, ...]) -> tuple[Profile, Chains]:
    profile = counted(lambda: build().eval(), *(shapes or (MAPS,)))
    return profile, find_chains(profile)


def named(profile: Profile, chains: Chains) -> set[tuple[str, str]]:
    """Links by the modules of their products."""
    ops = profile.graph.ops
    return {(ops[link.first].path, ops[link.second].path) for link in chains.links}


def net_of(run: Callable[..., Any], **held: nn.Module) -> Callable[[], nn.Module]:
    return lambda: Net(run, **held)


def convolution(channels_in: int = 8, channels_out: int = 8, kernel: int = 1, **given: Any) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, **given)


# --------------------------------------------------------------------------------------------------------------- chains

THROUGH: dict[str, Callable[..., Tensor]] = {
    "nothing": lambda net, x: x,
    "batch-norm": lambda net, x: F.batch_norm(x, torch.zeros(8), torch.ones(8)),
    "ReLU": lambda net, x: torch.relu(x),
    "ReLU in place": lambda net, x: torch.relu_(x),
    "GELU": lambda net, x: F.gelu(x),
    "max-pooling": lambda net, x: F.max_pool2d(x, 2),
    "average-pooling": lambda net, x: F.avg_pool2d(x, 3, 2, 1),
    "global pooling": lambda net, x: F.adaptive_avg_pool2d(x, 1),
    "dropout": lambda net, x: F.dropout(x, training=True),
    "group-norm": lambda net, x: F.group_norm(x, 2),
    "depthwise convolution": lambda net, x: net.spatial(x),
    "factor a channel": lambda net, x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "squeeze and excitation": lambda net, x: x * torch.sigmoid(net.up(torch.relu(net.down(x.mean((2, 3), True))))),
    "swish by hand": lambda net, x: x * torch.sigmoid(x),
    "hard swish by hand": lambda net, x: x * F.relu6(x + 3) / 6,
    "views": lambda net, x: x.flatten(2).unflatten(2, (16, 16)),
    "transposition and back": lambda net, x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    "copy": lambda net, x: x.clone(),
    "padding": lambda net, x: F.pad(x, (1, 1, 1, 1)),
    "channel shuffle": lambda net, x: x.view(1, 2, 4, 16, 16).transpose(1, 2).reshape(1, 8, 16, 16),
    "upsampling": lambda net, x: F.interpolate(x, scale_factor=2),
}
NOT_THROUGH: dict[str, Callable[..., Tensor]] = {
    "addition of a shortcut": lambda net, x: net.spatial(x) + net.other(x),
    "concatenation": lambda net, x: torch.cat([x[:, :4], torch.relu(x[:, 4:])], 1),
    "concatenation of one map's halves": lambda net, x: torch.cat([x[:, 4:], x[:, :4]], 1),
    "concatenation with a weight": lambda net, x: torch.cat([x, net.row], 2),
    "product of two maps": lambda net, x: x * net.other(x),
    "matrix product": lambda net, x: (x.flatten(2) @ x.flatten(2).transpose(1, 2) @ x.flatten(2)).view(x.shape),
}


def between(function: Callable[..., Tensor]) -> Callable[[], nn.Module]:
    def run(net: Any, x: Tensor) -> Tensor:
        return net.second(function(net, net.first(x)))

    return lambda: Net(
        run,
        first=convolution(),
        second=convolution(),
        spatial=convolution(kernel=3, groups=8),
        other=convolution(),
        down=convolution(8, 2),
        up=convolution(2, 8),
        row=nn.Parameter(torch.zeros(1, 8, 1, 16)),
    )


@pytest.mark.parametrize("name", THROUGH)
def test_the_width_of_a_map_is_followed_through(name: str) -> None:
    profile, chains = chains_of(between(THROUGH[name]))
    assert ("first", "second") in named(profile, chains)
    link = next(link for link in chains.links if profile.graph.ops[link.second].path == "second")
    targets = [profile.graph.ops[i].target for i in link.between]
    assert (targets == []) == (name in ("nothing", "views"))
    assert list(link.between) == sorted(link.between)
    assert all(link.first < i < link.second for i in link.between)


@pytest.mark.parametrize("name", NOT_THROUGH)
def test_where_several_widths_meet_no_width_is_followed(name: str) -> None:
    profile, chains = chains_of(between(NOT_THROUGH[name]))
    assert ("first", "second") not in named(profile, chains)


def test_long_formulas_are_followed_in_no_time() -> None:
    def formula(net: Any, x: Tensor) -> Tensor:
        for _ in range(60):
            x = x * torch.sigmoid(x)
        return x

    profile, chains = chains_of(between(formula))
    assert named(profile, chains) == {("first", "second")}
    assert len(chains.links[0].between) == 60


def test_half_of_the_channels_is_another_width() -> None:
    def run(net: Any, x: Tensor) -> Tensor:
        kept, changed = net.first(x).chunk(2, 1)
        return net.last(torch.cat([kept, net.part(changed)], 1))

    profile, chains = chains_of(lambda: Net(run, first=convolution(), part=convolution(4, 4), last=convolution()))
    assert len(chains.products) == 3
    assert named(profile, chains) == set()


def test_linear_layers_are_products_and_weights_that_were_computed_are_not() -> None:
    def run(net: Any, x: Tensor) -> Tensor:
        made = net.maker(x.mean(0, keepdim=True)).view(8, 8)
        return net.last(F.linear(torch.relu(net.first(x)), made))

    profile, chains = chains_of(
        lambda: Net(run, first=nn.Linear(8, 8), maker=nn.Linear(8, 64), last=nn.Linear(8, 4)), (5, 8)
    )
    assert [profile.graph.ops[i].path for i in sorted(chains.products)] == ["maker", "first", "last"]
    # The product in the middle has no weight that could be chosen: nothing is followed through it.
    assert named(profile, chains) == set()


def test_a_layer_that_is_called_twice_is_two_products() -> None:
    _, chains = chains_of(lambda: Net(lambda net, x: net.shared(torch.relu(net.shared(x))), shared=convolution()))
    assert len(chains.products) == 2
    assert [(link.first, link.second) for link in chains.links] == [(0, 2)]
    assert chains.stems == {0}
    assert chains.heads == {2}


def test_stems_read_the_input_and_heads_make_the_answer() -> None:
    def run(net: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.relu(net.left(x)) + net.right(F.avg_pool2d(y, 2))
        body = net.body(both)
        return net.boxes(body), torch.softmax(net.classes(body).flatten(1), 1)

    held = {name: convolution() for name in ("left", "right", "body", "boxes", "classes")}
    profile, chains = chains_of(net_of(run, **held), MAPS, (1, 8, 32, 32))
    paths = [op.path for op in profile.graph.ops]
    assert {paths[i] for i in chains.stems} == {"left", "right"}
    assert {paths[i] for i in chains.heads} == {"boxes", "classes"}
    assert named(profile, chains) == {("body", "boxes"), ("body", "classes")}
    assert {paths[i] for i in positions(chains.links)} == {"body", "boxes", "classes"}


def test_a_depthwise_convolution_is_no_product_of_a_chain() -> None:
    profile, chains = chains_of(
        lambda: nn.Sequential(convolution(), convolution(8, 16, 3, groups=8), convolution(16, 8))
    )
    assert (sorted(chains.products), sorted(chains.depthwise)) == ([0, 2], [1])
    # A depthwise convolution with a multiplier changes the width, so that no width is handed on.
    assert chains.links == ()
    assert profile.graph.ops[1].args["groups"] == 8


# ---------------------------------------------------------------------------------------------------------- bottlenecks


def bottlenecks(build: Callable[[], nn.Module], *shapes: tuple[int, ...]) -> tuple[Bottleneck, ...]:
    profile, chains = chains_of(build, *shapes)
    return find_bottlenecks(profile.graph, chains)


def framed(*inside: nn.Module, first: int, last: int) -> nn.Sequential:
    """With layers around, whose widths are given by the image and the classes."""
    return nn.Sequential(convolution(3, first, 3), *inside, convolution(last, 10))


def positive_root(square: float, linear: float, total: float) -> float:
    """Of s w^2 + d w = B, by halving intervals."""
    low, high = 0.0, 1.0
    while square * high**2 + linear * high < total:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if square * middle**2 + linear * middle < total else (low, middle)
    return low


def test_the_bottleneck_of_resnet() -> None:
    body = convolution(256, 64), nn.ReLU(), convolution(64, 64, 3), nn.ReLU(), convolution(64, 256)
    (found,) = bottlenecks(lambda: framed(*body, first=256, last=256), (1, 3, 14, 14))
    assert (found.kind, found.widths, found.ratio) == ("thin", (256, 64, 256), 4.0)
    assert found.ops == (1, 3, 5)
    assert found.between == (1, 2, 3, 4, 5)
    area, weights = 196, 2 * 256 * 64 + 9 * 64 * 64
    assert found.accesses == 2 * area * (256 + 64) + area * 128 + weights
    assert found.equal_accesses == 2 * area * 2 * 128 + area * 128 + weights
    assert found.excess == found.accesses / found.equal_accesses
    # 11 w^2 = 2 x 256 x 64 + 9 x 64 x 64
    assert found.even_width == pytest.approx(sqrt(weights / 11))


@pytest.mark.parametrize(("groups", "size"), [(1, 28), (3, 28), (8, 14)])
def test_the_unit_of_shufflenet_v1(groups: int, size: int) -> None:
    body = convolution(240, 72, groups=groups), convolution(72, 72, 3, groups=72), convolution(72, 240, groups=groups)
    (found,) = bottlenecks(lambda: framed(*body, first=240, last=240), (1, 3, size, size))
    assert (found.kind, found.ops) == ("thin", (1, 2, 3))
    area, weights = size * size, 2 * 240 * 72 // groups
    assert found.accesses == 2 * area * (240 + 72) + weights
    assert found.even_width == pytest.approx(positive_root(2 / groups, 9, weights + 9 * 72))


@pytest.mark.parametrize(("width", "expansion", "out"), [(24, 6, 24), (16, 6, 24), (64, 4, 32), (8, 2, 8)])
def test_the_inverted_bottleneck_of_mobilenet_v2(width: int, expansion: int, out: int) -> None:
    thick = width * expansion
    body = (
        convolution(width, thick), nn.BatchNorm2d(thick), nn.ReLU6(),
        convolution(thick, thick, 3, groups=thick), nn.BatchNorm2d(thick), nn.ReLU6(), convolution(thick, out),
    )  # fmt: skip
    (found,) = bottlenecks(lambda: framed(*body, first=width, last=out), (2, 3, 28, 28))
    assert (found.kind, found.widths) == ("inverted", (width, thick, out))
    assert found.ratio == thick / max(width, out)
    assert found.ops == (1, 4, 7)
    assert found.even_width == pytest.approx(positive_root(2, 9, thick * (width + 9 + out)))


def test_a_stride_in_the_middle_is_reckoned_with() -> None:
    body = convolution(24, 144), nn.Conv2d(144, 144, 3, stride=2, padding=1, groups=144), convolution(144, 32)
    (found,) = bottlenecks(lambda: framed(*body, first=24, last=32), (1, 3, 28, 28))
    # The first works on 784 positions, the others on 196.
    assert found.even_width == pytest.approx(
        positive_root(784 + 196, 9 * 196, 784 * 24 * 144 + 196 * 9 * 144 + 196 * 144 * 32)
    )


@pytest.mark.parametrize(
    ("widths", "kind"),
    [
        ((64, 32, 64), "thin"), ((64, 33, 64), None), ((63, 32, 64), None), ((32, 64, 32), "inverted"),
        ((33, 64, 32), None), ((32, 63, 32), None), ((64, 64, 64), None), ((128, 64, 32), None), ((32, 64, 128), None),
    ],
)  # fmt: skip
def test_twice_as_thick_on_both_sides_is_a_bottleneck(widths: tuple[int, int, int], kind: str | None) -> None:
    a, m, b = widths
    found = bottlenecks(lambda: framed(convolution(a, m), nn.ReLU(), convolution(m, b), first=a, last=b), (1, 3, 8, 8))
    assert [each.kind for each in found] == ([kind] if kind else [])


def test_widths_that_image_or_classes_give_are_no_bottleneck() -> None:
    # 3 -> 64 -> 10: nobody chose the outer ones.
    assert bottlenecks(lambda: nn.Sequential(convolution(3, 64), convolution(64, 10)), (1, 3, 8, 8)) == ()
    assert bottlenecks(lambda: nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8)), (5, 8)) == ()


def test_linear_layers_of_a_transformer_are_an_inverted_bottleneck() -> None:
    (found,) = bottlenecks(
        lambda: nn.Sequential(
            nn.Linear(8, 64), nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64), nn.Linear(64, 8)
        ),
        (5, 7, 8),
    )
    assert (found.kind, found.widths) == ("inverted", (64, 256, 64))
    assert found.even_width == pytest.approx(128)


def test_a_product_is_in_one_bottleneck_and_the_one_in_one_module_goes_first() -> None:
    # In a row of 64, 16, 64, 16 and 64 channels there are three bottlenecks; two of them are as they are written.
    def unit() -> nn.Sequential:
        return nn.Sequential(convolution(64, 16), convolution(16, 64))

    found = bottlenecks(lambda: nn.Sequential(convolution(3, 64), unit(), unit(), convolution(64, 10)), (1, 3, 8, 8))
    assert [(each.kind, each.ops) for each in found] == [("thin", (1, 2)), ("thin", (3, 4))]
    shifted = bottlenecks(
        lambda: nn.Sequential(
            convolution(3, 64), convolution(64, 16), nn.Sequential(convolution(16, 64), convolution(64, 16)),
            convolution(16, 64), convolution(64, 10),
        ),
        (1, 3, 8, 8),
    )  # fmt: skip
    assert [(each.kind, each.ops) for each in shifted] == [("inverted", (2, 3))]


def test_the_blocks_of_networks_are_found_one_by_one() -> None:
    v2 = of_zoo("mobilenet_v2_x1_0")
    found = find_bottlenecks(v2.graph, find_chains(v2))
    # 17 blocks, the first of which does not expand (Sandler et al., Table 2).
    assert len(found) == 16
    assert {each.kind for each in found} == {"inverted"}
    # Where a block also changes the width, the thin one nearer to the thick is what counts.
    assert {round(each.ratio, 2) for each in found} == {3.0, 3.6, 4.0, 4.5, 6.0}
    # 16 units, the first of which reads the 24 channels of the stem (Zhang et al., Table 1).
    v1 = of_zoo("shufflenet_v1_g3_x1_0")
    assert [each.kind for each in find_bottlenecks(v1.graph, find_chains(v1))] == ["thin"] * 15
    plain = of_zoo("resnet18")
    assert find_bottlenecks(plain.graph, find_chains(plain)) == ()


@cache
def profile_of_row(widths: tuple[int, ...]) -> Profile:
    layers = [nn.Conv2d(a, b, 1) for a, b in pairwise(widths)]
    return counted(lambda: nn.Sequential(*layers), (1, widths[0], 4, 4))


@settings(max_examples=60)
@given(st.lists(st.sampled_from((4, 8, 16, 24, 64)), min_size=3, max_size=9).map(tuple))
def test_laws_of_bottlenecks(widths: tuple[int, ...]) -> None:
    profile = profile_of_row(widths)
    chains = find_chains(profile)
    found = find_bottlenecks(profile.graph, chains)
    assert [(link.first, link.second) for link in chains.links] == list(pairwise(range(len(widths) - 1)))
    used = [i for each in found for i in each.ops]
    assert len(used) == len(set(used))
    for each in found:
        inner = set(widths[each.ops[0] + 1 : each.ops[-1] + 1])
        a, m, b = each.widths
        assert (inner, a, b) == ({m}, widths[each.ops[0]], widths[each.ops[-1] + 1])
        assert each.ratio >= 2
        assert each.excess >= 1
        assert min(each.widths) <= each.even_width <= max(each.widths)
        assert 0 not in each.ops
        assert len(widths) - 2 not in each.ops
    # What is left has no bottleneck in it that is free of those that were taken.
    for start in range(1, len(widths) - 3):
        for end in range(start + 1, len(widths) - 2):
            inner, outer = set(widths[start + 1 : end + 1]), (widths[start], widths[end + 1])
            is_one = len(inner) == 1 and (min(outer) >= 2 * max(inner) or min(inner) >= 2 * max(outer))
            assert not is_one or set(used) & set(range(start, end + 1))


# --------------------------------------------------------------------------------------------------------- equal widths


@settings(max_examples=200)
@given(
    st.integers(1, 500), st.integers(1, 500), st.integers(1, 40), st.integers(1, 40), st.sampled_from((1, 9)),
    st.sampled_from((1, 2, 3, 8)),
)  # fmt: skip
def test_equal_widths_by_roots(n: int, m: int, left: int, right: int, area: int, groups: int) -> None:
    product = Product(n, m, left * groups, right * groups, area, groups)
    equal = (n + m) * sqrt(left * right) * groups + area * left * right * groups
    assert equal_accesses(product) == pytest.approx(equal, abs=1.01)
    dense = (n + m) * sqrt(left * right * groups) + area * left * right * groups
    assert equal_accesses(product, 1) == pytest.approx(dense, abs=1.01)
    # Of products that keep the size of their maps it is the least of any widths.
    still = Product(n, n, left * groups, right * groups, area, groups)
    assert (equal_accesses(still), equal_accesses(still, 1)) == (still.least_accesses, still.least_ungrouped)
    assert equal_accesses(product) >= product.least_accesses
    if left == right:
        assert equal_accesses(product) == product.accesses


def test_a_layer_of_equal_widths_and_a_stride_has_what_equal_widths_have() -> None:
    profile = counted(lambda: nn.Conv2d(16, 16, 1, stride=2), (1, 16, 8, 8))
    product = product_of(profile.graph.ops[0])
    assert product is not None
    assert (product.accesses, equal_accesses(product)) == (64 * 16 + 16 * 16 + 256, 64 * 16 + 16 * 16 + 256)
    assert product.least_accesses == 2 * 8 * 4 * 16 + 256


# -------------------------------------------------------------------------------------------------------------- regions


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=0, max_size=4).map(".".join), min_size=1, max_size=4))
def test_the_module_around_is_the_longest_path_that_begins_all(paths: list[str]) -> None:
    around = common_path(paths)

    def begins(path: str) -> bool:
        return path == around or not around or path.startswith(f"{around}.")

    assert all(begins(path) for path in paths)
    longer = {path[: len(around) + 2 if around else 1] for path in paths}
    assert len(longer) > 1 or around in paths


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_connected_parts_are_those_of_a_search(size: int, pairs: list[tuple[int, int]]) -> None:
    parts = connected(range(size), pairs)
    assert sorted(i for part in parts for i in part) == list(range(size))
    for start in range(size):
        reached, before = {start}, set[int]()
        while reached != before:
            before = set(reached)
            reached |= {j for i, j in pairs if i in reached and j < size} | {
                i for i, j in pairs if j in reached and i < size
            }
        assert tuple(sorted(reached)) in parts
