"""The checkpoint: which of the things in a file is the model's state_dict."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mac_profiler.weights.file import RESAVE, load_file, refusal

if TYPE_CHECKING:
    from torch import Tensor

# Under which names training scripts put the state_dict; the first that is there is taken, so the plain ahead of the
# averaged. Any other name will do where it is the only one.
ENTRIES = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
# Deeper down lie the tensors of an optimizer, one mapping for each parameter.
DEEPEST = 2
EXTRA_STATE = "_extra_state"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What a file holds of a model.

    Attributes:
        path: where it was read.
        tensors: the state_dict, its names as in the file; a module's extra state may be among the tensors.
        versions: by the path of a module, what it notes for later versions of itself (a state_dict's "_metadata").
        origin: what was unwrapped, in words; "" where the file is a state_dict.
    """

    path: str
    tensors: Mapping[str, Tensor]
    versions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    origin: str = ""


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a file that torch.save wrote: a state_dict, alone or in a mapping under some name; none of its code is run.

    Raises:
        WeightsFailed: there is no such file, or it holds anything else; in one line.
    """
    text = os.fspath(path)
    return _unwrap(text, load_file(text))


def _unwrap(path: str, loaded: Any) -> Checkpoint:
    """The state_dict in what was loaded."""
    found = dict(_states(loaded))
    known = [name for name in ENTRIES if any(trail[:1] == (name,) for trail in found)]
    chosen = [trail for trail in found if not known or trail[0] == known[0]]
    if len(chosen) > 1:
        listed = ", ".join(repr(".".join(trail)) for trail in chosen)
        raise refusal(path, f"it holds {len(chosen)} state_dicts ({listed}); save the one that is meant")
    if not chosen:
        raise refusal(path, f"it holds no state_dict: {_describe(loaded)}; {RESAVE}")
    state, trail = found[chosen[0]], ".".join(chosen[0])
    others = ", ".join(repr(".".join(other)) for other in found if other != chosen[0])
    origin = f"taken from '{trail}'{f', not from {others}' if others else ''}" if trail else ""
    versions = getattr(state, "_metadata", None)
    kept = {k: v for k, v in versions.items() if isinstance(k, str)} if isinstance(versions, Mapping) else {}
    return Checkpoint(path, state, {k: v for k, v in kept.items() if isinstance(v, Mapping)}, origin)


def _states(found: Any, trail: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every state_dict in what was loaded, with the names that lead to it."""
    if _is_state(found):
        yield trail, found
    elif isinstance(found, Mapping) and len(trail) < DEEPEST:
        for name, value in found.items():
            if isinstance(name, str):
                yield from _states(value, (*trail, name))


def _is_state(found: Any) -> bool:
    import torch

    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        return False
    others = [name for name, value in found.items() if not isinstance(value, torch.Tensor)]
    return len(others) < len(found) and all(name.endswith(EXTRA_STATE) for name in others)


def _describe(loaded: Any) -> str:
    import torch

    if not isinstance(loaded, Mapping):
        return f"it is of type {type(loaded).__name__}"
    if not any(isinstance(value, torch.Tensor) for value in loaded.values()):
        return f"there is no tensor among {', '.join(map(repr, [*loaded][:5]))}" if loaded else "it is an empty mapping"
    odd = [name for name, value in loaded.items() if not isinstance(value, torch.Tensor)]
    return f"beside tensors there is {odd[0]!r}" if odd else "its tensors have no names"
