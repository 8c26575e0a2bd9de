"""thop: hooks on modules, a formula for each class."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from typing import Any

from experiments.adapting.arguments import flatten, modules_without_products
from experiments.peers import Answer, Arguments, Keywords

NAME = "thop"
PACKAGE = "thop"
CONVENTION = "multiply-adds, and operations of normalisation, pooling, softmax and up-sampling"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import thop

    _ = thop.profile


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """profile(model, inputs=(...))."""
    from thop import profile

    model, tensors = flatten(model, args, kwargs)
    return float(profile(model, inputs=tensors, verbose=False)[0])


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """With its rules for classes without multiply-adds set to zero; it names the classes that it has no rule for."""
    from thop import profile

    def nothing(module: Any, inputs: Any, outputs: Any) -> None:
        del module, inputs, outputs

    model, tensors = flatten(model, args, kwargs)
    printed = io.StringIO()
    with redirect_stdout(printed):
        rules = dict.fromkeys(modules_without_products(), nothing)
        counted = profile(model, inputs=tensors, custom_ops=rules, report_missing=True)[0]
    missing = re.findall(r"Cannot find rule for <class '([^']+)'>", printed.getvalue())
    return Answer(float(counted), tuple(name.rpartition(".")[2] for name in missing))
