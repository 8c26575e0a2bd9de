"""Reductions and running sums: 1 FLOP an input element, a few of them more."""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value


def _per_input(op: Op, count: int) -> Cost:
    # `out.dtype` may be floating where the input is not: the mean of integers is computed in floating point.
    source = op.args["self"]
    elements = source.elements if isinstance(source, Value) else sum(value.elements for value in source)
    return traffic(op, flops=floating_flops(op, count * elements))


@formula(
    *aten("sum nansum mean prod all any amax amin argmax argmin count_nonzero trace median nanmedian mode kthvalue"),
    *aten("_is_all_true _is_any_true hash_tensor histc"),
    *aten("cumsum cumprod", in_place=True),
)
def reduce(op: Op) -> Cost:
    """1 FLOP an input element."""
    return _per_input(op, 1)


@formula(*aten("max min"))
def extreme(op: Op) -> Cost:
    """1 FLOP an input element; of two tensors 1 an output element."""
    if "other" in op.args:
        return traffic(op, flops=floating_flops(op, op.outputs[0].elements))
    return _per_input(op, 1)


@formula(*aten("aminmax _aminmax cummax cummin"))
def reduce_to_pair(op: Op) -> Cost:
    """2 FLOPs an input element: two comparisons, or a comparison and its index."""
    return _per_input(op, 2)


@formula(*aten("var var_mean std std_mean"))
def variance(op: Op) -> Cost:
    """4 FLOPs an input element: mean 1; difference, square and sum 3."""
    return _per_input(op, 4)


@formula(*aten("norm native_norm linalg_vector_norm linalg__powsum"))
def norm(op: Op) -> Cost:
    """2 FLOPs an input element: a power (or magnitude) and a sum (or maximum)."""
    return _per_input(op, 2)


@formula("aten.equal")
def equal(op: Op) -> Cost:
    """Compares two tensors to their end: 1 FLOP an element."""
    return _per_input(op, 1)


@formula("aten.segment_reduce")
def segment_reduce(op: Op) -> Cost:
    """1 FLOP an input element."""
    return traffic(op, flops=floating_flops(op, op.args["data"].elements))


@formula("aten._segment_reduce_backward")
def segment_reduce_backward(op: Op) -> Cost:
    """1 FLOP an element of the data."""
    return traffic(op, flops=floating_flops(op, op.args["data"].elements))


@formula("aten.bincount")
def bincount(op: Op) -> Cost:
    """Integers are counted; with weights 1 FLOP each."""
    return traffic(op, flops=floating_flops(op, op.args["self"].elements))
