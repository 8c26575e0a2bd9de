"""figure of score_ranks_slowness: every network of a table by score and slowness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TICKS = (1, 2, 5, 10, 20, 50, 100)


def draw(results: Mapping[str, Any]) -> Any:
    """A row a table: the score of the first learned platform, then the nominal one."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    tables = results["tables"]
    figure, grid = plt.subplots(
        len(tables), 2, figsize=(11, 4.2 * len(tables)), layout="constrained", squeeze=False, sharey="row"
    )
    for axes, (name, table) in zip(grid, tables.items(), strict=True):
        for place, number, title in (
            (axes[0], 1, "platform learned from 60 networks"),
            (axes[1], 0, "nominal platform"),
        ):
            networks = table["networks"]
            place.scatter(
                [each["scores"][number] for each in networks],
                [each["slowness"] * 1e12 for each in networks],
                s=9, alpha=0.5, linewidths=0, color="#4e79a7",
            )  # fmt: skip
            place.set_yscale("log")
            place.set_xscale("log")
            place.set_xticks(_TICKS, list(map(str, _TICKS)))
            place.set_xticks([], minor=True)
            place.set_xlim(1, 100)
            place.set_xlabel("score")
            place.set_title(f"{title}: Spearman {table['spearman'][number]:.3f}", fontsize=10)
            place.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("measured time by multiply-adds, s per 10$^{12}$")
        axes[0].annotate(name, (0, 1.12), xycoords="axes fraction", fontsize=9, weight="bold")
    return figure
