"""figure of audit_paper_verdicts: what each rule finds lost, network by network, and the score beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLOURS = {"G1": "#4e79a7", "G2": "#f28e2b", "G3": "#e15759", "G4": "#76b7b2", "rest": "#d9d9d9"}
_NOTES = ("G401", "G402")


def draw(results: Mapping[str, Any]) -> Any:
    """Left a map of shares, right the score with the points that each guideline takes."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    rows = results["judged"]
    codes = [code for code in results["rules"] if code not in _NOTES]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(13.5, 0.36 * len(rows) + 2.6), layout="constrained", width_ratios=(1.25, 1), sharey=True
    )
    shares = np.array(
        [[100 * row["findings"].get(code, {"lost_share": 0})["lost_share"] for code in codes] for row in rows]
    )
    image = left.imshow(
        np.ma.masked_equal(shares, 0), cmap="YlOrRd", aspect="auto", vmin=0, vmax=max(10.0, shares.max())
    )
    left.set_xticks(range(len(codes)), [f"{code} {results['rules'][code]}" for code in codes], rotation=40, ha="right",
                    rotation_mode="anchor", fontsize=8)  # fmt: skip
    left.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=9)
    dark = shares.max() * 0.6
    for y, row in enumerate(rows):
        for x, code in enumerate(codes):
            found = row["findings"].get(code)
            if found:
                text = f"{shares[y, x]:.1f}" if shares[y, x] >= 0.05 else "<0.1"
                weight = "normal" if found["severity"] == "info" else "bold"
                left.text(x, y, text, ha="center", va="center", fontsize=7.5, weight=weight,
                          color="white" if shares[y, x] > dark else "black")  # fmt: skip
    left.set_title("share of the time that is lost, % (bold: more than a note)", fontsize=10)
    figure.colorbar(image, ax=left, shrink=0.6, pad=0.01)
    start = np.array([row["score"] for row in rows])
    right.barh(range(len(rows)), start, color="#333333", label="score")
    for guideline, colour in _COLOURS.items():
        points = np.array([row["points"][guideline] for row in rows])
        right.barh(range(len(rows)), points, left=start, color=colour, label=guideline)
        start = start + points
    right.set_xlim(0, 100)
    right.set_xlabel("points of 100")
    right.set_title("score, and what each guideline takes", fontsize=10)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=6, fontsize=8, frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    return figure
