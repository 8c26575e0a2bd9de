"""fvcore's FlopCountAnalysis: traces with torch.jit, which runs the model."""

from __future__ import annotations

from typing import Any

from experiments.adapting.arguments import flatten
from experiments.peers import Answer, Arguments, Keywords

NAME = "fvcore"
PACKAGE = "fvcore"
CONVENTION = "multiply-adds, and operations of normalisation, pooling and up-sampling"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the part that counts."""
    import fvcore.nn

    _ = fvcore.nn.FlopCountAnalysis


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """FlopCountAnalysis(model, inputs).total()."""
    from fvcore.nn import FlopCountAnalysis

    model, tensors = flatten(model, args, kwargs)
    return float(FlopCountAnalysis(model, tensors).total())


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Its operators one by one, less those without multiply-adds; it lists what it does not support."""
    from fvcore.nn import FlopCountAnalysis

    model, tensors = flatten(model, args, kwargs)
    analysis = FlopCountAnalysis(model, tensors)
    words = ("norm", "pool", "upsample", "grid_sampler")
    found = analysis.by_operator()
    counted = sum(number for name, number in found.items() if not any(word in name for word in words))
    return Answer(float(counted), tuple(analysis.unsupported_ops()))
