"""Snapshot: a model's Python state before a trace, and how to put it back.

The trace computes no number in the model's tensors, so only what Python code in `forward` can change needs keeping:
attributes, registered tensors, and the contents of containers that modules hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq, is_, itemgetter
from typing import Any

import torch

_CONTAINERS = (dict, list, set)

# What every module has: for these one look in C tells that all are empty, as nearly always.
_PLAIN = torch.nn.Module().__dict__
_HELD = tuple(name for name, value in _PLAIN.items() if isinstance(value, _CONTAINERS))
_all_held = itemgetter(*_HELD)

_State = tuple[dict[str, Any], dict[str, Any], int, list[tuple[Any, Any]]]


class Snapshot:
    """State of some modules; `restore` puts it back.

    Args:
        modules: modules to keep the state of.
    """

    def __init__(self, modules: Sequence[torch.nn.Module]) -> None:
        self._states: list[_State] = []
        for module in modules:
            state = module.__dict__
            held = _held(state)
            # Copies of what is not empty; put back, what was empty is cleared.
            contents = [(full, full.copy()) for full in held if full] if any(held) else []
            filled = len(contents)
            if len(state) > len(_PLAIN):
                for name in state.keys() - _PLAIN.keys():
                    value = state[name]
                    if isinstance(value, _CONTAINERS):
                        contents.append((value, value.copy()))
            self._states.append((state, state.copy(), filled, contents))

    def restore(self) -> None:
        """Put every attribute and container back that changed."""
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


def _held(state: dict[str, Any]) -> tuple[Any, ...]:
    """The containers that every module has; a scripted module's are of its own kind and not Python's to change."""
    try:
        found: tuple[Any, ...] = _all_held(state)
    except KeyError:
        return ()
    return found if isinstance(found[0], dict) else ()


def _refill(held: Any, copy: Any) -> None:
    held.clear()
    if isinstance(held, list):
        held.extend(copy)
    else:
        held.update(copy)


def _unchanged(now: Any, before: Any) -> bool:
    # By identity: comparing tensors with == would compute, and arrays would raise.
    if len(now) != len(before):
        return False
    if isinstance(now, dict):
        return all(map(is_, now.values(), before.values())) and all(map(eq, now, before))
    if isinstance(now, list):
        return all(map(is_, now, before))
    return {*map(id, now)} == {*map(id, before)}
