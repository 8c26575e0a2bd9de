"""The package in a handful of calls; the only module that joins the stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mac_profiler import models
from mac_profiler.cost import FORMULAS
from mac_profiler.errors import InvalidInput
from mac_profiler.models import Built
from mac_profiler.profile import Profile, count

if TYPE_CHECKING:
    from mac_profiler.document import Document
    from mac_profiler.measurement import Case
    from mac_profiler.plan import Plan
    from mac_profiler.standing import Counted


def analyze(model: Any, /, *args: Any, backward: bool = False, **kwargs: Any) -> Profile:
    """What one call of a model costs, operator by operator.

    The model is neither run nor changed nor copied; it may be on the CPU, on CUDA or on meta, and its inputs too.

    Args:
        model: an nn.Module, any callable, or a name that `macprof analyze --model` takes.
        *args: what to call it with: tensors alone or in lists, tuples, mappings and dataclasses, and anything else
            that it takes. With a name all may be left out: the model's own default input is taken.
        backward: trace the backward pass of its outputs too.
        **kwargs: what to call it with by name.

    Raises:
        MacprofError: the model is unknown, its inputs do not fit, or its forward raises.

    Example:
        >>> import torch, mac_profiler
        >>> mac_profiler.analyze(torch.nn.Linear(8, 4), torch.zeros(2, 8)).total.mult_adds
        64
    """
    if isinstance(model, str):
        built = models.find(model)
        given = Built(model, built.module, args, kwargs) if args or kwargs else built
        return _profile(given, backward)
    return _profile(Built("", model, args, kwargs), backward)


def analyze_named(
    name: str,
    *,
    arguments: Mapping[str, object] | None = None,
    inputs: Sequence[str] = (),
    train: bool = False,
    device: str = "meta",
    weights: str | PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Profile:
    """What a model costs that is known by name.

    Args:
        name: see `mac_profiler.models.find`.
        arguments: keyword arguments of its constructor.
        inputs: texts like "1x3x224x224" or "input_ids=1x128:int64"; none takes the model's default.
        train: put it in training mode and trace the backward pass too.
        device: where it is built: "meta", "cpu" or "cuda".
        weights: a checkpoint for it; on meta it is checked against the model, and read where data decides.
        progress: told what is being done.
    """
    say = progress or (lambda _: None)
    if device == "cuda":
        _require_cuda()
    say(f"building {name}")
    built = models.find(name, arguments, inputs, device=device, weights=weights)
    say(f"tracing {name}")
    profile = _profile(_in_training(built) if train else built, train)
    if profile.graph.mode == "assume" and device == "meta":
        # Built where it has data, the model can answer what had to be assumed.
        say(f"building {name} with data")
        built = models.find(name, arguments, inputs, device="cpu", weights=weights)
        profile = _profile(_in_training(built) if train else built, train)
    return profile


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
    import torch

    from mac_profiler.bounds import bound
    from mac_profiler.measurement import MODELS
    from mac_profiler.standing import Counted

    assert case.build is not None  # noqa: S101 - a plan's cases can all be built
    # A model says itself where it is built; layers of a benchmark need no memory to be counted.
    with nullcontext() if case.benchmark == MODELS else torch.device("meta"):
        module, inputs = case.build()
    profile = _profile(Built(case.key, module.eval(), inputs), backward=False)
    images = int(case.axes.get("images", case.axes.get("batch", 1)))
    least = bound(profile.graph).least_ungrouped
    return Counted(profile.total.mult_adds, profile.total.accesses, least, images)


def _profile(built: Built, backward: bool) -> Profile:
    from mac_profiler.trace import trace

    graph = trace(
        built.module,
        built.args,
        built.kwargs,
        atomic=FORMULAS.__contains__,
        backward=backward,
        name=built.name or None,
    )
    if built.note:
        graph = replace(graph, notes=(built.note, *graph.notes))
    return count(graph)


def _in_training(built: Built) -> Built:
    if hasattr(built.module, "train"):
        built.module.train()
    return built


def _require_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise InvalidInput("--device cuda: torch finds no CUDA device; use --device meta or cpu")
