"""Shares: a model's time by the categories of Figure 2 of ShuffleNet V2 (arXiv 1807.11164v1).

The figure has convolution, element-wise operations, data, shuffle and the rest. Here "data" is data moved unchanged
(concatenation, copies, padding), and a shuffle is the copy of maps whose channels stand in another order: it reads a
view of five dimensions whose second and third are exchanged. Batch-norm, where it was not folded, is element-wise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mac_profiler import published
from mac_profiler.graph import Graph, Op
from mac_profiler.kinds import kind_of
from mac_profiler.kinds_of_work import PRODUCTS, kind_of_work

CATEGORIES = ("convolution", "elementwise", "data", "shuffle", "other")
TABLE = "v2_figure2"


def categories(graph: Graph, seconds: Sequence[float | None]) -> dict[str, float]:
    """Share of each category in the time of the operators that have one.

    Args:
        graph: the operators.
        seconds: of each; None is left out.
    """
    sums = dict.fromkeys(CATEGORIES, 0.0)
    for op, own in zip(graph.ops, seconds, strict=True):
        if own is not None and not op.view:
            sums[_category(op)] += own
    whole = sum(sums.values())
    return {name: own / whole if whole else 0.0 for name, own in sums.items()}


def _category(op: Op) -> str:
    kind = kind_of_work(op)
    if kind in PRODUCTS and kind.endswith("_conv"):
        return "convolution"
    if kind in ("elementwise", "transcendental", "batch_norm"):
        return "elementwise"
    if kind_of(op) == "movement":
        return "shuffle" if _shuffles(op) else "data"
    return "other"


def _shuffles(op: Op) -> bool:
    """Whether it copies maps of five dimensions out of the order of their memory."""
    if "channel_shuffle" in op.target:
        return True
    source = op.inputs[0] if op.inputs else None
    if source is None or len(source.shape) != 5 or source.strides is None:
        return False
    return source.strides[1] < source.strides[2]


def published_shares(model: str) -> dict[str, Mapping[str, float]]:
    """What the figure shows of a model, by platform; empty where it shows nothing."""
    found: dict[str, Mapping[str, float]] = {}
    for row in published.table(TABLE).rows:
        if row.model == model:
            found[row.conditions["platform"]] = {
                name.removesuffix("_percent"): figure.value / 100 for name, figure in row.figures.items()
            }
    return found
