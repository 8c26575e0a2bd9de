"""Losses that run as one kernel; the others (`cross_entropy_loss`, `l1_loss`, `kl_div`...) are followed into parts."""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, product_flops, traffic
from mac_profiler.graph import Op

# FLOPs an element of the input, the sum over them included.
_PER_ELEMENT = {
    "mse_loss": 3,
    "smooth_l1_loss": 5,
    "huber_loss": 5,
    "soft_margin_loss": 5,
    "binary_cross_entropy": 7,
    "binary_cross_entropy_with_logits": 8,
    "multi_margin_loss": 4,
    "multilabel_margin_loss_forward": 4,
}
_PER_ELEMENT_BACKWARD = {
    "mse_loss_backward": 3,
    "smooth_l1_loss_backward": 4,
    "huber_loss_backward": 4,
    "soft_margin_loss_backward": 5,
    "binary_cross_entropy_backward": 5,
    "multi_margin_loss_backward": 4,
    "multilabel_margin_loss_backward": 4,
}


@formula(*aten(" ".join(_PER_ELEMENT)))
def loss(op: Op) -> Cost:
    """A few FLOPs an input element: each operation of the loss's equation, and the sum."""
    per_element = _PER_ELEMENT[op.target.removeprefix("aten.")]
    return traffic(op, flops=floating_flops(op, per_element * op.args["self"].elements))


@formula(*aten(" ".join(_PER_ELEMENT_BACKWARD)))
def loss_backward(op: Op) -> Cost:
    """A few FLOPs an input element: each operation of the derivative, and the product with the gradient."""
    per_element = _PER_ELEMENT_BACKWARD[op.target.removeprefix("aten.")]
    return traffic(op, flops=floating_flops(op, per_element * op.args["self"].elements))


@formula(*aten("nll_loss_forward nll_loss2d_forward"))
def negative_log_likelihood(op: Op) -> Cost:
    """One element a target is gathered, weighed and summed: 2 FLOPs each."""
    source, target = op.args["self"], op.args["target"]
    reads = {source: min(source.footprint, target.elements)}
    return traffic(op, flops=floating_flops(op, 2 * target.elements), reads=reads)


@formula(*aten("nll_loss_backward nll_loss2d_backward"))
def negative_log_likelihood_backward(op: Op) -> Cost:
    """One gradient a target, laid into zeros; of the input only the shape is needed."""
    flops = floating_flops(op, op.args["target"].elements)
    return traffic(op, flops=flops, reads={op.args["self"]: 0})


@formula("torch_nn._linear_cross_entropy_batch_chunked", "torch_nn._linear_cross_entropy_batch_chunked_no_reduction")
def linear_cross_entropy(op: Op) -> Cost:
    """A linear layer and the cross-entropy of its scores (7 FLOPs each), which never reach memory.

    Gradients of input and weight, where they are made on the way, take the products of the layer each.
    """
    # [] = linear_cross_entropy([n, h], [classes, h], [n])
    rows, weight = op.args["input"], op.args["linear_weight"]
    scores = rows.elements // max(weight.shape[-1], 1) * weight.shape[0]
    passes = 1 + sum(bool(op.args.get(f"compute_{name}_grad")) for name in ("input", "linear_weight"))
    mult_adds = passes * scores * weight.shape[-1]
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, 7 * scores))


@formula(*aten("_ctc_loss _cudnn_ctc_loss miopen_ctc_loss"))
def ctc(op: Op) -> Cost:
    """The forward variables: 9 FLOPs (log-sum-exp of three, and a sum) a time step and place of 2 l + 1.

    The length l of a target is the longest that the targets can hold.
    """
    return traffic(op, flops=floating_flops(op, 9 * _ctc_places(op)))


@formula("aten._ctc_loss_backward")
def ctc_backward(op: Op) -> Cost:
    """The backward variables cost what the forward ones do; the gradient 4 FLOPs a time step and symbol."""
    return traffic(op, flops=floating_flops(op, 9 * _ctc_places(op) + 4 * op.args["log_probs"].elements))


def _ctc_places(op: Op) -> int:
    # log_probs [t, n, symbols], targets [n, l] or all of them in one row
    steps = op.args["log_probs"].shape[0]
    batch = op.args["log_probs"].shape[1] if len(op.args["log_probs"].shape) > 2 else 1
    return int(steps * (2 * op.args["targets"].elements + batch))
