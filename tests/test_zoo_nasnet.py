"""NASNet-A and PNASNet-5 of the zoo, held against timm's large ones and against what their authors published."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mac_profiler import models
from mac_profiler.api import analyze_named
from mac_profiler.compiled_operators import import_package
from mac_profiler.profile import Profile
from mac_profiler.zoo.nasnet import NASNet
from mac_profiler.zoo.pnasnet import PNASNet

TIMM: Any = import_package("timm", "timm")
PAIRS = (("nasnet_large", "timm:nasnetalarge"), ("pnasnet5_large", "timm:pnasnet5large"))

# Channels and height of what every cell returns, stem first, from the authors' own tests: github.com/tensorflow/models,
# research/slim/nets/nasnet, nasnet_test.py and pnasnet_test.py (testAllEndPointsShapes*; those name one stem cell).
ENDPOINTS = {
    "nasnet_mobile": [(88, 28), *[(264, 28)] * 4, (352, 14), *[(528, 14)] * 4, (704, 7), *[(1056, 7)] * 4],
    "nasnet_large": [(336, 42), *[(1008, 42)] * 6, (1344, 21), *[(2016, 21)] * 6, (2688, 11), *[(4032, 11)] * 6],
    "pnasnet5_mobile": [(135, 28), *[(270, 28)] * 3, *[(540, 14)] * 3, *[(1080, 7)] * 3],
    "pnasnet5_large": [(540, 42), *[(1080, 42)] * 4, *[(2160, 21)] * 4, *[(4320, 11)] * 4],
}


@cache
def profile_of(name: str) -> Profile:
    return analyze_named(name)


def products(profile: Profile) -> Counter[tuple[object, ...]]:
    """Every convolution and matrix product: target, shapes of its weights and of its output, multiply-adds."""
    return Counter(
        (
            op.target,
            tuple(value.shape for value in op.inputs if value.role == "weight"),
            op.outputs[0].shape,
            cost.mult_adds,
        )
        for op, cost in zip(profile.graph.ops, profile.costs, strict=True)
        if cost is not None and cost.mult_adds
    )


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_large_network_is_timms_product_for_product(ours: str, theirs: str) -> None:
    own, other = profile_of(ours), profile_of(theirs)
    assert own.complete
    assert other.complete
    assert products(own) == products(other)
    assert own.total.mult_adds == other.total.mult_adds
    assert own.parameters == other.parameters


Weighted = dict[tuple[object, ...], list[nn.Module]]


def run(module: nn.Module, image: Tensor) -> tuple[Tensor, Weighted]:
    """The logits, and the modules that have weights by the shapes of these, those of one shape as they ran."""
    found: Weighted = defaultdict(list)

    def note(child: nn.Module, *_: object) -> None:
        found[tuple(parameter.shape for parameter in child.parameters())].append(child)

    with_weights = [child for child in module.modules() if list(child.parameters(recurse=False))]
    hooks = [child.register_forward_hook(note) for child in with_weights]
    logits: Tensor = module(image)
    for hook in hooks:
        hook.remove()
    return logits, found


def ignore_padding_in_averages(module: nn.Module) -> nn.Module:
    """Let timm's average pools of stride 2 divide by the pixels that exist, as TensorFlow's do and as its others do.

    They pad by a separate operator, whose zeros count_include_pad=False cannot see; timm's own pool2d_same says so.
    """
    for child in list(module.modules()):
        for name, pool in list(child.named_children()):
            if isinstance(pool, TIMM.layers.AvgPool2dSame):
                setattr(child, name, nn.AvgPool2d(3, 2, 1, count_include_pad=False))
    return module


def nasnets() -> tuple[nn.Module, nn.Module]:
    other = ignore_padding_in_averages(TIMM.models.nasnet.NASNetALarge(stem_size=16, num_features=192))
    with torch.device("meta"):
        return NASNet(repeats=6, features=192, stem=16, skip_reduction=True), other


def pnasnets() -> tuple[nn.Module, nn.Module]:
    other = TIMM.create_model("pnasnet5large")
    with torch.device("meta"):
        return PNASNet(repeats=4, channels=216, stem=96), other


@pytest.mark.parametrize("make", [nasnets, pnasnets])
def test_with_timms_weights_the_logits_are_timms(make: Callable[[], tuple[nn.Module, nn.Module]]) -> None:
    torch.manual_seed(0)
    # Batch-norm by the statistics of the batch keeps the signal alive through two dozen cells of random weights.
    own, other = (module.double().train() for module in make())
    # All maps of this picture have an odd size (33, 17, 9, 5, 3), so that SAME pads them alike on all sides.
    image = torch.randn(2, 3, 67, 67, dtype=torch.float64)
    with torch.no_grad():
        wanted, given = run(other, image)
        _, taken = run(own, image.to("meta"))
        assert {key: len(found) for key, found in taken.items()} == {key: len(found) for key, found in given.items()}
        for key, found in taken.items():
            for child, source in zip(found, given[key], strict=True):
                child.load_state_dict(source.state_dict(), assign=True)
        logits = own(image)
    torch.testing.assert_close(logits, wanted, rtol=1e-6, atol=1e-9)
    # The two pictures and the classes are told apart, so that equal logits say something.
    assert logits.std(dim=0).mean() > 1e-2
    assert logits.std(dim=1).mean() > 1e-2


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_maps_are_those_of_the_authors_tests(name: str) -> None:
    built = models.find(name)
    shapes: list[tuple[int, ...]] = []
    hooks = [cell.register_forward_hook(lambda _, __, y: shapes.append(tuple(y.shape))) for cell in built.module.cells]
    built.module(*built.args)
    assert len(hooks) == len(shapes)
    assert shapes[1:] == [(1, channels, size, size) for channels, size in ENDPOINTS[name]]


@pytest.mark.parametrize(
    ("name", "mult_adds", "parameters"),
    [("nasnet_mobile", "564M", "5.3M"), ("nasnet_large", "23.8B", "88.8M")],
)
def test_nasnets_figures_are_the_published_ones(name: str, mult_adds: str, parameters: str) -> None:
    profile = profile_of(name)
    total = profile.total.mult_adds
    assert (f"{total / 1e6:.0f}M" if mult_adds.endswith("M") else f"{total / 1e9:.1f}B") == mult_adds
    assert f"{profile.parameters / 1e6:.1f}M" == parameters


def test_the_large_nasnets_published_parameters_count_the_running_statistics() -> None:
    statistics = sum(
        buffer.numel() for buffer in models.find("nasnet_large").module.buffers() if buffer.is_floating_point()
    )
    assert f"{(profile_of('nasnet_large').parameters + statistics) / 1e6:.1f}M" == "88.9M"


@pytest.mark.parametrize(
    ("name", "mult_adds", "parameters"),
    [("pnasnet5_mobile", "588M", "5.1M"), ("pnasnet5_large", "25.0B", "86.1M")],
)
def test_pnasnets_figures_are_the_published_ones_with_the_dropped_layer(
    name: str, mult_adds: str, parameters: str
) -> None:
    profile = profile_of(name)
    (pool,) = (op for op in profile.graph.ops if op.path == "cells.1.sums.0.right")
    # The 1x1 convolution from the pool's channels to as many that the authors' code no longer builds.
    dropped = prod(pool.outputs[0].shape) * pool.outputs[0].shape[1]
    without, total = profile.total.mult_adds, profile.total.mult_adds + dropped
    assert (f"{total / 1e6:.0f}M" if mult_adds.endswith("M") else f"{total / 1e9:.1f}B") == mult_adds
    assert 0.995 < without / total < 1
    assert f"{profile.parameters / 1e6:.1f}M" == parameters


@pytest.mark.parametrize("name", ["nasnet_mobile", "pnasnet5_mobile"])
@pytest.mark.parametrize("size", [(64, 64), (65, 70), (99, 131)])
def test_pictures_of_any_size_run(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    module = models.find(name, device="cpu").module
    made = []
    hooks = [cell.register_forward_hook(lambda _, __, y: made.append(y.shape[2:])) for cell in module.cells]
    with torch.no_grad():
        logits = module(torch.randn(2, 3, *size))
    assert logits.shape == (2, 1000)
    assert logits.isfinite().all()
    assert logits.unique().numel() > 1
    # SAME: a cell keeps a map's size or halves it, rounded up.
    assert len(made) == len(hooks)
    assert all(after in (before, tuple(-(-side // 2) for side in before)) for before, after in pairwise(made))
