"""Measure: from a plan to what it says of the cases."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mac_profiler.api.analysis import profile_of
from mac_profiler.models import Built

if TYPE_CHECKING:
    from mac_profiler.document import Document
    from mac_profiler.measurement import Case
    from mac_profiler.plan import Plan
    from mac_profiler.profile import Profile
    from mac_profiler.standing import Counted


def bench(
    plan: Plan,
    *,
    store: str | Path | None = None,
    resume: bool = False,
    figures: str | PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Document:
    """Measure what a plan names, keep every sample, and say how the cases stand.

    Args:
        plan: what, and how.
        store: file of results; None takes the user's own.
        resume: go on with the last unfinished run of the same plan.
        figures: folder for the benchmarks' figures; None draws none.
        progress: told of how far it is.

    Raises:
        MacprofError: the plan cannot be measured here, or the store cannot be written.
    """
    from mac_profiler import standing
    from mac_profiler.conduct import conduct
    from mac_profiler.figures import draw_all
    from mac_profiler.plan import cases_of
    from mac_profiler.store import open_store

    say = progress or (lambda _: None)
    with open_store(store) as opened:
        done = conduct(plan, opened, resume=resume, say=say)
        place = str(opened.path)
    say("counting")
    measured = done.measurements
    cases = {case.key: case for case in cases_of(plan)}
    counted = {each.case.key: count_case(cases[each.case.key]) for each in measured}
    standings = standing.stand(measured, counted, plan.settings)
    if figures is not None:
        say("drawing")
        draw_all(standings, plan.settings, figures)
    return standing.describe_bench(standings, plan.settings, done.run, measured[0].environment, place)


def count_case(case: Case) -> Counted:
    """What one call of a benchmark's case costs."""
    from mac_profiler.bounds import bound
    from mac_profiler.standing import Counted

    profile = profile_case(case)
    images = int(case.axes.get("images", case.axes.get("batch", 1)))
    least = bound(profile.graph).least_ungrouped
    return Counted(profile.total.mult_adds, profile.total.accesses, least, images)


def profile_case(case: Case) -> Profile:
    """One call of a benchmark's or calibration's case, counted."""
    import torch

    from mac_profiler.measurement import MODELS

    assert case.build is not None  # noqa: S101 - a plan's cases can all be built
    # A model says itself where it is built; layers of a benchmark need no memory to be counted.
    with nullcontext() if case.benchmark == MODELS else torch.device("meta"):
        module, inputs = case.build()
    return profile_of(Built(case.key, module.eval(), inputs), backward=False)
