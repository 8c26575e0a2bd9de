"""Room: one file a figure of a comparison, with `applies(comparison) -> bool` and `draw(comparison)`, matplotlib's.

A figure's file has the name of its module, as png and as svg. What several draw alike is in `mac_profiler.hues`.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mac_profiler.errors import OutputFailed
from mac_profiler.registry import modules_of

if TYPE_CHECKING:
    from mac_profiler.comparison import Comparison


def make_folder(folder: str | PathLike[str]) -> Path:
    """The folder for figures, made where it is not there; before anything is measured for them.

    Raises:
        OutputFailed: it cannot be made.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from error
    return place


def draw_all(comparison: Comparison, folder: str | PathLike[str]) -> list[Path]:
    """Every figure that applies; the files written.

    Raises:
        OutputFailed: the folder cannot be made or written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    place = make_folder(folder)
    written = []
    try:
        for module in map(import_module, modules_of(__name__)):
            if not module.applies(comparison):
                continue
            figure = module.draw(comparison)
            name = module.__name__.rpartition(".")[2]
            # The same data give the same file: no date, no random names inside.
            with mpl.rc_context({"svg.hashsalt": name}):
                figure.savefig(place / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
            figure.savefig(place / f"{name}.png", bbox_inches="tight", dpi=150)
            plt.close(figure)
            written += [place / f"{name}.svg", place / f"{name}.png"]
    except OSError as error:
        raise _refused(folder, error) from error
    return written


def _refused(folder: str | PathLike[str], error: OSError) -> OutputFailed:
    return OutputFailed(f"cannot write figures to '{folder}': {error.strerror or error}; give another folder")
