"""Shape rules of operators that slide a window over maps, and of concatenation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mac_profiler.trace.formats import channels_last, formatted
from mac_profiler.trace.standin import Spec, spec

Bound = Mapping[str, Any]


def convolution(bound: Bound) -> list[Spec] | None:
    """Output of a convolution, transposed or not; channels last if its input or weight is.

    Raises:
        RuntimeError: the channels do not fit, which torch's meta kernel does not look at.
    """
    # [n, c_out, *out] = convolution([n, c_in, *in], [c_out, c_in / groups, *kernel])
    source, weight = bound["input"].spec, bound["weight"].spec
    dimensions, groups, transposed = len(weight.shape) - 2, bound["groups"], bound["transposed"]
    batched = len(source.shape) == dimensions + 2
    if not batched and len(source.shape) != dimensions + 1:
        raise RuntimeError(
            f"Expected {dimensions + 1}D (unbatched) or {dimensions + 2}D (batched) input to conv{dimensions}d, "
            f"but got input of size: {list(source.shape)}"
        )
    given, wanted = source.shape[-dimensions - 1], weight.shape[0] if transposed else weight.shape[1] * groups
    if given != wanted:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(source.shape)} "
            f"to have {wanted} channels, but got {given} channels instead"
        )
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    bias = bound["bias"]
    if bias is not None and bias.spec.shape != (channels,):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {channels} elements, "
            f"but got bias of size {list(bias.spec.shape)} instead"
        )
    if groups < 1 or weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {list(weight.shape)} instead"
        )
    if not batched or source.dtype is not weight.dtype or (bias is not None and bias.spec.dtype is not source.dtype):
        return None
    extents = []
    for i in range(dimensions):
        size, kernel = source.shape[i + 2], weight.shape[i + 2]
        stride, padding, reach = _each(bound["stride"], i), _each(bound["padding"], i), _each(bound["dilation"], i)
        if reach < 1:
            return None
        reach = reach * (kernel - 1) + 1
        if transposed:
            if _each(bound["output_padding"], i) >= max(stride, _each(bound["dilation"], i)):
                raise RuntimeError("output padding must be smaller than either stride or dilation")
            extent = (size - 1) * stride - 2 * padding + reach + _each(bound["output_padding"], i)
        else:
            extent = (size + 2 * padding - reach) // stride + 1 if stride > 0 else 0
        if extent < 1 or padding < 0:
            return None
        extents.append(extent)
    last = channels_last(_as_map(source)) or channels_last(_as_map(weight))
    return [formatted((source.shape[0], channels, *extents), source, last)]


def _as_map(description: Spec) -> Spec:
    """A 1-d convolution is run as a 2-d one over maps of height 1."""
    if len(description.shape) != 3:
        return description
    (n, c, size), (by_n, by_c, step) = description.shape, description.strides
    return spec((n, c, 1, size), (by_n, by_c, size * step, step), description.dtype, description.device, "activation")


def window_pool(bound: Bound) -> list[Spec] | None:
    """Output of 2-d average pooling, or of maximum pooling without its indices."""
    # [*n, c, *out] = max_pool([*n, c, *in], kernel)
    source, dimensions = bound["self"].spec, 2
    if len(source.shape) not in (3, 4):
        return None
    extents = []
    for i, size in enumerate(source.shape[-dimensions:]):
        k, p, d = _each(bound["kernel_size"], i), _each(bound["padding"], i), _each(bound.get("dilation", (1,)), i)
        s = _each(bound["stride"], i) if bound["stride"] else k
        if s < 1 or p < 0 or 2 * p > k:
            return None
        span = size + 2 * p - d * (k - 1) - 1
        extent = (-(-span // s) if bound["ceil_mode"] else span // s) + 1
        if bound["ceil_mode"] and (extent - 1) * s >= size + p:
            extent -= 1  # the last window must begin inside the input or its left padding
        if extent < 1:
            return None
        extents.append(extent)
    return [formatted((*source.shape[:-dimensions], *extents), source, channels_last(source))]


def window_pool_with_indices(bound: Bound) -> list[Spec] | None:
    """Output of maximum pooling and its indices."""
    found = window_pool(bound)
    if found is None:
        return None
    return [found[0], spec(found[0].shape, found[0].strides, torch.int64, found[0].device, "activation")]


def _each(values: Any, i: int) -> int:
    return int(values[i] if len(values) > 1 else values[0])


def adaptive_pool(bound: Bound) -> list[Spec] | None:
    """Output of adaptive average pooling."""
    # [*n, c, *out] = adaptive_avg_pool([*n, c, *in], out)
    source, size = bound["self"].spec, tuple(bound["output_size"])
    if len(source.shape) not in (len(size) + 1, len(size) + 2) or 0 in source.shape or not all(size):
        return None
    return [formatted((*source.shape[: -len(size)], *size), source, channels_last(source))]


def concatenation(bound: Bound) -> list[Spec] | None:
    """Output of cat; channels last if all its inputs are."""
    # [*a, sum of n, *b] = cat([*a, n, *b], ...)
    parts = [part.spec for part in bound["tensors"]]
    if not parts or any(part.dtype is not parts[0].dtype or not part.shape for part in parts):
        return None
    dimensions = len(parts[0].shape)
    along = bound["dim"] + dimensions if bound["dim"] < 0 else bound["dim"]
    if not 0 <= along < dimensions or any(len(part.shape) != dimensions for part in parts):
        return None
    around = {(part.shape[:along], part.shape[along + 1 :]) for part in parts}
    if len(around) != 1:
        return None
    shape = (*parts[0].shape[:along], sum(part.shape[along] for part in parts), *parts[0].shape[along + 1 :])
    return [formatted(shape, parts[0], all(channels_last(part) for part in parts))]
