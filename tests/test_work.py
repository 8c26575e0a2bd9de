"""What kind of work an operator is, and that none of what was counted is lost on the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler.cost import traffic
from mac_profiler.fusion import fuse
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.kinds_of_work import KINDS, PRODUCTS, kind_of_work
from mac_profiler.profile import Profile
from mac_profiler.work import Work, tally, tasks
from tests.building import Net
from tests.machines import counted, of_zoo

MAPS = (1, 8, 6, 6)
TOKENS = (1, 5, 8)
ZOO = ("shufflenet_v2_x0_5", "shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "resnet18", "densenet121", "squeezenet1_0")
AMOUNTS = ("operations", "read_bytes", "write_bytes", "weight_bytes", "calls")


def ran(run: Callable[..., Any]) -> Callable[[], nn.Module]:
    """A module that runs a function of its inputs."""
    return lambda: Net(lambda _, *args: run(*args))


def attends(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x)


ONE_KIND: dict[str, tuple[str, Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "3x3": ("dense_conv", lambda: nn.Conv2d(8, 4, 3), (MAPS,)),
    "1x1": ("pointwise_conv", lambda: nn.Conv2d(8, 4, 1), (MAPS,)),
    "1x1 with a stride": ("pointwise_conv", lambda: nn.Conv2d(8, 4, 1, 2), (MAPS,)),
    "1-d": ("dense_conv", lambda: nn.Conv1d(8, 4, 3), ((1, 8, 9),)),
    "grouped 3x3": ("grouped_conv", lambda: nn.Conv2d(8, 4, 3, groups=2), (MAPS,)),
    "grouped 1x1": ("grouped_conv", lambda: nn.Conv2d(8, 4, 1, groups=4), (MAPS,)),
    "depthwise": ("depthwise_conv", lambda: nn.Conv2d(8, 8, 3, groups=8), (MAPS,)),
    "depthwise, two of each": ("depthwise_conv", lambda: nn.Conv2d(8, 16, 3, groups=8), (MAPS,)),
    "one channel": ("dense_conv", lambda: nn.Conv2d(1, 8, 3), ((1, 1, 6, 6),)),
    "transposed": ("dense_conv", lambda: nn.ConvTranspose2d(8, 4, 2, 2), (MAPS,)),
    "transposed, grouped": ("grouped_conv", lambda: nn.ConvTranspose2d(8, 4, 2, 2, groups=2), (MAPS,)),
    "transposed, depthwise": ("depthwise_conv", lambda: nn.ConvTranspose2d(8, 8, 2, 2, groups=8), (MAPS,)),
    "linear": ("linear", lambda: nn.Linear(8, 4), (TOKENS,)),
    "linear of activations": ("matmul", ran(F.linear), ((5, 8), (4, 8))),
    "bmm": ("matmul", ran(torch.bmm), ((2, 3, 4), (2, 4, 5))),
    "@": ("matmul", ran(lambda x, y: x @ y), ((2, 3, 4), (2, 4, 5))),
    "einsum": ("matmul", ran(lambda x, y: torch.einsum("bij,bjk->bik", x, y)), ((2, 3, 4), (2, 4, 5))),
    "product with a weight": (
        "linear", lambda: Net(lambda net, x: x @ net.weight, weight=nn.Parameter(torch.zeros(8, 4))), ((5, 8),),
    ),
    "attention": ("attention", ran(attends), ((1, 2, 5, 8),)),
    "lstm": ("recurrent", lambda: nn.LSTM(8, 4), ((5, 1, 8),)),
    "gru": ("recurrent", lambda: nn.GRU(8, 4), ((5, 1, 8),)),
    "batch-norm": ("batch_norm", lambda: nn.BatchNorm2d(8).eval(), (MAPS,)),
    "batch-norm in training": ("normalisation", lambda: nn.BatchNorm2d(8).train(), (MAPS,)),
    "layer-norm": ("normalisation", lambda: nn.LayerNorm(8), (TOKENS,)),
    "group-norm": ("normalisation", lambda: nn.GroupNorm(2, 8), (MAPS,)),
    "softmax": ("softmax", lambda: nn.Softmax(-1), (TOKENS,)),
    "log-softmax": ("softmax", lambda: nn.LogSoftmax(-1), (TOKENS,)),
    "gelu": ("transcendental", nn.GELU, (TOKENS,)),
    "silu in place": ("transcendental", lambda: nn.SiLU(inplace=True), (TOKENS,)),
    "sigmoid": ("transcendental", nn.Sigmoid, (TOKENS,)),
    "relu": ("elementwise", nn.ReLU, (TOKENS,)),
    "relu in place": ("elementwise", lambda: nn.ReLU(inplace=True), (TOKENS,)),
    "hard-swish": ("elementwise", nn.Hardswish, (TOKENS,)),
    "sum of two": ("elementwise", ran(torch.add), (MAPS, MAPS)),
    "max-pool": ("max_pool", lambda: nn.MaxPool2d(2), (MAPS,)),
    "avg-pool": ("avg_pool", lambda: nn.AvgPool2d(2), (MAPS,)),
    "adaptive avg-pool": ("reduction", lambda: nn.AdaptiveAvgPool2d(1), (MAPS,)),
    "adaptive max-pool": ("reduction", lambda: nn.AdaptiveMaxPool2d(2), (MAPS,)),
    "mean": ("reduction", ran(lambda x: x.mean((2, 3))), (MAPS,)),
    "cat": ("movement", ran(lambda x, y: torch.cat((x, y), 1)), (MAPS, MAPS)),
    "copy of a view": ("movement", ran(lambda x: x.transpose(1, 2).contiguous()), (MAPS,)),
    "copy that turns maps": ("transposition", ran(lambda x: x.permute(0, 2, 3, 1).contiguous()), (MAPS,)),
    "copy that turns tokens": ("transposition", ran(lambda x: x.transpose(1, 2).contiguous()), (TOKENS,)),
    "padding": ("movement", lambda: nn.ZeroPad2d(1), (MAPS,)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_KIND)
def test_an_operator_is_of_the_kind_that_machines_know(name: str) -> None:
    kind, build, shapes = ONE_KIND[name]
    profile = counted(build, *shapes)
    assert profile.complete
    found = tasks(profile)
    # A recurrent layer makes its first state, and batch-norm in training counts its batches: element by element.
    beside = {each.work.kind for each in found} - {kind}
    assert beside <= ({"elementwise"} if kind in ("recurrent", "normalisation") else set())
    assert max(found, key=lambda each: each.work.bytes_moved).work.kind == kind
    assert sum(each.work.bytes_moved for each in found) == pytest.approx(profile.total.bytes_moved, rel=1e-12)
    if kind in PRODUCTS:
        assert sum(each.work.operations for each in found) == profile.total.mult_adds > 0


def test_every_kind_but_other_has_an_example() -> None:
    assert {kind for kind, _, _ in ONE_KIND.values()} == set(KINDS) - {"other"}


def test_what_a_name_does_not_tell_is_other() -> None:
    x = Value((2, 3))
    assert kind_of_work(Op("mylib.invented", "", "", {"self": x}, (Value((2, 3)),))) == "other"


def test_amounts_are_those_of_the_layer() -> None:
    # [1, 4, 4, 4] = convolution([1, 8, 6, 6], [4, 8, 3, 3], [4]), four bytes an element
    (task,) = tasks(counted(lambda: nn.Conv2d(8, 4, 3), MAPS))
    assert task.ops == (0,)
    assert task.work == Work("dense_conv", 4 * 16 * 8 * 9, 4 * 8 * 36, 4 * 4 * 16, 4 * (4 * 8 * 9 + 4))
    # What is no product is counted in FLOPs.
    (task,) = tasks(counted(nn.ReLU, TOKENS))
    assert task.work == Work("elementwise", 40, 160, 160)
    # Two bytes an element, where the elements have two.
    (task,) = tasks(counted(lambda: nn.ReLU().half(), TOKENS))
    assert task.work.bytes_moved == 320
    half = counted(ran(lambda x: torch.relu(x.half())), TOKENS)
    assert [each.work.bytes_moved for each in tasks(half)] == [40 * 6, 40 * 4]


@pytest.mark.parametrize("name", ZOO)
def test_nothing_that_was_counted_of_a_network_is_lost(name: str) -> None:
    profile = of_zoo(name)
    found = tasks(profile)
    assert {each.work.kind for each in found} <= set(KINDS) - {"other"}
    assert sum(each.work.bytes_moved for each in found) == pytest.approx(profile.total.bytes_moved, rel=1e-12)
    products = [each.work.operations for each in found if each.work.kind in PRODUCTS]
    assert sum(products) == profile.total.mult_adds
    assert [each.ops for each in found] == [(i,) for i, op in enumerate(profile.graph.ops) if not op.view]
    assert {each.work.calls for each in found} == {1.0}


@pytest.mark.parametrize("name", ZOO)
def test_fused_tasks_are_the_kernels(name: str) -> None:
    profile = of_zoo(name)
    ops = profile.graph.ops
    kernels, found = fuse(profile.graph, profile.costs), tasks(profile, fused=True)
    assert [sorted(each.ops) for each in found] == [list(kernel.ops) for kernel in kernels]
    assert sorted(i for each in found for i in each.ops) == [i for i, op in enumerate(ops) if not op.view]
    for each, kernel in zip(found, kernels, strict=True):
        assert kernel.cost is not None
        assert each.work.bytes_moved == pytest.approx(kernel.cost.bytes_moved, rel=1e-12)
        # Whatever runs with a product is named after it.
        kinds = {kind_of_work(ops[i]) for i in each.ops} & set(PRODUCTS)
        assert each.work.kind == kind_of_work(ops[each.ops[0]])
        assert not kinds or each.work.kind in kinds
    assert sum(each.work.operations for each in found if each.work.kind in PRODUCTS) == profile.total.mult_adds


def test_batch_norm_and_relu_run_in_the_convolution() -> None:
    profile = counted(lambda: nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()).eval(), MAPS)
    (task,) = tasks(profile, fused=True)
    # Folded, batch-norm has no part in it: the maps come and go, and the weight is read.
    assert task.ops == (0, 1, 2)
    assert task.work == Work("pointwise_conv", 64 * 36, 4 * 288, 4 * 288, 4 * 64)


def test_an_operator_without_a_cost_is_no_task() -> None:
    x, y, z = Value(TOKENS, role="input"), Value(TOKENS), Value(TOKENS)
    ops = (Op("mylib.invented", "", "", {"self": x}, (y,)), Op("aten.relu", "", "", {"self": y}, (z,)))
    profile = Profile(Graph("net", ops, inputs=(x,), outputs=(z,)), (None, traffic(ops[1], flops=40)))
    for fused in (False, True):
        assert [each.ops for each in tasks(profile, fused=fused)] == [(1,)]


WORKS = st.builds(
    Work, st.sampled_from(list(KINDS)), *(st.integers(0, 2**40).map(float) for _ in range(4)), st.just(1.0)
)


@given(st.lists(WORKS, max_size=30))
def test_a_tally_is_the_sum(works: list[Work]) -> None:
    # Whole numbers below 2^53 are summed without an error.
    found = tally(works)
    assert list(found) == [kind for kind in KINDS if any(work.kind == kind for work in works)]
    for kind, total in found.items():
        own = [work for work in works if work.kind == kind]
        for name in AMOUNTS:
            assert getattr(total, name) == sum(getattr(work, name) for work in own)
        assert total.kind == kind
        assert total.bytes_moved == sum(work.bytes_moved for work in own)
    assert tally(found.values()) == found
