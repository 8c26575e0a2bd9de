"""Tensors out of nothing: constants, ranges, windows and random numbers are written; nothing is read or computed."""

from __future__ import annotations

from mac_profiler.cost import ZERO, Cost, aten, formula, traffic
from mac_profiler.graph import Op


@formula(
    *aten("arange range linspace logspace zeros ones full eye scalar_tensor zeros_like ones_like full_like new_zeros"),
    *aten("new_ones new_full tril_indices triu_indices bartlett_window blackman_window hamming_window hann_window"),
    *aten("kaiser_window fft_fftfreq fft_rfftfreq rand rand_like randn randn_like randint randint_like randperm"),
    *aten("_efficientzerotensor _new_zeros_with_same_feature_meta from_file"),
    *aten("fill zero uniform random exponential geometric log_normal cauchy", in_place=True),
    *aten("normal_ normal_functional bernoulli_"),
    *aten("_philox_normal _philox_uniform", in_place=True),
)
def create(op: Op) -> Cost:
    """Writes; a tensor argument only lends its shape, but a value or probability given as a tensor is read."""
    lends = ("self", "other")
    return traffic(op, reads={op.args[name]: 0 for name in lends if name in op.args})


@formula(*aten("empty empty_like empty_strided empty_permuted new_empty new_empty_strided empty_quantized"))
def allocate(op: Op) -> Cost:
    """Memory is named, not touched."""
    return ZERO


@formula(
    *aten("bernoulli normal poisson binomial multinomial _standard_gamma _sample_dirichlet"),
    *aten("_standard_gamma_grad _dirichlet_grad _sobol_engine_draw"),
)
def sample(op: Op) -> Cost:
    """Random numbers by given parameters: these are read."""
    return traffic(op)
