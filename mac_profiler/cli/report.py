"""`macprof report`: models as one page of HTML, or as a file for another viewer."""

from __future__ import annotations

from typing import Annotated

import typer

from mac_profiler.options import ArgumentOption, BatchOption, InputOption, OutputOption, PricedByOption, complete_model


def _complete_export(incomplete: str) -> list[str]:
    from mac_profiler import exports

    return [name for name in exports.formats() if name.startswith(incomplete)]


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL", show_default=False, autocompletion=complete_model,
            help="Models as 'macprof analyze' names them; several are compared.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", autocompletion=complete_model, help="The same, as an option."),
    ] = None,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    batch: BatchOption = 1,
    platform: PricedByOption = None,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Settings. Default: tool.macprof of the nearest pyproject.toml."),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Build every finding and its remedy, and measure them here in turns.")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT", autocompletion=_complete_export,
            help="Not the page but a file for another viewer: model-explorer, node-data (for Model Explorer too), "
            "perfetto or speedscope.",
        ),
    ] = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Write what models cost as one page that needs no network: charts, findings and every operator.

    Summary and score, modules by multiply-adds, memory access and predicted time, roofline, findings of the audit,
    a table of operators that sorts and filters, and a comparison of several models.
    """
    from mac_profiler import api, exports
    from mac_profiler.models import parse_argument
    from mac_profiler.options import check_choice
    from mac_profiler.output import check_writable, write_file, write_stdout
    from mac_profiler.progress import progress

    if export is not None:
        check_choice("--export", export, exports.formats())
    if output is not None:
        check_writable(output)
    settings = api.audit_settings(config, platform=platform)
    with progress("auditing") as say:
        audits = api.audits_named(
            [*(names or ()), *(models or ())],
            settings,
            arguments=dict(parse_argument(argument) for argument in arguments or ()),
            inputs=tuple(inputs or ()),
            batch=batch,
            measure=measure,
            progress=say,
        )
    text = api.report_page(audits) if export is None else exports.render(audits, export)
    if output is None:
        write_stdout(text)
    else:
        write_file(output, text)
