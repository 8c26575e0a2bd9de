"""Score: how much of a model's time its multiply-adds would need at the best, 0 to 100, and where the rest goes.

    100 = score + points of G1 + points of G2 + points of G3 + points of G4 + points of the rest

The score is the share of the predicted time that all multiply-adds would take at the best rate that the platform has
for any dense product, if nothing besides had to be done. Every second beyond it is put down to one guideline,
operator by operator, so that the points add up:

- G1: memory access of convolutions and linear layers beyond the least of any widths (`mac_profiler.bounds`).
- G2: of those in groups, what is left beyond the least of the dense one, and computing slower than a dense one.
- G3: launches, of all operators.
- G4: computing and memory access of element-wise operators, batch-norm, copies and depthwise convolutions.
- rest: what no guideline speaks of: the least memory access of products, their weights, pooling, norms, softmax,
  attention, and computing slower than the best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mac_profiler.bounds import Product, product_of
from mac_profiler.kinds_of_work import kind_of_work
from mac_profiler.predict import Parts, Prediction

GUIDELINES: Mapping[str, str] = {
    "G1": "unequal widths",
    "G2": "groups",
    "G3": "launches",
    "G4": "element-wise operators",
    "rest": "what no guideline speaks of",
}
_PASSES = frozenset(
    {"elementwise", "transcendental", "batch_norm", "movement", "transposition", "depthwise_conv"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """Of one model on one platform.

    Attributes:
        score: 0 to 100; 100 is a model whose time is that of its multiply-adds at the best.
        points: lost, by guideline, and "rest"; with the score they sum to 100.
        seconds: the same as time.
        ideal_seconds: what the multiply-adds would take at the best.
    """

    score: float
    points: Mapping[str, float]
    seconds: Mapping[str, float]
    ideal_seconds: float


def score_of(prediction: Prediction) -> Score:
    """The score of a predicted model; one without a multiply-add has 0."""
    ops = prediction.profile.graph.ops
    costs = prediction.profile.costs
    adds = prediction.profile.total.mult_adds
    best = prediction.ideal / adds if adds else 0.0
    lost = dict.fromkeys(GUIDELINES, 0.0)
    ideal = 0.0
    for each in prediction.tasks:
        done = sum(cost.mult_adds for i in each.task.ops if (cost := costs[i]) is not None)
        # A law may tell less for a product than the best dense rate would: then all of it is ideal.
        own = min(best * done, each.seconds.compute)
        ideal += own
        beyond = Parts(each.seconds.compute - own, each.seconds.memory, each.seconds.launch)
        op = ops[each.task.ops[0]]
        for guideline, seconds in _split(beyond, each.task.work.kind, product_of(op), kind_of_work(op)).items():
            lost[guideline] += seconds
    total = ideal + sum(lost.values())
    points = {guideline: 100 * seconds / total if total else 0.0 for guideline, seconds in lost.items()}
    return Score(100 * ideal / total if total else 0.0, points, lost, ideal)


def _split(beyond: Parts, kind: str, product: Product | None, own_kind: str) -> dict[str, float]:
    """Seconds beyond the ideal of one operator, by guideline."""
    if kind in _PASSES:
        return {"G3": beyond.launch, "G4": beyond.compute + beyond.memory}
    if product is None or own_kind == "matmul":
        return {"G3": beyond.launch, "rest": beyond.compute + beyond.memory}
    # Shares of its memory access; a kernel with more in it than the product has them of all that it moves.
    all_of_it = max(product.accesses, 1)
    unequal = (product.accesses - product.least_accesses) / all_of_it
    grouped = (product.least_accesses - product.least_ungrouped) / all_of_it
    slower = beyond.compute if product.groups > 1 else 0.0
    found = {"G1": beyond.memory * unequal, "G2": beyond.memory * grouped + slower, "G3": beyond.launch}
    found["rest"] = beyond.compute - slower + beyond.memory * (1 - unequal - grouped)
    return found
