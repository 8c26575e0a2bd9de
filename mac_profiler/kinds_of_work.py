"""Kinds of work: those that machines do at rates of their own.

A dense convolution and a depthwise one use the same units of a processor, but not at the same rate; a ReLU and a GELU
move the same bytes, but not in the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mac_profiler.bounds import product_of
from mac_profiler.graph import Op
from mac_profiler.kinds import kind_of, linear_in_weight, normalises_by_batch

# Every kind, and what it is; those of the first group are counted in multiply-adds.
PRODUCTS: Mapping[str, str] = {
    "dense_conv": "convolutions of one group with kernels above 1x1",
    "pointwise_conv": "1x1 convolutions of one group",
    "grouped_conv": "convolutions of several groups that are not depthwise",
    "depthwise_conv": "convolutions with one input channel a group",
    "linear": "linear layers, and products with a weight",
    "matmul": "products of two activations",
    "attention": "scaled dot-product attention",
    "recurrent": "recurrent cells",
}
KINDS: Mapping[str, str] = {
    **PRODUCTS,
    "elementwise": "arithmetic, comparisons and piecewise linear activations",
    "transcendental": "activations and functions that take an exponential",
    "batch_norm": "batch-norm with fixed statistics",
    "normalisation": "norms by the statistics of the input",
    "softmax": "softmax",
    "max_pool": "max-pooling over windows",
    "avg_pool": "average-pooling over windows",
    "reduction": "sums, means and global pooling",
    "movement": "concatenation, copies, padding, rolls: data moved unchanged",
    "transposition": "copies that write elements in another order than they lie in",
    "other": "whatever is none of the others",
}
_EXPONENTIALS = """
    gelu silu sigmoid tanh exp mish elu selu celu softplus log_sigmoid logsigmoid erf log pow sin cos logit
"""
_TRANSCENDENTAL = frozenset(_EXPONENTIALS.split())


def kind_of_work(op: Op) -> str:
    """The kind of work that an operator is."""
    product = product_of(op)
    if product is not None:
        if op.target.endswith("linear") or "weight" not in op.args:
            return "linear" if _has_weight(op) else "matmul"
        if product.groups == 1:
            return "pointwise_conv" if product.kernel_area == 1 else "dense_conv"
        return "depthwise_conv" if product.groups == product.channels_in else "grouped_conv"
    if normalises_by_batch(op):
        return "normalisation" if op.args.get("training") else "batch_norm"
    if kind_of(op) == "movement" and _turns(op):
        return "transposition"
    return _by_target(op.target) or {
        "elementwise": "elementwise", "reduction": "reduction", "movement": "movement"
    }.get(kind_of(op), "linear" if linear_in_weight(op) else "other")  # fmt: skip


def _turns(op: Op) -> bool:
    """Whether neighbours in what it reads are none in what it writes."""
    if not op.outputs:
        return False
    written = op.outputs[0].strides
    return any(
        value.strides is not None and value.strides != written and value.strides[-1] > 1 and value.shape[-1] > 1
        for value in op.inputs
    )


def _has_weight(op: Op) -> bool:
    return any(value.role == "weight" for value in op.inputs)


@cache
def _by_target(target: str) -> str:
    """The kind where the name of the operator tells it; "" where it does not."""
    name = target.rpartition(".")[2].removesuffix("_")
    if "attention" in name:
        return "attention"
    if name.startswith(("lstm", "gru", "rnn")) or "_rnn" in name or "lstm" in name:
        return "recurrent"
    if "softmax" in name:
        return "softmax"
    if name.endswith(("layer_norm", "group_norm", "rms_norm", "instance_norm")):
        return "normalisation"
    if "adaptive" not in name:
        for kind in ("max_pool", "avg_pool"):
            if kind in name:
                return kind
    else:
        return "reduction"
    if name in ("matmul", "einsum", "addbmm", "mv", "dot", "vdot", "addmv", "linalg_vecdot"):
        return "matmul"
    return "transcendental" if name in _TRANSCENDENTAL else ""
