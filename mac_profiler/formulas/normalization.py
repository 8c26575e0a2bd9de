"""Normalisation.

Statistics cost 4 FLOPs an element (mean 1; difference, square and sum 3), those of a root mean square 2. Normalising
costs 2, an affine that cannot be folded into that 1 for its weight and 1 for its bias: scale and shift of a channel are
folded (batch, group and instance norm, as ATen's kernels do), those of an element are not (layer norm).
No multiply-adds: papers leave normalisation out, since it folds into the convolution before it.
"""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value

_STATISTICS, _NORMALISE = 4, 2


@formula(
    *aten("batch_norm _batch_norm_impl_index native_batch_norm _native_batch_norm_legit"),
    *aten("_native_batch_norm_legit_functional _native_batch_norm_legit_no_training cudnn_batch_norm"),
    *aten("miopen_batch_norm _batch_norm_with_update _batch_norm_with_update_functional _batch_norm_no_update"),
)
def batch_norm(op: Op) -> Cost:
    """2 FLOPs an element by running statistics, 6 by the batch's, which also update the running ones."""
    training = op.args.get("training", "with_update" in op.target)
    return _by_channel(op, bool(training))


@formula("aten.instance_norm")
def instance_norm(op: Op) -> Cost:
    """6 FLOPs an element by its own statistics, 2 by running ones."""
    return _by_channel(op, bool(op.args["use_input_stats"]))


def _by_channel(op: Op, own_statistics: bool) -> Cost:
    per_element = _NORMALISE + (_STATISTICS if own_statistics else 0)
    running = [op.args.get(name) for name in ("running_mean", "running_var")] if own_statistics else []
    updates = [value for value in running if isinstance(value, Value)]
    return traffic(op, flops=floating_flops(op, per_element * op.outputs[0].elements), updates=updates)


@formula(*aten("group_norm native_group_norm"))
def group_norm(op: Op) -> Cost:
    """6 FLOPs an element."""
    return traffic(op, flops=floating_flops(op, (_STATISTICS + _NORMALISE) * op.outputs[0].elements))


@formula(*aten("layer_norm native_layer_norm"))
def layer_norm(op: Op) -> Cost:
    """6 FLOPs an element, 1 more for a weight, 1 more for a bias."""
    affine = sum(op.args.get(name) is not None for name in ("weight", "bias"))
    return traffic(op, flops=floating_flops(op, (_STATISTICS + _NORMALISE + affine) * op.outputs[0].elements))


@formula(*aten("rms_norm _fused_rms_norm"))
def rms_norm(op: Op) -> Cost:
    """3 FLOPs an element (square, sum, quotient), 1 more for a weight."""
    affine = op.args.get("weight") is not None
    return traffic(op, flops=floating_flops(op, (3 + affine) * op.outputs[0].elements))


@formula(*aten("native_batch_norm_backward cudnn_batch_norm_backward miopen_batch_norm_backward batch_norm_backward"))
def batch_norm_backward(op: Op) -> Cost:
    """9 FLOPs an element: two sums over the batch (4) and the gradient of the input (5); 5 by running statistics."""
    trained = op.args.get("train", op.args.get("update", True))
    return traffic(op, flops=floating_flops(op, (9 if trained else 5) * op.args["input"].elements))


@formula(*aten("native_layer_norm_backward native_group_norm_backward _fused_rms_norm_backward"))
def norm_backward(op: Op) -> Cost:
    """9 FLOPs an element: two sums over the group (4) and the gradient of the input (5); 2 more for a weight's."""
    weight = op.args.get("weight") is not None
    return traffic(op, flops=floating_flops(op, (9 + 2 * weight) * op.args["input"].elements))


@formula(*aten("batch_norm_stats batch_norm_update_stats"))
def batch_statistics(op: Op) -> Cost:
    """4 FLOPs an element."""
    running = (op.args.get(name) for name in ("running_mean", "running_var"))
    updates = [value for value in running if isinstance(value, Value)]
    return traffic(op, flops=floating_flops(op, _STATISTICS * op.args["input"].elements), updates=updates)


@formula(*aten("batch_norm_gather_stats batch_norm_gather_stats_with_counts"))
def gathered_statistics(op: Op) -> Cost:
    """Statistics of several devices joined: 4 FLOPs an element of theirs."""
    running = (op.args.get(name) for name in ("running_mean", "running_var"))
    updates = [value for value in running if isinstance(value, Value)]
    unread = {op.args["input"]: 0}
    return traffic(op, flops=floating_flops(op, _STATISTICS * op.args["mean"].elements), reads=unread, updates=updates)


@formula("aten.batch_norm_elemt")
def normalise(op: Op) -> Cost:
    """2 FLOPs an element."""
    return traffic(op, flops=floating_flops(op, _NORMALISE * op.outputs[0].elements))


@formula("aten.batch_norm_backward_reduce")
def batch_norm_backward_sums(op: Op) -> Cost:
    """4 FLOPs an element."""
    return traffic(op, flops=floating_flops(op, 4 * op.args["input"].elements))


@formula("aten.batch_norm_backward_elemt")
def batch_norm_backward_input(op: Op) -> Cost:
    """5 FLOPs an element."""
    return traffic(op, flops=floating_flops(op, 5 * op.args["input"].elements))


@formula(*aten("_weight_norm _weight_norm_interface"))
def weight_norm(op: Op) -> Cost:
    """3 FLOPs an element of the weight: square, sum, product with gain over norm."""
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements))


@formula("aten._weight_norm_interface_backward")
def weight_norm_backward(op: Op) -> Cost:
    """5 FLOPs an element: product and sum for the gain, two products and a difference for the direction."""
    return traffic(op, flops=floating_flops(op, 5 * op.outputs[0].elements))


@formula(*aten("renorm", in_place=True))
def renorm(op: Op) -> Cost:
    """3 FLOPs an element: square, sum, product."""
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements))
