"""`macprof diff`: what changed between two models, two saved analyses, or two revisions of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mac_profiler.errors import InvalidInput
from mac_profiler.options import (
    ArgumentOption,
    BatchOption,
    FormatOption,
    InputOption,
    OutputOption,
    complete_model,
    complete_platform,
    deliver,
    prepare,
)

if TYPE_CHECKING:
    from mac_profiler.difference import Difference

STATUS_FAILED = 1
# Rows that a terminal shows; the other formats have all.
ROWS = 20


def diff(
    sides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BEFORE AFTER]", autocompletion=complete_model,
            help="Models, as for --model of 'macprof analyze', or JSON files of 'macprof analyze' and 'macprof audit'. "
            "With --git, revisions: none is HEAD, and one is compared with the working tree.",
        ),
    ] = None,
    git: Annotated[
        bool, typer.Option("--git", help="Compare revisions of --model in its git repository; nothing is checked out.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="With --git: file.py:callable or package.module:callable."),
    ] = None,
    inputs: InputOption = None,
    arguments: ArgumentOption = None,
    before_arguments: Annotated[
        list[str] | None, typer.Option("--before-arg", metavar="KEY=VALUE", help="Argument for the first alone.")
    ] = None,
    after_arguments: Annotated[
        list[str] | None, typer.Option("--after-arg", metavar="KEY=VALUE", help="Argument for the second alone.")
    ] = None,
    batch: BatchOption = 1,
    platform: Annotated[
        str, typer.Option(metavar="NAME", autocompletion=complete_platform, help="What findings are priced by.")
    ] = "nominal",
    budget: Annotated[
        str | None,
        typer.Option(metavar="LIMITS", help="Fail where more is added: mult_adds=+5%,accesses=+0,parameters=3M."),
    ] = None,
    fail_on_new: Annotated[
        bool, typer.Option("--fail-on-new", help="Fail where a finding is new or worse, notes left aside.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Rows of a table. Default: 20 in a text, or else all.")
    ] = None,
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Tell what changed between two models.

    Totals, modules, operators, findings and score. Markdown is made for the comment of a pull request. Status 1 where a
    budget is exceeded, or with --fail-on-new a finding is new.
    """
    from mac_profiler import api
    from mac_profiler.difference import parse_allowances
    from mac_profiler.models import parse_argument
    from mac_profiler.progress import progress

    form = prepare(format, output)
    names = list(sides or ())
    _check(names, git, model)
    first, second = ((*(arguments or ()), *(own or ())) for own in (before_arguments, after_arguments))
    for text in (*first, *second):
        parse_argument(text)
    allowances = parse_allowances(budget) if budget is not None else ()
    asked = api.Asked(api.audit_settings(platform=platform), tuple(inputs or ()), batch, first, second, allowances)
    with progress("comparing") as say:
        if git:
            difference = api.differ_revisions(names, model, asked, progress=say)
        else:
            difference = api.differ_named(names[0], names[1], asked, progress=say)
    _deliver(difference, form, output, top, fail_on_new)


def _check(names: list[str], git: bool, model: str | None) -> None:
    """Raises InvalidInput: they are not as many as can be compared."""
    if git and len(names) > 2:
        raise InvalidInput(f"--git takes two revisions at most, not {len(names)}: {' '.join(names)}")
    if not git and model is not None:
        raise InvalidInput("--model goes with --git; without it, name two models: macprof diff BEFORE AFTER")
    if not git and len(names) != 2:
        raise InvalidInput(f"macprof diff takes two models, not {len(names)}; with --git, revisions of --model")


def _deliver(difference: Difference, form: str, output: str | None, top: int | None, fail_on_new: bool) -> None:
    from mac_profiler.difference.comment import comment
    from mac_profiler.difference.document import describe
    from mac_profiler.output import write_file, write_stdout

    if fail_on_new and difference.findings is None:
        raise InvalidInput("--fail-on-new: a saved analysis has no findings; compare models, or saved audits")
    if form == "markdown":
        text = comment(difference, top=top)
        if output is None:
            write_stdout(text)
        else:
            write_file(output, text)
    else:
        shown = ROWS if top is None and form == "text" else top
        deliver(
            describe(difference, top=shown, rows_first=form == "csv" and difference.modules is not None), form, output
        )
    if difference.fails(on_new=fail_on_new):
        raise typer.Exit(STATUS_FAILED)
