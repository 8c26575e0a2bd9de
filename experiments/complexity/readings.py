"""Count a published quantity as its source seems to have counted it; see `mac_profiler.published.Published.reading`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from mac_profiler.graph import Op, Value
from mac_profiler.kinds import normalises_by_batch
from mac_profiler.profile import Profile
from mac_profiler.published import FACTORS, Published

# What each is, in the words of a reader.
READINGS = {
    "convolutions only": "convolutions only, the classifier left out",
    "batch-norm left out": "parameters of batch-norm left out",
    "global pooling added": "one counted too for each element into the global pooling",
    "pooling added": "one counted too for each element into an average pooling",
    "activations added": "one counted too for each element into an activation",
    "biases added": "one counted too for each output with a bias",
    "truncated": "digits cut, not rounded",
    "rounded": "final zeros are no digits",
    "not reproduced": "",
}


def plain(quantity: str, profile: Profile) -> int:
    """Our count of "mult_adds" or "parameters", by our own convention."""
    return profile.parameters if quantity == "parameters" else profile.total.mult_adds


def count(figure: Published, profile: Profile) -> int:
    """Our count of a published quantity, in the reading that is said of it."""
    if figure.quantity == "parameters":
        left_out = _batch_norm_parameters(profile) if "batch-norm left out" in figure.reading else 0
        return profile.parameters - left_out
    parts = figure.reading.split(", ")
    if "convolutions only" in parts:
        pairs = zip(profile.graph.ops, profile.costs, strict=True)
        return sum(cost.mult_adds for op, cost in pairs if cost and op.target == "aten.convolution")
    added = sum(_ELEMENTS[part](op) for part in parts if part in _ELEMENTS for op in profile.graph.ops)
    return profile.total.mult_adds + added


def written_as(value: int, figure: Published) -> str:
    """The count with as many digits as the figure has, and its unit."""
    digits = figure.printed.rstrip("KMG")
    unit = figure.printed[len(digits) :]
    places = len(digits.partition(".")[2])
    scaled = value / FACTORS[unit]
    if "truncated" in figure.reading:
        scaled = math.floor(scaled * 10**places) / 10**places
    if "rounded" in figure.reading:
        zeros = len(digits) - len(digits.rstrip("0"))
        scaled = round(scaled, -zeros)
    return f"{scaled:.{places}f}{unit}"


def _batch_norm_parameters(profile: Profile) -> int:
    """Scale and shift of every batch-norm; a zoo model calls each once."""
    norms = [op for op in profile.graph.ops if normalises_by_batch(op)]
    return sum(value.elements for op in norms for value in op.inputs if value.role == "weight")


def _into(*targets: str) -> Callable[[Op], int]:
    """Elements that go into an operator, if it is one of these."""
    return lambda op: op.inputs[0].elements if op.target in targets else 0


def _biased(op: Op) -> int:
    return op.outputs[0].elements if isinstance(op.args.get("bias"), Value) and not normalises_by_batch(op) else 0


_GLOBAL = ("aten.mean", "aten._adaptive_avg_pool2d")
_ELEMENTS: Mapping[str, Callable[[Op], int]] = {
    "global pooling added": _into(*_GLOBAL),
    "pooling added": _into(*_GLOBAL, "aten.avg_pool2d"),
    "activations added": _into("aten.relu", "aten.relu_", "aten.hardtanh", "aten.hardtanh_"),
    "biases added": _biased,
}
