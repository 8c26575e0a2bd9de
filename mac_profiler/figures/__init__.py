"""Room: one file a figure, with `applies(standings) -> bool` and `draw(standings, settings)`, a matplotlib figure.

A figure is drawn of the standings of one benchmark. Its file is <benchmark>_<figure>, as png and as svg.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mac_profiler.pictures import write_pictures
from mac_profiler.registry import modules_of

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.standing import Standing


def draw_all(standings: Sequence[Standing], settings: Settings, folder: str | PathLike[str]) -> list[Path]:
    """Every figure that applies, of every benchmark; the files written.

    Raises:
        OutputFailed: the folder cannot be made or written.
    """
    return write_pictures(folder, _drawn(standings, settings))


def _drawn(standings: Sequence[Standing], settings: Settings) -> Iterator[tuple[str, Any]]:
    for benchmark, group in groupby(standings, key=lambda each: each.measurement.case.benchmark):
        own = list(group)
        for module in map(import_module, modules_of(__name__)):
            if module.applies(own):
                yield f"{benchmark}_{module.__name__.rpartition('.')[2]}", module.draw(own, settings)
