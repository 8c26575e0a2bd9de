"""What the tests of the trace build their little models with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

import mac_profiler


class Net(nn.Module):
    """Runs a function of itself; what it holds is given by name."""

    def __init__(self, run: Callable[..., Any], **held: Any) -> None:
        super().__init__()
        for name, value in held.items():
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        self.run = run

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self, *args, **kwargs)


def analyze(model: Any, *args: Any, **kwargs: Any) -> Any:
    """The profile; what torch or the model warns of is not what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mac_profiler.analyze(model, *args, **kwargs)
