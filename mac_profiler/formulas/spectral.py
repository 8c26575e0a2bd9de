"""Fourier transforms of complex and of real numbers."""

from __future__ import annotations

from math import log2, prod

from mac_profiler.cost import Cost, aten, formula, traffic
from mac_profiler.graph import Op


@formula("aten._fft_c2c")
def fft(op: Op) -> Cost:
    """5 n log2 n real FLOPs a transform of n points, whatever the algorithm (FFTW's benchmark convention)."""
    out = op.outputs[0]
    return traffic(op, flops=round(5 * _point_levels(out.shape, op.args["dim"])))


@formula(*aten("_fft_r2c _fft_c2r"))
def real_fft(op: Op) -> Cost:
    """Half of a complex transform of as many points: 2.5 n log2 n."""
    shape = op.args["self"].shape if "r2c" in op.target else op.outputs[0].shape
    return traffic(op, flops=round(2.5 * _point_levels(shape, op.args["dim"])))


def _point_levels(shape: tuple[int, ...], dims: list[int]) -> float:
    """All points times log2 of the points of one transform."""
    points = prod(shape[dim] for dim in dims)
    return prod(shape) * log2(points) if points else 0.0
