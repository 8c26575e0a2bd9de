"""Roofline: what a platform attains at each intensity, and where a model's operators stand under it.

The roof is the best rate of any product, and, left of it, bandwidth times intensity (Williams, Waterman and Patterson,
Roofline, Communications of the ACM 52(4), 2009). A multiply-add is two FLOPs.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mac_profiler.errors import InvalidInput, OutputFailed
from mac_profiler.kinds_of_work import PRODUCTS
from mac_profiler.output import check_writable
from mac_profiler.platform import Platform

if TYPE_CHECKING:
    from mac_profiler.predict import Prediction

ENDINGS = (".png", ".svg")
COLOURS = {
    "dense_conv": "#1f78b4", "pointwise_conv": "#33a02c", "grouped_conv": "#ff7f00", "depthwise_conv": "#e31a1c",
    "linear": "#6a3d9a", "matmul": "#b15928", "attention": "#cab2d6",
}  # fmt: skip
REST = "#888888"


def check_picture(path: str) -> None:
    """Look at the place before the work.

    Raises:
        InvalidInput: the file is neither png nor svg.
        OutputFailed: it cannot be written.
    """
    if PurePath(path).suffix.lower() not in ENDINGS:
        raise InvalidInput(f"'{path}': a roofline is drawn as {' or '.join(ENDINGS)}")
    check_writable(path)


def write_roofline(platform: Platform, path: str, prediction: Prediction | None = None) -> None:
    """Draw it into a file.

    Raises:
        InvalidInput: the file is neither png nor svg.
        OutputFailed: it cannot be written.
    """
    check_picture(path)
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = draw_roofline(platform, prediction)
    try:
        with mpl.rc_context({"svg.hashsalt": platform.name}):
            metadata = {"Date": None} if path.lower().endswith(".svg") else None
            figure.savefig(path, bbox_inches="tight", dpi=150, metadata=metadata)
    except OSError as error:
        raise OutputFailed(f"cannot write '{path}': {error.strerror or error}; give another place") from error
    finally:
        plt.close(figure)


def roofs(platform: Platform) -> tuple[float, dict[str, float]]:
    """Highest rate in FLOP/s, and bandwidths in bytes/s by name, the fastest first."""
    rates = [
        2 / law.operation_seconds for kind, law in platform.laws.items() if kind in PRODUCTS and law.operation_seconds
    ]
    measured = [2 * fact.value for fact in platform.facts if fact.group == "rate" and fact.name in PRODUCTS]
    peak = max(measured or rates, default=0.0)
    if platform.bandwidths:
        # Passes that work in place, on maps that the nearest cache holds, move more than any copy.
        passes = [fact.value for fact in platform.facts if fact.group == "rate" and fact.unit == "bytes/s"]
        fastest = max(max(each.read, each.write, each.copy) for each in platform.bandwidths)
        return peak, {"caches": max((fastest, *passes)), "main memory": platform.bandwidths[-1].copy}
    bytes_seconds = [law.read_seconds for law in platform.laws.values() if law.read_seconds]
    return peak, {"memory": 1 / min(bytes_seconds)} if bytes_seconds else {}


def draw_roofline(platform: Platform, prediction: Prediction | None = None) -> Any:
    """The roofs, and of a model each operator: its size is its share of the time."""
    import matplotlib.pyplot as plt
    import numpy as np

    peak, bandwidths = roofs(platform)
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    intensities = np.logspace(-2, 3, 200)
    for style, (name, bandwidth) in zip(("-", "--"), bandwidths.items(), strict=False):
        roof = np.minimum(peak, bandwidth * intensities) / 1e9
        axes.plot(intensities, roof, style, color="#333333", linewidth=1.4)
        axes.annotate(
            f"{name}, {bandwidth / 1e9:.0f} GB/s", (0.03, bandwidth * 0.03 / 1e9), xytext=(8, -9),
            textcoords="offset points", size=8,
        )  # fmt: skip
    axes.annotate(
        f"{peak / 1e9:.0f} GFLOP/s", (900, peak / 1e9), xytext=(0, 4), textcoords="offset points", size=8, ha="right"
    )
    if prediction is not None:
        _operators(axes, prediction)
    axes.set(xscale="log", yscale="log", xlabel="FLOPs a byte moved", ylabel="GFLOP/s")
    model = prediction.profile.graph.model if prediction is not None else ""
    axes.set_title(f"{model} on {platform.name}" if model else platform.name, size=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _operators(axes: Any, prediction: Prediction) -> None:
    total = prediction.total.total
    ops, costs = prediction.profile.graph.ops, prediction.profile.costs
    seen: dict[str, list[tuple[float, float, float]]] = {}
    for each in prediction.tasks:
        flops = sum(cost.flops for i in each.task.ops if (cost := costs[i]) is not None)
        moved = each.task.work.bytes_moved
        if flops and moved and each.seconds.total:
            kind = each.task.work.kind if each.task.work.kind in COLOURS else "others"
            share = each.seconds.total / total
            seen.setdefault(kind, []).append((flops / moved, flops / each.seconds.total / 1e9, share))
    assert ops  # noqa: S101 - a prediction has tasks
    for kind in (*COLOURS, "others"):
        points = seen.get(kind)
        if points:
            x, y = [each[0] for each in points], [each[1] for each in points]
            sizes = [max(6.0, 1500 * each[2]) for each in points]
            axes.scatter(x, y, sizes, COLOURS.get(kind, REST), alpha=0.55, linewidths=0, label=kind.replace("_", " "))
    legend = axes.legend(fontsize=8, frameon=False, loc="lower right", title="area: share of time", title_fontsize=8)
    for handle in legend.legend_handles:
        handle.set_sizes([30])
