"""`macprof compare`: networks side by side, measured if wanted, and a paper's own tables anew."""

from __future__ import annotations

from typing import Annotated

import typer

from mac_profiler.options import (
    DeviceOption,
    FormatOption,
    InputOption,
    OutputOption,
    PricedByOption,
    StoreOption,
    check_choice,
    complete_model,
    deliver,
    prepare,
)


def _complete_preset(incomplete: str) -> list[str]:
    from mac_profiler import presets

    return [name for name in presets.names() if name.startswith(incomplete)]


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL", show_default=False, autocompletion=complete_model,
            help="As 'macprof analyze --model' takes it; two or more, or those that join a preset.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", autocompletion=_complete_preset,
                     help="The networks of a published table, such as v2-table8; an unknown name lists them all."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="MODEL", autocompletion=complete_model, help="Set the others beside this one.")
    ] = None,
    inputs: InputOption = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Images at once. Default: 1, or what the preset takes.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Largest first. Default: by level and multiply-adds.")
    ] = None,
    platform: PricedByOption = None,
    measure: Annotated[bool, typer.Option("--measure", help="Run every network here, in turns.")] = False,
    device: DeviceOption = "cpu",
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads of an operator on the CPU.")] = 1,
    max_seconds: Annotated[
        float | None, typer.Option(min=0.01, metavar="S", help="For a network; then it stops, precise or not.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many processes measure every network.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last unfinished run of these.")] = False,
    store: StoreOption = None,
    figures: Annotated[str | None, typer.Option(metavar="FOLDER", help="Draw figures there, png and svg.")] = None,
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Compare networks: what they take, how fast they are, what was published of them, and whose order agrees.

    Without --measure times are predicted from counts. What is measured is kept, see 'macprof results'.
    """
    from mac_profiler import api, devices
    from mac_profiler.errors import InvalidInput
    from mac_profiler.league import describe_comparison
    from mac_profiler.measurement import Settings
    from mac_profiler.progress import progress
    from mac_profiler.tallies import check_sort

    form = prepare(format, output)
    check_choice("--device", device, devices.names())
    if sort is not None:
        check_sort(sort)
    given = {"--resume": resume, "--max-seconds": max_seconds, "--processes": processes, "--store": store}
    useless = [name for name, value in given.items() if value]
    if useless and not measure:
        raise InvalidInput(f"{useless[0]} tells how to measure, and nothing is measured; add --measure or leave it out")
    if figures is not None:
        from mac_profiler.comparison_figures import draw_all
        from mac_profiler.pictures import make_folder

        make_folder(figures)
    settings = Settings(device=device, threads=threads).with_limits(max_seconds, processes)
    with progress("counting") as say:
        found = api.compare(
            tuple(names or ()),
            preset=preset,
            inputs=tuple(inputs or ()),
            batch=batch,
            baseline=baseline,
            platform=platform,
            device=device,
            measure=settings if measure else None,
            store=store,
            resume=resume,
            progress=say,
        )
        if figures is not None:
            say("drawing")
            draw_all(found, figures)
    # One table is all that CSV holds: everything is in it.
    deliver(describe_comparison(found, sort=sort, whole=form == "csv"), form, output)
