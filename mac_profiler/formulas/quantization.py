"""Quantisation: numbers to small integers and back."""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, formula, traffic
from mac_profiler.graph import Op


@formula(*aten("quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic"))
def quantize(op: Op) -> Cost:
    """4 FLOPs an element: scaling, shift, rounding, clamping."""
    return traffic(op, flops=4 * sum(value.elements for value in op.outputs))


@formula("aten.dequantize")
def dequantize(op: Op) -> Cost:
    """2 FLOPs an element: shift, scaling."""
    return traffic(op, flops=2 * sum(value.elements for value in op.outputs))


@formula(
    *aten("fake_quantize_per_tensor_affine fake_quantize_per_channel_affine"),
    *aten("fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask"),
    *aten("_fake_quantize_per_tensor_affine_cachemask_tensor_qparams"),
    *aten("_fake_quantize_learnable_per_tensor_affine _fake_quantize_learnable_per_channel_affine"),
)
def fake_quantize(op: Op) -> Cost:
    """6 FLOPs an element: there and back."""
    return traffic(op, flops=6 * op.outputs[0].elements)


@formula(
    *aten("fused_moving_avg_obs_fake_quant _fused_moving_avg_obs_fq_helper _fused_moving_avg_obs_fq_helper_functional")
)
def observe_and_fake_quantize(op: Op) -> Cost:
    """8 FLOPs an element: there and back, and the running minimum and maximum."""
    return traffic(op, flops=8 * op.outputs[0].elements)


@formula(
    *aten("_fake_quantize_learnable_per_tensor_affine_backward _fake_quantize_learnable_per_channel_affine_backward")
)
def fake_quantize_backward(op: Op) -> Cost:
    """12 FLOPs an element: twice the forward, for the input and for scale and zero point."""
    return traffic(op, flops=12 * op.args["self"].elements)


@formula(*aten("int_repr _make_per_tensor_quantized_tensor _make_per_channel_quantized_tensor"))
def reinterpret(op: Op) -> Cost:
    """The integers of a quantised tensor, copied."""
    return traffic(op)


@formula(*aten("q_per_channel_scales q_per_channel_zero_points"))
def parameters(op: Op) -> Cost:
    """Scale and zero point, copied."""
    return traffic(op, reads=dict.fromkeys(op.inputs, 0))
