"""Softmax and its kin."""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op


@formula(*aten("softmax _softmax _safe_softmax _masked_softmax log_softmax _log_softmax"))
def softmax(op: Op) -> Cost:
    """5 FLOPs an element: maximum, difference, exponential, sum, and quotient (difference for the logarithm)."""
    return traffic(op, flops=floating_flops(op, 5 * op.outputs[0].elements))


@formula(*aten("_softmax_backward_data _log_softmax_backward_data _masked_softmax_backward"))
def softmax_backward(op: Op) -> Cost:
    """4 FLOPs an element: product with the gradient (or exponential), sum, product, difference."""
    return traffic(op, flops=floating_flops(op, 4 * op.outputs[0].elements))


@formula(*aten("logsumexp logcumsumexp _logcumsumexp"))
def logsumexp(op: Op) -> Cost:
    """4 FLOPs an input element: maximum, difference, exponential, sum."""
    return traffic(op, flops=floating_flops(op, 4 * op.args["self"].elements))
