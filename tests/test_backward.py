"""The backward pass: the real autograd graph, its multiply-adds against closed forms and torch's own counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from mac_profiler.errors import InvalidInput, MacprofError
from tests.building import Net, analyze


def mult_adds(profile: Any, phase: str) -> int:
    return sum(
        cost.mult_adds
        for op, cost in zip(profile.graph.ops, profile.costs, strict=True)
        if op.phase == phase and cost is not None
    )


def grad(*shape: int) -> Tensor:
    return torch.randn(*shape, requires_grad=True)


# --------------------------------------------------------------------------------------------------------- closed forms

# name: (model, inputs, multiply-adds of the forward, of the backward)
Case = tuple[nn.Module, tuple[Any, ...], int, int]
CASES: dict[str, Callable[[], Case]] = {
    # [2, 8] x [8, 4]: one product forward; the gradients of weight and input are one each.
    "linear": lambda: (nn.Linear(8, 4), (grad(2, 8),), 64, 128),
    "linear, input needs no gradient": lambda: (nn.Linear(8, 4), (torch.randn(2, 8),), 64, 64),
    "linear without bias": lambda: (nn.Linear(8, 4, bias=False), (grad(2, 8),), 64, 128),
    "linear in three dimensions": lambda: (nn.Linear(8, 4), (grad(3, 2, 8),), 192, 384),
    "two linears": lambda: (
        nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4)),
        (torch.randn(2, 8),),
        2 * (48 + 24),
        2 * (48 + 2 * 24),
    ),
    # The gradients pass through a frozen layer, and do not stay in it.
    "frozen second layer": lambda: (
        nn.Sequential(nn.Linear(8, 6), nn.Linear(6, 4).requires_grad_(False)),
        (torch.randn(2, 8),),
        2 * (48 + 24),
        2 * (48 + 24),
    ),
    "frozen first layer": lambda: (
        nn.Sequential(nn.Linear(8, 6).requires_grad_(False), nn.Linear(6, 4)),
        (torch.randn(2, 8),),
        2 * (48 + 24),
        2 * 24,
    ),
    "convolution": lambda: (nn.Conv2d(3, 4, 3, padding=1), (grad(2, 3, 5, 5),), 2 * 25 * 4 * 27, 2 * 2 * 25 * 4 * 27),
    "stem convolution": lambda: (nn.Conv2d(3, 4, 3), (torch.randn(2, 3, 5, 5),), 2 * 9 * 4 * 27, 2 * 9 * 4 * 27),
    "depthwise": lambda: (
        nn.Conv2d(4, 4, 3, groups=4, stride=2),
        (grad(2, 4, 7, 7),),
        2 * 9 * 4 * 9,
        2 * 2 * 9 * 4 * 9,
    ),
    "dilated 1-d": lambda: (nn.Conv1d(4, 6, 3, dilation=2), (grad(2, 4, 9),), 2 * 5 * 6 * 12, 2 * 2 * 5 * 6 * 12),
    "3-d": lambda: (nn.Conv3d(2, 3, 2), (grad(1, 2, 4, 4, 4),), 27 * 3 * 16, 2 * 27 * 3 * 16),
    # Every input element meets c_out x kernel weights.
    "transposed": lambda: (
        nn.ConvTranspose2d(4, 3, 2, stride=2),
        (grad(2, 4, 3, 3),),
        2 * 4 * 9 * 12,
        2 * 2 * 4 * 9 * 12,
    ),
    "batch norm": lambda: (
        nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        (torch.randn(2, 3, 5, 5),),
        600,
        600,
    ),
    # 2 of 5 products forward: scores, and their product with the values; the backward computes the scores again.
    "attention": lambda: (
        Net(lambda self, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        (grad(2, 4, 16, 8), grad(2, 4, 16, 8), grad(2, 4, 16, 8)),
        2 * 8 * 16 * 16 * 8,
        5 * 8 * 16 * 16 * 8,
    ),
    "attention of other lengths": lambda: (
        Net(lambda self, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=False)),
        (grad(2, 4, 6, 8), grad(2, 4, 10, 8), grad(2, 4, 10, 8)),
        2 * 8 * 6 * 10 * 8,
        5 * 8 * 6 * 10 * 8,
    ),
    "attention, causal": lambda: (
        Net(lambda self, q: F.scaled_dot_product_attention(q, q, q, is_causal=True)),
        (grad(2, 4, 16, 8),),
        2 * 8 * 16 * 16 * 8,
        5 * 8 * 16 * 16 * 8,
    ),
    "attention with a mask and dropout": lambda: (
        Net(lambda self, q, m: F.scaled_dot_product_attention(q, q, q, m, 0.1)),
        (grad(2, 4, 16, 8), torch.zeros(16, 16)),
        2 * 8 * 16 * 16 * 8,
        5 * 8 * 16 * 16 * 8,
    ),
    "lstm": lambda: (
        Net(lambda self, x: self.lstm(x)[0], lstm=nn.LSTM(8, 6)),
        (grad(5, 3, 8),),
        15 * 4 * 6 * 14,
        2 * 15 * 4 * 6 * 14,
    ),
    "gru": lambda: (
        Net(lambda self, x: self.gru(x)[0], gru=nn.GRU(8, 6)),
        (grad(5, 3, 8),),
        15 * 3 * 6 * 14,
        # Step by step here; the zeros that it starts from need no gradient: one product of [3, 18] x [18, 6] less.
        2 * 15 * 3 * 6 * 14 - 3 * 18 * 6,
    ),
    "embedding": lambda: (
        nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 4)),
        (torch.randint(0, 20, (2, 5)),),
        320,
        640,
    ),
    "matrix product": lambda: (Net(lambda self, a, b: a @ b), (grad(3, 2, 8), grad(3, 8, 4)), 192, 384),
    "matrix product by a shared matrix": lambda: (Net(lambda self, a, b: a @ b), (grad(3, 2, 8), grad(8, 4)), 192, 384),
    "einsum": lambda: (
        Net(lambda self, a, b: torch.einsum("bij,bjk->bik", a, b)),
        (grad(3, 2, 8), grad(3, 8, 4)),
        192,
        384,
    ),
    "shared layer": lambda: (
        Net(lambda self, x: self.a(self.a(x)), a=nn.Linear(8, 8)),
        (torch.randn(2, 8),),
        256,
        128 + 256,
    ),
    "detached branch": lambda: (
        Net(lambda self, x: self.a(x) + self.b(x).detach(), a=nn.Linear(8, 8), b=nn.Linear(8, 8)),
        (torch.randn(2, 8),),
        256,
        128,
    ),
    "no_grad branch": lambda: (
        Net(lambda self, x: self.a(x) + without(self.b, x), a=nn.Linear(8, 8), b=nn.Linear(8, 8)),
        (torch.randn(2, 8),),
        256,
        128,
    ),
    "unused output": lambda: (
        Net(lambda self, x: (self.a(x), self.b(x))[0], a=nn.Linear(8, 8), b=nn.Linear(8, 8)),
        (torch.randn(2, 8),),
        256,
        128,
    ),
    "two outputs": lambda: (
        Net(lambda self, x: {"a": self.a(x), "b": [self.b(x), 3]}, a=nn.Linear(8, 8), b=nn.Linear(8, 8)),
        (torch.randn(2, 8),),
        256,
        256,
    ),
    "weight norm": lambda: (nn.utils.parametrizations.weight_norm(nn.Linear(8, 4)), (torch.randn(2, 8),), 64, 64),
    # x1 W, then that times x2, for each of 5 outputs; the gradient of the weight is an outer product over the batch.
    "bilinear": lambda: (nn.Bilinear(3, 4, 5), (torch.randn(2, 3), torch.randn(2, 4)), 2 * 5 * (12 + 4), 2 * 60),
    "an input that nothing depends on": lambda: (
        Net(lambda self, x, y: self.a(x), a=nn.Linear(8, 4)),
        (grad(2, 8), grad(3)),
        64,
        128,
    ),
}


def without(module: nn.Module, x: Tensor) -> Any:
    with torch.no_grad():
        return module(x)


@pytest.mark.parametrize("name", CASES)
def test_multiply_adds(name: str) -> None:
    model, args, forward, backward = CASES[name]()
    profile = analyze(model.train(), *args, backward=True)
    assert profile.complete, profile.uncounted
    assert (mult_adds(profile, "forward"), mult_adds(profile, "backward")) == (forward, backward)


@pytest.mark.parametrize("name", CASES)
def test_the_forward_part_is_the_forward_alone(name: str) -> None:
    model, args, forward, _ = CASES[name]()
    alone = analyze(model.train(), *args)
    assert alone.total.mult_adds == forward
    both = analyze(model, *args, backward=True)
    assert mult_adds(both, "forward") == forward
    phases = [op.phase for op in both.graph.ops]
    assert phases == sorted(phases, reverse=True)  # all of the forward, then all of the backward
    assert {op.phase for op in alone.graph.ops} == {"forward"}
    assert both.parameters == alone.parameters


@pytest.mark.parametrize("ambient", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_ambient_grad_mode_does_not_matter(ambient: Any) -> None:
    model, x = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)), torch.randn(2, 8)
    expected = analyze(model, x, backward=True)
    with ambient():
        found = analyze(model, x, backward=True)
        inside = analyze(model, torch.randn(2, 8), backward=True)
    assert found.records() == expected.records()
    assert inside.total == expected.total


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_run_the_forward_again(reentrant: bool) -> None:
    inner = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    net = Net(lambda self, x: checkpoint(self.inner, x, use_reentrant=reentrant), inner=inner)
    profile = analyze(net, grad(2, 8), backward=True)
    assert mult_adds(profile, "forward") == 256
    # Non-reentrant checkpoints stop where the last saved tensor is made: the last product is not run again.
    assert mult_adds(profile, "backward") in ({256 + 512} if reentrant else {128 + 512, 256 + 512})
    assert {op.path for op in profile.graph.ops if op.phase == "backward" and op.target == "aten.addmm"} <= {
        "inner.0",
        "inner.2",
    }


def test_backward_ops_belong_where_their_forward_ran() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    profile = analyze(model.train(), torch.randn(2, 3, 5, 5), backward=True)
    places = {op.target: op.path for op in profile.graph.ops if op.phase == "backward" and not op.view}
    assert places["aten.convolution_backward"] == "0"
    assert places["aten.native_batch_norm_backward"] == "1"
    assert places["aten.threshold_backward"] == "2"
    assert {op.path for op in profile.graph.ops if op.target == "aten.mm"} == {"4"}
    rows = profile.by_module()
    # The stem needs no gradient of its input.
    assert rows["0"].cost.mult_adds == 2 * 2 * 9 * 4 * 27
    assert rows["4"].cost.mult_adds == 3 * 2 * 36 * 5


def test_backward_reads_what_the_forward_made() -> None:
    profile = analyze(nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4)), torch.randn(2, 8), backward=True)
    ops = profile.graph.ops
    edges = profile.graph.edges()
    relu = next(i for i, op in enumerate(ops) if op.target == "aten.relu")
    of_relu = next(i for i, op in enumerate(ops) if op.target == "aten.threshold_backward")
    assert (relu, of_relu) in edges
    assert "weight" in {value.role for op in ops if op.phase == "backward" for value in op.inputs}


def test_batch_norm_learns_in_training_only() -> None:
    norm = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    x = torch.randn(2, 3, 5, 5)
    for training in (True, False):
        profile = analyze(norm.train(training), x, backward=True)
        (op,) = [op for op in profile.graph.ops if op.target == "aten.native_batch_norm_backward"]
        assert op.args["train"] is training


def test_attention_is_one_op_in_both_directions() -> None:
    q = grad(2, 4, 16, 8)
    for kwargs in ({}, {"is_causal": True}, {"dropout_p": 0.2}, {"attn_mask": torch.zeros(16, 16)}):
        profile = analyze(lambda q, kwargs=kwargs: F.scaled_dot_product_attention(q, q, q, **kwargs), q, backward=True)
        forward = [op.target for op in profile.graph.ops if op.phase == "forward"]
        assert forward == ["aten.scaled_dot_product_attention"]
        of_attention = [op for op in profile.graph.ops if "attention" in op.target and op.phase == "backward"]
        assert len(of_attention) == 1
        assert not [op for op in profile.graph.ops if op.target in ("aten.bmm", "aten.softmax", "aten._softmax")]


def test_nothing_to_differentiate() -> None:
    for model, args in (
        (nn.ReLU(), (torch.randn(2),)),
        (nn.Linear(8, 4).requires_grad_(False), (torch.randn(2, 8),)),
        (Net(lambda self, x: x.argmax(), a=nn.Linear(2, 2)), (torch.randn(2, 8),)),
        (Net(lambda self, x: None, a=nn.Linear(2, 2)), (torch.randn(2, 8),)),
    ):
        with pytest.raises(InvalidInput, match="gradient") as raised:
            analyze(model, *args, backward=True)
        assert "\n" not in str(raised.value)


def test_an_error_of_the_backward_pass_is_one_line() -> None:
    def overwritten(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.a(x).exp()
        y.add_(1)
        return y

    class Refusing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            raise ValueError("no way\nback")

    for run, words in (
        (overwritten, "modified by an inplace operation"),
        (lambda self, x: Refusing.apply(self.a(x)), "no way back"),
    ):
        with pytest.raises(MacprofError, match=words) as raised:
            analyze(Net(run, a=nn.Linear(8, 4)), torch.randn(2, 8), backward=True)
        assert "\n" not in str(raised.value)


def test_contents_decide_in_training_too() -> None:
    """What the forward alone can answer the forward and backward can."""

    def run(self: Any, x: Tensor) -> Tensor:
        y = self.a(x)
        return y[y > 0]

    profile = analyze(Net(run, a=nn.Linear(128, 128)), torch.randn(128, 128), backward=True)
    assert mult_adds(profile, "forward") == mult_adds(profile, "backward") == 128**3


def test_differentiated_twice() -> None:
    """A loss of the gradient (a gradient penalty): the backward pass goes through the backward pass."""

    def run(self: Any, x: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(self.a(x).tanh().sum(), x, create_graph=True)
        return gradient.pow(2).sum()

    profile = analyze(Net(run, a=nn.Linear(8, 6)), grad(2, 8), backward=True)
    # Product and gradient of the input; then of that the gradients of both operands, through tanh the same again.
    assert mult_adds(profile, "forward") == 2 * 96
    assert mult_adds(profile, "backward") == 4 * 96


def test_meta_models() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 5)).train()
    x = torch.randn(2, 3, 5, 5)
    on_cpu = analyze(model, x, backward=True)
    on_meta = analyze(model.to("meta"), x.to("meta"), backward=True)
    assert on_meta.records() == on_cpu.records()


# ---------------------------------------------------------------------------------------------- a second implementation


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.silu(self.norm(self.first(x)))), inplace=True)


def small_resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2),
        Block(8),
        nn.MaxPool2d(2),
        Block(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def small_decoder() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4, 2, 1),
        nn.GroupNorm(2, 8),
        nn.GELU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(8, 3, 3),
        nn.PixelShuffle(1),
        nn.Tanh(),
    )


def small_mixer() -> nn.Module:
    def mix(self: Any, x: Tensor) -> Any:
        x = x + self.tokens(x.transpose(1, 2)).transpose(1, 2)
        return torch.einsum("bnc,dc->bnd", x + self.channels(x), self.out)

    def mlp(width: int) -> nn.Module:
        return nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width)
        )

    return Net(mix, tokens=mlp(6), channels=mlp(8), out=nn.Parameter(torch.randn(3, 8)))


def products_attention() -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        q, k, v = self.qkv(x).chunk(3, -1)
        weights = (q @ k.transpose(-2, -1) / 3).softmax(-1)
        return self.out(weights @ v)

    return Net(run, qkv=nn.Linear(8, 24), out=nn.Linear(8, 8))


SECOND: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[Any, ...]]]] = {
    "resnet": (small_resnet, lambda: (torch.randn(2, 3, 21, 21),)),
    "decoder": (small_decoder, lambda: (grad(2, 4, 5, 5),)),
    "mixer": (small_mixer, lambda: (grad(2, 6, 8),)),
    "attention by products": (products_attention, lambda: (grad(2, 6, 8),)),
    "embedding": (lambda: nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 9)), lambda: (torch.randint(0, 9, (2, 5)),)),
    "1-d": (
        lambda: nn.Sequential(nn.Conv1d(3, 6, 3, dilation=2), nn.ReLU(), nn.Conv1d(6, 2, 1)),
        lambda: (torch.randn(2, 3, 9),),
    ),
    "3-d": (lambda: nn.Sequential(nn.Conv3d(1, 4, 2), nn.ELU(), nn.AvgPool3d(2)), lambda: (grad(1, 1, 5, 5, 5),)),
    "mixed": (
        lambda: Net(lambda self, a, b: torch.baddbmm(a, a, b).sum() + (a @ b).mean()),
        lambda: (grad(2, 4, 4), grad(2, 4, 4)),
    ),
    "frozen": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3).requires_grad_(False), nn.Conv2d(4, 4, 3)),
        lambda: (torch.randn(1, 3, 9, 9),),
    ),
    "checkpointed": (
        lambda: Net(lambda self, x: checkpoint(self.inner, x, use_reentrant=False), inner=small_resnet()),
        lambda: (grad(2, 3, 21, 21),),
    ),
}


@pytest.mark.parametrize("name", SECOND)
def test_against_torchs_flop_counter(name: str) -> None:
    """FlopCounterMode over a real forward and backward counts a multiply-add as two."""
    build, inputs = SECOND[name]
    torch.manual_seed(0)
    model, args = build().train(), inputs()
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        result = model(*args)
        result.sum().backward()
    for parameter in model.parameters():
        parameter.grad = None
    profile = analyze(model, *args, backward=True)
    assert profile.complete, profile.uncounted
    assert profile.total.mult_adds * 2 == counter.get_total_flops()
