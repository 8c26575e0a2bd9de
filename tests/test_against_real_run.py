"""The graph that nothing was computed for against a real execution, watched from outside by torch's own means."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import mac_profiler
from mac_profiler.compiled_operators import prepare_torchvision
from mac_profiler.graph import Graph

# One name for an operator on either side of torch's decompositions.
KINDS = {
    "aten.convolution": "convolution",
    "aten.mm": "product", "aten.addmm": "product", "aten.linear": "product", "aten.matmul": "product",
    "aten.bmm": "product", "aten.baddbmm": "product", "aten.mv": "product", "aten.addmv": "product",
    "aten.batch_norm": "norm", "aten.native_batch_norm": "norm", "aten._native_batch_norm_legit_no_training": "norm",
    "aten._batch_norm_with_update": "norm", "aten._native_batch_norm_legit": "norm",
    "aten.native_layer_norm": "norm", "aten.layer_norm": "norm", "aten.native_group_norm": "norm",
    "aten.group_norm": "norm",
    "aten.max_pool2d": "pool", "aten.max_pool2d_with_indices": "pool", "aten.avg_pool2d": "pool",
    "aten.cat": "cat", "aten.relu": "relu", "aten.relu_": "relu", "aten.gelu": "gelu",
    "aten.silu": "silu", "aten.silu_": "silu", "aten.softmax": "softmax", "aten._softmax": "softmax",
    "aten.embedding": "embedding", "aten.add": "add", "aten.add_": "add", "aten.mul": "mul", "aten.mul_": "mul",
    "aten.upsample_bilinear2d": "upsample", "aten.upsample_nearest2d": "upsample",
    "aten.scaled_dot_product_attention": "attention",
    "aten._scaled_dot_product_flash_attention_for_cpu": "attention",
}  # fmt: skip


class Watcher(TorchDispatchMode):
    """Writes down what really runs: kind, output shape and dtype, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[int, ...], str]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        namespace, _, name = func._schema.name.partition("::")
        kind = KINDS.get(f"{namespace}.{name}")
        first = result[0] if isinstance(result, tuple | list) and result else result
        if kind is not None and isinstance(first, Tensor):
            self.seen.append((kind, flat(kind, tuple(first.shape)), str(first.dtype).removeprefix("torch.")))
        return result


def flat(kind: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Products of batches are run flattened: rows together, one last dimension; images alone as a batch of one."""
    if kind in ("convolution", "pool") and shape[0] == 1:
        return shape[1:]
    if kind != "product" or not shape:
        return shape
    rows = 1
    for size in shape[:-1]:
        rows *= size
    return (rows, shape[-1])


def recorded(graph: Graph) -> list[tuple[str, tuple[int, ...], str]]:
    found = []
    for op in graph.ops:
        kind = KINDS.get(op.target)
        if kind is not None:
            out = op.outputs[0]
            found.append((kind, flat(kind, out.shape), out.dtype))
    return found


class Net(nn.Module):
    """Runs a function of itself; what it holds is given by name."""

    def __init__(self, run: Callable[..., Any], **held: Any) -> None:
        super().__init__()
        for name, value in held.items():
            setattr(self, name, value)
        self.run = run

    def forward(self, *args: Any) -> Any:
        return self.run(self, *args)


def analyze(model: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mac_profiler.analyze(model, *args, **kwargs)


def image(size: int = 32) -> tuple[Tensor, ...]:
    return (torch.randn(1, 3, size, size),)


def block(channels: int) -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        left, right = x.chunk(2, 1)
        y = torch.cat([left, self.body(right)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

    half = channels // 2
    body = nn.Sequential(
        nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
        nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False), nn.BatchNorm2d(half),
    )  # fmt: skip
    return Net(run, body=body)


def excite(channels: int) -> nn.Module:
    gate = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 2, 1), nn.SiLU(), nn.Conv2d(2, channels, 1), nn.Sigmoid()
    )  # fmt: skip
    return Net(lambda self, x: x * self.gate(x), gate=gate)


def attention_by_products() -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * 0.5).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, n, c))

    return Net(run, qkv=nn.Linear(8, 24), out=nn.Linear(8, 8))


def unet() -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        a = self.down(x)
        b = self.deep(F.max_pool2d(a, 2))
        return self.head(torch.cat([a, self.up(b), F.interpolate(b, scale_factor=2, mode="bilinear")], 1))

    return Net(
        run,
        down=nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()),
        deep=nn.Sequential(nn.Conv2d(4, 8, 3, padding="same", dilation=2), nn.GroupNorm(2, 8), nn.GELU()),
        up=nn.ConvTranspose2d(8, 4, 2, 2),
        head=nn.Conv2d(16, 2, 1),
    )


def mixture() -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        gates = self.gate(x).softmax(-1)
        return torch.einsum("bne,enbd->bnd", gates, torch.stack([expert(x).transpose(0, 1) for expert in self.experts]))

    return Net(run, gate=nn.Linear(8, 3), experts=nn.ModuleList(nn.Linear(8, 8) for _ in range(3)))


def normalized_weights() -> nn.Module:
    def run(self: Any, x: Tensor) -> Any:
        weight = self.conv.weight
        centred = weight - weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, centred / (centred.std((1, 2, 3), keepdim=True) + 1e-5), self.conv.bias, 2, 1)

    return Net(run, conv=nn.Conv2d(3, 4, 3))


Model = Callable[[], tuple[nn.Module, tuple[Tensor, ...]]]
SMALL: dict[str, Model] = {
    "perceptron": lambda: (nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4)), (torch.randn(3, 8),)),
    "batched linear": lambda: (
        nn.Sequential(nn.Linear(8, 16, bias=False), nn.ReLU(), nn.Linear(16, 4)),
        (torch.randn(2, 5, 8),),
    ),
    "channel shuffle": lambda: (nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), block(8), block(8)), image()),
    "excite": lambda: (nn.Sequential(nn.Conv2d(3, 8, 3), excite(8)), image()),
    "pools": lambda: (
        nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2, ceil_mode=True), nn.AdaptiveAvgPool2d((3, 5))),
        image(19),
    ),
    "unet": lambda: (unet(), image(16)),
    "1-d": lambda: (
        nn.Sequential(nn.Conv1d(3, 6, 5, 2), nn.BatchNorm1d(6), nn.ReLU(), nn.ConvTranspose1d(6, 3, 4, 2)),
        (torch.randn(2, 3, 33),),
    ),
    "3-d": lambda: (
        nn.Sequential(nn.Conv3d(3, 4, 3, groups=1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2)),
        (torch.randn(1, 3, 8, 9, 10),),
    ),
    "attention by products": lambda: (attention_by_products(), (torch.randn(2, 6, 8),)),
    "layer norm and embedding": lambda: (
        nn.Sequential(nn.Embedding(20, 8), nn.LayerNorm(8), nn.Linear(8, 20)),
        (torch.randint(0, 20, (2, 7)),),
    ),
    "mixture": lambda: (mixture(), (torch.randn(2, 4, 8),)),
    "standardized weights": lambda: (normalized_weights(), image()),
    "multi-head attention": lambda: (
        Net(lambda self, x: self.a(x, x, x, need_weights=True)[0], a=nn.MultiheadAttention(8, 2, batch_first=True)),
        (torch.randn(2, 6, 8),),
    ),
    "baddbmm": lambda: (
        Net(lambda self, a, b: torch.baddbmm(b, a, b) + torch.bmm(a, b) @ b[0]),
        (torch.randn(2, 4, 4), torch.randn(2, 4, 4)),
    ),
    "mv and outer": lambda: (
        Net(lambda self, m, v: torch.addmv(v, m, v) + m @ v + (v[None] @ m)[0]),
        (torch.randn(4, 4), torch.randn(4)),
    ),
    "broadcast product": lambda: (Net(lambda self, a, b: a @ b), (torch.randn(3, 1, 2, 4), torch.randn(5, 4, 6))),
    "unbatched": lambda: (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)), (torch.randn(3, 9, 9),)),
    "half": lambda: (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).to(torch.bfloat16),
        (torch.randn(1, 3, 9, 9).bfloat16(),),
    ),
    "transposed with output padding": lambda: (
        nn.Sequential(nn.ConvTranspose2d(3, 4, 3, 2, 1, 1, groups=1, dilation=1), nn.SiLU()),
        image(7),
    ),
    "reflected": lambda: (
        nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 4, 5, padding=2, padding_mode="circular")),
        image(9),
    ),
}

VISION = {
    "alexnet": 80, "vgg11_bn": 40, "resnet18": 33, "resnext50_32x4d": 40, "densenet121": 40, "mobilenet_v2": 33,
    "mobilenet_v3_small": 40, "shufflenet_v2_x0_5": 40, "squeezenet1_1": 40, "googlenet": 48, "efficientnet_b0": 40,
    "mnasnet0_5": 40, "regnet_y_400mf": 40, "convnext_tiny": 40,
}  # fmt: skip


def vision(name: str, size: int) -> tuple[nn.Module, tuple[Tensor, ...]]:
    prepare_torchvision()
    import torchvision

    kwargs = {"init_weights": False} if name == "googlenet" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torchvision.models.get_model(name, weights=None, **kwargs)
    return model.eval(), image(size)


def build(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    torch.manual_seed(0)
    if name in SMALL:
        model, args = SMALL[name]()
        return model.eval(), args
    return vision(name, VISION[name])


def really_run(model: nn.Module, args: tuple[Tensor, ...]) -> tuple[list[Any], int]:
    """What ran and how many FLOPs torch counts."""
    watcher = Watcher()
    # The fast path of transformers is one operator that torch's counter does not know.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter, watcher, sdpa_kernel(SDPBackend.MATH):
            model(*args)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return watcher.seen, counter.get_total_flops()


@pytest.mark.parametrize("name", [*SMALL, *VISION])
def test_as_it_really_ran(name: str) -> None:
    model, args = build(name)
    seen, flops = really_run(model, args)
    profile = analyze(model, *args)
    assert profile.graph.mode == "shapes"
    assert profile.complete, profile.uncounted
    # Torch's counter knows no product of a matrix and a vector.
    if name != "mv and outer":
        assert 2 * profile.total.mult_adds == flops
    ours = recorded(profile.graph)
    heavy = ("convolution", "product", "norm", "pool", "cat", "embedding", "upsample")
    assert [op for op in ours if op[0] in heavy] == [op for op in seen if op[0] in heavy]
    if name in VISION or name in ("channel shuffle", "excite", "unet", "perceptron", "half"):
        assert [op for op in ours if op[0] != "softmax"] == [op for op in seen if op[0] != "softmax"]


@pytest.mark.parametrize(
    "name", [*SMALL, *(name for name in VISION if name not in ("vgg11_bn", "alexnet", "convnext_tiny"))]
)
def test_grad_mode_device_and_format_do_not_matter(name: str) -> None:
    model, args = build(name)
    with torch.enable_grad():
        expected = analyze(model, *args)
    for ambient in (torch.no_grad(), torch.inference_mode()):
        with ambient:
            found = analyze(model, *args)
        assert found.records() == expected.records()
    assert [v.strides for op in found.graph.ops for v in op.outputs] == [
        v.strides for op in expected.graph.ops for v in op.outputs
    ]
    if args[0].dim() == 4 and name in VISION:
        net: Any = model
        last = analyze(net.to(memory_format=torch.channels_last), args[0].contiguous(memory_format=torch.channels_last))
        assert last.total.mult_adds == expected.total.mult_adds
        assert last.complete
    on_meta = analyze(model.to("meta"), *(arg.to("meta") for arg in args))
    assert on_meta.records() == expected.records()
    assert on_meta.total == expected.total
    assert on_meta.peak_activation_bytes == expected.peak_activation_bytes


@pytest.mark.parametrize("training", [False, True])
def test_channels_last_as_it_really_ran(training: bool) -> None:
    """Strides, op by op, of a network in channels-last."""
    layers: Any = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(inplace=True), block(8), excite(8), nn.MaxPool2d(2)
    )  # fmt: skip
    model = layers.to(memory_format=torch.channels_last).train(training)
    x = torch.randn(2, 3, 33, 33).contiguous(memory_format=torch.channels_last)
    made: list[tuple[int, ...]] = []

    class Strides(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if func._schema.name in ("aten::convolution", "aten::cat"):
                made.append(tuple(result.stride()))
            return result

    profile = analyze(model, x)
    with torch.no_grad(), Strides():
        model(x)
    found = [op.outputs[0] for op in profile.graph.ops if op.target in ("aten.convolution", "aten.cat")]
    ours = [value.strides or torch.empty(value.shape, device="meta").stride() for value in found]
    # Of a dimension of one element no stride matters.
    shapes = [value.shape for value in found]
    reached = [
        [[s for n, s in zip(shape, strides, strict=True) if n > 1] for shape, strides in zip(shapes, each, strict=True)]
        for each in (ours, made)
    ]
    assert reached[0] == reached[1]


@pytest.mark.parametrize("name", ["vit", "swin", "transformer"])
def test_fused_attention_as_it_really_ran(name: str) -> None:
    """Where torch takes attention apart, the products of its parts are the attention's own."""
    if name == "transformer":
        model: nn.Module = nn.Transformer(16, 2, 1, 1, 32, batch_first=True).eval()
        args: tuple[Tensor, ...] = (torch.randn(2, 5, 16), torch.randn(2, 7, 16))
    else:
        prepare_torchvision()
        import torchvision

        kind = torchvision.models.VisionTransformer
        model = (
            kind(32, 8, 2, 2, 16, 32).eval()
            if name == "vit"
            else torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4]).eval()
        )
        args = image(32)
    _, flops = really_run(model, args)
    profile = analyze(model, *args)
    assert profile.complete
    assert 2 * profile.total.mult_adds == flops
