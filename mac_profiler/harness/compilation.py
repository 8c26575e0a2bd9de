"""Compilation: a call through torch.compile, and proof that it was compiled."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from mac_profiler.construct import describe
from mac_profiler.errors import MeasureFailed

# A call without arguments that runs a case once and returns what it returned.
Call = Callable[[], Any]


def compile_call(call: Call) -> Call:
    """What a call does, compiled for the shapes that it has.

    Args:
        call: a function that has its arguments in its closure.

    Raises:
        MeasureFailed: there is no compiler, it failed, or it was given nothing to compile.
    """
    import torch

    graphs = 0

    def compiler(graph: Any, examples: Any) -> Any:
        nonlocal graphs
        graphs += 1
        return _inductor()(graph, examples)

    compiled: Call = torch.compile(_with_code_of_its_own(call), backend=compiler, dynamic=False)
    try:
        with torch.inference_mode():
            compiled()
    # Compilers and the programs that they start raise errors of many kinds, without a common ancestor.
    except Exception as error:
        # Torch wraps what a compiler raises, and says of the wrapped one no more than that it was raised.
        raised = getattr(error, "inner_exception", error)
        remedy = "mend the compiler, or measure without --compile"
        raise MeasureFailed(f"torch.compile failed: {describe(raised)}; {remedy}") from error
    if not graphs:
        raise MeasureFailed("torch.compile compiled nothing; is TORCHDYNAMO_DISABLE set?")
    return compiled


def _with_code_of_its_own(call: Call) -> Call:
    """The same function with a copy of its code.

    torch.compile keeps what it compiled by code object, and gives up after eight for one: the ninth case of a benchmark
    would run uncompiled, and every call would search through the cases before it.
    """
    if not isinstance(call, types.FunctionType):
        raise TypeError(f"{call!r} is no function of Python's")
    return types.FunctionType(call.__code__.replace(), call.__globals__, call.__name__, None, call.__closure__)


def _inductor() -> Callable[[Any, Any], Any]:
    from torch._dynamo import lookup_backend

    found: Callable[[Any, Any], Any] = lookup_backend("inductor")
    return found
