"""One call of ptflops, which has two backends."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from experiments.adapting.arguments import Arguments, Keywords, modules_without_products, pack


def run(
    backend: str, model: Any, args: Arguments, kwargs: Keywords, *, verbose: bool = False
) -> tuple[float, tuple[str, ...]]:
    """get_model_complexity_info, with the inputs given rather than made from a shape.

    Args:
        backend: "pytorch" or "aten".
        model: what is called.
        args: by position.
        kwargs: by name.
        verbose: have it say what it takes to cost nothing, and tell it to leave out modules without multiply-adds.

    Returns:
        Its number, and the names of what it said it treats as a zero-op.

    Raises:
        RuntimeError: it gave up; it prints the reason and returns None.
    """
    from ptflops import get_model_complexity_info

    # A single input is taken as it is, and then the count is divided by the length of its batch.
    inputs: Any = args[0] if len(args) == 1 and not kwargs else None
    if verbose or inputs is None:
        model, inputs = pack(model, args, kwargs)
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        count, _ = get_model_complexity_info(
            model,
            (1,),
            input_constructor=lambda _: inputs,
            print_per_layer_stat=False,
            as_strings=False,
            verbose=verbose,
            backend=backend,
            ost=printed,
            ignore_modules=modules_without_products() if verbose and backend == "pytorch" else [],
        )
    said = printed.getvalue()
    if count is None:
        reasons = [line for line in said.splitlines() if line.startswith("<class")]
        raise RuntimeError(reasons[0] if reasons else "it gave up without a reason")
    left_out = re.findall(r"(?:module )?(\S+) (?:operation )?is treated as a zero-op", said)
    return float(count), tuple(dict.fromkeys(left_out))
