"""Sketches: a part of a model drawn from its graph runs as that part does, from a text as well, in other types too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler.blocks import Block, all_blocks, find_blocks
from mac_profiler.errors import MeasureFailed
from mac_profiler.profile import Profile
from mac_profiler.rebuilding import Rebuilt, rebuild
from mac_profiler.sketch import Draft, Sketch, even, sketch_of
from tests.auditing import counted_sketch
from tests.building import Net
from tests.machines import counted, of_zoo

MODELS = (
    "shufflenet_v1_g3_x1_0", "shufflenet_v2_x0_5", "mobilenet_v2_x1_0", "resnet18", "torchvision:resnet50",
    "resnext50_32x4d", "se_resnet50", "torchvision:googlenet", "densenet121", "nasnet_mobile", "pnasnet5_mobile",
    "mobilenet_v3_small", "torchvision:efficientnet_b0", "torchvision:convnext_tiny", "torchvision:vit_b_16",
    "torchvision:swin_t", "squeezenet1_0", "inception_v3",
)  # fmt: skip
CONVOLUTION = {
    "bias": None, "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "transposed": False,
    "output_padding": [0, 0], "groups": 1,
}  # fmt: skip


def blocks_of(profile: Profile) -> list[Block]:
    return all_blocks(find_blocks(profile.graph, profile.costs))


def first_of_each_size(profile: Profile) -> list[Block]:
    """Blocks that differ in what they have to do; others of a network are their equals."""
    return list({(len(block.ops), block.work): block for block in blocks_of(profile)}.values())


def outputs_of(result: Any) -> list[Tensor]:
    return list(result) if isinstance(result, list | tuple) else [result]


def drawn(profile: Profile, block: Block) -> Sketch:
    sketch = sketch_of(profile.graph, block.ops)
    assert sketch is not None
    return sketch


@pytest.mark.parametrize("model", MODELS)
def test_a_block_costs_the_same_by_itself(model: str) -> None:
    profile = of_zoo(model)
    blocks = first_of_each_size(profile)
    for block in blocks:
        sketch = drawn(profile, block)
        again = counted_sketch(sketch)
        assert again.total.mult_adds == sum(cost.mult_adds for i in block.ops if (cost := profile.costs[i]) is not None)
        assert again.total.flops == sum(cost.flops for i in block.ops if (cost := profile.costs[i]) is not None)
        assert again.total.accesses == sum(cost.accesses for i in block.ops if (cost := profile.costs[i]) is not None)
        made = [value.shape for value in profile.graph.ops[max(block.ops)].outputs]
        assert [value.shape for value in again.graph.outputs] == made
        assert Sketch.from_text(sketch.to_text()).to_text() == sketch.to_text()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("model", ["shufflenet_v2_x0_5", "shufflenet_v1_g3_x1_0", "mobilenet_v3_small"])
def test_a_block_runs_in_other_types(model: str, dtype: torch.dtype) -> None:
    profile = of_zoo(model)
    block = blocks_of(profile)[-1]
    module, inputs = rebuild(drawn(profile, block).to_text())
    with torch.no_grad():
        (made,) = outputs_of(module.to(dtype)(*(each.to(dtype) for each in inputs)))
    assert made.dtype == dtype
    assert made.shape == profile.graph.ops[max(block.ops)].outputs[0].shape
    # Weights keep the scale of the maps: nothing dies away, nothing overflows.
    assert bool(made.isfinite().all())
    assert float(made.float().std()) > 1e-3


class Unit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(8, 8, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def test_a_sketch_computes_what_the_part_does() -> None:
    unit = Unit()
    profile = counted(lambda: nn.Sequential(nn.Conv2d(3, 8, 1), Unit(), nn.Conv2d(8, 3, 1)), (2, 3, 6, 6))
    (block,) = blocks_of(profile)
    module, (x,) = rebuild(drawn(profile, block).to_text())
    assert isinstance(module, Rebuilt)
    with torch.no_grad():
        for own, other in zip(unit.parameters(), module.weights, strict=True):
            own.copy_(other)
        # The block ends with the addition; ReLU runs behind it.
        assert torch.equal(torch.relu(module(x)), unit(x))


def test_what_is_left_out_hands_its_operand_on() -> None:
    profile = counted(lambda: nn.Sequential(nn.Conv2d(3, 8, 1), Unit(), nn.Conv2d(8, 3, 1)), (2, 3, 6, 6))
    (block,) = blocks_of(profile)
    assert block.join is not None
    whole, without = drawn(profile, block), sketch_of(profile.graph, block.ops, without=[block.join])
    assert without is not None
    assert [target for target, _, _ in whole.calls] == [*(target for target, _, _ in without.calls), "aten.add"]
    assert counted_sketch(without).total.mult_adds == counted_sketch(whole).total.mult_adds
    assert sketch_of(profile.graph, block.ops, without=block.ops) is None


PARTS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "several inputs and outputs": (lambda net, x: torch.relu(x).split(2, 1), (2, 8, 4)),
    "a list of tensors": (lambda net, x: torch.cat([x, torch.relu(x), x], 1), (2, 8, 4)),
    "numbers and flags": (lambda net, x: F.softmax(x * 2.5, -1).mean((1, 2), keepdim=True), (2, 8, 4)),
    "layer-norm": (lambda net, x: F.layer_norm(x, (4,)), (2, 8, 4)),
    "attention": (lambda net, x: F.scaled_dot_product_attention(x, x, x), (2, 8, 4)),
    "assignment in place": (lambda net, x: torch.relu(x).mul_(3).add_(x), (2, 8, 4)),
    "pooling with indices": (lambda net, x: F.max_pool1d(x, 2), (2, 8, 4)),
    "padding": (lambda net, x: F.pad(x, (1, 2)), (2, 8, 4)),
    "a slice": (lambda net, x: x[:, 1:5, ::2] * 2, (2, 8, 4)),
    "type conversion": (lambda net, x: torch.relu(x).to(torch.float64).sum(), (2, 8, 4)),
    "another type of half the size": (lambda net, x: x.half() * 2, (2, 8, 4)),
    "made on a device": (lambda net, x: x + torch.arange(4, device=x.device), (2, 8, 4)),
    "a comparison": (lambda net, x: torch.where(x > 0, x, -x), (2, 8, 4)),
    "clamping": (lambda net, x: x.clamp(-1, 1).clamp_min(0.0), (2, 8, 4)),
    "interpolation": (lambda net, x: F.interpolate(x, scale_factor=2.0), (2, 8, 4)),
    "einsum": (lambda net, x: torch.einsum("bij,bkj->bik", x, x), (2, 8, 4)),
}


@pytest.mark.parametrize("name", PARTS)
def test_operators_are_called_as_they_were(name: str) -> None:
    function, shape = PARTS[name]
    profile = counted(lambda: Net(function), shape)
    sketch = sketch_of(profile.graph, range(len(profile.graph.ops)))
    assert sketch is not None
    module, inputs = rebuild(sketch.to_text())
    assert [tuple(each.shape) for each in inputs] == [shape]
    expected = outputs_of(function(None, inputs[0].clone()))
    for own, other in zip(outputs_of(module(*(each.clone() for each in inputs))), expected, strict=True):
        assert torch.equal(own, other)


def test_a_view_that_enters_is_a_view_again() -> None:
    # Behind the fork are a half of the channels, and a turned map: whoever copies them has something to do.
    def run(net: Any, x: Tensor) -> Tensor:
        half = net.first(x).chunk(2, 1)[1].transpose(2, 3)
        return half.contiguous() + torch.relu(half)

    profile = counted(lambda: Net(run, first=nn.Conv2d(4, 8, 1)), (2, 4, 6, 5))
    ops = range(
        next(i for i, op in enumerate(profile.graph.ops) if op.target == "aten.contiguous"), len(profile.graph.ops)
    )
    sketch = sketch_of(profile.graph, ops)
    assert sketch is not None
    again = counted_sketch(sketch)
    assert again.total.accesses == sum(cost.accesses for i in ops if (cost := profile.costs[i]) is not None)
    # One image lies 8 x 30 elements behind the other; the last one read is at 240 + 3 x 30 + 29.
    assert sketch.inputs == ((360,),)
    module, inputs = rebuild(sketch.to_text())
    with torch.no_grad():
        assert module(*inputs).shape == (2, 4, 5, 6)


def test_whole_numbers_that_enter_cannot_be_drawn() -> None:
    with torch.device("meta"):
        profile = counted(lambda: nn.Sequential(nn.Linear(4, 4)), (2, 4))
    assert sketch_of(profile.graph, []) is None
    indexed = Net(lambda net, x: F.embedding(x.argmax(-1), net.table), table=nn.Parameter(torch.zeros(4, 8)))
    profile = counted(lambda: indexed, (2, 4))
    # Indices within are made by the part itself; alone, it would have to be told them.
    last = len(profile.graph.ops) - 1
    assert sketch_of(profile.graph, [last]) is None
    assert sketch_of(profile.graph, range(last + 1)) is not None


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("aten.no_such_operator", {"self": True}),
        ("mylib.relu", {"self": True}),
        ("aten.relu", {"input": True}),
        ("aten.relu", {"self": True, "other": 3}),
        ("aten.convolution", {"input": True}),
        ("relu", {"self": True}),
    ],
)
def test_an_operator_that_torch_lacks_is_one_line(target: str, arguments: dict[str, Any]) -> None:
    draft = Draft()
    tensor = draft.input((2, 2))
    result = draft.call(target, {name: tensor if value is True else value for name, value in arguments.items()})
    with pytest.raises(MeasureFailed) as caught:
        rebuild(draft.sketch(*result).to_text())
    assert target in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arguments_that_no_text_can_hold_are_not_drawn() -> None:
    profile = counted(lambda: Net(lambda _, x: torch.view_as_real(torch.mul(torch.view_as_complex(x), 1j))), (2, 4, 2))
    ops = profile.graph.ops
    assert any(isinstance(argument, complex) for op in ops for argument in op.args.values())
    assert sketch_of(profile.graph, range(len(ops))) is None


def test_what_was_made_on_a_device_is_made_where_the_inputs_are() -> None:
    profile = counted(lambda: Net(lambda _, x: x + torch.arange(4, device=x.device)), (2, 4))
    sketch = sketch_of(profile.graph, range(len(profile.graph.ops)))
    assert sketch is not None
    module, (x,) = rebuild(sketch.to_text())
    assert module(x.to("meta")).device.type == "meta"


@pytest.mark.parametrize("kernel", [1, 3])
def test_maps_keep_their_scale_through_many_layers(kernel: int) -> None:
    def build() -> nn.Sequential:
        layers = (nn.Conv2d(32, 32, kernel, padding=kernel // 2, bias=False) for _ in range(12))
        return nn.Sequential(*(each for layer in layers for each in (layer, nn.ReLU())))

    profile = counted(build, (1, 32, 14, 14))
    sketch = sketch_of(profile.graph, range(len(profile.graph.ops)))
    assert sketch is not None
    torch.manual_seed(1)
    module, inputs = rebuild(sketch.to_text())
    with torch.no_grad():
        assert 0.01 < float(module(*inputs).std()) < 100


def test_a_draft_numbers_its_tensors() -> None:
    draft = Draft()
    x = draft.input((1, 4, 5, 5))
    y = draft.call("aten.convolution", {"input": x, "weight": draft.weight((6, 4, 1, 1)), **CONVOLUTION})[0]
    both = draft.call("aten.cat", {"tensors": [x, y], "dim": 1})[0]
    sketch = draft.sketch(both, y)
    assert (sketch.inputs, sketch.weights) == (((1, 4, 5, 5),), (("weight", (6, 4, 1, 1)),))
    assert sketch.calls[1] == ("aten.cat", {"tensors": [{"tensor": 0}, {"tensor": 2}], "dim": 1}, (3,))
    assert sketch.outputs == (3, 2)
    module, inputs = rebuild(sketch.to_text())
    with torch.no_grad():
        assert [tuple(each.shape) for each in module(*inputs)] == [(1, 10, 5, 5), (1, 6, 5, 5)]


@given(st.floats(0.5, 5000), st.sampled_from((1, 2, 3, 8, 32)))
def test_even_widths_are_no_smaller_and_hardly_larger(width: float, groups: int) -> None:
    found = even(width, groups)
    assert found % groups == 0
    assert found >= width * (1 - 1e-9)
    if width >= 4 * groups:
        assert found**2 < 1.6 * width**2
    if width >= 32 * groups:
        assert found % 8 == 0
    assert even(found, groups) == found
