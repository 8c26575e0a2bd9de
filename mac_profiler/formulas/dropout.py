"""Dropout. The random numbers are not counted; what is done with them is."""

from __future__ import annotations

from mac_profiler.cost import ZERO, Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op


@formula(*aten("dropout feature_dropout", in_place=True), "aten._fused_dropout")
def dropout(op: Op) -> Cost:
    """2 FLOPs an element in training (product with the mask, scaling); in evaluation the input itself is returned."""
    if not op.args.get("train", True) or op.args["p"] == 0:
        return ZERO
    return traffic(op, flops=floating_flops(op, 2 * op.outputs[0].elements))


@formula(*aten("alpha_dropout feature_alpha_dropout", in_place=True))
def alpha_dropout(op: Op) -> Cost:
    """3 FLOPs an element in training (product with the mask, scaling, shift); none in evaluation."""
    if not op.args["train"] or op.args["p"] == 0:
        return ZERO
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements))


@formula("aten.native_dropout")
def native_dropout(op: Op) -> Cost:
    """2 FLOPs an element in training; in evaluation a copy. The mask is written as well."""
    training = op.args.get("train") in (None, True)
    return traffic(op, flops=floating_flops(op, 2 * op.outputs[0].elements if training else 0))


@formula(*aten("native_dropout_backward _masked_scale"))
def dropout_backward(op: Op) -> Cost:
    """2 FLOPs an element: product with the mask, scaling."""
    return traffic(op, flops=floating_flops(op, 2 * op.outputs[0].elements))


@formula("aten._fill_mem_eff_dropout_mask_")
def fill_mask(op: Op) -> Cost:
    """Random numbers, written."""
    return traffic(op, reads={op.args["self"]: 0})
