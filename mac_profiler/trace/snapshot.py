"""Snapshot: the Python state that a traced call may change, and how to put it back.

The trace computes no number in the model's tensors, so only what Python code in `forward` can change needs keeping:
attributes of modules, registered tensors, and the containers and objects that modules and arguments hold, however deep.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from operator import eq, is_, itemgetter
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import torch

_CONTAINERS = (dict, list, set, deque)

# What cannot change, or is kept by other means: nothing to look into.
_ATOMS = frozenset(
    {int, float, bool, str, bytes, type(None), complex, slice, torch.Size, torch.dtype, torch.device, type}
    | {FunctionType, BuiltinFunctionType, MethodType, ModuleType, torch.Tensor, torch.nn.Parameter}
)

# What every module has: for these one look in C tells that all are empty, as nearly always.
_PLAIN = torch.nn.Module().__dict__
_HELD = tuple(name for name, value in _PLAIN.items() if isinstance(value, _CONTAINERS))
_all_held = itemgetter(*_HELD)

# Containers and objects below a module's attributes; a graph of objects larger than this is no state of a model.
_MOST_OBJECTS = 20_000
_MOST_BYTES = 1 << 24

_State = tuple[dict[str, Any], dict[str, Any], int, list[tuple[Any, Any]]]


class Snapshot:
    """State of some modules and other objects; `restore` puts it back.

    Args:
        modules: modules to keep the state of.
        others: objects to keep the state of besides: the call's arguments.
    """

    def __init__(self, modules: Sequence[torch.nn.Module], others: Iterable[Any] = ()) -> None:
        self._states: list[_State] = []
        self._deep: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[Any, Any]] = []
        self._slots: list[tuple[Any, dict[str, Any]]] = []
        self._seen: set[int] = set()
        # Everything that the modules hold, end to end, to be compared in C, and how much their containers hold.
        values: list[Any] = []
        filled = 0
        pending = [other for other in others if type(other) not in _ATOMS]
        for module in modules:
            state = module.__dict__
            held = _held(state)
            # Copies of what is not empty; put back, what was empty is cleared.
            contents = [(full, full.copy()) for full in held if full] if any(held) else []
            values.extend(state.values())
            for full, _ in contents:
                values.extend(full.values() if isinstance(full, dict) else full)
                filled += len(full)
            self._states.append((state, state.copy(), len(contents), contents))
            # A layer of torch's own holds settings there, which its forward does not change.
            if len(state) > len(_PLAIN) and not type(module).__module__.startswith("torch.nn."):
                pending.extend(state[name] for name in state.keys() - _PLAIN.keys())
        self._keep(pending)
        self._flat = (values, filled)

    def _flatten(self) -> tuple[list[Any], int]:
        """What the modules hold now, as it was noted before."""
        values: list[Any] = []
        filled = 0
        for state, _, _, contents in self._states:
            values.extend(state.values())
            for held, _ in contents:
                values.extend(held.values() if isinstance(held, dict) else held)
            filled += sum(map(len, _held(state)))
        return values, filled

    def _keep(self, pending: list[Any]) -> None:
        """Copy every container and attribute dictionary that can be reached."""
        seen = self._seen
        while pending and len(seen) < _MOST_OBJECTS:
            value = pending.pop()
            if type(value) in _ATOMS or id(value) in seen or isinstance(value, torch.Tensor | torch.nn.Module | type):
                continue
            seen.add(id(value))
            if isinstance(value, _CONTAINERS):
                self._deep.append((value, value.copy()))
                pending.extend(value.values() if isinstance(value, dict) else value)
            elif isinstance(value, tuple):
                pending.extend(value)
            elif type(value).__module__ == "numpy" and hasattr(value, "nbytes"):
                if value.nbytes <= _MOST_BYTES and value.shape:
                    self._arrays.append((value, value.copy()))
            else:
                attributes = getattr(value, "__dict__", None)
                if isinstance(attributes, dict):
                    self._deep.append((attributes, attributes.copy()))
                    pending.extend(attributes.values())
                slots = {name: getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)}
                if slots:
                    self._slots.append((value, slots))
                    pending.extend(slots.values())

    def restore(self) -> None:
        """Put every attribute and container back that changed."""
        for held, copy in self._deep:
            if not _unchanged(held, copy):
                _refill(held, copy)
        self._restore_objects()
        values, filled_now = self._flatten()
        before_values, filled_before = self._flat
        same_number = len(values) == len(before_values) and filled_now == filled_before
        if same_number and all(map(is_, values, before_values)):
            return  # as nearly always
        for state, before, filled, contents in self._states:
            for held, copy in contents:
                if not _unchanged(held, copy):
                    _refill(held, copy)
            if not _unchanged(state, before):
                _refill(state, before)
            now = _held(state)
            if any(now) and sum(map(bool, now)) != filled:
                kept = {id(held) for held, _ in contents}
                for held in now:
                    if id(held) not in kept:
                        held.clear()

    def _restore_objects(self) -> None:
        for array, copy in self._arrays:
            array[...] = copy
        for owner, slots in self._slots:
            for name in _slots(type(owner)):
                if name not in slots and hasattr(owner, name):
                    object.__delattr__(owner, name)
                elif name in slots and getattr(owner, name, None) is not slots[name]:
                    object.__setattr__(owner, name, slots[name])


def _slots(kind: type) -> list[str]:
    """Names of the attributes that objects of a class keep without a dictionary; methods of built-in types are none."""
    named = [parent.__dict__.get("__slots__", ()) for parent in kind.__mro__]
    flat = [name for slots in named for name in ([slots] if isinstance(slots, str) else slots)]
    return [name for name in flat if name not in ("__dict__", "__weakref__") and not name.startswith("__")]


def _held(state: dict[str, Any]) -> tuple[Any, ...]:
    """The containers that every module has; a scripted module's are of its own kind and not Python's to change."""
    try:
        found: tuple[Any, ...] = _all_held(state)
    except KeyError:
        return ()
    return found if isinstance(found[0], dict) else ()


def _refill(held: Any, copy: Any) -> None:
    # The plain type's own methods: a subclass may do more than store (transformers' outputs refuse `update`).
    if isinstance(held, dict):
        dict.clear(held)
        for key, value in copy.items():
            dict.__setitem__(held, key, value)
    else:
        held.clear()
        (held.update if isinstance(held, set) else held.extend)(copy)


def _unchanged(now: Any, before: Any) -> bool:
    # By identity: comparing tensors with == would compute, and arrays would raise.
    if len(now) != len(before):
        return False
    if isinstance(now, dict):
        return all(map(is_, now.values(), before.values())) and all(map(eq, now, before))
    if isinstance(now, set):
        return {*map(id, now)} == {*map(id, before)}
    return all(map(is_, now, before))
