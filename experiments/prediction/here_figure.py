"""figure of prediction_on_this_machine: told against measured, and the parts of what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLOURS = {"compute": "#2c7fb8", "memory": "#e6842a", "launch": "#888888"}
NEVER, LOOKED_AT = "#2c7fb8", "#bbbbbb"


def draw(results: Mapping[str, Any]) -> Any:
    """Two panels."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = sorted(results["networks"], key=lambda each: each["measured"])
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, max(5, 0.14 * len(rows) + 1)), width_ratios=(1, 1.2), layout="constrained"
    )
    for known, colour, label in ((True, LOOKED_AT, "looked at before"), (False, NEVER, "never looked at")):
        own = [each for each in rows if each["looked_at"] is known]
        left.scatter(
            [1e3 * each["predicted"] for each in own], [1e3 * each["measured"] for each in own], 22, colour, label=label
        )
    ends = [min(1e3 * each["measured"] for each in rows), max(1e3 * each["measured"] for each in rows)]
    left.plot(ends, ends, color="#333333", linewidth=1)
    for factor in (0.9, 1.1):
        left.plot([factor * end for end in ends], ends, color="#999999", linewidth=0.7, linestyle="--")
    left.set(xscale="log", yscale="log", xlabel="told time, ms (dashed: 10 % off)", ylabel="measured time, ms")
    left.set_box_aspect(1)
    left.legend(frameon=False, fontsize=8)
    places = range(len(rows))
    begin = [0.0] * len(rows)
    for part, colour in COLOURS.items():
        shares = [each[part] / each["measured"] for each in rows]
        right.barh(places, shares, left=begin, color=colour, label=part, height=0.75)
        begin = [one + other for one, other in zip(begin, shares, strict=True)]
    right.axvline(1, color="#333333", linewidth=1)
    right.set_yticks(places, [each["name"] for each in rows], size=6)
    right.set_ylim(-0.6, len(rows) - 0.4)
    right.set_xlabel("told time by measured time")
    right.legend(frameon=False, fontsize=8, loc="lower center", ncols=3, bbox_to_anchor=(0.5, 1.0))
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    return figure
