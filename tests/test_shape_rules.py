"""Every shape rule against torch itself: shape, strides and dtype of what the operator really returns."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._prims_common import suggest_memory_format

from mac_profiler.trace.formats import channels_last
from mac_profiler.trace.operators import operator
from mac_profiler.trace.outcome import resolve_by_rule
from mac_profiler.trace.shape_rules import SHAPE_RULES
from mac_profiler.trace.standin import Adopted, spec_of

ATEN = torch.ops.aten
SHORT = settings(max_examples=60, suppress_health_check=list(HealthCheck))

covered: set[str] = set()


def answer_of(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any] | None:
    """What the rule says: (shape, strides, dtype) of every returned tensor, or None where it leaves it to torch."""
    tensors: list[Tensor] = []

    def gather(value: Any) -> None:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, list | tuple):
            for item in value:
                gather(item)

    gather(list(args))
    gather(list(kwargs.values()))
    leaves = []
    for tensor in tensors:
        description = spec_of(tensor, "activation")
        leaves.append(Adopted(tensor, description, description.value()))
    outcome = resolve_by_rule(operator(func), args, kwargs, leaves)
    if outcome is None:
        return None
    return [(part.shape, part.strides, part.dtype) for part, _ in outcome.parts if part is not None]


def check(func: Any, *args: Any, strides: bool = True, **kwargs: Any) -> bool:
    """Hold the rule's answer against the real operator's; what torch refuses the rule must refuse or leave to torch."""
    covered.add(operator(func).target)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            real = func(*args, **kwargs)
    # However torch refuses: it is held against the rule below, which then must not answer.
    except (RuntimeError, IndexError, ValueError, TypeError):
        real = None
    try:
        found = answer_of(func, args, kwargs)
    except RuntimeError:
        if real is not None:
            raise
        return False
    if found is None:
        return False
    shown = [tuple(arg.shape) if isinstance(arg, Tensor) else arg for arg in args], kwargs
    assert real is not None, f"the rule answers what torch refuses: {found} for {shown}"
    returned = [real] if isinstance(real, Tensor) else list(real)
    for (shape, steps, dtype), tensor in zip(found, returned, strict=True):
        assert shape == tuple(tensor.shape), shown
        assert dtype is tensor.dtype, shown
        if strides:
            assert significant(shape, steps) == significant(shape, tensor.stride()), (steps, tensor.stride(), shown)
    return True


def significant(shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Strides that an index can reach: of a dimension of one element none matters, of an empty tensor no stride."""
    if 0 in shape:
        return []
    if len(shape) > 2 and 1 in shape[1:]:
        return []  # with one channel, row or column a map is contiguous and channels last at once: kernels choose
    return [step for size, step in zip(shape, strides, strict=True) if size > 1]


# -------------------------------------------------------------------------------------------------------- what is drawn


@st.composite
def formats(draw: st.DrawFn, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of that shape in some memory format: contiguous, channels-last, permuted, sliced, expanded."""
    kinds = ["contiguous", "contiguous", "permuted", "sliced"]
    if len(shape) in (4, 5):
        kinds += ["channels last", "channels last"]
    if shape:
        kinds.append("expanded")
    kind = draw(st.sampled_from(kinds))
    if kind == "channels last":
        memory = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
        return torch.ones(*shape, dtype=dtype).contiguous(memory_format=memory)
    if kind == "permuted" and shape:
        order = draw(st.permutations(range(len(shape))))
        back = [order.index(d) for d in range(len(shape))]
        return torch.ones([shape[d] for d in order], dtype=dtype).permute(back)
    if kind == "sliced" and shape:
        d = draw(st.integers(0, len(shape) - 1))
        step = draw(st.integers(1, 2))
        longer = list(shape)
        longer[d] = longer[d] * step + draw(st.integers(0, 2))
        return torch.ones(longer, dtype=dtype)[(slice(None),) * d + (slice(0, shape[d] * step, step),)]
    if kind == "expanded":
        d = draw(st.integers(0, len(shape) - 1))
        return torch.ones([1 if i == d else n for i, n in enumerate(shape)], dtype=dtype).expand(*shape)
    return torch.ones(tuple(shape), dtype=dtype)


def sizes(least: int = 0, most: int = 4, low: int = 1, high: int = 4) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=least, max_size=most)


FLOATS = st.sampled_from([torch.float32, torch.float32, torch.float64])
ANY_DTYPE = st.sampled_from([torch.float32, torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64])


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_channels_last_is_what_torch_takes_for_it(data: st.DataObject) -> None:
    """Dimensions of one element and expanded ones leave it open; torch decides them in one way."""
    dimensions = data.draw(st.sampled_from([4, 5]))
    tensor = data.draw(formats([data.draw(st.sampled_from([0, 1, 1, 2, 3])) for _ in range(dimensions)]))
    last = torch.channels_last if dimensions == 4 else torch.channels_last_3d
    assert channels_last(spec_of(tensor, "input")) == (suggest_memory_format(tensor) is last)


# --------------------------------------------------------------------------------------------------------- convolutions


@st.composite
def convolutions(draw: st.DrawFn, dimensions: int, transposed: bool) -> tuple[Any, ...]:
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels_in, channels_out = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    each = st.integers(1, 3)
    kernel = [draw(each) for _ in range(dimensions)]
    extents = [draw(st.integers(1, 7)) for _ in range(dimensions)]
    stride, dilation = [draw(each) for _ in extents], [draw(st.sampled_from([1, 1, 2])) for _ in extents]
    padding = [draw(st.integers(0, 2)) for _ in extents]
    x = draw(formats([draw(st.integers(1, 2)), channels_in, *extents]))
    shape = [channels_in, channels_out // groups] if transposed else [channels_out, channels_in // groups]
    weight = draw(formats([*shape, *kernel]))
    bias = draw(st.sampled_from([None, torch.ones(channels_out)]))
    extra = [draw(st.integers(0, 2)) for _ in extents]
    return x, weight, bias, stride, padding, dilation, extra, groups


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@given(data=st.data())
@SHORT
def test_convolution(dimensions: int, data: st.DataObject) -> None:
    x, weight, bias, stride, padding, dilation, _, groups = data.draw(convolutions(dimensions, False))
    func = getattr(ATEN, f"conv{dimensions}d").default
    # In one and three dimensions the memory format is the backend's choice where a map has one row or element.
    check(func, x, weight, bias, stride, padding, dilation, groups, strides=dimensions == 2)
    check(
        ATEN.convolution.default,
        x,
        weight,
        bias,
        stride,
        padding,
        dilation,
        False,
        [0] * dimensions,
        groups,
        strides=dimensions == 2,
    )


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@given(data=st.data())
@SHORT
def test_transposed_convolution(dimensions: int, data: st.DataObject) -> None:
    x, weight, bias, stride, padding, dilation, extra, groups = data.draw(convolutions(dimensions, True))
    func = getattr(ATEN, f"conv_transpose{dimensions}d")
    func = func.input if "input" in func.overloads() else func.default
    check(func, x, weight, bias, stride, padding, extra, groups, dilation, strides=dimensions == 2)
    check(
        ATEN.convolution.default,
        x,
        weight,
        bias,
        stride,
        padding,
        dilation,
        True,
        extra,
        groups,
        strides=dimensions == 2,
    )


def test_convolutions_that_do_not_fit() -> None:
    x, w = torch.ones(1, 4, 5, 5), torch.ones(4, 2, 3, 3)
    ones = ([1, 1], [0, 0], [1, 1], 2)
    check(ATEN.conv2d.default, x, torch.ones(3, 2, 3, 3), None, *ones)
    check(ATEN.conv2d.default, x, w, torch.ones(3), *ones)
    check(ATEN.conv2d.default, x.double(), w, None, *ones)
    check(ATEN.conv2d.default, x, w, torch.ones(4, dtype=torch.float64), *ones)
    check(ATEN.conv2d.default, x[0], w, None, *ones)
    check(ATEN.conv2d.default, x[:, :3], w, None, *ones)
    check(ATEN.conv2d.default, x, w, None, [0, 1], [0, 0], [1, 1], 2)
    check(ATEN.conv2d.default, x, w, None, [1, 1], [-1, 0], [1, 1], 2)
    check(ATEN.conv2d.default, x, w, None, [1, 1], [0, 0], [0, 1], 2)
    check(ATEN.conv2d.default, x, w, None, [1, 1], [0, 0], [1, 1], 0)
    check(ATEN.conv2d.default, x[:, :, :0], w, None, *ones)
    check(ATEN.conv2d.default, x[:0], w, None, *ones)
    check(ATEN.conv_transpose2d.input, x, torch.ones(4, 2, 3, 3), torch.ones(2), [1, 1], [0, 0], [0, 0], 2, [1, 1])
    check(ATEN.conv_transpose2d.input, x, torch.ones(4, 2, 3, 3), None, [1, 1], [0, 0], [1, 1], 2, [1, 1])


# ------------------------------------------------------------------------------------------------------------- products


@given(data=st.data())
@SHORT
def test_linear(data: st.DataObject) -> None:
    channels_in, channels_out = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    x = data.draw(formats([*data.draw(sizes(0, 4)), channels_in]))
    weight = data.draw(formats([channels_out, channels_in]))
    bias = data.draw(st.sampled_from([None, torch.ones(channels_out), torch.ones(channels_out + 1)]))
    check(ATEN.linear.default, x, weight, bias)


def test_linear_of_empty_and_flat_and_mixed() -> None:
    check(ATEN.linear.default, torch.ones(0, 3), torch.ones(2, 3), torch.ones(2))
    check(ATEN.linear.default, torch.ones(3), torch.ones(3))
    check(ATEN.linear.default, torch.ones(2, 3), torch.ones(2, 3).double())
    check(ATEN.linear.default, torch.ones(2, 3), torch.ones(2, 3), torch.ones(2).double())
    check(ATEN.linear.default, torch.ones(2, 0), torch.ones(2, 0))
    check(ATEN.linear.default, torch.ones(2, 3), torch.ones(2, 3), torch.ones(1, 2))


@given(data=st.data())
@SHORT
def test_matrix_products(data: st.DataObject) -> None:
    b, n, k, m = (data.draw(st.integers(0, 4)) for _ in range(4))
    k_other = data.draw(st.sampled_from([k, k, k, k + 1]))
    dtype = data.draw(FLOATS)
    x, y = data.draw(formats([n, k])), data.draw(formats([k_other, m], dtype))
    check(ATEN.mm.default, x, y)
    added = data.draw(st.sampled_from([[n, m], [m], [1, m], [n, 1], [], [m + 1], [1, n, m]]))
    c = data.draw(formats(added))
    check(ATEN.addmm.default, c, x, y)
    check(ATEN.addmm.default, c, x, y, beta=0, alpha=2)
    xs, ys = data.draw(formats([b, n, k])), data.draw(formats([b, k_other, m], dtype))
    check(ATEN.bmm.default, xs, ys)
    check(
        ATEN.baddbmm.default,
        data.draw(formats(data.draw(st.sampled_from([[b, n, m], [m], [n, 1], [b, 1, 1]])))),
        xs,
        ys,
    )


def test_matrix_products_that_do_not_fit() -> None:
    check(ATEN.mm.default, torch.ones(2, 3, 4), torch.ones(2, 4, 5))
    check(ATEN.mm.default, torch.ones(3), torch.ones(3, 5))
    check(ATEN.bmm.default, torch.ones(2, 3), torch.ones(3, 5))
    check(ATEN.bmm.default, torch.ones(2, 3, 4), torch.ones(1, 4, 5))
    check(ATEN.bmm.default, torch.ones(2, 2, 3, 4), torch.ones(2, 2, 4, 5))
    check(ATEN.addmm.default, torch.ones(5).double(), torch.ones(2, 3), torch.ones(3, 5))


GROUPED: list[tuple[Any, ...]] = [
    ((8, 16), (3, 16, 24), [2, 4, 8]),
    ((3, 8, 16), (3, 16, 24), None),
    ((8, 16), (16, 24), [4, 8, 16]),
]


@pytest.mark.parametrize(("a", "b", "offsets"), GROUPED)
def test_grouped_matrix_product(a: Any, b: Any, offsets: Any) -> None:
    covered.add("aten._grouped_mm")
    x = torch.ones(a, dtype=torch.bfloat16)
    # Its second operand is wanted column by column.
    y = torch.ones((*b[:-2], b[-1], b[-2]), dtype=torch.bfloat16).transpose(-2, -1)
    ends = None if offsets is None else torch.tensor(offsets, dtype=torch.int32)
    try:
        real = ATEN._grouped_mm.default(x, y, ends)
    except RuntimeError as error:
        pytest.skip(f"this CPU has no kernel to compare with: {error}")
    found = answer_of(ATEN._grouped_mm.default, (x, y, ends), {})
    assert found is not None
    assert found[0][0] == tuple(real.shape)
    assert found[0][2] is real.dtype


# ------------------------------------------------------------------------------------------------------- normalisations


@given(data=st.data())
@SHORT
def test_batch_norm(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 4))
    shape = [data.draw(st.integers(1, 3)), channels, *data.draw(sizes(0, 3))]
    x = data.draw(formats(shape))
    training = data.draw(st.booleans())
    per_channel = st.sampled_from([torch.ones(channels)] * 4 + [torch.ones(channels + 1)])
    weight, bias = (
        data.draw(st.sampled_from([None, data.draw(per_channel)])),
        data.draw(st.sampled_from([None, data.draw(per_channel)])),
    )
    mean = data.draw(per_channel) if not training or data.draw(st.booleans()) else None
    var = data.draw(per_channel).clone() if mean is not None else None
    assume(not (training and prod(shape) == channels))  # one value a channel: raised by the layer, not the operator
    check(ATEN.batch_norm.default, x, weight, bias, mean, var, training, 0.1, 1e-5, False)


@given(data=st.data())
@SHORT
def test_layer_norm(data: st.DataObject) -> None:
    shape = data.draw(sizes(1, 4))
    width = data.draw(st.integers(1, len(shape)))
    normalized = data.draw(st.sampled_from([shape[-width:], shape[-width:], [9]]))
    x = data.draw(formats(shape))
    affine = data.draw(st.sampled_from([None, torch.ones(normalized), torch.ones([*normalized, 2])]))
    check(ATEN.layer_norm.default, x, normalized, affine, data.draw(st.sampled_from([None, affine])))
    check(ATEN.layer_norm.default, x, normalized, affine, None, 1e-6)


# ------------------------------------------------------------------------------------------------------------ attention


@given(data=st.data())
@SHORT
def test_attention(data: st.DataObject) -> None:
    b, h, n, m = (data.draw(st.integers(1, 3)) for _ in range(4))
    d, wide = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    grouped = data.draw(st.booleans())
    heads = data.draw(st.sampled_from([h, h, 1, 2]))
    q, k, v = (
        data.draw(formats([b, h, n, d])),
        data.draw(formats([b, heads, m, d])),
        data.draw(formats([b, heads, m, wide])),
    )
    mask = data.draw(
        st.sampled_from(
            [
                None,
                None,
                torch.zeros(n, m),
                torch.ones(b, 1, 1, m, dtype=torch.bool),
                torch.zeros(b, h, n, m),
                torch.zeros(7, 9),
            ]
        )
    )
    causal = mask is None and data.draw(st.booleans())
    # Where torch broadcasts batch or heads, or gives other strides on this device, is its own affair.
    check(ATEN.scaled_dot_product_attention.default, q, k, v, mask, 0.0, causal, enable_gqa=grouped, strides=False)


def test_attention_lays_the_heads_of_a_position_side_by_side() -> None:
    """As the fused kernels do for queries that a projection made: [b, n, h, d] seen as [b, h, n, d]."""
    q = torch.ones(2, 16, 4, 8).transpose(1, 2)
    real = torch.nn.functional.scaled_dot_product_attention(q, q, q)
    assert answer_of(ATEN.scaled_dot_product_attention.default, (q, q, q), {}) == [
        ((2, 4, 16, 8), real.stride(), torch.float32)
    ]
    assert real.stride() == (16 * 4 * 8, 8, 4 * 8, 1)


# ------------------------------------------------------------------------------------------------------------ recurrent


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_recurrent(kind: str, data: st.DataObject) -> None:
    layers, bidirectional = data.draw(st.integers(1, 2)), data.draw(st.booleans())
    steps, n, c, h = (data.draw(st.integers(1, 3)) for _ in range(4))
    batch_first, bias = data.draw(st.booleans()), data.draw(st.booleans())
    ways, gates = 1 + bidirectional, {"lstm": 4, "gru": 3}.get(kind, 1)
    projected = data.draw(st.sampled_from([0, 0, 2])) if kind == "lstm" else 0
    assume(not projected or projected < h)
    out = projected or h
    weights: list[Tensor] = []
    for layer in range(layers):
        for _ in range(ways):
            width = c if layer == 0 else out * ways
            weights += [torch.ones(gates * h, width), torch.ones(gates * h, out)]
            weights += [torch.ones(gates * h)] * 2 if bias else []
            weights += [torch.ones(projected, h)] if projected else []
    hidden = torch.zeros(layers * ways, n, out)
    states: Any = [hidden, torch.zeros(layers * ways, n, h)] if kind == "lstm" else hidden
    x = data.draw(formats([n, steps, c] if batch_first else [steps, n, c]))
    func = getattr(ATEN, kind)
    assert check(func.input, x, states, weights, bias, layers, 0.0, False, bidirectional, batch_first)
    lengths = torch.full((n,), steps)
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.ones(steps, n, c), lengths)
    assert check(func.data, packed.data, packed.batch_sizes, states, weights, bias, layers, 0.0, False, bidirectional)


# -------------------------------------------------------------------------------------------------------------- pooling


@st.composite
def windows(draw: st.DrawFn) -> tuple[Any, ...]:
    shape = [draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 9))]
    x = draw(formats(shape if draw(st.booleans()) else shape[1:]))

    def each(low: int, high: int) -> list[int]:
        return [draw(st.integers(low, high)) for _ in range(draw(st.sampled_from([1, 2])))]

    return x, each(1, 3), each(1, 3) if draw(st.booleans()) else [], each(0, 2), draw(st.booleans()), each(1, 2)


@given(drawn=windows())
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_windows(drawn: tuple[Any, ...]) -> None:
    x, kernel, stride, padding, ceil, dilation = drawn
    check(ATEN.max_pool2d.default, x, kernel, stride, padding, dilation, ceil)
    check(ATEN.max_pool2d_with_indices.default, x, kernel, stride, padding, dilation, ceil)
    check(ATEN.avg_pool2d.default, x, kernel, stride, padding, ceil)
    check(ATEN.avg_pool2d.default, x, kernel, stride, padding, ceil, False, 3)


@given(data=st.data())
@SHORT
def test_adaptive_pool(data: st.DataObject) -> None:
    shape = [
        data.draw(st.integers(1, 2)),
        data.draw(st.integers(1, 3)),
        data.draw(st.integers(1, 9)),
        data.draw(st.integers(1, 9)),
    ]
    x = data.draw(formats(shape if data.draw(st.booleans()) else shape[1:]))
    out = [data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4))]
    check(ATEN.adaptive_avg_pool2d.default, x, out)
    check(ATEN._adaptive_avg_pool2d.default, x, out)


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_concatenation(data: st.DataObject) -> None:
    dimensions = data.draw(st.integers(1, 5))
    along = data.draw(st.integers(-dimensions - 1, dimensions))
    shape = [data.draw(st.integers(1, 3)) for _ in range(dimensions)]
    parts = []
    for _ in range(data.draw(st.integers(1, 3))):
        own = list(shape)
        own[along % dimensions] = data.draw(st.integers(0, 3))
        if data.draw(st.integers(0, 19)) == 0:
            own[0] += 1
        if data.draw(st.integers(0, 19)) == 0:
            own = [0]
        parts.append(data.draw(formats(own, data.draw(st.sampled_from([torch.float32] * 6 + [torch.int64])))))
    check(ATEN.cat.default, parts, along)


# --------------------------------------------------------------------------------------------------------- element-wise


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum"])
@given(data=st.data())
@SHORT
def test_binary(name: str, data: st.DataObject) -> None:
    shape = data.draw(sizes(0, 4, 0, 4))

    def operand() -> Any:
        own = [data.draw(st.sampled_from([n, n, n, 1])) for n in shape][data.draw(st.sampled_from([0, 0, 0, 1])) :]
        if data.draw(st.integers(0, 19)) == 0:
            own = [5, *own]
        return data.draw(formats(own, data.draw(ANY_DTYPE)))

    packet = getattr(ATEN, name)
    func = packet.Tensor if "Tensor" in packet.overloads() else packet.default
    check(func, operand(), operand())
    same = operand()
    check(func, same, torch.empty_like(same).fill_(1) if same.numel() else same)
    if "Scalar" in packet.overloads():
        check(packet.Scalar, operand(), data.draw(st.sampled_from([2, 2.0, 1j])))
    if name in ("add", "sub"):
        check(func, operand(), operand(), alpha=data.draw(st.sampled_from([1, 2, 2.0])))
    if name == "div":
        check(packet.Tensor_mode, operand(), operand(), rounding_mode=data.draw(st.sampled_from([None, "floor"])))


UNARY = sorted(
    target
    for target, rule in SHAPE_RULES.items()
    if rule.__name__ == "unary"
)  # fmt: skip


@pytest.mark.parametrize("target", UNARY)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_unary(target: str, data: st.DataObject) -> None:
    x = data.draw(formats(data.draw(sizes(0, 5, 0, 3)), data.draw(ANY_DTYPE)))
    check(getattr(ATEN, target.removeprefix("aten.")).default, x)


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_reductions(data: st.DataObject) -> None:
    shape = data.draw(sizes(0, 4))
    x = data.draw(formats(shape, data.draw(ANY_DTYPE)))
    dims = data.draw(st.sampled_from([None, [], [0], [-1], [0, 1], [1, -1], [0, 0], [0, -2], [7]]))
    kept = data.draw(st.booleans())
    kwargs: dict[str, Any] = {"dtype": torch.float64} if data.draw(st.integers(0, 3)) == 0 else {}
    for packet in (ATEN.mean, ATEN.sum):
        check(packet.default, x, **kwargs)
        check(packet.dim if packet is ATEN.mean else packet.dim_IntList, x, dims, kept, **kwargs)


# ------------------------------------------------------------------------------------------------------------- in place


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_in_place(data: st.DataObject) -> None:
    """What is written in place keeps its description; what does not fit is left to torch, which says what is wrong."""
    shape = data.draw(sizes(0, 3))
    x = data.draw(formats(shape, data.draw(ANY_DTYPE)))
    other = data.draw(
        formats(
            data.draw(st.sampled_from([shape, shape[1:], [1] * len(shape), [*shape, 2], [5]])), data.draw(ANY_DTYPE)
        )
    )
    func = data.draw(st.sampled_from([ATEN.add_.Tensor, ATEN.mul_.Tensor, ATEN.div_.Tensor, ATEN.copy_.default]))
    try:
        found = answer_in_place(func, x, other)
    except RuntimeError:
        return
    if found:
        # The rule says that it works.
        func(x.clone(memory_format=torch.contiguous_format), other)


def answer_in_place(func: Any, *args: Tensor) -> bool:
    leaves = []
    for tensor in args:
        description = spec_of(tensor, "activation")
        leaves.append(Adopted(tensor, description, description.value()))
    outcome = resolve_by_rule(operator(func), args, {}, leaves)
    return outcome is not None and outcome.parts == [(None, 0)]


@pytest.mark.parametrize(
    "name", ["relu_", "sigmoid_", "exp_", "sqrt_", "div_", "add_", "fill_", "zero_", "clamp_", "silu_", "bitwise_not_"]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_in_place_on_its_own(name: str, dtype: torch.dtype) -> None:
    """One tensor and scalars: the rule must not answer where the real kernel refuses the type."""
    packet = getattr(ATEN, name)
    args: tuple[Any, ...] = {"div_": (2,), "add_": (1.5,), "fill_": (3,), "clamp_": (0, 1)}.get(name, ())
    func = packet.Scalar if name in ("div_", "add_", "fill_") else packet.default
    x = torch.ones(2, 3, dtype=dtype)
    leaf = Adopted(x, spec_of(x, "activation"), spec_of(x, "activation").value())
    try:
        func(x, *args)
    except RuntimeError:  # also "not implemented for 'Bool'", which is one
        refused = True
    else:
        refused = False
    try:
        answered = resolve_by_rule(operator(func), (x, *args), {}, [leaf]) is not None
    except RuntimeError:
        answered = False
    assert not (refused and answered)


# --------------------------------------------------------------------------------------------------- known by arguments


@given(data=st.data())
@SHORT
def test_one_hot(data: st.DataObject) -> None:
    ids = torch.zeros(data.draw(sizes(0, 3, 0, 3)), dtype=torch.int64)
    check(ATEN.one_hot.default, ids, data.draw(st.integers(1, 5)))


def test_repeat_interleave() -> None:
    repeats = torch.tensor([1, 2, 3])
    assert check(ATEN.repeat_interleave.Tensor, repeats, output_size=6)
    assert not check(ATEN.repeat_interleave.Tensor, repeats)
    check(ATEN.repeat_interleave.Tensor, repeats.int(), output_size=6)


# ------------------------------------------------------------------------------------------------------------ the whole


def test_rules_answer_common_calls() -> None:
    """A rule that always left it to torch would pass every test above."""
    x, image = torch.ones(2, 8), torch.ones(1, 3, 8, 8)
    last = image.contiguous(memory_format=torch.channels_last)
    answered: list[Callable[[], bool]] = [
        lambda: check(ATEN.conv2d.default, image, torch.ones(4, 3, 3, 3), None, [2, 2], [1, 1], [1, 1], 1),
        lambda: check(ATEN.conv2d.default, last, torch.ones(4, 3, 3, 3), None, [2, 2], [1, 1], [1, 1], 1),
        lambda: check(ATEN.linear.default, x, torch.ones(4, 8), torch.ones(4)),
        lambda: check(ATEN.mm.default, x, x.t()),
        lambda: check(ATEN.bmm.default, x[None], x.t()[None]),
        lambda: check(ATEN.addmm.default, torch.ones(2), x, x.t()),
        lambda: check(ATEN.baddbmm.default, torch.ones(2), x[None], x.t()[None]),
        lambda: check(ATEN.batch_norm.default, last, None, None, torch.ones(3), torch.ones(3), False, 0.1, 1e-5, False),
        lambda: check(ATEN.layer_norm.default, x, [8]),
        lambda: check(ATEN.cat.default, [x, x], 1),
        lambda: check(ATEN.cat.default, [last, last], 1),
        lambda: check(ATEN.max_pool2d.default, last, [2, 2]),
        lambda: check(ATEN.max_pool2d_with_indices.default, image, [2, 2]),
        lambda: check(ATEN.avg_pool2d.default, image, [2, 2]),
        lambda: check(ATEN.adaptive_avg_pool2d.default, last, [1, 1]),
        lambda: check(ATEN.mean.dim, image, [2, 3]),
        lambda: check(ATEN.add.Tensor, last, last),
        lambda: check(ATEN.mul.Tensor, image, torch.ones(3, 1, 1)),
        lambda: check(ATEN.relu.default, last),
    ]
    assert [i for i, call in enumerate(answered) if not call()] == []


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("wanted", [(True, True, True, True), (True, False, True, False)])
def test_attention_backward(wanted: tuple[bool, ...], biased: bool) -> None:
    """Each wanted gradient is as what it is of; no CPU kernel is there to ask."""
    func = ATEN._scaled_dot_product_fused_attention_overrideable_backward.default
    covered.add(operator(func).target)
    q, k, v = torch.ones(2, 4, 5, 8), torch.ones(2, 4, 7, 8), torch.ones(2, 4, 7, 6)
    bias = torch.ones(5, 7) if biased else None
    out, statistics, empty = torch.ones(2, 4, 5, 6), torch.ones(2, 4, 5), torch.ones(0)
    rest = (statistics, empty, empty, 5, 7, 0.0, False, empty, empty)
    found = answer_of(func, (out, q, k, v, bias, [*wanted], out, *rest), {})
    assert found is not None
    of = [tensor for tensor, want in zip((q, k, v, bias), wanted, strict=True) if want and tensor is not None]
    assert [shape for shape, _, _ in found] == [tuple(tensor.shape) for tensor in of]


def test_every_rule_has_been_tested() -> None:
    """Counts on the tests above having run: alone it has nothing to say."""
    if len(covered) > 40:
        missing = set(SHAPE_RULES) - covered
        assert missing == set()
