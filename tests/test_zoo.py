"""Every model of the zoo, found by itself: it runs, and its published figures are what its counts give."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from mac_profiler import models
from mac_profiler.adapters import zoo
from mac_profiler.api import analyze
from mac_profiler.models import Entry, Published
from mac_profiler.profile import Profile
from mac_profiler.registry import modules_of
from mac_profiler.zoo import shufflenet_v1, shufflenet_v2

ENTRIES = models.entries()
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}
READINGS = {
    "convolutions only",
    "batch-norm left out",
    "global pooling added",
    "truncated",
    "not reproduced",
}
# ShuffleNet V1, Table 1, and V2, Table 5: output channels of stage 2, 3 and 4.
V1_TABLE1 = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
V2_TABLE5 = {
    "x0_5": (24, 48, 96, 192, 1024),
    "x1_0": (24, 116, 232, 464, 1024),
    "x1_5": (24, 176, 352, 704, 1024),
    "x2_0": (24, 244, 488, 976, 2048),
}


def name_of(entry: Entry) -> str:
    return entry.name


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2].rstrip("KMG"))


def batch_norm_parameters(module: nn.Module) -> int:
    norms = [child for child in module.modules() if isinstance(child, nn.modules.batchnorm._BatchNorm)]
    return sum(parameter.numel() for norm in norms for parameter in norm.parameters())


def pooled_elements(profile: Profile) -> int:
    """Elements that the global average pooling adds up: each output is a sum over its window."""
    ops = [op for op in profile.graph.ops if op.target in ("aten.mean", "aten._adaptive_avg_pool2d")]
    return sum(op.inputs[0].elements for op in ops)


def count(figure: Published, profile: Profile, module: nn.Module) -> int:
    """Our count of a published quantity, in the reading that the zoo says its source has."""
    if figure.quantity == "parameters":
        left_out = batch_norm_parameters(module) if "batch-norm left out" in figure.reading else 0
        return profile.parameters - left_out
    if "convolutions only" in figure.reading:
        pairs = zip(profile.graph.ops, profile.costs, strict=True)
        return sum(cost.mult_adds for op, cost in pairs if cost and op.target == "aten.convolution")
    added = pooled_elements(profile) if "global pooling added" in figure.reading else 0
    return profile.total.mult_adds + added


def printed_as(value: int, figure: Published) -> str:
    """The count with as many digits as the figure has."""
    unit, places = figure.printed[-1], decimals(figure.printed)
    scaled = value / UNITS[unit]
    if "truncated" in figure.reading:
        scaled = math.floor(scaled * 10**places) / 10**places
    return f"{scaled:.{places}f}{unit}"


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_the_published_figures_follow(entry: Entry) -> None:
    built = models.find(entry.name)
    profile = analyze(built.module, *built.args)
    assert profile.complete
    assert profile.parameters == sum(parameter.numel() for parameter in built.module.parameters())
    for figure in entry.published:
        assert set(filter(None, figure.reading.split(", "))) <= READINGS
        if figure.quantity not in ("mult_adds", "parameters"):
            assert 0 < float(figure.printed) < 100
            continue
        got = printed_as(count(figure, profile, built.module), figure)
        if "not reproduced" in figure.reading:
            assert figure.note, "what is not reproduced needs a reason"
            assert got != figure.printed, "it is reproduced: drop the remark"
        else:
            assert got == figure.printed, figure


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_a_model_runs_on_real_numbers(entry: Entry) -> None:
    built = models.find(entry.name, device="cpu")
    (image,) = built.args
    assert image.shape == entry.input_shape
    with torch.no_grad():
        # The smallest picture that the strides leave something of: the structure is what is tried here.
        logits = built.module(image[..., :64, :64])
    assert logits.shape == (1, 1000)
    assert logits.isfinite().all()
    assert logits.unique().numel() > 1


def test_names_read_without_importing_are_those_that_the_files_hold() -> None:
    held = [
        name
        for module in map(importlib.import_module, modules_of(zoo.ROOM))
        for name in (*module.VARIANTS, *module.ALIASES)
    ]
    assert sorted(held) == models.names()
    assert len(set(held)) == len(held)


@pytest.mark.parametrize("module", modules_of(zoo.ROOM))
def test_a_file_begins_the_names_of_its_models(module: str) -> None:
    table = zoo.read_table(module)
    assert set(zoo.LITERALS) == set(table)
    assert all(name.startswith(module.rpartition(".")[2]) for name in (*table["VARIANTS"], *table["ALIASES"]))
    assert set(table["ALIASES"].values()) <= set(table["VARIANTS"])


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.aliases], ids=name_of)
def test_an_alias_is_the_same_model(entry: Entry) -> None:
    own = models.find(entry.name).module.state_dict()
    for alias in entry.aliases:
        other = models.find(alias).module.state_dict()
        assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in other.items()}


def stage_channels(module: nn.Module) -> list[set[int]]:
    """Channels that the units of every stage return."""
    found: list[set[int]] = []
    for number in (2, 3, 4):
        stage = module.get_submodule(f"stage{number}")
        seen: set[int] = set()
        for unit in stage.children():
            unit.register_forward_hook(lambda _module, _args, output, seen=seen: seen.add(output.shape[1]))
        found.append(seen)
    return found


@pytest.mark.parametrize("groups", V1_TABLE1)
def test_shufflenet_v1_has_the_channels_of_table_1(groups: int) -> None:
    built = models.find(f"shufflenet_v1_g{groups}_x1_0")
    seen = stage_channels(built.module)
    built.module(*built.args)
    assert seen == [{channels} for channels in V1_TABLE1[groups]]
    assert built.module.conv1[0].out_channels == 24


@pytest.mark.parametrize("width", V2_TABLE5)
def test_shufflenet_v2_has_the_channels_of_table_5(width: str) -> None:
    built = models.find(f"shufflenet_v2_{width}")
    seen = stage_channels(built.module)
    built.module(*built.args)
    first, *stages, last = V2_TABLE5[width]
    assert seen == [{channels} for channels in stages]
    assert (built.module.conv1[0].out_channels, built.module.conv5[0].out_channels) == (first, last)


@pytest.mark.parametrize("shuffle", [shufflenet_v1.shuffle_channels, shufflenet_v2.shuffle_channels])
@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (12, 3), (24, 8), (7, 1)])
def test_the_shuffle_is_a_permutation_that_interleaves(shuffle: object, channels: int, groups: int) -> None:
    assert callable(shuffle)
    x = torch.arange(channels * 4.0).view(1, channels, 2, 2)
    y: Tensor = shuffle(x, groups)
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
        *[(f"shufflenet_v2_{width}", {"equal_branches": True}) for width in V2_TABLE5],
        ("mobilenet_v2", {}),
    ],
)
def test_torchvision_has_the_same_network(name: str, arguments: dict[str, object]) -> None:
    ours, theirs = models.find(name, arguments), models.find(f"torchvision:{name}")
    assert convolutions(ours.module, ours.args) == convolutions(theirs.module, theirs.args)
    own, other = ours.module.state_dict(), theirs.module.state_dict()
    assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in other.items()}


def test_torchvision_weights_give_the_same_answers() -> None:
    arguments = {"equal_branches": True}
    ours = models.find("shufflenet_v2_x0_5", arguments, device="cpu")
    theirs = models.find("torchvision:shufflenet_v2_x0_5", device="cpu")
    ours.module.load_state_dict(theirs.module.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours.module(*ours.args), theirs.module(*ours.args))
