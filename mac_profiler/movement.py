"""Movement: where the elements go in an operator that only moves them.

There are two kinds. A view begins somewhere in the memory of what it is a view of; its shape and strides say the rest.
Anything else arranges copies in memory of its own. Operators are known by their names in `aten`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mac_profiler.graph import Op, Value

Identities = NDArray[np.int64]
Shape = tuple[int, ...]
Arguments = Mapping[str, Any]
# What arrives of a tensor in a result; identities of elements that come from nowhere.
Read = Callable[[Value, Value], Identities]
New = Callable[[Shape], Identities]

# Views that begin where their source begins.
_BEGIN_ALIKE = """
    view view_as reshape reshape_as _reshape_alias _unsafe_view flatten unflatten ravel permute transpose swapaxes
    swapdims movedim moveaxis t mT mH numpy_T matrix_H adjoint expand expand_as broadcast_to squeeze unsqueeze unfold
    alias detach contiguous to type_as positive lift_fresh
"""
_PARTS = "split split_with_sizes chunk tensor_split unbind"
_COPIES = "clone contiguous to _to_copy positive lift_fresh_copy alias_copy detach_copy _lazy_clone"
_RESHAPES = "reshape reshape_as view _unsafe_view flatten unflatten ravel view_copy _reshape_copy"
_VIEWS = frozenset(_BEGIN_ALIKE.split())
_CUTS = frozenset(_PARTS.split())


def strides_of(value: Value) -> tuple[int, ...]:
    """Elements from one index to the next, per dimension."""
    if value.strides is not None:
        return value.strides
    behind = accumulate(reversed(value.shape[1:]), lambda step, size: step * max(size, 1), initial=1)
    return tuple(behind)[::-1] if value.shape else ()


def offsets(op: Op) -> Sequence[int] | None:
    """How many elements behind the beginning of their source the results of a view begin; None where it is not known.

    Args:
        op: an operator that is a view; its source is its first tensor.
    """
    name, args, source = name_of(op), op.args, op.inputs[0]
    if name in _VIEWS:
        return [0] * len(op.outputs)
    dim, strides = args.get("dim", 0), strides_of(source)
    if name in _CUTS:
        sizes = [1 if name == "unbind" else value.shape[dim] for value in op.outputs]
        return [start * strides[dim] for start in accumulate(sizes[:-1], initial=0)]
    if name == "diagonal":
        offset = args.get("offset", 0)
        return [offset * strides[args.get("dim2", 1)] if offset > 0 else -offset * strides[args.get("dim1", 0)]]
    if name in ("slice", "narrow", "select"):
        start, size = args.get("index" if name == "select" else "start") or 0, source.shape[dim]
        if isinstance(start, int):
            return [min(max(start + size if start < 0 else start, 0), size) * strides[dim]]
    return None


def move(op: Op, read: Read, new: New) -> Identities | None:
    """The result of an operator that makes one arrangement of copies; None where it does something else.

    Args:
        op: an operator that is no view.
        read: identities of a tensor among its arguments, as they arrive in a result.
        new: identities for elements that are no copies, such as padding.
    """
    name, args = name_of(op), op.args
    if name in ("cat", "concat", "concatenate"):
        # An empty tensor of one dimension fits everything, for the sake of old programs.
        parts = [read(each, op.outputs[0]) for each in args["tensors"] if each.shape != (0,)]
        return np.concatenate(parts, axis=args.get("dim", 0)) if parts else None
    if name in ("stack", "_stack"):
        return np.stack([read(each, op.outputs[0]) for each in args["tensors"]], axis=args.get("dim", 0))
    if name == "copy":
        return np.broadcast_to(read(args["src"], op.outputs[0]), op.outputs[0].shape)
    if name == "constant_pad_nd":
        return _pad(read(args["self"], op.outputs[0]), args["pad"], new(op.outputs[0].shape))
    if name in _ARRANGEMENTS:
        return _ARRANGEMENTS[name](read(op.inputs[0], op.outputs[0]), args, op.outputs[0].shape)
    return None


def name_of(op: Op) -> str:
    """The name in aten without the mark of in-place operators; "" for a custom operator."""
    namespace, _, name = op.target.partition(".")
    return name.removesuffix("_") if namespace == "aten" else ""


def _pad(inner: Identities, pad: Sequence[int], result: Identities) -> Identities:
    """Widths are given from the last dimension on, two for each; a negative one crops."""
    into: list[slice] = [slice(None)] * inner.ndim
    of = list(into)
    for axis, (before, behind) in enumerate(zip(pad[::2], pad[1::2], strict=True)):
        into[-1 - axis] = slice(max(before, 0), result.shape[-1 - axis] - max(behind, 0))
        of[-1 - axis] = slice(max(-before, 0), inner.shape[-1 - axis] - max(-behind, 0))
    result[tuple(into)] = inner[tuple(of)]
    return result


def _shuffle_channels(x: Identities, args: Arguments, shape: Shape) -> Identities:
    return x.reshape(shape[0], args["groups"], shape[1] // args["groups"], -1).swapaxes(1, 2).reshape(shape)


def _shuffle_pixels(x: Identities, args: Arguments, shape: Shape) -> Identities:
    factor = args["upscale_factor"]
    apart = x.reshape(-1, shape[-3], factor, factor, *x.shape[-2:])
    return apart.transpose(0, 1, 4, 2, 5, 3).reshape(shape)


def _unshuffle_pixels(x: Identities, args: Arguments, shape: Shape) -> Identities:
    factor = args["downscale_factor"]
    apart = x.reshape(-1, x.shape[-3], shape[-2], factor, shape[-1], factor)
    return apart.transpose(0, 1, 3, 5, 2, 4).reshape(shape)


def _enlarge(x: Identities, args: Arguments, shape: Shape) -> Identities | None:
    for axis in range(2, len(shape)):
        factor, rest = divmod(shape[axis], x.shape[axis])
        # The kernel multiplies by the inverse, which is exact for powers of two alone.
        if rest or factor & (factor - 1):
            return None
        x = np.repeat(x, factor, axis)
    return x


_ARRANGEMENTS: dict[str, Callable[[Identities, Arguments, Shape], Identities | None]] = {
    **dict.fromkeys(_COPIES.split(), lambda x, args, shape: x),
    **dict.fromkeys(_RESHAPES.split(), lambda x, args, shape: x.reshape(shape)),
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"), _enlarge),
    "repeat": lambda x, args, shape: np.tile(x, args["repeats"]),
    "flip": lambda x, args, shape: np.flip(x, args["dims"]),
    "roll": lambda x, args, shape: np.roll(x, args["shifts"], args.get("dims") or None),
    "rot90": lambda x, args, shape: np.rot90(x, args.get("k", 1), args.get("dims", (0, 1))),
    "channel_shuffle": _shuffle_channels,
    "pixel_shuffle": _shuffle_pixels,
    "pixel_unshuffle": _unshuffle_pixels,
}
