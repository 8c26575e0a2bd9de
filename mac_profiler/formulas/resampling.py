"""Up- and down-sampling of grids.

An output element that is interpolated from k taps costs 2k - 1 FLOPs (products and sums); what a row or column of
weights costs is shared by all channels and left out. No more of the input is read than the taps reach.
"""

from __future__ import annotations

from math import ceil, prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value

_TAPS = {"nearest": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}


def _taps(op: Op, spatial: int) -> int:
    kind = next(name for name in ("nearest", "bilinear", "trilinear", "bicubic", "linear") if name in op.target)
    return int(_TAPS[kind] ** spatial)


def _source(op: Op) -> Value:
    found: Value = op.args["input"] if "input" in op.args else op.args["self"]
    return found


@formula(
    *aten("upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d"),
    *aten("_upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d"),
    *aten("upsample_trilinear3d upsample_bicubic2d"),
)
def upsample(op: Op) -> Cost:
    """2k - 1 FLOPs an output element; nearest (k = 1) copies."""
    source, out = _source(op), op.outputs[0]
    taps = _taps(op, len(source.shape) - 2)
    flops = floating_flops(op, (2 * taps - 1) * out.elements) if taps > 1 else 0
    return traffic(op, flops=flops, reads={source: min(source.footprint, taps * out.elements)})


@formula(
    *aten("upsample_nearest1d_backward upsample_nearest2d_backward upsample_nearest3d_backward"),
    *aten("_upsample_nearest_exact1d_backward _upsample_nearest_exact2d_backward _upsample_nearest_exact3d_backward"),
    *aten("upsample_linear1d_backward upsample_bilinear2d_backward upsample_trilinear3d_backward"),
    *aten("upsample_bicubic2d_backward"),
)
def upsample_backward(op: Op) -> Cost:
    """Every gradient is added to its k taps: a product and a sum each, a sum alone for nearest."""
    grad = op.args["grad_output"]
    taps = _taps(op, len(grad.shape) - 2)
    return traffic(op, flops=floating_flops(op, (2 * taps if taps > 1 else 1) * grad.elements))


@formula(*aten("_upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_lanczos2d_aa"))
def upsample_antialiased(op: Op) -> Cost:
    """Two passes, along width and along height; shrinking widens the taps by the factor (ATen, UpSampleKernel.cpp)."""
    source, out = _source(op), op.outputs[0]
    return traffic(op, flops=floating_flops(op, _separable(op, source.shape, out.shape)))


@formula(*aten("_upsample_bilinear2d_aa_backward _upsample_bicubic2d_aa_backward _upsample_lanczos2d_aa_backward"))
def upsample_antialiased_backward(op: Op) -> Cost:
    """The two passes again, adding gradients to their taps."""
    grad, out = op.args["grad_output"], op.outputs[0]
    return traffic(op, flops=floating_flops(op, _separable(op, out.shape, grad.shape)))


def _separable(op: Op, source: tuple[int, ...], out: tuple[int, ...]) -> int:
    support = 3 if "lanczos" in op.target else 2 if "bicubic" in op.target else 1
    leading, (height, width), (to_height, to_width) = prod(out[:-2]), source[-2:], out[-2:]
    if not (leading * height * width * to_height * to_width):
        return 0
    # Taps of one output position: the support on both sides, widened when shrinking, and the centre.
    across = 2 * ceil(support * max(width / to_width, 1.0)) + 1
    along = 2 * ceil(support * max(height / to_height, 1.0)) + 1
    return leading * to_width * (height * (2 * across - 1) + to_height * (2 * along - 1))


@formula(*aten("grid_sampler_2d grid_sampler_3d _grid_sampler_2d_cpu_fallback cudnn_grid_sampler"))
def grid_sample(op: Op) -> Cost:
    """2k - 1 FLOPs an output element (k: 4 or 8 linear, 16 cubic; nearest copies).

    A position, shared by all channels, costs 4 a dimension to scale and clip, and 1 for each tap's weight.
    """
    # [n, c, *out] = grid_sampler([n, c, *in], [n, *out, dims])
    source, out = op.args["input"] if "input" in op.args else op.args["self"], op.outputs[0]
    taps, position = _grid_taps(op)
    positions = op.args["grid"].elements // max(op.args["grid"].shape[-1], 1)
    flops = (2 * taps - 1) * out.elements if taps > 1 else 0
    flops += position * positions
    reads = {source: min(source.footprint, taps * out.elements)}
    return traffic(op, flops=floating_flops(op, flops), reads=reads)


@formula(
    *aten("grid_sampler_2d_backward grid_sampler_3d_backward _grid_sampler_2d_cpu_fallback_backward"),
    *aten("cudnn_grid_sampler_backward"),
)
def grid_sample_backward(op: Op) -> Cost:
    """Every gradient goes to its k taps (2 FLOPs each) and to its position (2 a tap and dimension)."""
    grad = op.args["grad_output"]
    taps, position = _grid_taps(op)
    dimensions = op.args["grid"].shape[-1]
    positions = op.args["grid"].elements // max(dimensions, 1)
    flops = 2 * taps * (1 + (dimensions if taps > 1 else 0)) * grad.elements + position * positions
    return traffic(op, flops=floating_flops(op, flops))


def _grid_taps(op: Op) -> tuple[int, int]:
    dimensions = op.args["grid"].shape[-1]
    mode = op.args.get("interpolation_mode", 0)
    taps = {0: 2, 1: 1, 2: 4}[mode] ** dimensions
    return taps, 4 * dimensions + (taps if taps > 1 else 0)


@formula(*aten("affine_grid_generator cudnn_affine_grid_generator cudnn_affine_grid_generator_backward"))
def affine_grid(op: Op) -> Cost:
    """Each coordinate of a position is a sum of as many products as the transform has columns."""
    # [n, *size, dims] = affine_grid_generator([n, dims, dims + 1])
    out = op.outputs[0]
    columns = op.args["theta"].shape[-1] if "theta" in op.args else op.args["grad"].shape[-1]
    return traffic(op, flops=floating_flops(op, 2 * columns * max(out.elements, op.inputs[0].elements)))


@formula("aten.im2col")
def im2col(op: Op) -> Cost:
    """Windows laid side by side: a copy."""
    return traffic(op)


@formula(*aten("col2im unfold_backward"))
def col2im(op: Op) -> Cost:
    """Windows added up where they overlap: 1 FLOP an element of the windows."""
    return traffic(op, flops=floating_flops(op, op.inputs[0].elements))
