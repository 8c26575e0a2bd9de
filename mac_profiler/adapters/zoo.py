"""The models that come with macprof."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mac_profiler.construct import construct_on
from mac_profiler.errors import DuplicateName, ModelNotFound
from mac_profiler.inputs import Input, make_tensor
from mac_profiler.models import Built, Entry, Published
from mac_profiler.registry import did_you_mean, modules_of

ROOM = "mac_profiler.zoo"
LITERALS = ("FAMILY", "SOURCES", "INPUT", "VARIANTS", "ALIASES")


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


def _entries(table: Mapping[str, Any]) -> list[Entry]:
    return [
        Entry(
            name,
            table["FAMILY"],
            variant.get("input", table["INPUT"]),
            tuple(
                Published(quantity, printed, table["SOURCES"][source], *rest)
                for quantity, printed, source, *rest in variant.get("published", ())
            ),
            tuple(alias for alias, target in table["ALIASES"].items() if target == name),
        )
        for name, variant in table["VARIANTS"].items()
    ]


@cache
def read_table(module: str) -> Mapping[str, Any]:
    """The literals of a zoo file, without importing it (it imports torch)."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModelNotFound(f"the zoo's file {module} cannot be read")
    return {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in LITERALS
    }


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Make a variant; arguments replace its own.

    Raises:
        ModelNotFound: there is no such model.
    """
    # A family's file names its models after itself, so that one import answers.
    for module in modules_of(ROOM):
        if name.startswith(module.rpartition(".")[2]):
            family = importlib.import_module(module)
            variant = family.VARIANTS.get(family.ALIASES.get(name, name))
            if variant is not None:
                given = {**variant["arguments"], **arguments}
                made = construct_on(device, name, family.build, given)
                shape = variant.get("input", family.INPUT)
                return Built(name, made, (make_tensor(Input(shape), next(made.parameters()).device),))
    raise ModelNotFound(
        f"no model named '{name}'.{did_you_mean(name, names())}"
        " `macprof models` lists the zoo; others are torchvision:NAME, timm:NAME, package.module:callable,"
        " path/file.py:callable"
    )
