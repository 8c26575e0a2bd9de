"""Room: one file a family of probes, small networks whose times tell what a machine can do.

What is learned from them, and how, stands in `mac_profiler.calibrate`.

A file has ``cases(settings)``, and nothing in it needs torch until a case is built. A case's group says what it tells:

- a kind of work (`mac_profiler.work.KINDS`): nearly all of its time goes to operators of that kind;
- ``BANDWIDTH``: it touches a known number of bytes, its axis ``working_set``, in one way, its axis ``way``;
- ``NETWORK``: operators of many kinds in turns, as in a network.

No probe is a network that somebody uses: a platform that is calibrated has seen none of those.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from mac_profiler.measurement import Case, Scalar, Settings
from mac_profiler.registry import modules_of

CALIBRATION = "calibration"
BANDWIDTH, NETWORK = "bandwidth", "network"


def cases(settings: Settings) -> list[Case]:
    """All probes, those of a group together, on a device."""
    found = [case for name in modules_of(__name__) for case in import_module(name).cases(settings)]
    return sorted(found, key=lambda case: case.group)


def probe(group: str, name: str, build: Callable[[], tuple[Any, tuple[Any, ...]]], **axes: Scalar) -> Case:
    """One probe.

    Args:
        group: what it tells.
        name: its own, within the group.
        build: makes module and inputs.
        **axes: what a reader of the samples needs.
    """
    return Case(CALIBRATION, group, name, axes, build)
