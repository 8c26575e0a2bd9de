"""Rewriting: what a preview changes keeps the function, is counted exactly, and leaves the model as it was."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.nn.utils.fusion import fuse_conv_bn_weights

from mac_profiler import models
from mac_profiler.api.analysis import profile_of
from mac_profiler.errors import InvalidInput
from mac_profiler.models import Built
from mac_profiler.previewed import Preview, Rewrite
from mac_profiler.rewriting import preview, preview_of
from tests.auditing import findings_of
from tests.building import Net


def built(module: Any, *shapes: tuple[int, ...], **kwargs: Any) -> Built:
    torch.manual_seed(3)
    return Built("net", module, tuple(torch.randn(shape) for shape in shapes), kwargs)


def previewed(module: Any, *shapes: tuple[int, ...]) -> Preview:
    return preview_of(built(module, *shapes), profile_of)


def codes(found: Preview) -> dict[str, int]:
    return dict(Counter(each.code for each in found.rewrites))


# -------------------------------------------------------------------------------------------------------------- folding

FOLDED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "convolution": (lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6)), (2, 4, 8, 8)),
    "convolution without bias": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "convolution in groups": (lambda: nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), (2, 4, 8, 8)),
    "depthwise convolution": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.BatchNorm2d(4)), (2, 4, 8, 8)
    ),
    "transposed convolution": (
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 6, 3, stride=2), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "transposed convolution without bias": (
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 6, 3, stride=2, bias=False), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "transposed convolution in groups": (
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "convolution of rows": (lambda: nn.Sequential(nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6)), (2, 4, 8)),
    "convolution of volumes": (lambda: nn.Sequential(nn.Conv3d(4, 6, 1), nn.BatchNorm3d(6)), (2, 4, 3, 3, 3)),
    "transposed convolution of rows": (
        lambda: nn.Sequential(nn.ConvTranspose1d(4, 6, 3), nn.BatchNorm1d(6)), (2, 4, 8)
    ),
    "linear layer": (lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6)), (5, 4)),
    "linear layer without bias": (lambda: nn.Sequential(nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6)), (5, 4)),
    "batch-norm without factors": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, affine=False)), (2, 4, 8, 8)
    ),
    "a wide epsilon": (lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, eps=0.7)), (2, 4, 8, 8)),
    "padding of the same size": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3, padding="same"), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_batch_norm_goes_into_the_layer_before_it(name: str) -> None:
    build, shape = FOLDED[name]
    found = previewed(build(), shape)
    assert found.equal, found
    assert codes(found) == {"G401": 1}
    assert (found.rewrites[0].path, found.ops_before - found.ops_after) == ("1", 1)
    assert 0 < found.accesses_after < found.accesses_before
    assert found.largest > 0


def use_twice(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    return net.norm(y) + y


def norm_first(net: Any, x: Tensor) -> Tensor:
    return net.conv(net.norm(x))


def computed_weight(net: Any, x: Tensor) -> Tensor:
    return net.norm(F.conv2d(x, net.conv.weight * x.mean()))


def tokens(net: Any, x: Tensor) -> Tensor:
    # Features of the linear layer stand last, and the norm is of the tokens.
    return net.norm(net.linear(x))


KEPT: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "statistics of the batch": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, track_running_stats=False)), (2, 4, 8, 8)
    ),
    "result used twice": (lambda: Net(use_twice, conv=nn.Conv2d(4, 6, 3), norm=nn.BatchNorm2d(6)), (2, 4, 8, 8)),
    "norm before the layer": (lambda: Net(norm_first, conv=nn.Conv2d(4, 6, 3), norm=nn.BatchNorm2d(4)), (2, 4, 8, 8)),
    "activation between": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "another norm": (lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.GroupNorm(2, 6)), (2, 4, 8, 8)),
    "computed weight": (
        lambda: Net(computed_weight, conv=nn.Conv2d(4, 6, 3), norm=nn.BatchNorm2d(6)), (2, 4, 8, 8)
    ),
    "norm of tokens": (lambda: Net(tokens, linear=nn.Linear(4, 4), norm=nn.BatchNorm1d(4)), (2, 4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_batch_norm_that_cannot_be_folded_stays(name: str) -> None:
    build, shape = KEPT[name]
    found = previewed(build(), shape)
    assert found.rewrites == ()
    assert (found.equal, found.difference) == (True, 0)
    assert (found.ops_before, found.accesses_before) == (found.ops_after, found.accesses_after)


def test_no_finding_is_made_of_a_norm_of_tokens() -> None:
    module, shape = KEPT["norm of tokens"]
    profile = profile_of(built(module().eval(), shape))
    assert findings_of(profile, "G401") == []
    rows = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).eval()
    assert [each.code for each in findings_of(profile_of(built(rows, (5, 4))), "G401")] == ["G401"]


def test_a_layer_that_is_shared_is_folded_for_each_norm() -> None:
    def run(net: Any, x: Tensor) -> Tensor:
        return net.first(net.conv(x)) - net.second(net.conv(x))

    found = previewed(
        Net(run, conv=nn.Conv2d(4, 6, 3), first=nn.BatchNorm2d(6), second=nn.BatchNorm2d(6)), (2, 4, 8, 8)
    )
    assert (codes(found), found.equal) == ({"G401": 2}, True)
    # Otherwise it would show nothing: both norms made with the same numbers.
    assert found.largest > 0


# ------------------------------------------------------------------------------------------------------------- shuffles


def shuffled(parts: int, groups: int, *, tail: str = "contiguous", axis: int = 1) -> nn.Module:
    """Equal parts, concatenated and shuffled in so many groups."""

    def run(_: Any, x: Tensor) -> Tensor:
        made = [torch.relu(x * (number + 1)) for number in range(parts)]
        y = torch.cat(made, axis)
        n, c, h, w = y.shape
        turned = y.view(n, groups, c // groups, h, w).transpose(1, 2)
        if tail == "reshape":
            return turned.reshape(n, c, h, w)
        if tail == "flatten":
            return turned.flatten(1, 2)
        if tail == "permute":
            return y.view(n, groups, c // groups, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)
        if tail == "at once":
            return F.channel_shuffle(y, groups)
        return turned.contiguous().view(n, c, h, w)

    return Net(run)


@pytest.mark.parametrize("tail", ["contiguous", "reshape", "flatten", "permute", "at once"])
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_concatenation_and_shuffle_become_one_stacking(parts: int, tail: str) -> None:
    found = previewed(shuffled(parts, parts, tail=tail), (2, 12, 3, 4))
    assert codes(found) == {"G406": 1}
    # Bit for bit, for nothing is computed; one pass over the result is gone.
    assert (found.equal, found.difference) == (True, 0)
    assert found.ops_before - found.ops_after == 1
    assert found.accesses_before - found.accesses_after == 2 * 2 * 12 * parts * 12


def test_channels_last_behind_a_turn_are_shuffled_too() -> None:
    def run(_: Any, x: Tensor) -> Tensor:
        y = torch.cat([x, x * 2], -1)
        return y.view(2, 5, 2, 6).transpose(-1, -2).reshape(2, 5, 12)

    found = previewed(Net(run), (2, 5, 6))
    assert (codes(found), found.equal, found.difference) == ({"G406": 1}, True, 0)


def unequal(_: Any, x: Tensor) -> Tensor:
    y = torch.cat([x[:, :2], x], 1)
    return y.view(2, 2, 3, 3, 3).transpose(1, 2).reshape(2, 6, 3, 3)


def turned_elsewhere(_: Any, x: Tensor) -> Tensor:
    y = torch.cat([x, x * 2], 1)
    return y.view(2, 2, 4, 3, 3).transpose(3, 4).reshape(2, 8, 3, 3)


def read_between(_: Any, x: Tensor) -> Tensor:
    y = torch.cat([x, x * 2], 1)
    return y.view(2, 2, 4, 3, 3).transpose(1, 2).reshape(2, 8, 3, 3) + y


LEFT: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "more groups than parts": (shuffled(2, 4), (2, 4, 3, 3)),
    "fewer groups than parts": (shuffled(4, 2), (2, 4, 3, 3)),
    "more groups than parts, at once": (shuffled(2, 4, tail="at once"), (2, 4, 3, 3)),
    "as many groups, another axis": (shuffled(2, 2, axis=0), (2, 4, 3, 3)),
    "unequal parts": (Net(unequal), (2, 4, 3, 3)),
    "a turn of the maps": (Net(turned_elsewhere), (2, 4, 3, 3)),
    "read by another": (Net(read_between), (2, 4, 3, 3)),
}


@pytest.mark.parametrize("name", LEFT)
def test_other_copies_are_left_alone(name: str) -> None:
    module, shape = LEFT[name]
    found = previewed(module, shape)
    assert (found.rewrites, found.equal, found.difference) == ((), True, 0)


# ------------------------------------------------------------------------------------------------------- whole networks


@pytest.mark.parametrize(
    ("model", "norms", "shuffles"),
    # The down-sampling unit of stage 2 joins 24 and 92 channels: no equal parts.
    [("shufflenet_v2", 56, 15), ("mobilenet_v2", 52, 0), ("torchvision:resnet18", 20, 0)],
)
def test_networks_keep_their_function(model: str, norms: int, shuffles: int) -> None:
    given = models.find(model, inputs=("1x3x64x64",), device="cpu")
    found = preview_of(given, profile_of)
    expected = {code: number for code, number in (("G401", norms), ("G406", shuffles)) if number}
    assert codes(found) == expected
    assert found.equal
    assert 0 < found.difference < 1e-4 * found.largest
    assert found.ops_before - found.ops_after == norms + shuffles
    # As many batch-norms as the audit finds; of shuffles it finds those too that are not of equal parts.
    counts = Counter[str]()
    for each in findings_of(profile_of(given), "G401", "G406"):
        counts[each.code] += each.count
    assert counts["G401"] == norms
    assert counts["G406"] == (shuffles + 1 if shuffles else 0)


@pytest.mark.parametrize("train", [False, True])
def test_the_model_is_left_as_it_was(train: bool) -> None:
    module = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.Dropout(), shuffled(2, 2)).train(train)
    module[2].eval()
    given = built(module, (2, 4, 8, 8))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    inputs = [each.clone() for each in given.args]
    flags = [each.training for each in module.modules()]
    state = torch.get_rng_state()
    found = preview_of(given, profile_of)
    assert codes(found) == {"G401": 1, "G406": 1}
    after = module.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert [each.training for each in module.modules()] == flags
    assert torch.equal(given.args[0], inputs[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_trained_statistics_are_taken_as_they_are() -> None:
    module = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6))
    with torch.no_grad():
        module(torch.randn(8, 4, 8, 8) * 50 + 7)
    once, again = (previewed(module, (2, 4, 8, 8)) for _ in range(2))
    assert once == again
    assert once.equal


def test_keywords_and_several_results_are_compared_too() -> None:
    def run(net: Any, x: Tensor, *, twice: bool, other: Tensor) -> dict[str, Any]:
        y = net.norm(net.conv(x))
        return {"one": y, "rest": [y * 2 if twice else y, (other, 3)]}

    module = Net(run, conv=nn.Conv2d(4, 6, 3), norm=nn.BatchNorm2d(6))
    found = preview_of(built(module, (2, 4, 8, 8), twice=True, other=torch.ones(2)), profile_of)
    assert (codes(found), found.equal) == ({"G401": 1}, True)


# ---------------------------------------------------------------------------------------------------- what goes wrong


def drop_a_relu(module: GraphModule) -> list[Rewrite]:
    relu = next(node for node in module.graph.nodes if node.target == torch.ops.aten.relu.default)
    relu.replace_all_uses_with(relu.args[0])
    return [Rewrite("X", "", "relu", "")]


def swap_parts(module: GraphModule) -> list[Rewrite]:
    cat = next(node for node in module.graph.nodes if node.target == torch.ops.aten.cat.default)
    cat.args = (list(reversed(cat.args[0])), *cat.args[1:])
    return [Rewrite("X", "", "cat", "cat")]


@pytest.mark.parametrize("wrong", [drop_a_relu, swap_parts])
def test_a_wrong_rewriting_is_seen(
    wrong: Callable[[GraphModule], list[Rewrite]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_PASSES", (wrong,))
    found = previewed(shuffled(2, 2), (2, 4, 8, 8))
    assert not found.equal
    assert found.difference > 1e-3 * found.largest


@pytest.mark.parametrize("forgotten", range(4))
def test_a_fold_that_forgets_something_is_seen(forgotten: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = fuse_conv_bn_weights

    def wrong(
        kernel: Any, shift: Any, mean: Any, variance: Any, epsilon: float, factor: Any, offset: Any, *more: Any
    ) -> Any:
        plain = [
            (mean * 0, variance, factor, offset), (mean, variance * 0 + 1, factor, offset),
            (mean, variance, factor * 0 + 1, offset), (mean, variance, factor, offset * 0),
        ]  # fmt: skip
        mean, variance, factor, offset = plain[forgotten]
        return right(kernel, shift, mean, variance, epsilon, factor, offset, *more)

    monkeypatch.setattr("mac_profiler.rewriting.fold.fuse_conv_bn_weights", wrong)
    assert not previewed(nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6)), (2, 4, 8, 8)).equal


def test_what_is_no_number_any_more_is_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    def divide(module: GraphModule) -> list[Rewrite]:
        relu = next(node for node in module.graph.nodes if node.target == torch.ops.aten.relu.default)
        relu.target = torch.ops.aten.rsqrt.default
        return []

    monkeypatch.setattr(preview, "_PASSES", (divide,))
    assert not previewed(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()), (2, 4, 8, 8)).equal


def test_a_later_result_that_is_no_number_any_more_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * 2, x.relu()

    def divide(module: GraphModule) -> list[Rewrite]:
        relu = next(node for node in module.graph.nodes if node.target == torch.ops.aten.relu.default)
        relu.target = torch.ops.aten.rsqrt.default
        return []

    monkeypatch.setattr(preview, "_PASSES", (divide,))
    found = previewed(Two(), (2, 4, 8, 8))
    assert not found.equal
    assert found.difference == math.inf


def test_what_is_no_number_in_both_is_equal() -> None:
    class Roots(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * 2, x.sqrt()

    found = previewed(Roots(), (2, 4, 8, 8))
    assert found.equal
    assert found.difference == 0.0
    assert 0 < found.largest < 100


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_fewer_digits_are_no_other_function(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layers = [layer for _ in range(6) for layer in (nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())]
    module = nn.Sequential(*layers).to(dtype)
    built = Built("net", module.eval(), (torch.zeros(2, 8, 16, 16, dtype=dtype),))
    found = preview.preview_of(built, profile_of)
    assert len(found.rewrites) == 6
    assert found.equal, (found.difference, found.largest)


def by_data(_: Any, x: Tensor) -> Tensor:
    return x * 2 if float(x.sum()) > 0 else x - 1


def raising(_: Any, x: Tensor) -> Tensor:
    raise ValueError(f"{tuple(x.shape)}\nis not\nliked")


@pytest.mark.parametrize("run", [by_data, raising])
def test_what_cannot_be_exported_is_one_line(run: Callable[..., Tensor]) -> None:
    with pytest.raises(InvalidInput) as caught:
        previewed(Net(run), (2, 4))
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("net cannot be rewritten: torch.export says ")
    assert said.endswith("; leave --fix-preview out")


def test_what_is_no_module_is_one_line() -> None:
    with pytest.raises(InvalidInput, match="rewrites modules; net is a builtin_function_or_method"):
        previewed(torch.relu, (2, 4))
