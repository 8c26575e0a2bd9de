"""IGCV2, IGCV3 and CondenseNet: what their sources print follows, and the group convolutions are joined as they say."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from mac_profiler.api import analyze
from mac_profiler.profile import Profile
from mac_profiler.zoo import condensenet, igcv2, igcv3

FAMILIES = (condensenet, igcv2, igcv3)
VARIANTS = [(family, name) for family in FAMILIES for name in family.VARIANTS]


def built(family: ModuleType, name: str, device: str = "meta") -> nn.Module:
    with torch.device(device):
        network: nn.Module = family.build(**family.VARIANTS[name]["arguments"])
    return network.eval()


def profiled(family: ModuleType, name: str) -> Profile:
    return analyze(built(family, name), torch.empty(family.INPUT, device="meta"))


def elements(profile: Profile, *targets: str) -> int:
    """Elements that pass these operators: all that they read."""
    return sum(op.inputs[0].elements for op in profile.graph.ops if op.target in targets)


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


# ShuffleNet V2, Table 8, in millions.
@pytest.mark.parametrize(
    ("family", "name", "printed"),
    [
        (igcv2, "igcv2_x0_25", 46),
        (igcv2, "igcv2_x0_5", 156),
        (igcv2, "igcv2_x1_0", 564),
        (igcv3, "igcv3_d_x0_7", 210),
        (igcv3, "igcv3_d_x1_0", 318),
        (igcv3, "igcv3_d_x1_4", 610),
    ],
)
def test_the_printed_mult_adds_are_met_within_2_percent(family: ModuleType, name: str, printed: int) -> None:
    profile = profiled(family, name)
    assert profile.complete
    assert profile.total.mult_adds == pytest.approx(printed * 1e6, rel=0.02)


def test_igcv3_has_the_parameters_that_the_authors_print_and_its_mult_adds_with_relu() -> None:
    profile = profiled(igcv3, "igcv3_d_x1_0")
    assert f"{profile.parameters / 1e6:.1f}M" == "3.5M"
    passing = elements(profile, "aten.hardtanh_", "aten.relu6_")
    assert passing
    assert f"{(profile.total.mult_adds + passing) / 1e6:.0f}M" == "318M"


@pytest.mark.parametrize(
    ("name", "operations", "parameters"),
    [("condensenet_74_g4", "529M", "4.8M"), ("condensenet_74_g8", "274M", "2.9M")],
)
def test_condensenet_follows_when_counted_as_its_authors_do(name: str, operations: str, parameters: str) -> None:
    profile = profiled(condensenet, name)
    assert profile.complete
    biases = 1000
    others = elements(profile, "aten.relu_", "aten.avg_pool2d", "aten.mean") + biases
    assert f"{(profile.total.mult_adds + others) / 1e6:.0f}M" == operations
    assert f"{profile.parameters / 1e6:.1f}M" == parameters


@pytest.mark.parametrize(("family", "name"), VARIANTS, ids=[name for _, name in VARIANTS])
def test_a_picture_of_another_shape_gives_finite_logits(family: ModuleType, name: str) -> None:
    torch.manual_seed(0)
    # Statistics of the batch: those of a new network are none, and a picture would fade away on 39 layers of IGCV2.
    network = built(family, name, "cpu").train()
    with torch.no_grad():
        logits = network(torch.randn(2, 3, 64, 96))
    assert logits.shape == (2, 1000)
    assert logits.isfinite().all()
    assert (logits[0] != logits[1]).any()


@pytest.mark.parametrize("family", FAMILIES, ids=[family.FAMILY for family in FAMILIES])
@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (6, 3), (32, 8), (5, 1)])
def test_a_shuffle_is_a_permutation_that_interleaves(family: ModuleType, channels: int, groups: int) -> None:
    shuffle: Callable[[Tensor, int], Tensor] = family.shuffle_channels
    x = torch.arange(channels * 6.0).view(1, channels, 3, 2)
    y = shuffle(x, groups)
    order = [k + g * (channels // groups) for k in range(channels // groups) for g in range(groups)]
    assert torch.equal(y, x[:, order])
    assert torch.equal(shuffle(y, channels // groups), x)


@pytest.mark.parametrize("name", igcv2.VARIANTS)
def test_igcv2_has_one_path_from_every_channel_to_every_channel(name: str) -> None:
    blocks = [module for module in built(igcv2, name, "cpu").modules() if isinstance(module, igcv2.Block)]
    assert len(blocks) == 13
    # The widest blocks would only repeat, slowly, what the narrow ones show.
    for block in blocks[:5]:
        for layer in convolutions(block):
            nn.init.ones_(layer.weight)
        channels = block.spatial[0].in_channels
        assert isinstance(channels, int)
        # One picture of one point for each channel: with all weights 1, what comes out is the number of paths.
        with torch.no_grad():
            paths = block(torch.eye(channels).view(channels, channels, 1, 1)).flatten(1)
        torch.testing.assert_close(paths, torch.ones_like(paths), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", igcv2.VARIANTS)
def test_igcv2_has_groups_of_4_channels_then_4_groups(name: str) -> None:
    pointwise = [layer for layer in convolutions(built(igcv2, name)) if layer.kernel_size == (1, 1)]
    assert {layer.in_channels // layer.groups for layer in pointwise[::2]} == {4}
    assert {layer.groups for layer in pointwise[1::2]} == {4}


@pytest.mark.parametrize("width", [0.25, 0.35, 0.5, 0.7, 1.0, 1.3, 1.4])
def test_igcv3_keeps_two_groups_at_every_width(width: float) -> None:
    with torch.device("meta"):
        network = igcv3.IGCV3(width)
    units = [module for module in network.modules() if isinstance(module, igcv3.Unit)]
    for unit in units:
        expand, spatial, project = convolutions(unit)
        assert (expand.groups, project.groups) == (2, 2)
        assert spatial.groups == spatial.in_channels == expand.out_channels


def test_igcv3_doubles_the_depth_of_mobilenet_v2() -> None:
    units = [module for module in built(igcv3, "igcv3_d_x1_0").modules() if isinstance(module, igcv3.Unit)]
    depth = [convolutions(unit)[-1].out_channels for unit in units]
    assert depth == [16, *[24] * 4, *[32] * 6, *[64] * 8, *[96] * 6, *[160] * 6, 320]
    # A stage's first unit changes the number of channels; all others are residual.
    assert [unit.residual for unit in units] == [i > 0 and depth[i - 1] == depth[i] for i in range(len(units))]


def test_igcv3_expands_at_the_head_of_a_stage_as_the_authors_code_does() -> None:
    units = [module for module in built(igcv3, "igcv3_d_x1_4").modules() if isinstance(module, igcv3.Unit)]
    heads = [convolutions(unit) for unit in units if not unit.residual]
    # Walked through by hand: 1.4 x 22 = 30.8, 31 is odd, so 22 + 1; 1.4 x 34 = 47.6; and so on.
    assert [expand.in_channels for expand, _, _ in heads] == [46, 22, 34, 46, 90, 134, 224]
    assert [expand.out_channels for expand, _, _ in heads] == [46, *(6 * n for n in (23, 48, 64, 126, 188, 314))]


def test_igcv3_shuffles_behind_both_group_convolutions() -> None:
    unit = igcv3.Unit(4, 8, 12, 1, residual=False).eval()
    x = torch.randn(1, 4, 5, 5)
    with torch.no_grad():
        interleaved = unit.expand(x)[:, [0, 4, 1, 5, 2, 6, 3, 7]]
        # Where two groups of 6 come out, the shuffle into 6 groups takes places 0, 2, 4 ... and then 1, 3, 5 ...
        projected = unit.project(unit.filter(interleaved))[:, [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]]
        torch.testing.assert_close(unit(x), projected)


def test_a_condensed_convolution_is_a_dense_one_with_holes() -> None:
    groups, inputs, outputs = 3, 12, 6
    layer = condensenet.CondensedConvolution(inputs, outputs, groups).eval()
    # What training might keep: groups share channel 0, and none keeps the channels 10 and 11.
    layer.index.copy_(torch.tensor([0, 2, 4, 6, 0, 1, 3, 5, 0, 7, 8, 9]))
    weight = layer.conv[2].weight
    assert isinstance(weight, Tensor)
    dense = torch.zeros(outputs, inputs, 1, 1)
    for output in range(outputs):
        # The shuffle behind it: group g makes the outputs g, g + G, g + 2 G ...
        group, place = output % groups, output // groups
        kept = layer.index[group * inputs // groups : (group + 1) * inputs // groups]
        dense[output, kept] = weight[group * outputs // groups + place].detach()
    x = torch.randn(2, inputs, 4, 4)
    with torch.no_grad():
        expected = nn.functional.conv2d(x.relu(), dense)
        torch.testing.assert_close(layer(x), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", condensenet.VARIANTS)
def test_condensenet_gathers_by_an_index_that_comes_with_the_weights(name: str) -> None:
    network = built(condensenet, name, "cpu")
    groups = condensenet.VARIANTS[name]["arguments"]["groups"]
    layers = [module for module in network.modules() if isinstance(module, condensenet.CondensedConvolution)]
    assert len(layers) == 4 + 6 + 8 + 10 + 8
    for layer in layers:
        # Before weights are loaded, no channel is lost and none is read twice.
        assert torch.equal(layer.index.sort().values, torch.arange(convolutions(layer)[0].in_channels))
        assert (layer.index.view(groups, -1) % groups == torch.arange(groups)[:, None]).all()
    assert {layer.groups for layer in convolutions(network)[1:]} == {groups}
    assert sum(key.endswith("index") for key in network.state_dict()) == len(layers) + 1
    gathers = [op for op in profiled(condensenet, name).graph.ops if op.target == "aten.index_select"]
    assert len(gathers) == len(layers) + 1


def test_condensenet_classifies_by_half_of_its_features() -> None:
    head = condensenet.CondensedLinear(10, 3)
    head.index.copy_(torch.tensor([9, 1, 4, 0, 7]))
    x = torch.randn(2, 10)
    with torch.no_grad():
        torch.testing.assert_close(head(x), head.linear(x[:, [9, 1, 4, 0, 7]]))
    classifier = built(condensenet, "condensenet_74_g4", "cpu").get_submodule("classifier")
    assert isinstance(classifier, condensenet.CondensedLinear)
    assert classifier.linear.in_features == 2064 // 2
    assert classifier.index.unique().numel() == 2064 // 2
