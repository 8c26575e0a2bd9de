"""Operators on lists of tensors: the `_foreach` family and the fused steps of optimizers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value

_NAMES = """
    abs acos add addcdiv addcmul asin atan ceil clamp_max clamp_min cos cosh div erf erfc exp expm1 floor frac lerp
    lgamma log log10 log1p log2 maximum minimum mul neg pow reciprocal round rsqrt sigmoid sign sin sinh sqrt sub tan
    tanh trunc
"""
_FOREACH = " ".join(f"_foreach_{name}" for name in _NAMES.split())
# FLOPs an element of a parameter: the operations of the update's equations.
_STEPS = {"_fused_adagrad": 6, "_fused_adam": 13, "_fused_adamw": 14, "_fused_sgd": 4}


def _elements(values: Any) -> int:
    return sum(value.elements for value in _tensors(values))


def _tensors(values: Any) -> list[Value]:
    if isinstance(values, Value):
        return [values]
    return [value for value in values if isinstance(value, Value)] if isinstance(values, Iterable) else []


def _updated(op: Op, *names: str) -> list[Value]:
    """What an operator that returns nothing writes."""
    return [] if op.outputs else [value for name in names for value in _tensors(op.args.get(name, ()))]


@formula(*aten(_FOREACH, in_place=True))
def foreach(op: Op) -> Cost:
    """1 FLOP an element."""
    flops = floating_flops(op, _elements(op.args["self"]))
    return traffic(op, flops=flops, updates=_updated(op, "self") if op.target.endswith("_") else ())


@formula(*aten("_foreach_max _foreach_norm _foreach_powsum"))
def foreach_reduce(op: Op) -> Cost:
    """1 FLOP an element for a maximum, 2 for a norm or a sum of powers."""
    per_element = 1 if op.target == "aten._foreach_max" else 2
    return traffic(op, flops=floating_flops(op, per_element * _elements(op.args["self"])))


@formula(*aten("_foreach_clone _foreach_copy"))
def foreach_copy(op: Op) -> Cost:
    """Copies."""
    unread = dict.fromkeys(_tensors(op.args["self"]), 0) if op.target == "aten._foreach_copy" else None
    return traffic(op, reads=unread)


@formula(*aten("_foreach_copy_ _foreach_zero_"), "aten._foreach_zero")
def foreach_fill(op: Op) -> Cost:
    """Writes; what was there is not read."""
    unread = dict.fromkeys(_tensors(op.args["self"]), 0)
    return traffic(op, reads=unread, updates=_updated(op, "self"))


@formula(*aten(" ".join(_STEPS), in_place=True))
def optimizer_step(op: Op) -> Cost:
    """A few FLOPs an element of the parameters; parameters and their running averages are read and written."""
    per_element = _STEPS[op.target.removeprefix("aten.").removesuffix("_")]
    states = ("exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "momentum_buffer_list", "state_sums")
    flops = floating_flops(op, per_element * _elements(op.args["self"]))
    return traffic(op, flops=flops, updates=_updated(op, "self", *states))


@formula(*aten("_amp_foreach_non_finite_check_and_unscale", in_place=True))
def unscale_gradients(op: Op) -> Cost:
    """2 FLOPs an element: check and scaling."""
    flops = floating_flops(op, 2 * _elements(op.args["self"]))
    return traffic(op, flops=flops, updates=_updated(op, "self"))


@formula(*aten("_amp_update_scale", in_place=True))
def update_scale(op: Op) -> Cost:
    """A handful of scalars."""
    return traffic(op, flops=floating_flops(op, 2))
