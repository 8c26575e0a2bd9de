"""Literals: `torch.tensor([x.mean(), 2])` where the contents of `x` are known.

torch reads the numbers of such a list past every dispatch mode, so they are put into the list before.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from mac_profiler.trace.standin import StandIn

_FROM_LISTS = (torch.tensor, torch.as_tensor)


class Literals(TorchFunctionMode):
    """Exchanges stand-ins of single numbers in lists that tensors are made of for the numbers."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FROM_LISTS and args and isinstance(args[0], list | tuple):
            args = (_numbers(args[0]), *args[1:])
        return func(*args, **kwargs)


def _numbers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    return value.item() if isinstance(value, StandIn) and value.dim() == 0 else value
