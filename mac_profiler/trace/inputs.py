"""Inputs: tensors anywhere in a call's arguments, exchanged for stand-ins; everything else stays as it is."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch

Exchange = Callable[[torch.Tensor], Any]


def exchange_tensors(argument: Any, exchange: Exchange) -> Any:
    """A copy of a nested argument with every tensor exchanged; the argument itself is not changed.

    Descends into lists, tuples (named ones too), mappings and dataclasses; what holds no tensor is handed on.
    """
    if isinstance(argument, torch.Tensor):
        return exchange(argument)
    if isinstance(argument, tuple):
        items = [exchange_tensors(item, exchange) for item in argument]
        if all(new is old for new, old in zip(items, argument, strict=True)):
            return argument
        return type(argument)(*items) if hasattr(argument, "_fields") else _rebuild(tuple, type(argument), items)
    if isinstance(argument, list):
        return _rebuild(list, type(argument), [exchange_tensors(item, exchange) for item in argument])
    if dataclasses.is_dataclass(argument) and not isinstance(argument, type):
        return _with_fields(argument, exchange)
    if isinstance(argument, Mapping):
        items_by_key = {key: exchange_tensors(value, exchange) for key, value in argument.items()}
        if type(argument) is dict:
            return items_by_key
        made = copy.copy(argument)
        made.update(items_by_key)  # type: ignore[attr-defined]  # an immutable mapping raises, and the user sees why
        return made
    return argument


def _rebuild(plain: Any, kind: type, items: list[Any]) -> Any:
    return items if kind is list else plain(items) if kind is plain else kind(items)


def _with_fields(argument: Any, exchange: Exchange) -> Any:
    made = copy.copy(argument)
    for field in dataclasses.fields(argument):
        if hasattr(argument, field.name):
            # object.__setattr__: a frozen dataclass is an argument like any other.
            object.__setattr__(made, field.name, exchange_tensors(getattr(argument, field.name), exchange))
    if isinstance(made, dict):
        # A dataclass that is a dictionary too (the outputs of transformers models) keeps its items twice.
        for key, value in list(made.items()):
            dict.__setitem__(made, key, exchange_tensors(value, exchange))
    return made


def tensors_of(argument: Any) -> list[torch.Tensor]:
    """Every tensor in a nested argument, each object once, in order."""
    found: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        found.setdefault(id(tensor), tensor)
        return tensor

    exchange_tensors(argument, note)
    return list(found.values())
