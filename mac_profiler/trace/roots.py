"""Roots: the modules that a callable works with, found without calling it."""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import Any

import torch


def roots_of(model: Any) -> list[tuple[str, torch.nn.Module]]:
    """Modules and what to call them: "" for a module itself, for a callable's the names of its variables.

    Looks into bound methods, partials, and the variables that a function closes over or reads from its own module.
    """
    if isinstance(model, torch.nn.Module):
        return [("", model)]
    found: dict[int, tuple[str, torch.nn.Module]] = {}
    for name, module in _named(model):
        found.setdefault(id(module), (name, module))
    if len(found) == 1:
        return [("", module) for _, module in found.values()]
    return list(found.values())


def _named(model: Any) -> list[tuple[str, torch.nn.Module]]:
    if isinstance(model, MethodType):
        owner = model.__self__
        return [("", owner)] if isinstance(owner, torch.nn.Module) else _attributes(owner)
    if isinstance(model, functools.partial):
        bound = [(f"argument{i}", value) for i, value in enumerate(model.args)] + list(model.keywords.items())
        return [(name, value) for name, value in bound if isinstance(value, torch.nn.Module)] + _named(model.func)
    if isinstance(model, FunctionType):
        closed = zip(model.__code__.co_freevars, model.__closure__ or (), strict=True)
        values = {name: cell.cell_contents for name, cell in closed if _filled(cell)}
        values |= {name: model.__globals__[name] for name in model.__code__.co_names if name in model.__globals__}
        return [(name, value) for name, value in values.items() if isinstance(value, torch.nn.Module)]
    return _attributes(model)


def _attributes(owner: Any) -> list[tuple[str, torch.nn.Module]]:
    held = getattr(owner, "__dict__", {})
    return [(name, value) for name, value in held.items() if isinstance(value, torch.nn.Module)]


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a variable that is closed over and not yet assigned
        return False
