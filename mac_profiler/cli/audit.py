"""`macprof audit`: what in a network breaks which guideline, where, what it costs, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from mac_profiler.options import (
    ArgumentOption,
    BatchOption,
    DeviceOption,
    InputOption,
    ModelOption,
    OutputOption,
    PricedByOption,
    deliver,
    prepare,
)

STATUS_FOUND = 1


def audit(
    model: ModelOption,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    batch: BatchOption = 1,
    select: Annotated[
        list[str] | None, typer.Option(metavar="CODES", help="Only these rules, or those that begin so: G1,G301.")
    ] = None,
    extend_select: Annotated[list[str] | None, typer.Option(metavar="CODES", help="These rules too.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="CODES", help="Not these rules.")] = None,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", metavar="CODE=NUMBER", help="Another limit than the rule's own.")
    ] = None,
    min_severity: Annotated[
        str | None, typer.Option(metavar="SEVERITY", help="Leave out what is below: info, warning or error.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="LIMITS", help="Fail above these: mult_adds=150M,accesses=20M,parameters=3M.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE", help="Findings that are known; only new ones are shown and fail.")
    ] = None,
    write_baseline: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the findings there, as known from now on, and end.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Settings. Default: tool.macprof of the nearest pyproject.toml."),
    ] = None,
    platform: PricedByOption = None,
    device: DeviceOption = "cpu",
    measure: Annotated[
        bool, typer.Option("--measure", help="Build every finding and its remedy, and measure them here in turns.")
    ] = False,
    fix_preview: Annotated[
        bool, typer.Option("--fix-preview", help="Rewrite what keeps the function, and compare the outputs.")
    ] = False,
    blocks: Annotated[bool, typer.Option("--blocks", help="Show the fork-join blocks too.")] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--output-format", "--format", "-f", metavar="FORMAT",
            help="text, json, csv, markdown, sarif, github or junit. Default: as --output ends, or else text.",
        ),
    ] = None,
    output: OutputOption = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Status 0, whatever is found.")] = False,
) -> None:  # fmt: skip
    """Find what breaks the guidelines of ShuffleNet V2 in a model.

    Status 1 where a finding is more than a note, or a budget is exceeded. A layer is left alone whose line says
    '# macprof: ignore[G201] reason'.
    """
    from mac_profiler import api, notices
    from mac_profiler.models import parse_argument
    from mac_profiler.output import check_writable
    from mac_profiler.progress import progress
    from mac_profiler.proof import SETTINGS
    from mac_profiler.verdict import describe_audit

    chosen = prepare(form, output, notices.formats())
    if write_baseline is not None:
        check_writable(write_baseline)
    settings = api.audit_settings(
        config, limits=limits or (), budget=budget, select=select, extend_select=extend_select, ignore=ignore,
        min_severity=min_severity, baseline=baseline, platform=platform, exit_zero=exit_zero or None,
    )  # fmt: skip
    with progress("auditing") as say:
        audited = api.audit_named(
            model,
            settings,
            arguments=dict(parse_argument(argument) for argument in arguments or ()),
            inputs=tuple(inputs or ()),
            batch=batch,
            device=device,
            measure=SETTINGS if measure else None,
            preview=fix_preview,
            known_to=write_baseline,
            progress=say,
        )
    deliver(describe_audit(audited, blocks=blocks), chosen, output)
    if audited.fails and not settings.exit_zero and write_baseline is None:
        raise typer.Exit(STATUS_FOUND)
