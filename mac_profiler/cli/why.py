"""`macprof why`: where a model's time goes on a machine, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mac_profiler.options import (
    ArgumentOption,
    BatchOption,
    DeviceOption,
    FormatOption,
    InputOption,
    ModelOption,
    OutputOption,
    complete_platform,
    deliver,
    prepare,
)

if TYPE_CHECKING:
    from mac_profiler.platform import Platform


def why(
    model: ModelOption,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    batch: BatchOption = 1,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", autocompletion=complete_platform,
            help="Name from 'macprof platforms', a profile's file, or nominal, the paper's GPU by its data sheet. "
            "Default: this machine, if it is calibrated.",
        ),
    ] = None,
    device: DeviceOption = "cpu",
    fused: Annotated[
        bool, typer.Option("--fused", help="As an ideal engine would run it, that fuses operators.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run the model here, and set its operators' times beside the predicted.")
    ] = False,
    depth: Annotated[int, typer.Option(min=0, metavar="N", help="Levels of modules.")] = 1,
    roofline: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw the model's operators under the roofline, png or svg.")
    ] = None,
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Tell where a model's time goes, and why.

    Computing, memory access or launches; by kind of work and by module. The time is predicted from counts and a
    platform's profile; see 'macprof calibrate'.
    """
    from dataclasses import replace

    from mac_profiler import api
    from mac_profiler.explain import explain
    from mac_profiler.models import parse_argument
    from mac_profiler.progress import progress

    form = prepare(format, output)
    if roofline is not None:
        from mac_profiler.roofline import check_picture

        check_picture(roofline)
    chosen = _choose(platform, device, measure)
    if fused:
        chosen = replace(chosen, fused=True)
    with progress("counting") as say:
        prediction, observed = api.predict_named(
            model,
            chosen,
            arguments=dict(parse_argument(argument) for argument in arguments or ()),
            inputs=tuple(inputs or ()),
            batch=batch,
            observe=measure,
            progress=say,
        )
    if roofline is not None:
        from mac_profiler.roofline import write_roofline

        write_roofline(chosen, roofline, prediction)
    deliver(explain(prediction, observed, depth=depth), form, output)


def _choose(name: str | None, device: str, measure: bool) -> Platform:
    """The platform that was named, or this machine's.

    Raises:
        InvalidInput: it is to be measured on another machine than this.
    """
    from mac_profiler import api
    from mac_profiler.errors import InvalidInput
    from mac_profiler.shelf import load, why_not_here

    if name is None:
        return api.platform_here(device)
    chosen = load(name)
    reason = why_not_here(chosen, api.environment_here(chosen.device)) if measure else ""
    if reason:
        raise InvalidInput(f"--measure: {reason}; leave --measure or --platform out")
    return chosen
