"""figure of feature_reuse: a heat map a network, as Figure 4(b) of ShuffleNet V2 is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reuse.derived import Pair, pairs


def draw(results: Mapping[str, Any]) -> Any:
    """The closed form of the first network, then what was found in all that are drawn."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    drawn = [network for network in results["networks"] if network["drawn"]]
    panels = [(f"{drawn[0]['title']}, closed form $r^j$", drawn[0], True)]
    panels += [(_title(network), network, False) for network in drawn]
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(4.3 * columns + 0.9, 4.4 * rows), layout="constrained", squeeze=False
    )
    colours = plt.get_cmap("viridis").with_extremes(bad="#e8e8e8")
    for axes, (title, network, closed) in zip(grid.flat, panels, strict=False):
        image = axes.imshow(_matrix(network, closed), cmap=colours, vmin=0, vmax=1, origin="lower")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("source block")
        axes.set_ylabel("target block")
        starts, names = _stages(network["blocks"])
        axes.set_xticks(starts, names, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_yticks(starts, names, fontsize=8)
        axes.spines[:].set_visible(False)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    figure.colorbar(image, ax=grid, shrink=0.7, label="part of the source's channels that the target reads")
    return figure


def _title(network: Mapping[str, Any]) -> str:
    return str(network["title"]) + (", untouched" if network["shown"] == "untouched" else "")


def _matrix(network: Mapping[str, Any], closed: bool) -> Any:
    """[target, source]; nothing where the target does not run after the source."""
    import numpy as np

    size = len(network["blocks"])
    matrix = np.ma.masked_array(np.zeros((size, size)), mask=True)
    for pair in pairs(network):
        matrix[pair.target, pair.source] = _value(pair, closed)
    return matrix


def _value(pair: Pair, closed: bool) -> float:
    return float(pair.expected) if closed else pair.fraction


def _stages(blocks: list[str]) -> tuple[list[int], list[str]]:
    """Where each stage begins, and what it is called; single layers other than the last are left without a name."""
    plain = [block.removeprefix("features.").replace(".blocks", "") for block in blocks]
    stages = [block.rpartition(".")[0] or block for block in plain]
    starts = [i for i, name in enumerate(stages) if i == 0 or name != stages[i - 1]]
    shown = [i for i in starts if "transition" not in stages[i]]
    return shown, [stages[i] for i in shown]
