"""Observe: how long every operator of a model takes in truth, by torch's own profiler."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mac_profiler.devices import open_device
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph
from mac_profiler.matching import match

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.models import Built

WARMUPS, CALLS = 3, 7


def observe(built: Built, graph: Graph, settings: Settings) -> list[float | None]:
    """Seconds of every operator of the graph, the median of several calls; None where it cannot be told.

    Args:
        built: the model with its inputs, on the CPU, in eval mode.
        graph: its trace, with the same inputs.
        settings: the device, and how it is set up: threads, cores, denormals, as for every other measurement.

    Raises:
        InvalidInput: the profiler cannot look at that device.
    """
    if settings.device not in ("cpu", "cuda"):
        raise InvalidInput(f"--device {settings.device}: operators are measured on cpu and cuda; leave --measure out")
    # What libkineto says of its own doings is nobody's concern; it reads this when it is loaded.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    import torch
    from torch.profiler import ProfilerActivity, profile

    device = settings.device
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with open_device(settings), torch.inference_mode():
        module, args = built.module.to(device), tuple(_moved(arg, device) for arg in built.args)
        kwargs = {name: _moved(value, device) for name, value in built.kwargs.items()}
        for _ in range(WARMUPS):
            module(*args, **kwargs)
        with profile(activities=activities) as profiler:
            for _ in range(CALLS):
                module(*args, **kwargs)
            if device == "cuda":
                torch.cuda.synchronize()
    events = [
        (event.time_range.start, event.time_range.end, event.name, _seconds(event, device))
        for event in profiler.events()
    ]
    return match(graph, sorted(events, key=lambda each: (each[0], -each[1])), CALLS)


def _moved(argument: Any, device: str) -> Any:
    return argument.to(device) if hasattr(argument, "to") else argument


def _seconds(event: Any, device: str) -> float:
    """Of the event with all inside of it; the profiler counts in microseconds."""
    total = event.device_time_total if device == "cuda" else event.time_range.end - event.time_range.start
    return float(total) * 1e-6
