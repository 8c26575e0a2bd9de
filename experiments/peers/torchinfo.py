"""torchinfo: hooks on modules; multiply-adds from the sizes of parameters and outputs."""

from __future__ import annotations

from typing import Any

from experiments.peers import Answer, Arguments, Keywords

NAME = "torchinfo"
PACKAGE = "torchinfo"
CONVENTION = "parameters, bias and normalisation included, times the positions that they are used at"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import torchinfo

    _ = torchinfo.summary


def _summary(model: Any, args: Arguments, kwargs: Keywords) -> Any:
    from torchinfo import summary

    return summary(model, input_data=list(args), device="cpu", verbose=0, **kwargs)


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """summary(model, input_data=[...]).total_mult_adds."""
    return float(_summary(model, args, kwargs).total_mult_adds)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Less what it lists for layers of normalisation; it does not say what it leaves out."""
    statistics = _summary(model, args, kwargs)
    norms = sum(layer.macs for layer in statistics.summary_list if layer.is_leaf_layer and "Norm" in layer.class_name)
    return Answer(float(statistics.total_mult_adds - norms))
