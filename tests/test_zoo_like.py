"""The networks that the ShuffleNet papers built for comparison and did not publish: what is known of them is met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mac_profiler import models
from mac_profiler.api import analyze
from mac_profiler.compiled_operators import import_package
from mac_profiler.zoo import densenet_like, v1_table4, xception_like

TORCHVISION: Any = import_package("torchvision", "torchvision").models

# ShuffleNet V1, section 4.2: output channels of stage 4 at 38 MFLOPs.
STAGE4 = {"vgg_like": 50, "resnet": 192, "resnext": 192}
# ShuffleNet V1, Table 4: levels in MFLOPs, and how near its networks come to them.
LEVELS = {"140m": 140, "38m": 38, "13m": 13}
NEARNESS = {"v1_table4_resnext_140m": 0.026}
# ShuffleNet V2, Table 8: MFLOPs.
XCEPTION = {"x0_5": 40, "x1_0": 145, "x1_5": 305, "x2_0": 525}
DENSENET = {"x0_5": 42, "x1_0": 142, "x1_5": 295, "x2_0": 519}
EVERY = [name for file in (v1_table4, xception_like, densenet_like) for name in file.VARIANTS]


def millions(module: nn.Module) -> float:
    return analyze(module, torch.empty(1, 3, 224, 224, device="meta")).total.mult_adds / 1e6


def convolutions(module: nn.Module, x: Tensor) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Shape of the weight and of the output of every convolution and product, in the order in which they run."""
    found = []

    def record(layer: nn.Module, _args: object, output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        found.append((tuple(layer.weight.shape), tuple(output.shape)))

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(record)
    module(x)
    return found


def randomize(module: nn.Module) -> None:
    """Fill all that batch-norm leaves at zero or one, so that a layer left out or swapped is seen."""
    for value in module.state_dict().values():
        if value.is_floating_point() and value.dim() == 1:
            value.uniform_(0.5, 1.5)


def load_in_order(module: nn.Module, other: nn.Module) -> None:
    """Give a module the values of another with the same layers under other names."""
    own, values = module.state_dict(), list(other.state_dict().values())
    assert [value.shape for value in own.values()] == [value.shape for value in values]
    module.load_state_dict(dict(zip(own, values, strict=True)))


@pytest.mark.parametrize("name", v1_table4.VARIANTS)
def test_table_4_of_v1_is_at_its_level(name: str) -> None:
    level = LEVELS[name.rpartition("_")[2]]
    assert millions(models.find(name).module) == pytest.approx(level, rel=NEARNESS.get(name, 0.02))


@pytest.mark.parametrize("unit", STAGE4)
def test_table_4_of_v1_has_the_channels_that_the_text_gives(unit: str) -> None:
    built = models.find(f"v1_table4_{unit}_38m")
    seen: list[int] = []
    for child in built.module.stage4:
        child.register_forward_hook(lambda _module, _args, output: seen.append(output.shape[1]))
    built.module(*built.args)
    assert seen == [STAGE4[unit]] * 4


@pytest.mark.parametrize("name", v1_table4.VARIANTS)
def test_no_other_width_is_nearer_to_the_level(name: str) -> None:
    arguments: dict[str, Any] = v1_table4.VARIANTS[name]["arguments"]
    unit, (first, *stages) = arguments["unit"], arguments["channels"]
    step = 2 if unit == "vgg_like" else 4

    def distance(width: int) -> float:
        channels = (first, v1_table4.round_half_down(width / 4, 1), v1_table4.round_half_down(width / 2, 1), width)
        if width == stages[-1]:
            assert channels == arguments["channels"]
        with torch.device("meta"):
            return abs(millions(v1_table4.build(unit, channels).eval()) - LEVELS[name.rpartition("_")[2]])

    own = distance(stages[-1])
    # More channels never cost less, so that the neighbours speak for all.
    assert own < distance(stages[-1] - step)
    assert own < distance(stages[-1] + step)


@pytest.mark.parametrize(
    ("ratio", "groups", "theirs"),
    [
        (4, 1, {"planes": 48}),
        # torchvision's output is four times `planes`, and its bottleneck `planes` * `base_width` / 64 * `groups`.
        (2, 16, {"planes": 48, "groups": 16, "base_width": 8}),
    ],
)
@pytest.mark.parametrize("stride", [1, 2])
def test_bottlenecks_are_torchvisions(ratio: int, groups: int, theirs: dict[str, int], stride: int) -> None:
    channels_in = 192 if stride == 1 else 96
    down = nn.Sequential(nn.Conv2d(96, 192, 1, 2, bias=False), nn.BatchNorm2d(192)) if stride == 2 else None
    other = TORCHVISION.resnet.Bottleneck(channels_in, stride=stride, downsample=down, **theirs).eval()
    randomize(other)
    own = v1_table4.Bottleneck(channels_in, 192, stride, ratio=ratio, groups=groups).eval()
    load_in_order(own, other)
    x = torch.randn(1, channels_in, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(own(x), other(x))


def test_a_vgg_like_unit_is_two_layers_with_batch_norm() -> None:
    kinds = [type(layer) for layer in v1_table4.plain_unit(12, 25, 2)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2


def test_table_4_of_v1_has_no_other_unit() -> None:
    with pytest.raises(ValueError, match="vgg_like, resnet, resnext"):
        v1_table4.build("inception", (12, 48, 96, 192))


@pytest.mark.parametrize("width", XCEPTION)
def test_xception_like_is_at_the_printed_figure(width: str) -> None:
    assert round(millions(models.find(f"xception_like_{width}").module)) == XCEPTION[width]


@pytest.mark.parametrize("stride", [1, 2])
def test_a_unit_of_xception_like_sees_seven_by_seven(stride: int) -> None:
    unit = xception_like.Unit(8, 8 if stride == 1 else 32, stride).double().eval()
    # Weights of one sign, so that no ReLU hides a pixel.
    for parameter in unit.parameters():
        parameter.data.uniform_(0.1, 1.0)
    x = torch.rand(1, 8, 32, 32, dtype=torch.float64, requires_grad=True)
    unit(x)[0, :, 8, 8].sum().backward()
    assert x.grad is not None
    rows, columns = x.grad[0].abs().sum(0).nonzero(as_tuple=True)
    # Behind a stride of 2, the two later convolutions step over two pixels each: 3 + 2 * 2 + 2 * 2.
    side = 7 if stride == 1 else 11
    assert (len(rows.unique()), len(columns.unique())) == (side, side)


@pytest.mark.parametrize("width", DENSENET)
def test_densenet_like_is_at_its_level(width: str) -> None:
    assert millions(models.find(f"densenet_like_{width}").module) == pytest.approx(DENSENET[width], rel=0.02)


def torchvision_densenet(growth: int, repeats: Sequence[int] = (4, 8, 4)) -> Any:
    """Torchvision's DenseNet-BC with the layers of ours; its first layer is 7x7, and it has no last convolution."""
    made = TORCHVISION.DenseNet(growth_rate=growth, block_config=repeats, num_init_features=2 * growth, bn_size=4)
    return made.eval()


@pytest.mark.parametrize("name", densenet_like.VARIANTS)
def test_densenet_like_has_torchvisions_blocks(name: str) -> None:
    built = models.find(name)
    with torch.device("meta"):
        other = torchvision_densenet(densenet_like.VARIANTS[name]["arguments"]["growth"])
    # Ours pools once more ahead of its first block: torchvision's comes to the same maps from half the image.
    ours = convolutions(built.module, *built.args)
    theirs = convolutions(other, torch.empty(1, 3, 112, 112, device="meta"))
    assert ours[1:-2] == theirs[1:-1]
    assert len(ours[1:-2]) == 2 * (4 + 8 + 4) + 2


def test_torchvisions_weights_give_densenet_like_the_same_maps() -> None:
    other = nn.Sequential(*list(torchvision_densenet(10).features)[4:-1])
    randomize(other)
    built = models.find("densenet_like_x0_5", device="cpu").module
    own = nn.Sequential(built.stage2, built.stage3, built.stage4)
    load_in_order(own, other)
    x = torch.randn(1, 20, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(own(x), other(nn.functional.avg_pool2d(x, 2)))


@pytest.mark.parametrize("name", EVERY)
def test_a_picture_of_odd_sides_goes_through(name: str) -> None:
    built = models.find(name, device="cpu")
    with torch.no_grad():
        logits = built.module(torch.randn(2, 3, 97, 71))
    assert logits.shape == (2, 1000)
    assert logits.isfinite().all()
    assert not torch.equal(logits[0], logits[1])
