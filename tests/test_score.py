"""The score: points add up on any machine, each guideline's are nothing where it is kept, and closed forms by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler.bounds import product_of
from mac_profiler.kinds_of_work import KINDS
from mac_profiler.nominal import BYTES_A_SECOND, LAUNCH_SECONDS, MULT_ADDS_A_SECOND, nominal_platform
from mac_profiler.platform import Law
from mac_profiler.predict import predict
from mac_profiler.profile import Profile
from mac_profiler.score import GUIDELINES, Score, score_of
from tests.building import Net
from tests.machines import ANY_LAWS, BANDWIDTHS, counted, machine, of_zoo

NETS = (
    "shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "shufflenet_v2_x0_5", "resnet18", "resnext50_32x4d", "nasnet_mobile",
    "torchvision:vit_b_16",
)  # fmt: skip


def adds_up(score: Score) -> None:
    assert list(score.points) == list(score.seconds) == list(GUIDELINES)
    assert all(points >= 0 for points in score.points.values()), score.points
    assert 0 <= score.score <= 100 + 1e-9
    assert score.score + sum(score.points.values()) == pytest.approx(100, abs=1e-9)
    whole = score.ideal_seconds + sum(score.seconds.values())
    for guideline, seconds in score.seconds.items():
        assert score.points[guideline] == pytest.approx(100 * seconds / whole, abs=1e-9)


@settings(max_examples=60)
@given(ANY_LAWS, st.sampled_from(NETS), st.booleans(), st.booleans())
def test_points_add_up_on_any_machine(laws: dict[str, Law], model: str, fused: bool, bandwidths: bool) -> None:
    prediction = predict(of_zoo(model), machine(laws, fused=fused, bandwidths=BANDWIDTHS if bandwidths else ()))
    score = score_of(prediction)
    assert score.ideal_seconds + sum(score.seconds.values()) == pytest.approx(prediction.total.total, rel=1e-9)
    if prediction.total.total:
        adds_up(score)
    else:
        assert (score.score, sum(score.points.values())) == (0, 0)


@given(st.sampled_from(list(KINDS)), ANY_LAWS, st.sampled_from(NETS))
@settings(max_examples=30)
def test_points_add_up_where_a_kind_takes_nothing(kind: str, laws: dict[str, Law], model: str) -> None:
    score = score_of(predict(of_zoo(model), machine({**laws, kind: Law()})))
    if any(score.seconds.values()) or score.ideal_seconds:
        adds_up(score)


@pytest.mark.parametrize("model", NETS)
@pytest.mark.parametrize("fused", [False, True])
def test_points_add_up_on_the_papers_machine(model: str, fused: bool) -> None:
    adds_up(score_of(predict(of_zoo(model), replace(nominal_platform(), fused=fused))))


def test_a_machine_that_takes_no_time_gives_no_points() -> None:
    score = score_of(predict(of_zoo("resnet18"), machine(dict.fromkeys(KINDS, Law()))))
    assert (score.score, set(score.points.values())) == (0, {0})


# ------------------------------------------------------------------------------------------------------ what is nothing

COMPUTING = Law(operation_seconds=1e-12)
# Nothing but bytes takes time.
ONLY = machine(dict.fromkeys(KINDS, Law(read_seconds=1e-9, write_seconds=1e-9, weight_seconds=1e-9)))


@pytest.mark.parametrize("kernel", [1, 3])
def test_dense_convolutions_that_do_nothing_but_compute_have_all_points(kernel: int) -> None:
    profile = counted(lambda: nn.Conv2d(8, 12, kernel, bias=False), (2, 8, 16, 16))
    score = score_of(predict(profile, machine(dict.fromkeys(KINDS, COMPUTING))))
    assert (score.score, set(score.points.values())) == (100, {0})


def equal(width: int, groups: int = 1, norm: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for kernel in (1, 3, 1):
        layers.append(nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=groups, bias=False))
        layers += [nn.BatchNorm2d(width), nn.ReLU()] * norm
    return nn.Sequential(*layers).eval()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("groups", [1, 4])
def test_equal_widths_lose_nothing_to_the_first_guideline(groups: int, fused: bool) -> None:
    score = score_of(predict(counted(lambda: equal(64, groups), (8, 64, 28, 28)), machine(fused=fused)))
    assert score.points["G1"] == 0
    assert (score.points["G2"] == 0) == (groups == 1)
    assert score.points["G3"] > 0
    # All element-wise operators run in the kernels of the convolutions, where these are fused.
    assert (score.points["G4"] == 0) == fused


@pytest.mark.parametrize("model", ["resnet18", "vgg16", "torchvision:vit_b_16"])
def test_networks_without_groups_lose_nothing_to_the_second(model: str) -> None:
    assert score_of(predict(of_zoo(model), machine())).points["G2"] == 0


def test_a_depthwise_convolution_is_an_element_wise_operator() -> None:
    profile = counted(lambda: nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), (1, 64, 28, 28))
    points = score_of(predict(profile, machine())).points
    assert (points["G1"], points["G2"], points["rest"]) == (0, 0, 0)
    assert min(points["G3"], points["G4"]) > 0


@pytest.mark.parametrize("build", [nn.ReLU, nn.GELU, lambda: nn.BatchNorm2d(8).eval(), lambda: nn.ZeroPad2d(1)])
def test_a_pass_over_the_maps_loses_to_the_fourth_alone(build: Callable[[], nn.Module]) -> None:
    points = score_of(predict(counted(lambda: nn.Sequential(nn.Conv2d(8, 8, 1), build()), (1, 8, 4, 4)), ONLY)).points
    alone = score_of(predict(counted(lambda: nn.Conv2d(8, 8, 1), (1, 8, 4, 4)), ONLY)).points
    assert alone["G4"] == 0 < points["G4"]
    assert points["rest"] < alone["rest"]


@pytest.mark.parametrize("build", [nn.ReLU, lambda: nn.MaxPool2d(2), lambda: nn.Softmax(1)])
def test_a_model_without_a_multiply_add_has_none(build: Callable[[], nn.Module]) -> None:
    score = score_of(predict(counted(build, (1, 8, 4, 4)), nominal_platform()))
    assert score.score == 0
    adds_up(score)


def test_products_of_activations_are_of_no_guideline_but_launches() -> None:
    def attention(_: Net, x: Tensor) -> Tensor:
        return torch.bmm(x, x.transpose(1, 2))

    points = score_of(predict(counted(lambda: Net(attention), (4, 16, 8)), machine())).points
    assert points["G1"] == points["G2"] == points["G4"] == 0
    assert min(points["G3"], points["rest"]) > 0


# -------------------------------------------------------------------------------------------------------------- by hand


def product_profile(channels_in: int, channels_out: int, groups: int) -> Profile:
    return counted(lambda: nn.Conv2d(channels_in, channels_out, 1, groups=groups, bias=False), (1, channels_in, 8, 8))


def test_one_convolution_by_hand() -> None:
    # 64 to 16 channels on 8x8 maps: 64 x 80 + 1024 = 6144 elements; 2 x 64 x 32 + 1024 = 5120 at equal widths.
    score = score_of(predict(product_profile(64, 16, 1), nominal_platform()))
    element = 4 / BYTES_A_SECOND
    ideal = 64 * 1024 / MULT_ADDS_A_SECOND
    assert score.ideal_seconds == pytest.approx(ideal)
    assert score.seconds == pytest.approx(
        {"G1": 1024 * element, "G2": 0, "G3": LAUNCH_SECONDS, "G4": 0, "rest": 5120 * element}, abs=1e-18
    )
    assert score.score == pytest.approx(100 * ideal / (ideal + 6144 * element + LAUNCH_SECONDS))


def test_one_convolution_in_groups_by_hand() -> None:
    # 64 to 64 in 4 groups: 2 x 64 x 64 + 1024; dense with 1024 weights: 2 x 64 x 32 + 1024.
    score = score_of(predict(product_profile(64, 64, 4), nominal_platform()))
    element = 4 / BYTES_A_SECOND
    assert score.seconds == pytest.approx(
        {"G1": 0, "G2": 4096 * element, "G3": LAUNCH_SECONDS, "G4": 0, "rest": 5120 * element}, abs=1e-18
    )
    slow = {**nominal_platform().laws, "grouped_conv": replace(nominal_platform().law("grouped_conv"))}
    slow["grouped_conv"] = replace(slow["grouped_conv"], operation_seconds=3 / MULT_ADDS_A_SECOND)
    slower = score_of(predict(product_profile(64, 64, 4), replace(nominal_platform(), laws=slow)))
    # Two thirds of its computing are those of groups, besides.
    more = 2 * 64 * 1024 / MULT_ADDS_A_SECOND
    assert slower.seconds["G2"] - score.seconds["G2"] == pytest.approx(more)
    assert slower.ideal_seconds == pytest.approx(score.ideal_seconds)


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(1, 8), st.sampled_from((1, 2, 4)), st.integers(1, 16), st.sampled_from((1, 3)))
def test_the_shares_of_a_product_are_those_of_its_bound(
    left: int, right: int, groups: int, size: int, kernel: int
) -> None:
    # The same by another way: what a product moves, cut by what two other products of its multiply-adds would.
    profile = counted(
        lambda: nn.Conv2d(left * groups, right * groups, kernel, padding=kernel // 2, groups=groups, bias=False),
        (1, left * groups, size, size),
    )
    product = product_of(profile.graph.ops[0])
    assert product is not None
    if product.groups == product.channels_in > 1:
        return
    byte = Law(read_seconds=1e-9, write_seconds=1e-9, weight_seconds=1e-9)
    seconds = score_of(predict(profile, machine(dict.fromkeys(KINDS, byte)))).seconds
    area, pairs = size * size, left * right * groups * groups
    weights = kernel * kernel * pairs / groups
    equal_widths, dense = 2 * area * pairs**0.5 + weights, 2 * area * (pairs / groups) ** 0.5 + weights
    # Roots are rounded up to whole elements.
    assert seconds["G1"] / 4e-9 == pytest.approx(product.accesses - equal_widths, abs=1.01)
    assert seconds["G2"] / 4e-9 == pytest.approx(equal_widths - dense, abs=1.01)
    assert seconds["rest"] / 4e-9 == pytest.approx(dense, abs=1.01)
