"""`macprof calibrate`: what this machine can do, measured in about a minute."""

from __future__ import annotations

from typing import Annotated

import typer

from mac_profiler.options import DeviceOption, FormatOption, deliver, prepare


def calibrate(
    device: DeviceOption = "cpu",
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="Of weights and inputs.")] = "float32",
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads of an operator on the CPU.")] = 1,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the platform. Default: from device, dtype and threads.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="The profile. Default: one among the user's data."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the order in which probes take turns.")] = 0,
    format: FormatOption = None,
) -> None:
    """Measure what this machine can do.

    Rates of every kind of work, bandwidths, launches: about a minute. From that profile 'macprof why' tells where a
    model's time goes, without running it.
    """
    from dataclasses import replace

    from mac_profiler import api
    from mac_profiler.atlas import describe_platform
    from mac_profiler.calibrate import SETTINGS
    from mac_profiler.progress import progress

    form = prepare(format, None)
    settings = replace(SETTINGS, device=device, dtype=dtype, threads=threads, seed=seed)
    named = name or f"{device}-{dtype}" + (f"-{threads}-threads" if device == "cpu" and threads > 1 else "")
    with progress("measuring") as say:
        platform, place = api.calibrate(settings, name=named, output=output, progress=say)
    deliver(describe_platform(platform, place), form, None)
