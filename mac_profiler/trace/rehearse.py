"""Rehearse: a real forward and backward pass, the operators recorded as they pass."""

from __future__ import annotations

from typing import Any

import torch

from mac_profiler.trace.differentiate import Places, call_backward, ends_of
from mac_profiler.trace.location import Locator
from mac_profiler.trace.recorder import Atomic
from mac_profiler.trace.run import Runner


class Rehearser(Runner):
    """A runner with autograd; composite operators reach it in the parts that autograd knows.

    Args:
        locator: finds module path and source line.
        atomic: whether an operator of that target is recorded whole; a composite that is not is followed.
        token: what every stand-in refers to.
    """

    def __init__(self, locator: Locator, atomic: Atomic, token: object) -> None:
        super().__init__(locator, atomic, token)
        self._places = Places()
        self._gradients: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def take_input(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor itself; what a backward pass inside forward leaves in it is taken out again."""
        self._gradients.append((tensor, tensor.grad if tensor.is_leaf else None))
        return super().take_input(tensor)

    def close(self) -> None:
        """Put back what the run wrote."""
        for tensor, gradient in self._gradients:
            if tensor.is_leaf and tensor.grad is not gradient:
                tensor.grad = gradient
        super().close()

    def _place(self) -> tuple[str, str]:
        path, source = super()._place()
        if self.phase == "forward":
            self._places.note(path, source)
            return path, source
        return self._places.of_backward(path, source)

    def run_backward(self, returned: list[torch.Tensor], wanted: list[torch.Tensor]) -> None:
        """Record the backward pass from the returned tensors, a gradient of ones for each, to the wanted ones.

        Raises:
            InvalidInput: no returned tensor depends on one that requires a gradient.
        """
        roots, wanted = ends_of(returned, wanted)
        with torch.utils._python_dispatch._disable_current_modes():
            gradients: list[Any] = [torch.ones_like(tensor) for tensor in roots]
        for gradient in gradients:
            self.take_input(gradient)
        self.phase = "backward"
        call_backward(roots, wanted, gradients, accumulate=False)
