"""Execute notebooks and keep what they show.

    python -m experiments.reporting.notebooks [NOTEBOOK ...] [--quick]

Written is the notebook itself, as plainly as it can be: no times, no versions, no counters of the interpreter, so that
the file changes where what it shows does. A cell tagged "measured" shows times, others the same on every machine.
"""

from __future__ import annotations

import argparse
import base64
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from experiments.reporting.asked import EXPERIMENTS

NOTEBOOKS = EXPERIMENTS.parent / "notebooks"
QUICK = "MACPROF_NOTEBOOK_QUICK"
MEASURED = "measured"
PNG = "image/png"
COLOURS = 64
# A cell that takes longer than this is stuck.
SECONDS = 600
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main() -> None:
    """Execute all that are named, each in its folder."""
    parser = argparse.ArgumentParser(
        prog="experiments.reporting.notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="files [all in notebooks/]")
    parser.add_argument("--quick", action="store_true", help="measure as little as can be: the times mean nothing")
    given = parser.parse_args()
    with _settled(quick=given.quick):
        for path in given.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
            execute(path)
            print(path)


def execute(path: Path) -> None:
    """Run every cell of a notebook from the first, in the notebook's folder, and write it with what they show.

    Raises:
        CellExecutionError: a cell raised.
    """
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    # It is not annotated.
    nbformat: Any = import_module("nbformat")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.resolve().parent)}}
    with tempfile.TemporaryDirectory() as folder:
        # Sockets that are files: nobody else on the machine can listen.
        kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(Path(folder) / "kernel"))
        client = NotebookClient(notebook, km=kernel, timeout=SECONDS, resources=resources, record_timing=False)
        client.execute(cleanup_kc=True)
    plain = nbformat.from_dict(tidied(notebook))
    nbformat.validate(plain)
    nbformat.write(plain, path)


def tidied(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook without what differs from one execution to the next and shows nothing."""
    cells = [dict(cell) for cell in notebook["cells"]]
    number = 0
    for cell in cells:
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name == "tags"}
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"] = number
            cell["outputs"] = _tidied_outputs(cell["outputs"], number)
    return {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}


def _tidied_outputs(outputs: list[Any], number: int) -> list[Any]:
    """One stream for what was printed in several goes; counters as the cell's."""
    kept: list[Any] = []
    for output in outputs:
        last = kept[-1] if kept else None
        if last and output["output_type"] == "stream" == last["output_type"] and output["name"] == last["name"]:
            last["text"] += output["text"]
            continue
        plain = dict(output)
        if "metadata" in plain:
            plain["metadata"] = {}
        if PNG in plain.get("data", {}):
            plain["data"] = {**plain["data"], PNG: _smaller(plain["data"][PNG])}
        if "execution_count" in plain:
            plain["execution_count"] = number
        kept.append(plain)
    return kept


def _smaller(text: str) -> str:
    """A figure in 64 colours: it has fewer, but for the edges of its letters."""
    from PIL import Image

    read = Image.open(BytesIO(base64.b64decode(text))).convert("RGB")
    written = BytesIO()
    read.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode() + "\n"


@contextmanager
def _settled(*, quick: bool) -> Iterator[None]:
    """Nothing of this user's own settings is read, no history written; figures go into the notebook."""
    kept = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        own = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "XDG_DATA_HOME")
        os.environ.update({name: str(Path(folder) / name.lower()) for name in own})
        os.environ.pop("MPLBACKEND", None)
        os.environ["PYTHONHASHSEED"] = "0"
        # The tree that this is run from is the one that the notebooks show.
        paths = [str(EXPERIMENTS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
        os.environ.pop(QUICK, None)
        if quick:
            os.environ[QUICK] = "1"
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)


if __name__ == "__main__":
    main()
