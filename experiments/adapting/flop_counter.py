"""torch's FlopCounterMode over a model whose tensors are replaced by others of the same shapes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from experiments.adapting.arguments import Arguments, Keywords


def run(
    model: Any,
    args: Arguments,
    kwargs: Keywords,
    replace: Callable[[Any], Any] | None = None,
    within: AbstractContextManager[Any] | None = None,
) -> float:
    """FLOPs that the mode counts.

    Args:
        model: what is called.
        args: by position.
        kwargs: by name.
        replace: makes the tensor that stands for a parameter, a buffer or an input; None runs the model on its own.
        within: context of the call.
    """
    import torch
    from torch.utils import _pytree as pytree
    from torch.utils.flop_counter import FlopCounterMode

    with within or nullcontext(), FlopCounterMode(display=False) as counter:
        if replace is None:
            model(*args, **kwargs)
        else:
            tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
            state = {name: replace(tensor) for name, tensor in tensors.items()}
            given, named = pytree.tree_map_only(torch.Tensor, replace, (args, dict(kwargs)))
            torch.func.functional_call(model, state, given, named)
    return float(counter.get_total_flops())
