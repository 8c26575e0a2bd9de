"""Every model of the zoo, found by itself: it runs, and its published figures are what its counts give."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from experiments.complexity.readings import READINGS, count, written_as
from mac_profiler import models, published
from mac_profiler.adapters import zoo
from mac_profiler.api import analyze
from mac_profiler.errors import MissingPackage, ModelNotFound
from mac_profiler.models import Built, Entry
from mac_profiler.profile import Profile
from mac_profiler.registry import modules_of

ENTRIES = models.entries()
OWN = [entry for entry in ENTRIES if not entry.model]
# The smallest picture, in steps of 32, that the maps of every network outlast.
SIDES = (64, 96)


def name_of(entry: Entry) -> str:
    return entry.name


def find(name: str, arguments: dict[str, object] | None = None, device: str = "meta") -> Built:
    try:
        return models.find(name, arguments, device=device)
    except MissingPackage as error:
        pytest.skip(str(error))


def profile_of(name: str, arguments: dict[str, object] | None = None) -> Profile:
    built = find(name, arguments)
    return analyze(built.module, *built.args)


def tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from (tensor for each in value.values() for tensor in tensors(each))
    elif isinstance(value, tuple | list):
        yield from (tensor for each in value for tensor in tensors(each))


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_the_published_figures_follow(entry: Entry) -> None:
    built = find(entry.name)
    profile = analyze(built.module, *built.args)
    assert profile.complete
    # What a detector computes depends on what it finds.
    assert profile.graph.mode == ("run" if isinstance(built.args[0], list) else "shapes")
    assert profile.parameters == sum(parameter.numel() for parameter in built.module.parameters())
    for figure in entry.published:
        assert set(filter(None, figure.reading.split(", "))) <= set(READINGS)
        if figure.quantity not in ("mult_adds", "parameters"):
            continue
        got = written_as(count(figure, profile), figure)
        if "not reproduced" in figure.reading:
            assert figure.note, "what is not reproduced needs a reason"
            assert got != figure.printed, "it is reproduced: drop the remark"
        else:
            assert got == figure.printed, figure


# A detector takes a list of pictures and may find nothing in one: tests/test_detection.py runs those.
@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if len(entry.input_shape) == 4], ids=name_of)
def test_a_model_runs_on_real_numbers(entry: Entry) -> None:
    built = find(entry.name, device="cpu")
    (image,) = built.args
    assert image.shape == entry.input_shape
    result = first_that_fits(built.module, image)
    assert all(tensor.isfinite().all() and tensor.unique().numel() > 1 for tensor in tensors(result))
    if not isinstance(result, dict):
        assert result.shape == (1, 1000)


@torch.no_grad()
def first_that_fits(module: nn.Module, image: Tensor) -> Any:
    """What the model makes of the smallest crop that its strides leave something of."""
    for side in SIDES:
        try:
            return module(image[..., :side, :side])
        except RuntimeError as error:
            # A classifier behind maps of one size only says that its matrices do not fit.
            if "size" not in str(error) and "shapes" not in str(error):
                raise
    return module(image)


@pytest.mark.parametrize("entry", OWN, ids=name_of)
def test_the_number_of_classes_can_be_chosen(entry: Entry) -> None:
    built = find(entry.name, {"num_classes": 7})
    assert built.module(*built.args).shape == (1, 7)


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_groups_divide_the_channels(entry: Entry) -> None:
    convolutions = [op for op in profile_of(entry.name).graph.ops if op.target == "aten.convolution"]
    assert convolutions
    for op in convolutions:
        groups, weight = op.args["groups"], op.args["weight"]
        assert op.args["input"].shape[1] % groups == 0
        assert weight.shape[0] % groups == 0
        assert weight.shape[1] * groups == op.args["input"].shape[1]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ShuffleNet v2 1x", "shufflenet_v2_x1_0"),
        ("1.0 MobileNet-224", "mobilenet_v1_x1_0"),
        ("IGCV2-1.0", "igcv2_x1_0"),
        ("CondenseNet (G=C=4)", "condensenet_74_g4"),
        ("SE-ShuffleNet v2-164", "shufflenet_v2_se_164"),
        ("ShuffleNet 0.5x (shallow, g = 3)", "shufflenet_v1_g3_x0_5_shallow"),
    ],
)
def test_a_network_is_found_by_what_a_table_calls_it(written: str, name: str) -> None:
    assert profile_of(written).total == profile_of(name).total


@pytest.mark.parametrize("written", ["VGG-16", "ResNet-50", "Inception-v4", "ShuffleNet V2", "shufflenet_v2"])
def test_a_name_may_be_written_as_papers_write_it(written: str) -> None:
    assert analyze(written).total.mult_adds == profile_of(zoo.spelling(written)).total.mult_adds


def test_no_two_names_differ_in_punctuation_alone() -> None:
    assert max(Counter(map(zoo.spelling, models.names())).values()) == 1
    with pytest.raises(ModelNotFound):
        models.find("vgg-1-7")


def test_names_read_without_importing_are_those_that_the_files_hold() -> None:
    held = [
        name
        for module in map(importlib.import_module, modules_of(zoo.ROOM))
        for name in (*module.VARIANTS, *getattr(module, "ALIASES", ()))
    ]
    assert sorted(held) == models.names()
    assert len(set(held)) == len(held)


@pytest.mark.parametrize("module", modules_of(zoo.ROOM))
def test_a_file_begins_the_names_of_its_models(module: str) -> None:
    table = zoo.read_table(module)
    assert set(zoo.LITERALS) == set(table)
    assert all("arguments" in variant or "model" in variant for variant in table["VARIANTS"].values())
    assert all(name.startswith(module.rpartition(".")[2]) for name in (*table["VARIANTS"], *table["ALIASES"]))
    assert set(table["ALIASES"].values()) <= set(table["VARIANTS"])


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.aliases], ids=name_of)
def test_an_alias_is_the_same_model(entry: Entry) -> None:
    own = find(entry.name).module.state_dict()
    for alias in entry.aliases:
        other = find(alias).module.state_dict()
        assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in other.items()}


def stage_channels(built: Built) -> dict[str, set[int]]:
    """Output channels of the layers that the papers' tables have a row for, by the names of their columns."""
    seen: dict[str, set[int]] = {}

    def see(column: str) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda _module, _args, output: seen.setdefault(column, set()).add(output.shape[1])

    for name, child in built.module.named_children():
        units = child.children() if name.startswith("stage") else [child]
        for unit in units:
            unit.register_forward_hook(see(f"{name}_channels"))
    built.module(*built.args)
    return seen


@pytest.mark.parametrize(
    "row",
    [row for name in ("v1_table1", "v1_section4_2", "v2_table5") for row in published.table(name).rows],
    ids=lambda row: row.model,
)
def test_the_channels_are_those_of_the_table(row: published.Row) -> None:
    printed = {quantity: figure for quantity, figure in row.figures.items() if quantity.endswith("_channels")}
    seen = stage_channels(find(row.model))
    assert printed
    for column, figure in printed.items():
        agrees = seen[column] == {int(figure.printed)}
        assert agrees == ("not reproduced" not in figure.reading), figure


def shuffles() -> dict[str, Callable[[Tensor, int], Tensor]]:
    """Every function that shuffles channels in a file of the zoo, its own or one that it shares with others, once."""
    files = [importlib.import_module(module) for module in modules_of(zoo.ROOM)]
    found = [function for file in files for name, function in vars(file).items() if name.startswith("shuffle")]
    return {f"{function.__module__}.{function.__name__}": function for function in found}


@pytest.mark.parametrize("shuffle", shuffles().values(), ids=shuffles())
@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (12, 3), (24, 8), (7, 1)])
def test_the_shuffle_is_a_permutation_that_interleaves(
    shuffle: Callable[[Tensor, int], Tensor], channels: int, groups: int
) -> None:
    x = torch.arange(channels * 4.0).view(1, channels, 2, 2)
    y = shuffle(x, groups)
    order = [k + g * (channels // groups) for k in range(channels // groups) for g in range(groups)]
    assert torch.equal(y, x[:, order])
    # Shuffled back with the complementary number of groups, everything is where it was.
    assert torch.equal(shuffle(y, channels // groups), x)


def convolutions(module: nn.Module, args: Sequence[Tensor]) -> list[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """Every convolution and product that runs: shape of the weight, of the output, groups."""
    found = []

    def record(layer: nn.Module, _args: object, output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        found.append((tuple(layer.weight.shape), tuple(output.shape), getattr(layer, "groups", 1)))

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(record)
    module(*args)
    return found


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *[(f"shufflenet_v2_{width}", {"equal_branches": True}) for width in ("x0_5", "x1_0", "x1_5", "x2_0")],
        ("mobilenet_v2", {}),
    ],
)
def test_torchvision_has_the_same_network(name: str, arguments: dict[str, object]) -> None:
    ours, theirs = models.find(name, arguments), models.find(f"torchvision:{name}")
    assert convolutions(ours.module, ours.args) == convolutions(theirs.module, theirs.args)
    own, other = ours.module.state_dict(), theirs.module.state_dict()
    assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in other.items()}


@cache
def products(name: str) -> Counter[int]:
    """Multiply-adds of every operator that has some: how many operators have so many.

    Not their kinds: timm has 1x1 convolutions of 1x1 maps where torchvision has fully connected layers.
    """
    return Counter(cost.mult_adds for cost in profile_of(name).costs if cost and cost.mult_adds)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("shufflenet_v2_x1_0_fused", "shufflenet_v2_x1_0"),
        ("mobilenet_v1", "timm:mobilenetv1_100"),
        ("mobilenet_v2", "timm:mobilenetv2_100"),
        ("mobilenet_v2_x1_4", "timm:mobilenetv2_140"),
        ("mobilenet_v3_large", "timm:mobilenetv3_large_100"),
        ("mobilenet_v3_small", "timm:mobilenetv3_small_100"),
        ("vgg16", "timm:vgg16"),
        ("resnet50", "timm:resnet50"),
        ("resnext50", "timm:resnext50_32x4d"),
        ("densenet121", "timm:densenet121"),
        ("inception_v3", "timm:inception_v3"),
    ],
)
def test_another_implementation_agrees_op_for_op(name: str, other: str) -> None:
    assert products(name) == products(other)


def test_torchvision_weights_give_the_same_answers() -> None:
    arguments = {"equal_branches": True}
    ours = models.find("shufflenet_v2_x0_5", arguments, device="cpu")
    theirs = models.find("torchvision:shufflenet_v2_x0_5", device="cpu")
    ours.module.load_state_dict(theirs.module.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours.module(*ours.args), theirs.module(*ours.args))


V2 = importlib.import_module("mac_profiler.zoo.shufflenet_v2")


def filled(module: nn.Module) -> nn.Module:
    """Weights and statistics that leave no channel dead and no two alike."""
    generator = torch.Generator().manual_seed(7)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.2 + (0.9 if tensor.ndim == 1 else -0.1))
    return module.eval()


@pytest.mark.parametrize("width", ["x0_5", "x1_0", "x1_5", "x2_0"])
@pytest.mark.parametrize(
    "extra", [{}, {"equal_branches": True}, {"se": True, "residual": True}, {"field": True}], ids=lambda e: "+".join(e)
)
@torch.no_grad()
def test_the_fused_network_answers_the_same_to_the_last_bit(width: str, extra: dict[str, object]) -> None:
    plain = filled(find(f"shufflenet_v2_{width}", extra, device="cpu").module)
    fused = find(f"shufflenet_v2_{width}_fused", extra, device="cpu").module
    fused.load_state_dict(plain.state_dict())
    for images in (torch.rand(1, 3, 64, 64), torch.rand(3, 3, 97, 65).to(memory_format=torch.channels_last)):
        answer = plain(images)
        assert answer.isfinite().all()
        assert answer.std() > 0
        assert torch.equal(fused(images), answer)


@pytest.mark.parametrize("width", ["x0_5", "x1_0", "x1_5", "x2_0"])
def test_the_fused_network_has_fewer_operators_and_accesses(width: str) -> None:
    plain, fused = profile_of(f"shufflenet_v2_{width}"), profile_of(f"shufflenet_v2_{width}_fused")
    assert fused.total.mult_adds == plain.total.mult_adds
    assert fused.parameters == plain.parameters
    assert len(fused.graph.ops) < len(plain.graph.ops)
    # What a unit joins is read and written once, not twice; where branches are not equally wide, a part of it twice.
    joined = [op for op in plain.graph.ops if op.target == "aten.cat"]
    assert len(joined) == 16
    saved = 2 * sum(op.outputs[0].elements for op in joined)
    extra = 2 * sum(op.outputs[0].elements for op in fused.graph.ops if op.target == "aten.cat")
    assert fused.total.accesses == plain.total.accesses - saved + extra
    assert 0 <= extra < saved / 10


@pytest.mark.parametrize("shape", [(1, 4, 3, 5), (2, 6, 1, 1)])
@pytest.mark.parametrize("second", [4, 2, 10])
def test_joining_at_once_is_joining_and_shuffling(shape: tuple[int, ...], second: int) -> None:
    batch, _, height, width = shape
    one, other = torch.rand(shape), torch.rand(batch, second, height, width)
    assert torch.equal(V2.join_shuffled_at_once(one, other), V2.join_shuffled(one, other))


def test_the_residual_network_adds_what_it_works_on() -> None:
    built = find("shufflenet_v2_x1_0_residual")
    adds = [op for op in analyze(built.module, *built.args).graph.ops if op.target == "aten.add"]
    assert [op.path for op in adds] == [
        f"stage{stage}.{unit}" for stage, units in ((2, 4), (3, 8), (4, 4)) for unit in range(1, units)
    ]


def test_the_wide_field_adds_a_depthwise_convolution_to_every_unit() -> None:
    ours, plain = products("shufflenet_v2_x1_0_field"), products("shufflenet_v2_x1_0")
    added = ours - plain
    assert plain - ours == Counter()
    # Ahead of the main branch: 9 of each element of the worked half, or of the whole input where there is no split.
    whole = [24 * 56 * 56, 116 * 28 * 28, 232 * 14 * 14]
    halves = [58 * 28 * 28] * 3 + [116 * 14 * 14] * 7 + [232 * 7 * 7] * 3
    assert added == Counter(9 * elements for elements in whole + halves)


def test_a_network_without_shuffle_is_the_same_but_for_the_shuffles() -> None:
    ours, plain = profile_of("shufflenet_v1_g3_x1_0_no_shuffle"), profile_of("shufflenet_v1_g3_x1_0")
    assert products("shufflenet_v1_g3_x1_0_no_shuffle") == products("shufflenet_v1_g3_x1_0")
    targets = Counter(op.target for op in plain.graph.ops) - Counter(op.target for op in ours.graph.ops)
    assert targets["aten.transpose"] == 16
    assert ours.total.accesses < plain.total.accesses


@pytest.mark.parametrize(
    ("name", "units"), [("shufflenet_v1_50", 16), ("shufflenet_v2_50", 16), ("shufflenet_v2_se_164", 53)]
)
def test_a_large_network_has_as_many_layers_as_its_name_says(name: str, units: int) -> None:
    convolutions = {op.path for op in profile_of(name).graph.ops if op.target == "aten.convolution"}
    main = [path for path in convolutions if not path.startswith("conv") and ".branch1." not in path]
    assert len(main) == 3 * units


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"channels": (24, 117, 232, 464, 1024)}, "117, 232, 464 channels: a unit splits them in halves, give even"),
        ({"channels": (24, 116, 464, 1024)}, "2 stages of channels and 3 of repeats"),
        ({"channels": (24, -2, 232, 464, 1024)}, "give even"),
    ],
)
def test_channels_that_make_no_network_are_refused_when_it_is_built(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ModelNotFound, match=said):
        models.find("shufflenet_v2", arguments)
