"""The same products inside everything that a program may wrap around them."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, randn
from torch.utils.checkpoint import checkpoint

from .case import Call, Function, case


@case(3 * 2 * 6 * 6, parameters=6 * 6 + 6)
def module_called_thrice() -> Call:
    """One layer, called three times, is multiplied three times and stored once."""
    return Call(Function(lambda self, x: self.fc(self.fc(self.fc(x))), fc=nn.Linear(6, 6)), (randn(2, 6),))


@case(2 * 2 * 6 * 6, parameters=6 * 6 + 6)
def module_under_two_names() -> Call:
    """One layer at two places of a Sequential."""
    layer = nn.Linear(6, 6)
    return Call(nn.Sequential(layer, nn.ReLU(), layer), (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 8)
def forward_called_directly() -> Call:
    """Calling `.forward` goes past hooks, and multiplies no less."""

    def forward(self: Any, x: Tensor) -> Any:
        return self.second.forward(self.first.forward(x))

    return Call(Function(forward, first=nn.Linear(6, 7), second=nn.Linear(7, 8)), (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 8)
def layers_in_a_plain_list() -> Call:
    """Layers that the module does not know of are executed all the same."""
    layers = [nn.Linear(6, 7), nn.Linear(7, 8)]
    return Call(Function(lambda self, x: self.layers[1](self.layers[0](x)), layers=layers), (randn(2, 6),))


@case(2 * 6 * 7)
def layer_that_is_never_called() -> Call:
    """A head that only training uses costs nothing."""
    return Call(Function(lambda self, x: self.a(x), a=nn.Linear(6, 7), b=nn.Linear(6, 99)), (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 8)
def work_done_by_a_hook() -> Call:
    """A forward hook multiplies the output once more."""
    model = nn.Linear(6, 7)
    weight = randn(7, 8)
    model.register_forward_hook(lambda module, inputs, output: output @ weight)
    return Call(model, (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 6)
def checkpointed() -> Call:
    """Without the backward pass nothing is computed twice."""
    block = nn.Sequential(nn.Linear(6, 7), nn.GELU(), nn.Linear(7, 6))
    model = Function(lambda self, x: checkpoint(self.block, x, use_reentrant=False), block=block)
    return Call(model, (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 6)
def checkpointed_by_reentry() -> Call:
    """The older way, through an autograd function."""
    block = nn.Sequential(nn.Linear(6, 7), nn.GELU(), nn.Linear(7, 6))
    model = Function(lambda self, x: checkpoint(self.block, x, use_reentrant=True), block=block)
    return Call(model, (randn(2, 6).requires_grad_(),))


@case(8 * (3 * 9) * 64 + 8 * 5)
def autocast() -> Call:
    """In bfloat16: casts are copies."""

    def forward(self: Any, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out: Tensor = self.fc(self.conv(x).mean((2, 3)))
        return out

    return Call(Function(forward, conv=nn.Conv2d(3, 8, 3, padding=1), fc=nn.Linear(8, 5)), (randn(1, 3, 8, 8),))


@case(2 * 6 * 8 + 2 * 4 * 3 + 2 * 4 * 5)
def chunks_and_in_place() -> Call:
    """Halves of a product are changed in place, and multiplied once more as views."""

    def forward(self: Any, x: Tensor) -> tuple[Any, Any]:
        wide = self.wide(x)
        wide[:, :4].relu_()
        wide[:, 4:] += 1
        left, right = wide.chunk(2, dim=1)
        return self.left(left), self.right(right)

    model = Function(forward, wide=nn.Linear(6, 8), left=nn.Linear(4, 3), right=nn.Linear(4, 5))
    return Call(model, (randn(2, 6),))


@case(2 * 6 * 7 + 3 * 4 * 5)
def nested_inputs() -> Call:
    """Tensors in dictionaries in lists, beside numbers and strings."""

    def forward(self: Any, batch: dict[str, Any], *, scale: float, name: str) -> dict[str, Any]:
        first, second = batch["views"]
        return {name: [self.a(first["x"]) * scale, self.b(second[0])]}

    inputs = {"views": [{"x": randn(2, 6)}, (randn(3, 4), "unused")], "count": 2}
    model = Function(forward, a=nn.Linear(6, 7), b=nn.Linear(4, 5))
    return Call(model, (inputs,), {"scale": 0.5, "name": "out"})


@dataclass
class Pair:
    """An input of a user's own type."""

    image: Tensor
    text: Tensor | None = None


@case(2 * 6 * 7)
def dataclass_input() -> Call:
    """A dataclass goes in and comes out."""

    def forward(self: Any, pair: Pair) -> Pair:
        return Pair(self.fc(pair.image), pair.text)

    return Call(Function(forward, fc=nn.Linear(6, 7)), (Pair(randn(2, 6)),))


@case(2 * 6 * 7 + 2 * 3 * 7)
def keyword_inputs_only() -> Call:
    """Everything by keyword, one argument left to its default."""

    def forward(self: Any, *, x: Tensor, y: Tensor, z: Tensor | None = None) -> Any:
        return self.a(x) + self.b(y) if z is None else z

    model = Function(forward, a=nn.Linear(6, 7), b=nn.Linear(3, 7))
    return Call(model, (), {"x": randn(2, 6), "y": randn(2, 3)})


@case(4 * 2 * 6 * 6)
def loop_over_an_integer_argument() -> Call:
    """As many passes as the caller says."""

    def forward(self: Any, x: Tensor, times: int) -> Tensor:
        for _ in range(times):
            x = self.fc(x).tanh()
        return x

    return Call(Function(forward, fc=nn.Linear(6, 6)), (randn(2, 6), 4))


@case(2 * 6 * 7 + 4 * 5 * 6)
def control_flow_on_shapes() -> Call:
    """The branch and the padding follow from the input's shape: 3 rows are padded to 4."""

    def forward(self: Any, x: Tensor, y: Tensor) -> tuple[Any, Any]:
        if y.shape[0] % 2:
            y = F.pad(y, (0, -y.shape[1] % 5, 0, 4 - y.shape[0]))
        weight = self.narrow if y.numel() > 1000 else self.wide
        return self.fc(x), y @ weight

    parts = {"fc": nn.Linear(6, 7), "wide": nn.Parameter(randn(5, 6)), "narrow": nn.Parameter(randn(5, 1))}
    return Call(Function(forward, **parts), (randn(2, 6), randn(3, 5)))


@case(2 * 6 * 7 + 2 * 7 * 5)
def gradients_off_inside() -> Call:
    """A frozen trunk under no_grad, a head outside of it."""

    def forward(self: Any, x: Tensor) -> Any:
        with torch.no_grad():
            y = self.trunk(x)
        return self.head(y.detach())

    return Call(Function(forward, trunk=nn.Linear(6, 7), head=nn.Linear(7, 5)), (randn(2, 6),))


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return x.mm(y)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        x, y = ctx.saved_tensors
        return grads[0].mm(y.t()), x.t().mm(grads[0])


@case(2 * 6 * 7)
def autograd_function() -> Call:
    """A user's own autograd function multiplies in its forward."""

    def forward(self: Any, x: Tensor) -> Any:
        return _Product.apply(x, self.weight)  # type: ignore[no-untyped-call]

    return Call(Function(forward, weight=nn.Parameter(randn(6, 7))), (randn(2, 6),))


@case(2 * 6 * 7 + 2 * 7 * 5)
def scripted() -> Call:
    """Compiled by TorchScript, which runs the same operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.jit.script(nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 5)))
    return Call(model, (randn(2, 6),))


@case(3 * 2 * 6 * 7)
def mapped_over_a_batch() -> Call:
    """A product written for one sample, 2 x 6 with 6 x 7, mapped over three."""
    model = Function(
        lambda self, x: torch.func.vmap(lambda one: one @ self.weight)(x), weight=nn.Parameter(randn(6, 7))
    )
    return Call(model, (randn(3, 2, 6),))


@case(3 * 2 * 6 * 7)
def ensemble_by_functional_call() -> Call:
    """Three sets of weights for one layer, swapped in by functional_call."""

    def forward(self: Any, x: Tensor) -> list[Any]:
        names = ("weight", "bias")
        sets = (dict(zip(names, (self.weights[i], self.biases[i]), strict=True)) for i in range(3))
        return [torch.func.functional_call(self.fc, parameters, (x,)) for parameters in sets]

    parts = {"fc": nn.Linear(6, 7), "weights": nn.Parameter(randn(3, 7, 6)), "biases": nn.Parameter(randn(3, 7))}
    return Call(Function(forward, **parts), (randn(2, 6),))


@case(2 * 6 * 7)
def other_context_managers() -> Call:
    """Inference mode, a null context and a profiler label around the product."""

    def forward(self: Any, x: Tensor) -> Any:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.profiler.record_function("block"))
            stack.enter_context(torch.set_grad_enabled(False))
            return self.fc(x)

    return Call(Function(forward, fc=nn.Linear(6, 7)), (randn(2, 6),))


@case(2 * 6 * 7 + 5 * 7 * 7 * 7)
def weight_under_a_parametrization() -> Call:
    """The weight is A A^T, made anew at each of five readings: 7 * 7 * 7 each; the layer itself is never called."""

    class Gram(nn.Module):
        def forward(self, a: Tensor) -> Tensor:
            return a @ a.t()

    layer = nn.Linear(7, 7, bias=False)
    torch.nn.utils.parametrize.register_parametrization(layer, "weight", Gram())

    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.first(x)
        for _ in range(5):
            x = x + self.layer.weight.sum()
        return x

    return Call(Function(forward, first=nn.Linear(6, 7), layer=layer), (randn(2, 6),))
