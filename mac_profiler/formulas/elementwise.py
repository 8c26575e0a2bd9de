"""Element-wise operators: 1 FLOP an output element, transcendental functions and derivatives too.

The tables name operators that run as one kernel; composite ones (`square`, `relu6`, `selu`, `divide`...) are followed
into these.
"""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value

_WITH_IN_PLACE = """
    _add_relu abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not
    bitwise_or bitwise_right_shift bitwise_xor ceil celu clamp clamp_max clamp_min conj_physical copysign cos cosh
    deg2rad digamma div elu eq erf erfc erfinv exp exp2 expm1 floor floor_divide fmod frac gcd ge gelu gt hardsigmoid
    hardswish hardtanh heaviside hypot i0 igamma igammac lcm ldexp le leaky_relu lerp lgamma log log10 log1p log2
    logical_and logical_not logical_or logical_xor logit lt mish mvlgamma nan_to_num ne neg nextafter polygamma
    pow rad2deg reciprocal relu remainder round rrelu_with_noise rsqrt sgn sigmoid sign silu sin sinc sinh sqrt sub tan
    tanh threshold trunc xlogy
"""
_WITHOUT_IN_PLACE = """
    _conj_physical _prelu_kernel angle fmax fmin frexp hardshrink isinf isnan isneginf isposinf log_sigmoid_forward
    logaddexp logaddexp2 maximum minimum rrelu_with_noise_functional rsub signbit softplus softshrink special_airy_ai
    special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1 special_chebyshev_polynomial_t
    special_chebyshev_polynomial_u special_chebyshev_polynomial_v special_chebyshev_polynomial_w special_entr
    special_erfcx special_hermite_polynomial_h special_hermite_polynomial_he special_i0e special_i1 special_i1e
    special_laguerre_polynomial_l special_legendre_polynomial_p special_log_ndtr special_modified_bessel_i0
    special_modified_bessel_i1 special_modified_bessel_k0 special_modified_bessel_k1 special_ndtri
    special_scaled_modified_bessel_k0 special_scaled_modified_bessel_k1 special_shifted_chebyshev_polynomial_t
    special_shifted_chebyshev_polynomial_u special_shifted_chebyshev_polynomial_v
    special_shifted_chebyshev_polynomial_w special_spherical_bessel_j0 special_xlog1py special_zeta
    __lshift__ __rshift__ __ilshift__ __irshift__ polar
"""
_BACKWARD = """
    _prelu_kernel_backward elu_backward gelu_backward hardshrink_backward hardsigmoid_backward hardswish_backward
    hardtanh_backward leaky_relu_backward log_sigmoid_backward logit_backward rrelu_with_noise_backward
    sigmoid_backward silu_backward softplus_backward softshrink_backward tanh_backward threshold_backward mish_backward
    glu_backward glu_jvp glu_backward_jvp
"""


@formula(*aten(_WITH_IN_PLACE, in_place=True), *aten(_WITHOUT_IN_PLACE), *aten(_BACKWARD))
def elementwise(op: Op) -> Cost:
    """One operation an output element."""
    return traffic(op, flops=floating_flops(op, op.outputs[0].elements))


@formula(*aten("mul", in_place=True))
def multiply(op: Op) -> Cost:
    """One operation an output element; a product of two complex numbers takes 6 (4 products, 2 sums)."""
    factors = [op.args.get(name) for name in ("self", "other")]
    if all(isinstance(factor, Value) and factor.dtype.startswith("complex") for factor in factors):
        return traffic(op, flops=6 * op.outputs[0].elements)
    return elementwise(op)


@formula("aten.glu")
def glu(op: Op) -> Cost:
    """A sigmoid of one half of the channels times the other: 2 FLOPs an output element."""
    return traffic(op, flops=floating_flops(op, 2 * op.outputs[0].elements))


@formula(*aten("masked_fill", in_place=True), "aten.where")
def select(op: Op) -> Cost:
    """A choice between two elements moves data and computes nothing."""
    return traffic(op)


@formula("aten.complex")
def join_parts(op: Op) -> Cost:
    """Real and imaginary parts laid side by side."""
    return traffic(op)


@formula("aten.linalg_cross")
def cross(op: Op) -> Cost:
    """Every output element is a difference of two products: 3 FLOPs."""
    return traffic(op, flops=floating_flops(op, 3 * op.outputs[0].elements))
