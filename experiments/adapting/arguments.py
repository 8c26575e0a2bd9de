"""The same call for a peer that takes fewer kinds of arguments than the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]


def flatten(model: Any, args: Arguments, kwargs: Keywords) -> tuple[Any, tuple[Any, ...]]:
    """The same call for a peer that passes nothing but tensors by position.

    Returns:
        The model itself where that is how it is called already; else a module around it that puts the arguments
        together again. And the tensors.
    """
    import torch
    from torch.utils import _pytree as pytree

    if not kwargs and all(isinstance(value, torch.Tensor) for value in args):
        return model, args
    leaves, structure = pytree.tree_flatten((args, dict(kwargs)))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

    class Rebuilt(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            whole = list(leaves)
            for place, tensor in zip(places, tensors, strict=True):
                whole[place] = tensor
            given, named = pytree.tree_unflatten(whole, structure)
            return self.model(*given, **named)

    return Rebuilt().train(model.training), tuple(leaves[i] for i in places)


def pack(model: Any, args: Arguments, kwargs: Keywords) -> tuple[Any, dict[str, Any]]:
    """The same call for a peer that passes one mapping: a module around the model that hands the arguments on."""
    import torch

    class Packed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, given: Any, named: Any) -> Any:
            return self.model(*given, **named)

    return Packed().train(model.training), {"given": args, "named": dict(kwargs)}


def modules_without_products() -> list[Any]:
    """Module classes that hold no multiply-adds, and of which some peers count other operations in the same number."""
    from torch import nn

    words = ("Norm", "Pool", "ReLU", "ELU", "GELU", "SiLU", "Softmax", "Upsample", "Dropout", "Sigmoid", "Tanh")
    classes = [getattr(nn, name) for name in dir(nn)]
    return [
        each
        for each in classes
        if isinstance(each, type) and issubclass(each, nn.Module) and any(word in each.__name__ for word in words)
    ]
