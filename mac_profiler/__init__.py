"""macprof: what a PyTorch architecture costs, operator by operator.

The public names are loaded when first used: importing this package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mac_profiler.api import analyze, audit_model
    from mac_profiler.cost import Cost, formula, traffic
    from mac_profiler.errors import MacprofError
    from mac_profiler.graph import Graph, Op, Value
    from mac_profiler.profile import Profile

__version__ = "0.1.0"

_HOME = {
    "Cost": "cost",
    "Graph": "graph",
    "MacprofError": "errors",
    "Op": "graph",
    "Profile": "profile",
    "Value": "graph",
    "analyze": "api",
    "audit_model": "api",
    "formula": "cost",
    "traffic": "cost",
}

__all__ = ["Cost", "Graph", "MacprofError", "Op", "Profile", "Value", "analyze", "audit_model", "formula", "traffic"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
