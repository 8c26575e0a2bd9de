"""Pooling: 1 FLOP (comparison or sum) for every element of every window; positions on padding are counted."""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value


def _window(op: Op, spatial: int) -> int:
    kernel = op.args["kernel_size"]
    sizes = list(kernel) if isinstance(kernel, list | tuple) else [kernel]
    # One size stands for every dimension.
    return int(prod(sizes)) if len(sizes) == spatial else int(sizes[0]) ** spatial


def _spatial(op: Op) -> int:
    found = next((digit for digit in "123" if f"{digit}d" in op.target), "2")
    return int(found)


@formula(
    *aten("max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices"),
    *aten("avg_pool1d avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool3d"),
    *aten("mkldnn_max_pool2d mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d"),
)
def pool(op: Op) -> Cost:
    """As many FLOPs an output element as its window has elements."""
    return traffic(op, flops=floating_flops(op, op.outputs[0].elements * _window(op, _spatial(op))))


@formula(
    *aten("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d"),
    *aten("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d mkldnn_adaptive_avg_pool2d"),
)
def adaptive_pool(op: Op) -> Cost:
    """As many FLOPs an output element as its window has: the input's where its size is a multiple of the output's."""
    source, out = op.args["self"], op.outputs[0]
    return traffic(op, flops=floating_flops(op, _visits(source, out, _spatial(op))))


def _visits(source: Value, out: Value, spatial: int) -> int:
    """Elements of all windows of adaptive pooling; window i of o over n elements is [i n // o, ceil((i + 1) n / o))."""
    leading = prod(out.shape[: len(out.shape) - spatial])
    for n, o in zip(source.shape[-spatial:], out.shape[-spatial:], strict=True):
        leading *= sum(-(-(i + 1) * n // o) - i * n // o for i in range(o))
    return leading


@formula(
    *aten("max_pool2d_backward max_pool2d_with_indices_backward max_pool3d_with_indices_backward"),
    *aten("mkldnn_max_pool2d_backward mkldnn_max_pool3d_backward"),
    *aten("fractional_max_pool2d_backward fractional_max_pool3d_backward"),
    *aten("adaptive_max_pool2d_backward adaptive_max_pool3d_backward"),
)
def max_pool_backward(op: Op) -> Cost:
    """Every gradient is added where the maximum was: 1 FLOP each; of the input only the shape is needed."""
    reads = {op.args["self"]: 0} if "indices" in op.args and "self" in op.args else None
    grad = op.args.get("grad_output", op.outputs[0])
    return traffic(op, flops=floating_flops(op, grad.elements), reads=reads)


@formula(*aten("avg_pool2d_backward avg_pool3d_backward"))
def average_pool_backward(op: Op) -> Cost:
    """Every gradient is added to its whole window; of the input only the shape is needed."""
    grad = op.args["grad_output"]
    flops = floating_flops(op, grad.elements * _window(op, _spatial(op)))
    return traffic(op, flops=flops, reads={op.args["self"]: 0})


@formula(
    *aten("_adaptive_avg_pool2d_backward _adaptive_avg_pool3d_backward adaptive_avg_pool3d_backward"),
    *aten("mkldnn_adaptive_avg_pool2d_backward"),
)
def adaptive_average_pool_backward(op: Op) -> Cost:
    """Every gradient is added to its whole window; of the input only the shape is needed."""
    grad, source = op.args["grad_output"], op.args["self"]
    return traffic(op, flops=floating_flops(op, _visits(source, grad, _spatial(op))), reads={source: 0})


@formula(*aten("max_unpool2d max_unpool3d"))
def max_unpool(op: Op) -> Cost:
    """Elements laid where the maximum was, zeros elsewhere: nothing is computed."""
    return traffic(op)
