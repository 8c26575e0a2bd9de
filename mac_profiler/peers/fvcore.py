"""fvcore's FlopCountAnalysis: traces with torch.jit, which runs the model."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mac_profiler.peers import Report

NAME = "fvcore"
CONVENTION = "multiply-adds, and operations of normalisation, pooling and up-sampling"


def ask(model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Report:
    """Its counts; it takes one flop for a multiply-add."""
    if kwargs:
        raise ValueError(f"it takes positional inputs only, and the model is given {', '.join(map(repr, kwargs))}")
    analysis = importlib.import_module("fvcore.nn").FlopCountAnalysis(model, args)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")

    def excuse(path: str, targets: tuple[str, ...]) -> str:
        try:
            unsupported: Counter[str] = analysis.unsupported_ops(path)
        except KeyError:
            return "it knows no module of that name"
        known = [name for name in (target.replace(".", "::") for target in targets) if name in unsupported]
        if known:
            return f"it has no formula for {', '.join(known)}"
        left_out = ", ".join(f"{name} ({calls})" for name, calls in unsupported.most_common(4))
        return f"it reports as unsupported there: {left_out}" if left_out else ""

    return Report(analysis.by_module_and_operator(), excuse)
