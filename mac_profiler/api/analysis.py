"""Analyze: from a model to its counted operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from mac_profiler import models
from mac_profiler.cost import FORMULAS
from mac_profiler.errors import InvalidInput
from mac_profiler.models import Built
from mac_profiler.profile import Profile, count


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
        return profile_of(given, backward=backward)
    return profile_of(Built("", model, args, kwargs), backward=backward)


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
    profile = profile_of(_in_training(built) if train else built, backward=train)
    if profile.graph.mode == "assume" and device == "meta":
        # Built where it has data, the model can answer what had to be assumed.
        say(f"building {name} with data")
        built = models.find(name, arguments, inputs, device="cpu", weights=weights)
        profile = profile_of(_in_training(built) if train else built, backward=train)
    return profile


def profile_of(built: Built, *, backward: bool = False) -> Profile:
    """Trace and count what was built."""
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
