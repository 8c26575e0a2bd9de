"""Refusals: what torch's real kernels refuse and its meta kernels let pass, so that a wrong call fails here too."""

from __future__ import annotations

from typing import Any

import torch


def _named(names: str) -> frozenset[str]:
    return frozenset(f"aten.{name}" for name in names.split())


_ONE_DTYPE = _named(
    "linear mm addmm bmm baddbmm addbmm mv addmv dot matmul bilinear convolution scaled_dot_product_attention"
)
_ARITHMETIC_IN_PLACE = _named("add_ sub_ mul_ pow_ fmod_ remainder_")
_FLOATING_ONLY = _named("gelu silu hardswish hardsigmoid celu softplus mish")
_ALONG_A_DIMENSION = _named("softmax log_softmax")


def refuse(target: str, leaves: Any, args: Any) -> None:
    """Refuse what the real kernel would refuse.

    Args:
        target: the operator.
        leaves: its tensors, as objects with a `.spec`.
        args: its positional arguments.

    Raises:
        RuntimeError: types that do not fit each other or what is written into.
        NotImplementedError: what torch raises for a type that it has no kernel of the operator for; raised on purpose.
        IndexError: an index or dimension that cannot be one.
    """
    if target in _ONE_DTYPE:
        _refuse_mixed(target, leaves)
    elif target in _ARITHMETIC_IN_PLACE:
        _refuse_wider(target, leaves[0].spec.dtype, args)
    elif target in _FLOATING_ONLY:
        dtype = leaves[0].spec.dtype
        if not (dtype.is_floating_point or dtype.is_complex):
            # The real kernel's own type of error, on purpose: a model may catch it. Nothing is left to be written here.
            raise NotImplementedError(f"{target} is not implemented for {dtype}")
    elif target in _ALONG_A_DIMENSION:
        _refuse_dimension(len(leaves[0].spec.shape), args[1] if len(args) > 1 else None)
    elif target in ("aten.index", "aten.index_select"):
        _refuse_index(target, leaves)


def _refuse_mixed(target: str, leaves: Any) -> None:
    dtypes = {leaf.spec.dtype for leaf in leaves if leaf.spec.dtype is not torch.bool}
    if len(dtypes) > 1:
        named = " and ".join(sorted(str(dtype) for dtype in dtypes))
        raise RuntimeError(f"{target} wants operands of one dtype, but got {named}")


def _refuse_wider(target: str, into: torch.dtype, args: Any) -> None:
    for scalar in args:
        if isinstance(scalar, complex) and not into.is_complex:
            raise RuntimeError(f"{target}: a complex result can't be cast to {into}")
        if isinstance(scalar, float) and not (into.is_floating_point or into.is_complex):
            raise RuntimeError(f"{target}: a floating-point result can't be cast to {into}")


def _refuse_dimension(dimensions: int, dimension: Any) -> None:
    most = max(dimensions, 1)
    if isinstance(dimension, int) and not -most <= dimension < most:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-most}, {most - 1}], but got {dimension})"
        )


def _refuse_index(target: str, leaves: Any) -> None:
    for leaf in leaves[1:]:
        if leaf.spec.dtype.is_floating_point:
            if target == "aten.index":
                raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
            raise RuntimeError(f"{target} wants an index of int32 or int64, but got {leaf.spec.dtype}")
        if target == "aten.index_select" and len(leaf.spec.shape) > 1:
            raise IndexError(f"{target} wants an index of one dimension, but got {len(leaf.spec.shape)}")
