"""`macprof analyze`: what a model costs, per module and operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from mac_profiler.options import (
    ArgumentOption,
    FormatOption,
    InputOption,
    ModelOption,
    OutputOption,
    WeightsOption,
    check_choice,
    deliver,
    prepare,
)

if TYPE_CHECKING:
    from mac_profiler.overview import Grouping

DEVICES = ("meta", "cpu", "cuda")
GROUPINGS = ("module", "op", "target")


def _devices() -> list[str]:
    return list(DEVICES)


def _groupings() -> list[str]:
    return list(GROUPINGS)


def analyze(
    model: ModelOption,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    weights: WeightsOption = None,
    train: Annotated[bool, typer.Option("--train", help="Trace the training step: forward and backward pass.")] = False,
    device: Annotated[
        str,
        typer.Option(metavar="DEVICE", autocompletion=_devices, help="Where the model is built: meta, cpu or cuda."),
    ] = "meta",
    by: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS",
            autocompletion=_groupings,
            help="What a row is: module, op or target. Default: op for csv, or else module.",
        ),
    ] = None,
    depth: Annotated[int, typer.Option(min=0, metavar="N", help="Levels of modules to show (tables only).")] = 2,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Largest first by this column, such as accesses (tables only).")
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, metavar="N", help="Show the N largest rows (tables only).")] = None,
    cross_check: Annotated[
        bool, typer.Option("--cross-check", help="Ask fvcore and torch's FlopCounterMode too; say why they differ.")
    ] = False,
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Count what a model costs, op by op.

    Multiply-adds, FLOPs, memory access cost and parameters.

    The model is traced on shapes alone: nothing is computed and no weight is fetched. Weights that are given are
    checked against the model, and loaded where its device has memory for them, or where their values decide.
    """
    from mac_profiler import api
    from mac_profiler.cross_check import compare_named
    from mac_profiler.errors import TraceFailed
    from mac_profiler.models import parse_argument
    from mac_profiler.overview import View, describe
    from mac_profiler.progress import progress

    form = prepare(format, output)
    grouping = by or ("op" if form == "csv" else "module")
    check_choice("--by", grouping, GROUPINGS)
    view = View(cast("Grouping", grouping), depth, sort, top)
    check_choice("--device", device, DEVICES)
    given = dict(parse_argument(argument) for argument in arguments or ())
    shapes = inputs or ()
    with progress(f"analyzing {model}") as say:
        try:
            profile = api.analyze_named(
                model, arguments=given, inputs=shapes, train=train, device=device, weights=weights, progress=say
            )
        except TraceFailed as error:
            called = f"--input {' --input '.join(shapes)}" if shapes else "its default input"
            raise TraceFailed(f"{error} (called with {called}; --input gives another)") from error
        comparison = None
        if cross_check:
            say(f"asking fvcore and FlopCounterMode about {model}")
            comparison = compare_named(profile, model, arguments=given, inputs=shapes, device=device, weights=weights)
    deliver(describe(profile, view, comparison), form, output)
