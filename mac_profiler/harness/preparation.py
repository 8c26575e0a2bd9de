"""Preparation: a case built, converted, moved and compiled, so that all that is left to do is to call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mac_profiler.construct import describe, random_state_kept
from mac_profiler.errors import InvalidInput, MacprofError, MeasureFailed
from mac_profiler.harness.compilation import Call, compile_call
from mac_profiler.measurement import Case, Settings
from mac_profiler.registry import did_you_mean

DTYPES = ["bfloat16", "float16", "float32", "float64"]


def check_dtype(settings: Settings) -> None:
    """Refuse an element type that no convolution computes in.

    Raises:
        InvalidInput: it is none of `DTYPES`.
    """
    if settings.dtype not in DTYPES:
        near = did_you_mean(settings.dtype, DTYPES) or f" It is one of {', '.join(DTYPES)}."
        raise InvalidInput(f"--dtype {settings.dtype}: nothing is timed in it.{near}")


def prepare(case: Case, settings: Settings, device: str) -> Call:
    """A case on a device, in eval mode, called already: what is done at the first call is done.

    Its weights are drawn anew from the seed of the settings, so that every process times the same ones.

    Args:
        case: what is built.
        settings: element type, memory format, whether it is compiled, seed.
        device: torch's name of where it is to be: "cuda".

    Raises:
        MeasureFailed: it cannot be built, converted, moved, compiled or called.
    """
    import torch

    with told(case), random_state_kept():
        if case.build is None:
            raise MeasureFailed("it was read from a file, and cannot be built again")
        torch.manual_seed(settings.seed)
        module, inputs = case.build()
        module, inputs = convert(module, inputs, settings, device)

        def call() -> Any:
            return module(*inputs)

        with torch.inference_mode():
            call()
        # After a call, so that what fails from here on is the compiler's doing.
        if settings.compiled:
            call = compile_call(call)
        with torch.inference_mode():
            call()
        return call


def convert(module: Any, inputs: tuple[Any, ...], settings: Settings, device: str) -> tuple[Any, tuple[Any, ...]]:
    """Module and inputs as the settings want them; tensors that hold no fractions keep their element type.

    Args:
        module: a module, or any function.
        inputs: what it is called with; tensors may lie in lists, tuples and mappings.
        settings: element type and memory format.
        device: torch's name of where they are to be.
    """
    import torch
    from torch.utils._pytree import tree_map

    dtype = getattr(torch, settings.dtype)

    def place(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        placed = value.detach().to(device, dtype if value.is_floating_point() else None)
        if settings.channels_last and placed.dim() == 4:
            placed = placed.contiguous(memory_format=torch.channels_last)
        return placed

    if isinstance(module, torch.nn.Module):
        module = module.eval().requires_grad_(False).to(device, dtype)
        if settings.channels_last:
            module = module.to(memory_format=torch.channels_last)
    return module, tree_map(place, inputs)


@contextmanager
def told(case: Case) -> Iterator[None]:
    """Turn whatever a case raises into one line.

    Raises:
        MeasureFailed: the body raised.
    """
    import torch

    try:
        yield
    except MacprofError as error:
        raise MeasureFailed(f"{case.key}: {error}") from error
    # A module may raise anything; the other cases are to be measured all the same.
    except Exception as error:
        full = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
        remedy = "; a smaller batch or input needs less memory" if full else ""
        raise MeasureFailed(f"{case.key}: {describe(error)}{remedy}") from error
