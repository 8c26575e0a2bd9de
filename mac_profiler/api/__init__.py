"""The package in a handful of calls; the only modules that join the stages.

Each is loaded when it is first asked for: whoever counts a model should not wait for what measures and audits.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mac_profiler.api.analysis import analyze, analyze_named
    from mac_profiler.api.auditing import all_rules, audit_model, audit_named, audit_settings, choose_platform
    from mac_profiler.api.forecast import (
        calibrate,
        count_row,
        environment_here,
        fit_platform,
        platform_here,
        predict_named,
    )
    from mac_profiler.api.measuring import bench, count_case

_HOME = {
    "all_rules": "auditing",
    "analyze": "analysis",
    "analyze_named": "analysis",
    "audit_model": "auditing",
    "audit_named": "auditing",
    "audit_settings": "auditing",
    "bench": "measuring",
    "calibrate": "forecast",
    "choose_platform": "auditing",
    "count_case": "measuring",
    "count_row": "forecast",
    "environment_here": "forecast",
    "fit_platform": "forecast",
    "platform_here": "forecast",
    "predict_named": "forecast",
}

__all__ = [
    "all_rules", "analyze", "analyze_named", "audit_model", "audit_named", "audit_settings", "bench", "calibrate",
    "choose_platform", "count_case", "count_row", "environment_here", "fit_platform", "platform_here", "predict_named",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
