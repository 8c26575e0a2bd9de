"""Kinds: whether an operator works element by element, moves data, reduces, or does something that starts anew.

By the name of the target, so that a custom operator is an anchor. In-place partners go by their out-of-place names.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from mac_profiler.graph import Op, Value

Kind = Literal["elementwise", "movement", "reduction", "anchor"]

_ELEMENTWISE = """
    abs absolute acos acosh add _add_relu addcdiv addcmul angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
    ceil celu clamp clamp_max clamp_min clip complex conj_physical _conj_physical copysign cos cosh deg2rad digamma div
    divide dropout elu eq erf erfc erfinv exp exp2 expm1 feature_dropout alpha_dropout fix float_power floor
    floor_divide fmax fmin fmod frac frexp gcd ge gelu glu greater greater_equal gt hardshrink hardsigmoid hardswish
    hardtanh heaviside hypot i0 igamma igammac isclose isfinite isinf isnan isneginf isposinf isreal lcm ldexp le
    leaky_relu lerp less less_equal lgamma linalg_cross log log10 log1p log2 log_sigmoid log_sigmoid_forward logaddexp
    logaddexp2 logical_and logical_not logical_or logical_xor logit lt masked_fill maximum minimum mish mul multiply
    mvlgamma nan_to_num native_dropout ne neg negative nextafter not_equal polar polygamma positive pow prelu
    _prelu_kernel rad2deg reciprocal relu relu6 remainder round rrelu rrelu_with_noise rrelu_with_noise_functional
    rsqrt rsub selu sgn sigmoid sign signbit silu sin sinc sinh softplus softshrink sqrt square sub subtract tan tanh
    threshold true_divide trunc where xlogy _to_copy to tril triu
    __and__ __iand__ __or__ __ior__ __xor__ __ixor__ __lshift__ __ilshift__ __rshift__ __irshift__
    special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1
    special_chebyshev_polynomial_t special_chebyshev_polynomial_u special_chebyshev_polynomial_v
    special_chebyshev_polynomial_w special_entr special_erfcx special_hermite_polynomial_h
    special_hermite_polynomial_he special_i0e special_i1 special_i1e special_laguerre_polynomial_l
    special_legendre_polynomial_p special_log_ndtr special_modified_bessel_i0 special_modified_bessel_i1
    special_modified_bessel_k0 special_modified_bessel_k1 special_ndtri special_scaled_modified_bessel_k0
    special_scaled_modified_bessel_k1 special_shifted_chebyshev_polynomial_t special_shifted_chebyshev_polynomial_u
    special_shifted_chebyshev_polynomial_v special_shifted_chebyshev_polynomial_w special_spherical_bessel_j0
    special_xlog1py special_zeta
    elu_backward gelu_backward glu_backward hardshrink_backward hardsigmoid_backward hardswish_backward
    hardtanh_backward leaky_relu_backward log_sigmoid_backward logit_backward mish_backward native_dropout_backward
    _prelu_kernel_backward rrelu_with_noise_backward sigmoid_backward silu_backward softplus_backward
    softshrink_backward tanh_backward threshold_backward
    glu_jvp glu_backward_jvp
"""
# Made, or overwritten, without reading a tensor; an element at a time as well.
_CREATION = """
    arange bernoulli_ cauchy_ empty empty_like empty_permuted empty_strided exponential_ eye fill fill_ full full_like
    geometric_ linspace log_normal_ logspace new_empty new_empty_strided new_full new_ones new_zeros normal_ ones
    ones_like rand rand_like randint randint_like randn randn_like random_ scalar_tensor uniform_ zero zero_ zeros
    zeros_like
"""
_MOVEMENT = """
    cat concat concatenate stack hstack vstack dstack column_stack block_diag clone contiguous copy copy_ _copy_from
    pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
    replication_pad3d _pad_circular flip fliplr flipud roll rot90 repeat tile channel_shuffle native_channel_shuffle
    pixel_shuffle pixel_unshuffle diag_embed slice_backward select_backward diagonal_backward
    upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d
    alias_copy as_strided_copy detach_copy diagonal_copy expand_copy lift_fresh_copy narrow_copy permute_copy
    _reshape_copy _reshape_alias_copy select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy
    transpose_copy unbind_copy unsqueeze_copy view_copy reshape reshape_as flatten unflatten ravel movedim _lazy_clone
    _stack expand_as chunk split split_with_sizes tensor_split unsafe_chunk unsafe_split unsafe_split_with_sizes
"""
_REDUCTION = """
    sum nansum mean nanmean prod amax amin aminmax _aminmax all any argmax argmin count_nonzero norm native_norm
    linalg_vector_norm linalg__powsum std std_mean var var_mean logsumexp cumsum cumprod cummax cummin logcumsumexp
    _logcumsumexp softmax _softmax _safe_softmax _masked_softmax log_softmax _log_softmax layer_norm native_layer_norm
    group_norm native_group_norm instance_norm rms_norm _fused_rms_norm _batch_norm_with_update
    _batch_norm_with_update_functional
    _softmax_backward_data _log_softmax_backward_data _masked_softmax_backward native_layer_norm_backward
    native_group_norm_backward _fused_rms_norm_backward native_batch_norm_backward cudnn_batch_norm_backward
    miopen_batch_norm_backward batch_norm_backward
    mse_loss l1_loss smooth_l1_loss huber_loss soft_margin_loss binary_cross_entropy binary_cross_entropy_with_logits
    kl_div
"""
# A reduction by the statistics of the batch, element-wise by fixed ones.
_BATCH_NORM = """
    batch_norm _batch_norm_impl_index native_batch_norm cudnn_batch_norm miopen_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_functional _native_batch_norm_legit_no_training _batch_norm_no_update
"""
# Linear in their weight and with nothing behind the sum: batch-norm after them can be folded into the weight.
_FOLDABLE = """
    convolution _convolution convolution_overrideable conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d
    conv_transpose3d cudnn_convolution cudnn_convolution_transpose mkldnn_convolution miopen_convolution
    miopen_convolution_transpose miopen_depthwise_convolution _mps_convolution _mps_convolution_transpose
    _nnpack_spatial_convolution _slow_conv2d_forward slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d
    slow_conv_transpose2d slow_conv_transpose3d _conv_depthwise2d conv_depthwise3d linear mkldnn_linear addmm mm
"""
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_ELEMENTWISE.split(), "elementwise"),
    **dict.fromkeys(_CREATION.split(), "elementwise"),
    **dict.fromkeys(_MOVEMENT.split(), "movement"),
    **dict.fromkeys(_REDUCTION.split(), "reduction"),
}
_CREATING = frozenset(_CREATION.split())
_NORMALISING = frozenset(_BATCH_NORM.split())
_FOLDING = frozenset(_FOLDABLE.split())


@cache
def _name(target: str) -> str:
    namespace, _, name = target.partition(".")
    return name if namespace in ("aten", "prims") else ""


@cache
def _kind(target: str) -> Kind | None:
    """The kind of a target; None where it depends on the arguments."""
    name = _name(target)
    if name in _NORMALISING or name in ("max", "min"):
        return None
    return _KINDS.get(name) or _KINDS.get(name.removesuffix("_"), "anchor")


def kind_of(op: Op) -> Kind:
    """How an operator goes through its data."""
    kind = _kind(op.target)
    if kind is not None:
        return kind
    if normalises_by_batch(op):
        return "reduction" if op.args.get("training") else "elementwise"
    return "elementwise" if isinstance(op.args.get("other"), Value) else "reduction"


def normalises_by_batch(op: Op) -> bool:
    """Whether it is batch-norm, in training or not."""
    return _name(op.target) in _NORMALISING


def creates(op: Op) -> bool:
    """Whether it makes or overwrites a tensor without reading one; an argument lends its shape at most."""
    return _name(op.target) in _CREATING


def linear_in_weight(op: Op) -> bool:
    """Whether it is a convolution or linear layer, so that a factor a channel can go into its weight."""
    return _name(op.target) in _FOLDING
