"""Pictures: matplotlib figures as files, png and svg, that are the same for the same data."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from mac_profiler.errors import OutputFailed


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


def write_pictures(folder: str | PathLike[str], drawn: Iterable[tuple[str, Any]]) -> list[Path]:
    """Write figures and close them; the files written.

    Args:
        folder: made where it is not there.
        drawn: name of the file, without an ending, and figure; drawn one after the other, as they are written.

    Raises:
        OutputFailed: the folder cannot be made or written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    place = make_folder(folder)
    written = []
    for name, figure in drawn:
        try:
            # No date, no random names inside. A letter that the font lacks is seen to be missing; no warning says more.
            with mpl.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                figure.savefig(place / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
                figure.savefig(place / f"{name}.png", bbox_inches="tight", dpi=150)
        except OSError as error:
            raise _refused(folder, error) from error
        plt.close(figure)
        written += [place / f"{name}.svg", place / f"{name}.png"]
    return written


def _refused(folder: str | PathLike[str], error: OSError) -> OutputFailed:
    return OutputFailed(f"cannot write figures to '{folder}': {error.strerror or error}; give another folder")
