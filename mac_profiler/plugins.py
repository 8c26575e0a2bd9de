"""Plugins: what other distributions add by entry points, looked up where the things of that kind are gathered.

A distribution names in its metadata, by group:

- ``macprof.formulas``: a module that registers formulas with `mac_profiler.formula` when it is imported.
- ``macprof.rules``: a module that registers rules with `mac_profiler.audit.rule`; its docstring is the manual.
- ``macprof.models``: a callable that returns a model, under the entry point's name; or a module like those of the zoo.
- ``macprof.benchmarks``: a module like those of `mac_profiler.benchmarks`.
- ``macprof.formats``: a function ``render(document, screen) -> str``, under the entry point's name.

A plugin is taken whole or left out: one that cannot be loaded, or that has a name that is taken, is told of in one line
on standard error (through logging), and everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass, replace
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mac_profiler.errors import MacprofError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class PluginFailed(MacprofError):
    """Code of a plugin that raised."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point.

    Attributes:
        name: of the entry point.
        module: dotted name.
        attribute: what is meant in the module; "" means the module itself.
        distribution: what installed it, with its version.
    """

    name: str
    module: str
    attribute: str
    distribution: str

    def __str__(self) -> str:
        return f"the plugin '{self.name}' of {self.distribution}"

    def load(self) -> Any:
        """The module, or what is meant in it."""
        from importlib import import_module

        found: Any = import_module(self.module)
        for part in self.attribute.split(".") if self.attribute else ():
            found = getattr(found, part)
        return found


@cache
def plugins_of(kind: str) -> tuple[Plugin, ...]:
    """The plugins of a kind, "rules", in the order of their distributions; nothing of them is imported."""
    # The standard library's module takes longer to import than all of `macprof --help`.
    from importlib.metadata import entry_points

    try:
        found = [_plugin(entry) for entry in entry_points(group=f"macprof.{kind}")]
    except Exception as error:  # noqa: BLE001 - metadata of any package that is installed may be damaged
        _say(f"no plugin is loaded: the metadata of the installed packages cannot be read: {_told(error)}")
        return ()
    return tuple(sorted(found, key=lambda plugin: (plugin.distribution, plugin.name)))


def _plugin(entry: EntryPoint) -> Plugin:
    made = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown distribution"
    return Plugin(entry.name, entry.module, entry.attr or "", made)


def taken(plugin: Plugin, use: Callable[[], object]) -> bool:
    """Whether a plugin could be taken; where not, that is said.

    Args:
        plugin: one.
        use: loads and checks it.
    """
    try:
        use()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        _say(f"{plugin} is left out: {_told(error)}")
        return False
    return True


def guarded(thing: T, plugin: Plugin) -> T:
    """The thing of a plugin, a function or a rule with one; where that raises, the plugin is named.

    Args:
        thing: a formula, a rule, a function that renders or makes cases.
        plugin: whose it is.
    """
    if is_dataclass(thing) and hasattr(thing, "check"):
        return cast("T", replace(cast("Any", thing), check=_generating(thing.check, plugin)))
    return cast("T", _calling(thing, plugin)) if callable(thing) else thing


def _calling(function: Callable[..., Any], plugin: Plugin) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MacprofError:
            raise
        except Exception as error:
            raise _failed(plugin, error) from error

    return call


def _generating(function: Callable[..., Any], plugin: Plugin) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except MacprofError:
            raise
        except Exception as error:
            raise _failed(plugin, error) from error

    return generate


def _failed(plugin: Plugin, error: Exception) -> PluginFailed:
    return PluginFailed(f"{plugin} failed: {_told(error)}; mend it, uninstall it, or leave out what it adds")


def _told(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said if isinstance(error, MacprofError) else f"{type(error).__name__}{': ' if said else ''}{said}"


def _say(message: str) -> None:
    import logging

    # Without a handler of the program's own, logging writes the bare line to standard error.
    logging.getLogger("macprof").warning("macprof: %s", message)
