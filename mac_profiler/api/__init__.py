"""The package in a handful of calls; the only modules that join the stages.

Each is loaded when it is first asked for: whoever counts a model should not wait for what measures and audits.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mac_profiler.api.analysis import analyze, analyze_named
    from mac_profiler.api.auditing import all_rules, audit_model, audit_named, audit_settings, choose_platform
    from mac_profiler.api.comparing import compare
    from mac_profiler.api.differing import Asked, differ_named, differ_revisions
    from mac_profiler.api.forecast import (
        calibrate,
        count_row,
        environment_here,
        fit_platform,
        platform_here,
        predict_named,
    )
    from mac_profiler.api.measuring import bench, count_case
    from mac_profiler.api.reporting import audits_named, report_page

_HOME = {
    "Asked": "differing",
    "all_rules": "auditing",
    "analyze": "analysis",
    "analyze_named": "analysis",
    "audit_model": "auditing",
    "audit_named": "auditing",
    "audit_settings": "auditing",
    "audits_named": "reporting",
    "bench": "measuring",
    "calibrate": "forecast",
    "choose_platform": "auditing",
    "compare": "comparing",
    "count_case": "measuring",
    "count_row": "forecast",
    "differ_named": "differing",
    "differ_revisions": "differing",
    "environment_here": "forecast",
    "fit_platform": "forecast",
    "platform_here": "forecast",
    "predict_named": "forecast",
    "report_page": "reporting",
}

__all__ = [
    "Asked", "all_rules", "analyze", "analyze_named", "audit_model", "audit_named", "audit_settings", "audits_named",
    "bench", "calibrate", "choose_platform", "compare", "count_case", "count_row", "differ_named", "differ_revisions",
    "environment_here", "fit_platform", "platform_here", "predict_named",
    "report_page",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
