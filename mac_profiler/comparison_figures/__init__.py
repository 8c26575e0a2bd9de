"""Room: one file a figure of a comparison, with `applies(comparison) -> bool` and `draw(comparison)`, matplotlib's.

A figure's file has the name of its module, as png and as svg. What several draw alike is in `mac_profiler.hues`.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mac_profiler.pictures import write_pictures
from mac_profiler.registry import modules_of

if TYPE_CHECKING:
    from mac_profiler.comparison import Comparison


def draw_all(comparison: Comparison, folder: str | PathLike[str]) -> list[Path]:
    """Every figure that applies; the files written.

    Raises:
        OutputFailed: the folder cannot be made or written.
    """
    modules = map(import_module, modules_of(__name__))
    applying = (module for module in modules if module.applies(comparison))
    return write_pictures(
        folder, ((module.__name__.rpartition(".")[2], module.draw(comparison)) for module in applying)
    )
