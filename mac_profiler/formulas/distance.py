"""Distances between points: no multiply-adds, whichever kernel computes them."""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op


@formula(*aten("cdist _cdist_forward _euclidean_dist"))
def pairwise(op: Op) -> Cost:
    """3 FLOPs a pair and dimension: difference, power (or magnitude), sum.

    torch takes a matrix product for many points and differences for few; the count is that of the distance, so that it
    does not jump.
    """
    # [*, p, r] = cdist([*, p, m], [*, r, m])
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements * op.args["x1"].shape[-1]))


@formula(*aten("pdist _pdist_forward"))
def among_themselves(op: Op) -> Cost:
    """3 FLOPs a pair and dimension."""
    # [n (n - 1) / 2] = pdist([n, m])
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements * op.args["self"].shape[-1]))


@formula("aten.dist")
def single(op: Op) -> Cost:
    """3 FLOPs an element of one pair."""
    return traffic(op, flops=floating_flops(op, 3 * op.args["self"].elements))


@formula("aten._cdist_backward")
def pairwise_backward(op: Op) -> Cost:
    """4 FLOPs a pair and dimension: difference, power, product with the gradient, sum."""
    pairs = op.args["cdist"].elements
    return traffic(op, flops=floating_flops(op, 4 * pairs * op.args["x1"].shape[-1]))


@formula("aten._pdist_backward")
def among_themselves_backward(op: Op) -> Cost:
    """8 FLOPs a pair and dimension: 4 for each of its two points."""
    points = op.args["self"]
    return traffic(op, flops=floating_flops(op, 8 * prod(op.args["pdist"].shape) * points.shape[-1]))
