"""Shape rules: output descriptions where torch's own meta kernel is slow, or answers less than it could.

Many meta kernels are Python that imports the compiler on first use, which takes longer than a whole analysis. For the
operators that most networks consist of, the shape algebra stands here; a test holds every rule against torch's answer.
A rule gets the arguments by name, tensors as objects with a `.spec`, and returns the new tensors' specs, or None where
torch shall be asked: unusual memory formats, and whatever does not fit, so that the error is torch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from mac_profiler.trace.formats import broadcasts, channels_last, formatted, new, same
from mac_profiler.trace.standin import Spec, spec
from mac_profiler.trace.window_rules import (
    adaptive_pool,
    concatenation,
    convolution,
    window_pool,
    window_pool_with_indices,
)

Bound = Mapping[str, Any]
ShapeRule = Callable[[Bound], Sequence["Spec | None"] | None]


def linear(bound: Bound) -> list[Spec] | None:
    """Output of a linear layer."""
    # [*n, c_out] = linear([*n, c_in], [c_out, c_in])
    source, weight = bound["input"].spec, bound["weight"].spec
    if len(weight.shape) != 2 or not source.shape or source.shape[-1] != weight.shape[1]:
        return None
    bias = bound["bias"]
    if source.dtype is not weight.dtype:
        return None
    if bias is not None and (bias.spec.shape != weight.shape[:1] or bias.spec.dtype is not source.dtype):
        return None
    return [new((*source.shape[:-1], weight.shape[0]), source)]


def matrix_product(bound: Bound, dimensions: int = 2) -> list[Spec] | None:
    """Products of matrices, with something added or not."""
    # [n, m] = mm([n, k], [k, m])
    a, b = (bound[name].spec for name in (("mat1", "mat2") if "mat1" in bound else _batched(bound)))
    if len(a.shape) != dimensions or len(b.shape) != dimensions:
        return None
    if a.shape[-1] != b.shape[-2] or a.shape[:-2] != b.shape[:-2] or a.dtype is not b.dtype:
        return None
    shape = (*a.shape[:-1], b.shape[-1])
    added = bound.get("self") if "mat1" in bound or "batch1" in bound else None
    if added is not None and (added.spec.dtype is not a.dtype or not broadcasts(added.spec.shape, shape)):
        return None
    if bound.get("out_dtype") is not None:
        return None
    return [new(shape, a)]


def batched_matrix_product(bound: Bound) -> list[Spec] | None:
    """Products of batches of matrices, with something added or not."""
    # [b, n, m] = bmm([b, n, k], [b, k, m])
    return matrix_product(bound, 3)


def _batched(bound: Bound) -> tuple[str, str]:
    return ("batch1", "batch2") if "batch1" in bound else ("self", "mat2")


def batch_norm(bound: Bound) -> list[Spec] | None:
    """Output of a batch normalisation: as its input.

    Raises:
        RuntimeError: the channels do not fit, which torch's meta kernel does not look at.
    """
    source = bound["input"].spec
    for name in ("weight", "bias", "running_mean", "running_var"):
        if bound[name] is not None and (len(source.shape) < 2 or bound[name].spec.shape != source.shape[1:2]):
            raise RuntimeError(
                f"{name} should contain {source.shape[1] if len(source.shape) > 1 else 0} elements "
                f"not {bound[name].spec.shape[0]}"
            )
    if not bound["training"] and (bound["running_mean"] is None or bound["running_var"] is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
    return [formatted(source.shape, source, channels_last(source))]


def layer_norm(bound: Bound) -> list[Spec] | None:
    """Output of a layer normalisation: contiguous."""
    source, width = bound["input"].spec, tuple(bound["normalized_shape"])
    if not width or source.shape[-len(width) :] != width:
        return None
    for name in ("weight", "bias"):
        if bound[name] is not None and bound[name].spec.shape != width:
            return None
    return [new(source.shape, source)]


def attention(bound: Bound) -> list[Spec] | None:
    """Output of attention in the memory format of the fused kernels: heads lie next to each other at each position."""
    # [b, h, n, d_v] = attention([b, h, n, d], [b, h, m, d], [b, h, m, d_v])
    query, key, value = (bound[name].spec for name in ("query", "key", "value"))
    if len(query.shape) != 4 or not query.dtype == key.dtype == value.dtype:
        return None
    b, h, n, d = query.shape
    grouped = bound.get("enable_gqa") and key.shape[1] and h % key.shape[1] == 0
    heads = (b, key.shape[1] if grouped else h)
    if len(key.shape) != 4 or key.shape[:2] != heads or key.shape[3] != d or value.shape[:3] != key.shape[:3]:
        return None
    mask = bound["attn_mask"]
    if mask is not None and not broadcasts(mask.spec.shape, (b, h, n, key.shape[2])):
        return None
    wide = value.shape[3]
    strides = (n * h * wide, wide, h * wide, 1)
    return [spec((b, h, n, wide), strides, query.dtype, query.device, "activation")]


def attention_backward(bound: Bound) -> list[Spec | None] | None:
    """Gradients of the fused attention that stands in for all others; torch before 2.13 has no meta kernel for it."""
    # [*q], [*k], [*v], [*bias] = backward([*out], [*q], [*k], [*v], [*bias])
    wanted = zip(("query", "key", "value", "attn_bias"), bound["grad_input_mask"], strict=True)
    return [new(bound[name].spec.shape, bound[name].spec) if want and bound[name] is not None else None
            for name, want in wanted]  # fmt: skip


def recurrent(bound: Bound) -> list[Spec] | None:
    """Output and final state(s) of lstm, gru, rnn_tanh, rnn_relu, padded or packed input."""
    # [steps, n, d * h], [layers * d, n, h] = gru([steps, n, c], [layers * d, n, h])
    packed = "batch_sizes" in bound
    source: Spec = bound["data" if packed else "input"].spec
    states = bound["hx"] if isinstance(bound["hx"], tuple) else (bound["hx"],)
    width = states[0].spec.shape[-1] * (2 if bound["bidirectional"] else 1)
    output = new((*source.shape[:-1], width), source)
    if bound.get("batch_first") and not packed:
        # Computed steps-first and handed back transposed, as torch does.
        n, steps = source.shape[0], source.shape[1]
        output = spec((n, steps, width), (width, n * width, 1), source.dtype, source.device, "activation")
    return [output, *(new(state.spec.shape, state.spec) for state in states)]


def one_hot(bound: Bound) -> list[Spec] | None:
    """Known where the number of classes is given; else the largest id decides."""
    # [*ids, classes] = one_hot([*ids], classes)
    ids: Spec = bound["self"].spec
    classes = bound["num_classes"]
    return None if classes < 0 else [new((*ids.shape, classes), ids)]


def repeat_interleave(bound: Bound) -> list[Spec] | None:
    """Known where the output size is given; else the sum of the repeats decides."""
    # [size] = repeat_interleave(repeats, size)
    if "self" in bound or bound["output_size"] is None:
        return None
    return [new((bound["output_size"],), bound["repeats"].spec)]


def grouped_matrix_product(bound: Bound) -> list[Spec] | None:
    """Torch's meta kernel admits bfloat16 only, its kernels more."""
    # [t, m] = _grouped_mm([t, k], [g, k, m], offsets); [g, n, m] = _grouped_mm([g, n, k], [g, k, m])
    a, b = bound["self"].spec, bound["mat2"].spec
    groups = bound["offs"].spec.shape[0] if bound.get("offs") is not None else 0
    if a.shape[-1] != b.shape[-2]:
        return None
    rows = {
        (2, 3): a.shape[:1],
        (3, 3): a.shape[:2],
        (3, 2): a.shape[1:2],
        (2, 2): (groups, a.shape[0]),
    }.get((len(a.shape), len(b.shape)))
    return None if rows is None else [new((*rows, b.shape[-1]), a, bound.get("out_dtype"))]


def unary(bound: Bound) -> list[Spec] | None:
    """Activations: as their input, where that is floating-point."""
    source = bound["self"].spec
    return same(source) if source.dtype.is_floating_point else None


def binary(bound: Bound) -> list[Spec] | None:
    """Element-wise operators of one floating-point type, operands contiguous or all of one format."""
    # [*max(a, b)] = add([*a], [*b])
    operands = [value.spec for value in bound.values() if hasattr(value, "spec")]
    if not operands:
        return None
    first = operands[0]
    if not first.dtype.is_floating_point or any(one.dtype is not first.dtype for one in operands):
        return None
    if any(isinstance(value, complex) for value in bound.values()):
        return None
    if all(one.shape == first.shape and one.strides == first.strides for one in operands):
        return same(first)
    if any(one.value_strides is not None for one in operands):
        return None
    widest = max(operands, key=lambda one: (len(one.shape), prod(one.shape)))
    if not all(broadcasts(one.shape, widest.shape) for one in operands):
        return None
    return [new(widest.shape, first)]


def mean(bound: Bound) -> list[Spec] | None:
    """Mean or sum over dimensions of a contiguous floating-point tensor."""
    # [*kept] = mean([*all], dims)
    source, dims = bound["self"].spec, bound.get("dim")
    if not source.dtype.is_floating_point or source.value_strides is not None or bound.get("dtype") is not None:
        return None
    dimensions = len(source.shape)
    reduced = {d % dimensions for d in dims if -dimensions <= d < dimensions} if dims else set(range(dimensions))
    if dims and len(reduced) != len(dims):
        return None
    kept = bound.get("keepdim", False)
    shape = tuple(1 if d in reduced else n for d, n in enumerate(source.shape) if kept or d not in reduced)
    return [new(shape, source)]


_UNARY = (
    "relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "silu", "gelu", "sigmoid", "tanh", "leaky_relu", "elu",
    "celu", "selu", "mish", "softplus", "exp", "sqrt", "rsqrt", "neg", "abs", "erf", "log", "sin", "cos", "reciprocal",
)  # fmt: skip

SHAPE_RULES: dict[str, ShapeRule] = {
    "aten.convolution": convolution,
    "aten.cat": concatenation,
    "aten.linear": linear,
    "aten.batch_norm": batch_norm,
    "aten.layer_norm": layer_norm,
    "aten.scaled_dot_product_attention": attention,
    "aten._scaled_dot_product_fused_attention_overrideable_backward": attention_backward,
    "aten.max_pool2d": window_pool,
    "aten.max_pool2d_with_indices": window_pool_with_indices,
    "aten.avg_pool2d": window_pool,
    "aten.adaptive_avg_pool2d": adaptive_pool,
    "aten._adaptive_avg_pool2d": adaptive_pool,
    "aten.one_hot": one_hot,
    "aten._grouped_mm": grouped_matrix_product,
    "aten.repeat_interleave": repeat_interleave,
    **{f"aten.{name}": matrix_product for name in ("mm", "addmm")},
    **{f"aten.{name}": batched_matrix_product for name in ("bmm", "baddbmm")},
    **{f"aten.{name}": recurrent for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    **{f"aten.{name}": binary for name in ("add", "sub", "mul", "div", "maximum", "minimum")},
    **{f"aten.{name}": mean for name in ("mean", "sum")},
    **{f"aten.{name}": unary for name in _UNARY},
}
