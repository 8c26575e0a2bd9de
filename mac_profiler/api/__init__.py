"""The package in a handful of calls; the only modules that join the stages."""

from __future__ import annotations

from mac_profiler.api.analysis import analyze, analyze_named
from mac_profiler.api.forecast import calibrate, count_row, environment_here, fit_platform, platform_here, predict_named
from mac_profiler.api.measuring import bench, count_case

__all__ = [
    "analyze", "analyze_named", "bench", "calibrate", "count_case", "count_row", "environment_here", "fit_platform",
    "platform_here", "predict_named",
]  # fmt: skip
