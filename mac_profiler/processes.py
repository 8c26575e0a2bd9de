"""Processes: how macprof starts itself anew, to measure, or to see the code of another folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# The folder that this macprof is imported from.
HOME = Path(__file__).resolve().parents[1]


def own(module: str, *arguments: str) -> tuple[list[str], Mapping[str, str]]:
    """Command and environment of a process that runs a module of this macprof.

    The current folder is not on its path from the start: a file there may have the name of a module of Python's.

    Args:
        module: "mac_profiler.worker".
        *arguments: of its command line.
    """
    path = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH"))))
    return [sys.executable, "-P", "-m", module, *arguments], {**os.environ, "PYTHONPATH": path}
