"""Models of the user's own code: "package.module:callable" and "path/file.py:callable"."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

from mac_profiler.compiled_operators import prepare_torchvision
from mac_profiler.construct import construct, describe, random_state_kept
from mac_profiler.errors import InvalidInput, ModelNotFound
from mac_profiler.models import Built
from mac_profiler.registry import did_you_mean

# Modules that a user's file imported from its own folder; another folder may have others of the same names.
_siblings: set[str] = set()


def names() -> list[str]:
    """None: a user's code is not searched."""
    return []


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Import what stands before the colon and call what stands behind it; its device is its own affair.

    The callable returns a module, or a module (or other callable) with example inputs: a tensor, a tuple of positional
    or a mapping of keyword inputs. It may be a module's class, or a module itself. A module that was made by the call
    is put in eval mode, as those of every other place are; one that was there already is left as it is.

    Raises:
        ModelNotFound: nothing of that name, or importing or calling it raised, or no module came back.
        InvalidInput: arguments that the callable does not take.
    """
    import torch

    place, _, attribute = name.rpartition(":")
    if not place or not attribute:
        raise ModelNotFound(f"'{name}' names no callable; write path/file.py:callable or package.module:callable")
    # A user's code may import torchvision, itself or through transformers.
    prepare_torchvision()
    is_file = place.endswith(".py") or os.sep in place
    folder = str(_package_of(Path(place))[1] if is_file else Path.cwd())
    with _importable(folder):
        module = _load_file(Path(place)) if is_file else _load_module(place)
        found = _attribute(module, attribute, place)
        if isinstance(found, torch.nn.Module):
            if arguments:
                raise InvalidInput(f"{name} is a module already and takes no argument '{next(iter(arguments))}'")
            return _with_example(name, found, None)
        if not callable(found):
            raise ModelNotFound(f"{name} is of type {type(found).__name__}, not a callable that returns a module")
        result = construct(name, found, arguments)
    model, example = result, None
    if isinstance(result, tuple) and len(result) == 2 and callable(result[0]):
        model, example = result
    elif not isinstance(result, torch.nn.Module):
        hint = "; it returned the class, not an instance" if isinstance(result, type) else ""
        raise ModelNotFound(f"{name} returned {type(result).__name__}, not a torch.nn.Module{hint}")
    if isinstance(model, torch.nn.Module):
        model.eval()
    return _with_example(name, model, example)


def _with_example(name: str, model: Any, example: Any) -> Built:
    if example is None:
        example = getattr(model, "example_input_array", None)  # Lightning's name for it.
    if example is None:
        return Built(name, model)
    if isinstance(example, Mapping):
        return Built(name, model, kwargs=dict(example))
    return Built(name, model, tuple(example) if isinstance(example, tuple | list) else (example,))


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """Let modules of the folder be imported, as Python does for the script that it runs."""
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        with random_state_kept():
            yield
    finally:
        # Just the one entry: what the user's code put there on purpose stays.
        if folder in sys.path:
            sys.path.remove(folder)


def _load_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ModelNotFound(f"no module named '{error.name}' (for '{name}'); is it installed?") from error
        raise ModelNotFound(f"{name} raised when imported: {describe(error)}") from error
    # A user's module may raise anything, and may call sys.exit.
    except (Exception, SystemExit) as error:
        raise ModelNotFound(f"{name} raised when imported: {describe(error)}") from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        kind = "is a folder, not a Python file" if path.is_dir() else "no such file"
        near = (
            did_you_mean(path.name, sorted(file.name for file in path.parent.glob("*.py"))) if not path.is_dir() else ""
        )
        raise ModelNotFound(f"{path}: {kind}.{near}")
    dotted, _ = _package_of(path)
    path = path.resolve()
    if "." in dotted:
        module = _load_module(dotted)
        if Path(module.__file__ or "").resolve() != path:
            raise ModelNotFound(f"{path.name}: another package of the name '{dotted.partition('.')[0]}' is loaded")
        return module
    for name in _siblings:
        sys.modules.pop(name, None)
    _siblings.clear()
    before = set(sys.modules)
    # Two files of one name are two modules.
    name = f"{path.stem}_{crc32(str(path).encode()):08x}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelNotFound(f"{path}: not a Python file")
    module = module_from_spec(spec)
    # Registered first: dataclasses and pickle look their module up.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    # A user's file may raise anything, and may call sys.exit.
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ModelNotFound(f"{path.name} raised when imported: {describe(error)}") from error
    finally:
        _siblings.update(_loaded_from(path.parent, set(sys.modules) - before - {name}))
    return module


def _package_of(path: Path) -> tuple[str, Path]:
    """Dotted name of a file within its package, and the folder that the package is imported from."""
    path = path.resolve()
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _loaded_from(folder: Path, names: set[str]) -> set[str]:
    origins = {name: getattr(sys.modules[name], "__file__", None) for name in names}
    return {name for name, origin in origins.items() if origin and folder in Path(origin).parents}


def _attribute(module: ModuleType, attribute: str, place: str) -> Any:
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = sorted(name for name, value in vars(found).items() if callable(value) and name[0] != "_")
            raise ModelNotFound(f"{place} has no '{attribute}'.{did_you_mean(part, known)}")
        found = getattr(found, part)
    return found
