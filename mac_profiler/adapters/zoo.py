"""The models that macprof knows by a name of their own: those that come with it, and those that libraries lend."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mac_profiler.construct import construct_on
from mac_profiler.errors import DuplicateName, ModelNotFound
from mac_profiler.inputs import Input, make_tensor
from mac_profiler.models import Built, Entry
from mac_profiler.published import figures_by_model, models_by_label
from mac_profiler.registry import did_you_mean, modules_of

ROOM = "mac_profiler.zoo"
LITERALS = ("FAMILY", "INPUT", "VARIANTS", "ALIASES")


def names() -> list[str]:
    """Names and aliases, sorted; the files are read, not imported."""
    found: dict[str, str] = {}
    for module in modules_of(ROOM):
        table = read_table(module)
        for name in (*table["VARIANTS"], *table["ALIASES"]):
            if found.setdefault(name, module) != module:
                raise DuplicateName(f"the model '{name}' is in {found[name]} and in {module}")
    return sorted(found)


def entries() -> list[Entry]:
    """Every model with its published figures, in the order of the files."""
    return [entry for module in modules_of(ROOM) for entry in _entries(read_table(module))]


def lent(name: str) -> tuple[str, Mapping[str, object]] | None:
    """Name at another adapter, and arguments, of a model that a library has; None for any other name."""
    module, variant = _variant(name)
    if module is None or "model" not in variant:
        return None
    return variant["model"], variant.get("arguments", {})


def evident(name: str, shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, object]:
    """Arguments that a checkpoint was made with and that the model of this name would not be.

    Args:
        name: a model.
        shapes: of the checkpoint's tensors, by name.
    """
    module, variant = _variant(name)
    if module is None:
        return {}
    family = importlib.import_module(module)
    if not hasattr(family, "arguments_for"):
        return {}
    defaults = {parameter.name: parameter.default for parameter in inspect.signature(family.build).parameters.values()}
    own = {**defaults, **variant.get("arguments", {})}
    return {key: value for key, value in family.arguments_for(shapes).items() if value != own.get(key)}


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Make a variant; arguments replace its own.

    Raises:
        ModelNotFound: there is no such model.
    """
    module, variant = _variant(name)
    if module is None:
        raise ModelNotFound(
            f"no model named '{name}'.{did_you_mean(name, names())}"
            " `macprof models` lists the zoo; others are torchvision:NAME, timm:NAME, package.module:callable,"
            " path/file.py:callable"
        )
    family = importlib.import_module(module)
    made = construct_on(device, name, family.build, {**variant.get("arguments", {}), **arguments})
    shape = variant.get("input", family.INPUT)
    return Built(name, made, (make_tensor(Input(shape), next(made.parameters()).device),))


@cache
def read_table(module: str) -> Mapping[str, Any]:
    """The literals of a zoo file, without importing it (it imports torch)."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModelNotFound(f"the zoo's file {module} cannot be read")
    found = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in LITERALS
    }
    return {"ALIASES": {}, **found}


def spelling(name: str) -> str:
    """What is left of a name where case and punctuation do not count: papers write VGG-16, code vgg16."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _variant(name: str) -> tuple[str | None, Mapping[str, Any]]:
    """The file that has a model, and the model's entry in it."""
    sought = spelling(name)
    # A family's file names its models after itself, so that few files are read.
    for module in modules_of(ROOM):
        if sought.startswith(spelling(module.rpartition(".")[2])):
            table = read_table(module)
            known = {spelling(found): found for found in table["VARIANTS"]}
            known |= {spelling(alias): target for alias, target in table["ALIASES"].items()}
            if sought in known:
                return module, table["VARIANTS"][known[sought]]
    named = _by_label().get(sought)
    return _variant(named) if named is not None else (None, {})


@cache
def _by_label() -> Mapping[str, str]:
    """Models by the spelling of what the papers' tables call them."""
    found: dict[str, set[str]] = {}
    for label, model in models_by_label().items():
        found.setdefault(spelling(label), set()).add(model)
    return {label: models.pop() for label, models in found.items() if len(models) == 1}


def _entries(table: Mapping[str, Any]) -> list[Entry]:
    return [
        Entry(
            name,
            table["FAMILY"],
            variant.get("input", table["INPUT"]),
            figures_by_model().get(name, ()),
            tuple(alias for alias, target in table["ALIASES"].items() if target == name),
            variant.get("model", ""),
        )
        for name, variant in table["VARIANTS"].items()
    ]
