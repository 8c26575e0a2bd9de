"""How far predictions are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errors:
    """Of some predictions.

    Attributes:
        median: relative error, to either side.
        within: share that is within a tenth.
        nine_in_ten: relative error that nine in ten are within.
        rank: Spearman's correlation of predicted and measured times.
        slowness: the same of times by multiply-adds; None where the prediction ranks none.
    """

    median: float
    within: float
    nine_in_ten: float
    rank: float
    slowness: float | None


def judge(predicted: Sequence[float], measured: Sequence[float], mult_adds: Sequence[float]) -> Errors:
    """Compare times."""
    import numpy as np
    from scipy.stats import spearmanr

    told, seen, work = np.asarray(predicted), np.asarray(measured), np.asarray(mult_adds)
    slow = told / work
    off = np.abs(told / seen - 1)
    return Errors(
        float(np.median(off)),
        float(np.mean(off <= 0.1)),
        float(np.quantile(off, 0.9)),
        float(spearmanr(told, seen).statistic),
        # What is proportional to the multiply-adds has no slowness to rank.
        None if np.ptp(slow) < 1e-9 * np.max(slow) else float(spearmanr(slow, seen / work).statistic),
    )


def mean(several: Sequence[Errors]) -> Errors:
    """Mean of each."""
    import numpy as np

    def of(field: str) -> float:
        return float(np.mean([getattr(each, field) for each in several]))

    ranked = all(each.slowness is not None for each in several)
    return Errors(of("median"), of("within"), of("nine_in_ten"), of("rank"), of("slowness") if ranked else None)
