"""Formats: descriptions of new tensors in the memory format that torch gives them."""

from __future__ import annotations

import torch

from mac_profiler.trace.standin import Spec, contiguous_strides, spec


def new(shape: tuple[int, ...], like: Spec, dtype: torch.dtype | None = None) -> Spec:
    """A contiguous activation on the same device, of the same dtype unless another is given."""
    return spec(shape, contiguous_strides(shape), dtype or like.dtype, like.device, "activation")


def same(like: Spec) -> list[Spec] | None:
    """An activation of the same shape and memory format; None where the format has gaps."""
    if like.value_strides is None:
        return [new(like.shape, like)]
    dense = 1
    for step, size in sorted(zip(like.strides, like.shape, strict=True)):
        if size != 1:
            if step != dense:
                return None
            dense *= size
    return [spec(like.shape, like.strides, like.dtype, like.device, "activation")]


def channels_last(description: Spec) -> bool:
    """Whether torch takes it for channels-last (`is_channels_last_strides` of c10/core/MemoryFormat.h)."""
    shape, strides = description.shape, description.strides
    order = {4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}.get(len(shape))
    if order is None or strides[1] == 0:
        return False
    least = 0
    for d in order:
        if shape[d] == 0 or strides[d] < least:
            return False
        if d == 0 and least == strides[1]:
            return False
        least = strides[d]
        if shape[d] > 1:
            least *= shape[d]
    return True


def formatted(shape: tuple[int, ...], like: Spec, last: bool) -> Spec:
    """A new activation, channels last or contiguous."""
    if not last:
        return new(shape, like)
    inner = contiguous_strides((shape[0], *shape[2:], shape[1]))
    return spec(shape, (inner[0], inner[-1], *inner[1:-1]), like.dtype, like.device, "activation")


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a tensor of that shape can be expanded to the other."""
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(to), strict=False))
