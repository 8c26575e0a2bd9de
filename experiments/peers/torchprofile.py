"""torchprofile: traces with torch.jit, which runs the model."""

from __future__ import annotations

import re
import warnings
from typing import Any

from experiments.adapting.arguments import flatten
from experiments.peers import Answer, Arguments, Keywords

NAME = "torchprofile"
PACKAGE = "torchprofile"
CONVENTION = "multiply-adds, and operations of normalisation, pooling and up-sampling"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import torchprofile

    _ = torchprofile.profile_macs


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """profile_macs(model, inputs)."""
    from torchprofile import profile_macs

    model, tensors = flatten(model, args, kwargs)
    found: Any = profile_macs(model, tensors)
    return float(found)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Its operators one by one, less those without multiply-adds; it warns of those that it has no handler for."""
    from torchprofile import profile_macs

    model, tensors = flatten(model, args, kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found: Any = profile_macs(model, tensors, reduction=None)
    words = ("norm", "pool", "upsample", "softmax", "mean", "grid_sampler")
    counted = sum(number for node, number in found.items() if not any(word in node.operator for word in words))
    said = " ".join(str(warning.message) for warning in caught)
    return Answer(float(counted), tuple(dict.fromkeys(re.findall(r'No handlers found: "([^"]+)"', said))))
