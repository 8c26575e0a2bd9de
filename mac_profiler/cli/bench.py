"""`macprof bench`: measure the guidelines' benchmarks, or models, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from mac_profiler.options import (
    ArgumentOption,
    DeviceOption,
    FormatOption,
    InputOption,
    OutputOption,
    StoreOption,
    complete_model,
    deliver,
    prepare,
)


def _complete_benchmark(incomplete: str) -> list[str]:
    from mac_profiler import benchmarks

    return [name for name in (*benchmarks.names(), benchmarks.EVERYTHING) if name.startswith(incomplete)]


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BENCHMARK", show_default=False, autocompletion=_complete_benchmark,
            help="g1, g2, g3, g4 (the guidelines of ShuffleNet V2), another of the room, or all.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", autocompletion=complete_model,
                     help="Measure this model, as 'macprof analyze' names it; may be repeated."),
    ] = None,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Images at once, of models.")] = 1,
    device: DeviceOption = "cpu",
    quick: Annotated[bool, typer.Option("--quick", help="A look: fewer sizes, one process, little time.")] = False,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads of an operator on the CPU.")] = 1,
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="Of weights and inputs.")] = "float32",
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Memory format of maps.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="Through torch.compile.")] = False,
    cold: Annotated[bool, typer.Option("--cold", help="Empty the caches before every call.")] = False,
    graph: Annotated[bool, typer.Option("--graph", help="Replay a CUDA graph: launches are not in the time.")] = False,
    precision: Annotated[
        float, typer.Option(min=0.0001, max=0.5, metavar="SHARE", help="Half width of a median's interval.")
    ] = 0.01,
    max_seconds: Annotated[
        float | None, typer.Option(min=0.01, metavar="S", help="For a case; then it stops, precise or not.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many processes measure every case.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the order in which cases take turns.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last unfinished run of these.")] = False,
    store: StoreOption = None,
    figures: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Draw the guidelines' figures there, png and svg.")
    ] = None,
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Measure benchmarks or models.

    Cases that are compared take turns in random order; each is timed until its median is precise. Every sample is
    kept, see 'macprof results'.
    """
    from mac_profiler import api
    from mac_profiler.measurement import Settings
    from mac_profiler.models import parse_argument
    from mac_profiler.plan import Plan, shortened
    from mac_profiler.progress import progress

    form = prepare(format, output)
    settings = Settings(
        device=device, threads=threads, dtype=dtype, channels_last=channels_last, compiled=compiled, cold=cold,
        graph=graph, precision=precision, seed=seed,
    )  # fmt: skip
    if quick:
        settings = shortened(settings)
    settings = settings.with_limits(max_seconds, processes)
    plan = Plan(
        benchmarks=tuple(names or ()),
        models=tuple(models or ()),
        arguments=dict(parse_argument(argument) for argument in arguments or ()),
        inputs=tuple(inputs or ()),
        batch=batch,
        quick=quick,
        settings=settings,
    )
    with progress("measuring") as say:
        document = api.bench(plan, store=store, resume=resume, figures=figures, progress=say)
    deliver(document, form, output)
