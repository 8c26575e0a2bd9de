"""torch's FlopCounterMode: counts what the dispatcher sees while the model runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mac_profiler.peers import Report

NAME = "FlopCounterMode"
CONVENTION = "FLOPs of matrix products, convolution and attention, halved here"


@contextmanager
def _wanting_no_gradients(model: Any) -> Iterator[None]:
    """Its module tracker fails on a parameter that is handed to a module and wants a gradient where there is none."""
    held = model.parameters() if hasattr(model, "parameters") else ()
    wanting = [parameter for parameter in held if parameter.requires_grad]
    for parameter in wanting:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanting:
            parameter.requires_grad_(True)


def ask(model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Report:
    """Its counts, halved: it takes two flops for a multiply-add."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    # Without gradients: with them, torch takes other attention kernels, which the mode has formulas for or has not.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), _wanting_no_gradients(model):
        model(*args, **kwargs)
    sums: dict[str, dict[str, float]] = {}
    for name, counts in counter.get_flop_counts().items():
        # The tracker calls the model by its class and everything together "Global".
        root, _, path = name.partition(".")
        if path or root == "Global":
            sums[path] = {str(packet): flops / 2 for packet, flops in counts.items()}
    known = {str(packet) for packet in counter.flop_registry}

    def excuse(path: str, targets: tuple[str, ...]) -> str:
        unknown = [target for target in targets if target not in known]
        return f"it has no formula for {', '.join(unknown)}" if unknown else ""

    return Report(sums, excuse)
