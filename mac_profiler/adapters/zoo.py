"""The models that macprof knows by a name of their own: those that come with it, of libraries, and of plugins."""

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

from mac_profiler.construct import construct_on, describe
from mac_profiler.errors import DuplicateName, InvalidInput, ModelNotFound
from mac_profiler.inputs import Input, make_tensor
from mac_profiler.models import Built, Entry
from mac_profiler.plugins import Plugin, plugins_of, taken
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
    return sorted([*found, *(name for _, table in _added() for name in _names(table))])


def entries() -> list[Entry]:
    """Every model with its published figures, in the order of the files."""
    tables = [*map(read_table, modules_of(ROOM)), *(table for _, table in _added())]
    return [entry for table in tables for entry in _entries(table)]


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
    # What a library lends is built there, and its arguments are known there.
    if module is None or "model" in variant:
        return {}
    family = _family(module)
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
    family = _family(module)
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


def canonical(name: str) -> str:
    """The name that a network has here; one that it is not known by stays as it is."""
    sought = spelling(name)
    for entry in entries():
        if sought in map(spelling, (entry.name, *entry.aliases)):
            return entry.name
    return _by_label().get(sought, name)


def spelling(name: str) -> str:
    """What is left of a name where case and punctuation do not count: papers write VGG-16, code vgg16."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _variant(name: str) -> tuple[str | None, Mapping[str, Any]]:
    """The file that has a model, and the model's entry in it."""
    sought = spelling(name)
    # A family's file names its models after itself, so that few files are read.
    for module in modules_of(ROOM):
        if sought.startswith(spelling(module.rpartition(".")[2])):
            found = _spelt(read_table(module), sought)
            if found is not None:
                return module, found
    named = _by_label().get(sought)
    if named is not None:
        return _variant(named)
    # Last, because a look at all that is installed takes longer than the files here.
    hits = ((plugin.module, found) for plugin, table in _added() if (found := _spelt(table, sought)) is not None)
    return next(hits, (None, {}))


def _spelt(table: Mapping[str, Any], sought: str) -> Mapping[str, Any] | None:
    """The entry of a table whose name, or alias, is spelt so; None where there is none."""
    known = {spelling(found): found for found in table["VARIANTS"]}
    known |= {spelling(alias): target for alias, target in table["ALIASES"].items()}
    return table["VARIANTS"][known[sought]] if sought in known else None


def _family(module: str) -> Any:
    """The file of a family, imported; a plugin's may raise anything."""
    try:
        family = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise ModelNotFound(f"{module} raised when imported: {describe(error)}") from error
    if not hasattr(family, "build"):
        raise ModelNotFound(f"{module} has no 'build', which makes its models")
    return family


@cache
def _added() -> tuple[tuple[Plugin, Mapping[str, Any]], ...]:
    """The plugins with models, and their tables, read and not imported; one with a name that is taken is refused."""
    known = {spelling(name): module for module in modules_of(ROOM) for name in _names(read_table(module))}
    known |= {label: f"{ROOM} (a name in the papers)" for label in _by_label() if label not in known}
    found: list[tuple[Plugin, Mapping[str, Any]]] = []
    for plugin in plugins_of("models"):
        if taken(plugin, lambda: found.append((plugin, _table(plugin, known)))):  # noqa: B023 - called at once
            known |= {spelling(name): str(plugin) for name in _names(found[-1][1])}
    return tuple(found)


def _table(plugin: Plugin, known: Mapping[str, str]) -> Mapping[str, Any]:
    """The table of a plugin: a family's own, or one with the single model that its callable makes."""
    if plugin.attribute:
        variants = {plugin.name: {"model": f"{plugin.module}:{plugin.attribute}"}}
        table: Mapping[str, Any] = {"FAMILY": plugin.distribution, "INPUT": None, "VARIANTS": variants, "ALIASES": {}}
    else:
        table = read_table(plugin.module)
    missing = [name for name in ("FAMILY", "INPUT", "VARIANTS") if name not in table]
    if missing:
        raise InvalidInput(f"{plugin.module} names no callable, and has no {missing[0]} as a family of the zoo has")
    if not all(isinstance(variant, Mapping) for variant in table["VARIANTS"].values()):
        raise InvalidInput(f"{plugin.module}: VARIANTS maps names to mappings, such as {{'arguments': {{}}}}")
    if not set(table["ALIASES"].values()) <= set(table["VARIANTS"]):
        raise InvalidInput(f"{plugin.module}: ALIASES names a model that is not in VARIANTS")
    for name in _names(table):
        if not re.fullmatch(r"\w[\w.-]*(?<!\.py)", name):
            raise InvalidInput(f"no model can be named {name!r}: a name has letters, digits, '_', '-' and '.'")
        if spelling(name) in known:
            raise DuplicateName(f"the model '{name}' is in {known[spelling(name)]}")
    return table


def _names(table: Mapping[str, Any]) -> list[str]:
    return [*table["VARIANTS"], *table["ALIASES"]]


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
