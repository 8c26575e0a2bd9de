"""Room: one file a benchmark: a question, and the cases that answer it.

A file holds, and nothing in it needs torch until a case is built:

- ``NAME``: what it is asked for by: "g1".
- ``TITLE``, ``QUESTION``: a few words, and one line.
- ``SOURCE``: citation.
- ``TABLE``, where a paper printed a table of it: its name in `mac_profiler.published`.
- ``cases(settings, *, quick)``: the cases for a device, those of one group together; the first of a group is what the
  others are compared with. The cases of a group have the same multiply-adds, each within 5 % of their mean. ``quick``
  leaves out sizes, never a row.

A case's key is the same in every run, and so are the axes on one device. Its module works in either memory format and
any floating-point type. A case that a paper printed a figure of is named as the table's row is, and has an axis
``printed_as``: the column of its figure; see `printed`.

Plugins add benchmarks of the same form, see `mac_profiler.plugins`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, cast

from mac_profiler import published
from mac_profiler.errors import DuplicateName, InvalidInput, UnknownName
from mac_profiler.measurement import Case, Settings
from mac_profiler.plugins import Plugin, guarded, plugins_of, taken
from mac_profiler.published import Published
from mac_profiler.registry import did_you_mean, modules_of

# Floats of a 512-bit register, the widest of today's CPUs. A library pads narrower or crooked widths to it, and so does
# work that no count of multiply-adds shows.
VECTOR = 16
EVERYTHING = "all"

Platform = Literal["arm", "gpu"]
SPEEDS = {"arm": "arm_images_per_second", "gpu": "gpu_batches_per_second"}


class Benchmark(Protocol):
    """What a file of this room offers; see the room."""

    NAME: str
    TITLE: str
    QUESTION: str
    SOURCE: str

    def cases(self, settings: Settings, *, quick: bool) -> list[Case]:
        """Its cases."""


def names() -> list[str]:
    """Names of all benchmarks, those of published tables first."""
    return [benchmark.NAME for benchmark in _gather()]


def find(name: str) -> Benchmark:
    """The benchmark of that name.

    Raises:
        UnknownName: there is none.
    """
    known = {benchmark.NAME: benchmark for benchmark in _gather()}
    if name not in known:
        raise UnknownName(
            f"no benchmark named '{name}'.{did_you_mean(name, [*known, EVERYTHING])} "
            f"The benchmarks are {', '.join(known)}, or {EVERYTHING}."
        )
    return known[name]


def choose(asked: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of these names, each once, in the order of `names`; "all" stands for every one.

    Raises:
        UnknownName: there is none of a name.
    """
    wanted = {name for one in asked for name in (names() if one == EVERYTHING else [find(one).NAME])}
    return [benchmark for benchmark in _gather() if benchmark.NAME in wanted]


def platform(settings: Settings) -> Platform:
    """Which of the paper's two platforms is compared with: its ARM core for a CPU, its GPU for any other device."""
    return "arm" if settings.device == "cpu" else "gpu"


def printed(case: Case) -> Published | None:
    """What a paper printed of a case, in images or batches a second; None where it printed nothing."""
    column = case.axes.get("printed_as")
    if column is None:
        return None
    rows = published.table(table_of(find(case.benchmark))).rows
    return next(row for row in rows if row.label == case.name).figures[str(column)]


def table_of(benchmark: Benchmark) -> str:
    """Name of the published table that a benchmark rebuilds; "" where there is none."""
    return str(getattr(benchmark, "TABLE", ""))


def _gather() -> list[Benchmark]:
    found = [*_own(), *_added()]
    return sorted(found, key=lambda benchmark: (not table_of(benchmark), benchmark.NAME))


def _own() -> list[Benchmark]:
    return [cast("Benchmark", importlib.import_module(name)) for name in modules_of(__name__)]


@dataclass(frozen=True, slots=True)
class Added:
    """A benchmark of a plugin; what it raises is told in one line."""

    NAME: str
    TITLE: str
    QUESTION: str
    SOURCE: str
    TABLE: str
    module: Any
    plugin: Plugin

    def cases(self, settings: Settings, *, quick: bool) -> list[Case]:
        """Its cases."""
        found: list[Case] = guarded(lambda: list(self.module.cases(settings, quick=quick)), self.plugin)()
        return found


@cache
def _added() -> tuple[Benchmark, ...]:
    """The benchmarks of plugins; one whose name is taken is refused."""
    known = {benchmark.NAME: f"macprof's own {getattr(benchmark, '__name__', '')}" for benchmark in _own()}
    known[EVERYTHING] = "that of all benchmarks"
    found: list[Benchmark] = []
    for plugin in plugins_of("benchmarks"):
        if taken(plugin, lambda: found.append(cast("Benchmark", _benchmark(plugin, known)))):  # noqa: B023 - called at once
            known[found[-1].NAME] = str(plugin)
    return tuple(found)


def _benchmark(plugin: Plugin, known: Mapping[str, str]) -> Added:
    module = plugin.load()
    said = [getattr(module, name, None) for name in ("NAME", "TITLE", "QUESTION", "SOURCE")]
    if not all(isinstance(text, str) and text for text in said) or not callable(getattr(module, "cases", None)):
        raise InvalidInput(f"{plugin.module} has not all of NAME, TITLE, QUESTION, SOURCE and cases(settings, quick)")
    name, title, question, source = map(str, said)
    if name in known:
        raise DuplicateName(f"the name of its benchmark, '{name}', is {known[name]}")
    return Added(name, title, question, source, str(getattr(module, "TABLE", "")), module, plugin)
