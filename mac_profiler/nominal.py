"""Nominal: the platform that an audit reckons with where this machine is not calibrated: the paper's GPU.

ShuffleNet V2 (arXiv 1807.11164v1) measures on one GeForce GTX 1080 Ti, networks with 8 images at once. Its maker
gives 3584 multiply-adds a clock of 1.582 GHz and 484 GB/s; a launch takes 5 microseconds, as is usual, and is shared
by the 8 images. Every kind of work is at these peaks, operators one by one: nothing here was measured or fitted, so
that shares of such a time are a matter of multiply-adds, memory access and number of operators alone.
"""

from __future__ import annotations

from mac_profiler.kinds_of_work import KINDS
from mac_profiler.platform import Law, Platform

NOMINAL = "nominal"
MULT_ADDS_A_SECOND = 3584 * 1.582e9
BYTES_A_SECOND = 484e9
LAUNCH_SECONDS = 5e-6 / 8


def nominal_platform() -> Platform:
    """The paper's GPU at its peaks; its figures are stated, not measured."""
    byte = 1 / BYTES_A_SECOND
    # A FLOP that is no part of a multiply-add takes a slot of one.
    law = Law(1 / MULT_ADDS_A_SECOND, byte, byte, byte, LAUNCH_SECONDS)
    laws = dict.fromkeys(KINDS, law)
    return Platform(
        NOMINAL,
        "cuda",
        "float32",
        False,
        laws,
        provenance={"stated": "GeForce GTX 1080 Ti by its data sheet, 8 images at once"},
    )
