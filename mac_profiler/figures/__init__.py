"""Room: one file a figure, with `applies(standings) -> bool` and `draw(standings, settings)`, a matplotlib figure.

A figure is drawn of the standings of one benchmark. Its file is <benchmark>_<figure>, as png and as svg.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mac_profiler.errors import OutputFailed
from mac_profiler.registry import modules_of

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.standing import Standing


def draw_all(standings: Sequence[Standing], settings: Settings, folder: str | PathLike[str]) -> list[Path]:
    """Every figure that applies, of every benchmark; the files written.

    Raises:
        OutputFailed: the folder cannot be made or written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    place = Path(folder)
    written = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for benchmark, group in groupby(standings, key=lambda each: each.measurement.case.benchmark):
            own = list(group)
            for module in map(import_module, modules_of(__name__)):
                if not module.applies(own):
                    continue
                figure = module.draw(own, settings)
                name = f"{benchmark}_{module.__name__.rpartition('.')[2]}"
                # The same data give the same file: no date, no random names inside.
                with mpl.rc_context({"svg.hashsalt": name}):
                    figure.savefig(place / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
                figure.savefig(place / f"{name}.png", bbox_inches="tight", dpi=150)
                plt.close(figure)
                written += [place / f"{name}.svg", place / f"{name}.png"]
    except OSError as error:
        raise OutputFailed(
            f"cannot write figures to '{folder}': {error.strerror or error}; give another folder"
        ) from error
    return written
