"""Naming: what training wraps around a model shows in the names of its tensors, and is taken off."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from mac_profiler.weights.checkpoint import Checkpoint

# What torch.compile puts before a module's name, wherever in the model that module stands.
COMPILED = "_orig_mod."
# The one tensor that torch.optim.swa_utils.AveragedModel adds to those of the model that it averages.
AVERAGED = "n_averaged"


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A checkpoint's tensors under the names of a model.

    Attributes:
        state: a state_dict, with its modules' versions.
        in_file: by these names, those in the file.
        note: what was renamed, in words.
    """

    state: Any
    in_file: Mapping[str, str]
    note: str


def shapes_of(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """Shapes of a checkpoint's tensors by name, without what wrappers put before all names."""
    names = [name for name in checkpoint.tensors if name != AVERAGED]
    prefix = _shared(map(_uncompiled, names))
    return {_uncompiled(name).removeprefix(prefix): tuple(checkpoint.tensors[name].shape) for name in names}


def name_as(own: Collection[str], checkpoint: Checkpoint) -> Named:
    """The checkpoint's tensors under the model's names, as far as wrappers make the difference.

    DataParallel puts "module." before every name, torch.compile "_orig_mod.", a Lightning module the name of its
    attribute. The model itself may be wrapped too, and the file not.
    """
    tensors, notes = dict(checkpoint.tensors), []
    if AVERAGED in tensors and AVERAGED not in own:
        del tensors[AVERAGED]
        notes.append(f"'{AVERAGED}' left out")
    names, dropped, added = {name: name for name in tensors}, "", ""
    if not tensors.keys() <= set(own):
        of_file, of_model = (_shared(map(_uncompiled, side)) for side in (tensors, own))
        dropped = of_file.removesuffix(of_model) if of_file.endswith(of_model) else ""
        added = of_model.removesuffix(of_file) if of_model.endswith(of_file) else ""
        known = {_uncompiled(name): name for name in own}
        bare = {name: added + _uncompiled(name).removeprefix(dropped) for name in tensors}
        # A name that the model does not know may be an older one, which its modules translate.
        found = {name: known.get(bare[name], bare[name]) for name in tensors}
        # Where two would become one, neither is renamed.
        names = found if len(set(found.values())) == len(found) else names
        compiled = any(COMPILED in name and COMPILED not in names[name] for name in names)
        gone = [f"'{prefix}'" for prefix in (dropped, COMPILED * compiled) if prefix]
        notes += [f"names read without {' and '.join(gone)}"] if gone else []
        notes += [f"names read with '{added}' before them"] if added else []
    state: Any = OrderedDict((names[name], tensor) for name, tensor in tensors.items())
    # Modules look their version up here.
    state._metadata = {
        (added + _uncompiled(f"{path}.").removeprefix(dropped)).strip("."): dict(versions)
        for path, versions in checkpoint.versions.items()
        if _uncompiled(f"{path}.").startswith(dropped)
    }
    return Named(state, {new: old for old, new in names.items()}, "; ".join(notes))


def _uncompiled(name: str) -> str:
    return name.replace(COMPILED, "")


def _shared(names: Iterable[str]) -> str:
    """The modules that all names begin with: "module.net."."""
    columns = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return "".join(f"{column[0]}." for column in takewhile(lambda column: len(set(column)) == 1, columns))
