"""Higher-order operators: those that take functions, followed through what the functions execute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mac_profiler.errors import TraceFailed


def follow_higher_order(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run an operator that takes functions (cond, flex_attention) by its plain Python kernel, through its parts.

    Raises:
        TraceFailed: it has none.
    """
    if func.name() == "cond":
        # Its plain kernel refuses to run under a mode; it is no more than this.
        condition, if_true, if_false, operands = args
        return (if_true if condition else if_false)(*operands)
    kernel = func.py_kernels.get(torch._C.DispatchKey.CompositeExplicitAutograd)
    if kernel is None:
        raise TraceFailed(f"the higher-order operator '{func.name()}' has no plain kernel to follow; call its parts")
    return kernel(*args, **kwargs)
