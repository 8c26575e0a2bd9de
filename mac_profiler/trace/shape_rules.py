"""Shape rules: output descriptions where torch's own meta kernel is slow Python or needs the contents.

A rule gets the arguments by name, tensors as objects with a `.spec`, and returns the new tensors' specs, or None where
torch shall be asked. Rules are held against torch's own answers by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from mac_profiler.trace.standin import Spec, contiguous_strides, spec

Bound = Mapping[str, Any]
ShapeRule = Callable[[Bound], "list[Spec] | None"]


def _new(shape: tuple[int, ...], like: Spec) -> Spec:
    return spec(shape, contiguous_strides(shape), like.dtype, like.device, "activation")


def recurrent(bound: Bound) -> list[Spec] | None:
    """Output and final state(s) of lstm, gru, rnn_tanh, rnn_relu, padded or packed input."""
    # [steps, n, d * h], [layers * d, n, h] = gru([steps, n, c], [layers * d, n, h])
    packed = "batch_sizes" in bound
    source: Spec = bound["data" if packed else "input"].spec
    states = bound["hx"] if isinstance(bound["hx"], tuple) else (bound["hx"],)
    hidden = states[0].spec.shape[-1]
    width = hidden * (2 if bound["bidirectional"] else 1)
    output = _new((*source.shape[:-1], width), source)
    if bound.get("batch_first") and not packed:
        # Computed steps-first and handed back transposed, as torch does.
        n, steps = source.shape[0], source.shape[1]
        output = spec((n, steps, width), (width, n * width, 1), source.dtype, source.device, "activation")
    return [output, *(_new(state.spec.shape, state.spec) for state in states)]


# Products whose kernels want operands of one type; torch's meta kernels do not look.
_ONE_DTYPE = frozenset(
    f"aten.{name}"
    for name in ("linear", "mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "matmul", "bilinear")
) | {"aten.convolution", "aten.scaled_dot_product_attention"}


def check_dtypes(target: str, leaves: Any) -> None:
    """Refuse what the real kernel would refuse.

    Raises:
        RuntimeError: operands of a product differ in type.
    """
    if target in _ONE_DTYPE:
        dtypes = {leaf.spec.dtype for leaf in leaves if leaf.spec.dtype is not torch.bool}
        if len(dtypes) > 1:
            named = " and ".join(sorted(str(dtype) for dtype in dtypes))
            raise RuntimeError(f"{target} wants operands of one dtype, but got {named}")


def one_hot(bound: Bound) -> list[Spec] | None:
    """Known where the number of classes is given; else the largest id decides."""
    # [*ids, classes] = one_hot([*ids], classes)
    ids: Spec = bound["self"].spec
    classes = bound["num_classes"]
    return None if classes < 0 else [_new((*ids.shape, classes), ids)]


def repeat_interleave(bound: Bound) -> list[Spec] | None:
    """Known where the output size is given; else the sum of the repeats decides."""
    # [size] = repeat_interleave(repeats, size)
    if "self" in bound or bound["output_size"] is None:
        return None
    return [_new((bound["output_size"],), bound["repeats"].spec)]


def grouped_matrix_product(bound: Bound) -> list[Spec] | None:
    """torch's meta kernel admits bfloat16 only, its kernels more."""
    # [t, m] = _grouped_mm([t, k], [g, k, m], offsets); [g, n, m] = _grouped_mm([g, n, k], [g, k, m])
    a, b = bound["self"].spec, bound["mat2"].spec
    groups = bound["offs"].spec.shape[0] if bound.get("offs") is not None else 0
    rows: tuple[int, ...]
    match len(a.shape), len(b.shape):
        case 2, 3:
            rows = (a.shape[0], b.shape[-1])
        case 3, 3:
            rows = (*a.shape[:2], b.shape[-1])
        case 3, 2:
            rows = (a.shape[1], b.shape[-1])
        case 2, 2:
            rows = (groups, a.shape[0], b.shape[-1])
        case _:
            return None
    if a.shape[-1] != b.shape[-2]:
        return None
    return [_new(rows, a)]


SHAPE_RULES: dict[str, ShapeRule] = {
    "aten.lstm": recurrent,
    "aten.gru": recurrent,
    "aten.rnn_tanh": recurrent,
    "aten.rnn_relu": recurrent,
    "aten.one_hot": one_hot,
    "aten._grouped_mm": grouped_matrix_product,
    "aten.repeat_interleave": repeat_interleave,
}
