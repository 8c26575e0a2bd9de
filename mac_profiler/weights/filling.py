"""Filling: what does not fit is found before anything is copied."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mac_profiler.errors import WeightsFailed
from mac_profiler.weights.checkpoint import Checkpoint
from mac_profiler.weights.naming import Named, name_as

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Misfit:
    """How a checkpoint's tensors and a model's differ.

    Attributes:
        missing: names that only the model has.
        unexpected: names that only the file has.
        unlike: names that both have, with what differs: "10x1024 in the file, 1000x1024 in the model".
        complaint: what torch says besides.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    unlike: Mapping[str, str] = field(default_factory=dict)
    complaint: str = ""

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(f"{_tensors(self.missing)} of the model missing in the file, '{self.missing[0]}' first")
        if self.unexpected:
            parts.append(f"{_tensors(self.unexpected)} of the file not in the model, '{self.unexpected[0]}' first")
        if self.unlike:
            name, difference = next(iter(self.unlike.items()))
            parts.append(f"{_tensors(self.unlike)} of another shape or kind, '{name}' first ({difference})")
        return "; ".join([*parts, self.complaint] if self.complaint else parts)


def fill(module: Any, checkpoint: Checkpoint, model: str) -> str:
    """Copy a checkpoint into a model whose tensors have the same names and shapes; all of them, or none.

    A model on meta, which has no memory to copy to, is only checked.

    Args:
        module: the model; its own element types and devices stay.
        checkpoint: the tensors.
        model: what the user calls the model.

    Returns:
        What was done, in some words.

    Raises:
        WeightsFailed: it is no module, or the tensors do not fit; the model is as it was.
    """
    import torch

    said = f"--weights {checkpoint.path}"
    if not isinstance(module, torch.nn.Module):
        kind = type(module).__name__
        raise WeightsFailed(f"{said}: {model} is a {kind}, no torch.nn.Module, and takes no weights; leave them out")
    own = module.state_dict()
    named = name_as(own, checkpoint)
    misfit = _misfit(module, own, named)
    if str(misfit):
        raise WeightsFailed(
            f"{said} does not fit {model}: {misfit}; give a checkpoint of this model, or build the model with the "
            f"arguments that the checkpoint was made with (--arg)"
        )
    done = "checked by name and shape" if all(getattr(tensor, "is_meta", True) for tensor in own.values()) else "loaded"
    if done == "loaded":
        try:
            _copy(module, named.state, strict=True)
        # A module may have its own way of loading, which may raise anything.
        except Exception as error:
            raise WeightsFailed(f"{said} cannot be loaded into {model}: {' '.join(str(error).split())}") from error
    return "; ".join(filter(None, (f"{said}: {_tensors(named.state)} {done}", checkpoint.origin, named.note)))


def _misfit(module: nn.Module, own: Mapping[str, Any], named: Named) -> Misfit:
    """What keeps a state from being loaded, found by loading it without copying."""
    differences = {name: _difference(tensor, own[name]) for name, tensor in named.state.items() if name in own}
    unlike = {name: difference for name, difference in differences.items() if difference}
    alike: Any = OrderedDict((name, tensor) for name, tensor in named.state.items() if name not in unlike)
    alike._metadata = named.state._metadata
    try:
        with _copying_nothing():
            keys = _copy(module, alike, strict=False)
    except Exception as error:  # noqa: BLE001 a module may have its own way of loading, which may raise anything
        return Misfit(unlike=unlike, complaint=" ".join(str(error).split()))
    missing = tuple(name for name in getattr(keys, "missing_keys", ()) if name not in unlike)
    unexpected = tuple(named.in_file.get(name, name) for name in getattr(keys, "unexpected_keys", ()))
    return Misfit(missing, unexpected, unlike)


def _copy(module: nn.Module, state: Mapping[str, Any], *, strict: bool) -> Any:
    with warnings.catch_warnings():
        # A part of the model may be on meta, of which torch warns for each tensor.
        warnings.simplefilter("ignore")
        return module.load_state_dict(state, strict=strict)


def _copying_nothing() -> AbstractContextManager[object]:
    """Where it is entered, `Tensor.copy_` leaves its tensor as it is."""
    import torch
    from torch.overrides import TorchFunctionMode

    class CopyingNothing(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            return args[0] if func is torch.Tensor.copy_ else func(*args, **(kwargs or {}))

    return CopyingNothing()


def _difference(given: Any, own: Any) -> str:
    """What keeps a tensor of a file from being copied into one of the model; "" for nothing."""
    import torch
    from torch.nn.parameter import is_lazy

    if not isinstance(given, torch.Tensor) or not isinstance(own, torch.Tensor) or is_lazy(own):
        return ""
    # Torch 0.3 had no scalars, and torch reads its files still.
    if given.shape != own.shape and not (given.shape == (1,) and own.shape == ()):
        return f"{_sizes(given)} in the file, {_sizes(own)} in the model"
    if given.layout != own.layout or _loses(given.dtype, own.dtype):
        kinds = [
            f"{str(one.dtype).removeprefix('torch.')} {str(one.layout).removeprefix('torch.')}" for one in (given, own)
        ]
        return f"{kinds[0]} in the file, {kinds[1]} in the model"
    return ""


def _loses(given: torch.dtype, own: torch.dtype) -> bool:
    """Whether numbers of one kind mean something else as another: integers as floats are quantized weights, undone."""
    if given.is_complex:
        return not own.is_complex
    return own.is_floating_point and not given.is_floating_point


def _sizes(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a scalar"


def _tensors(things: Collection[object]) -> str:
    return f"{len(things)} tensor{'s' * (len(things) != 1)}"
