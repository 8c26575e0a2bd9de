"""Options: those that several verbs share, and what they all do with a finished document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mac_profiler.errors import InvalidInput
from mac_profiler.registry import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mac_profiler.document import Document


def complete_model(incomplete: str) -> list[str]:
    """Names of models, for the shell."""
    from mac_profiler import models

    return models.complete(incomplete)


def complete_platform(incomplete: str) -> list[str]:
    """Names of the platforms that are kept, for the shell."""
    from mac_profiler.shelf import names

    return [name for name in names() if name.startswith(incomplete)]


def _complete_device(incomplete: str) -> list[str]:
    from mac_profiler import devices

    return [name for name in devices.names() if name.startswith(incomplete)]


def _complete_format(incomplete: str) -> list[str]:
    from mac_profiler.report import formats

    return [name for name in formats() if name.startswith(incomplete)]


ModelOption = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="MODEL", autocompletion=complete_model,
        help="Name from 'macprof models', torchvision:NAME, timm:NAME, package.module:callable or file.py:callable.",
    ),
]  # fmt: skip
InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="SHAPE", help="Input, 8x3x224x224 or NAME=1x128:int64; may be repeated."),
]
ArgumentOption = Annotated[
    list[str] | None,
    typer.Option("--arg", "-a", metavar="KEY=VALUE", help="Argument for building the model; may be repeated."),
]
BatchOption = Annotated[int, typer.Option(min=1, metavar="N", help="Images at once, where no --input is given.")]
# `why` and `diff` have other defaults.
PricedByOption = Annotated[
    str | None,
    typer.Option(
        "--platform", metavar="NAME", autocompletion=complete_platform,
        help="What times are told by: a name from 'macprof platforms', a file, or nominal, the paper's GPU by its data "
        "sheet. Default: this machine, if it is calibrated, or else nominal.",
    ),
]  # fmt: skip
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights", "-w", metavar="FILE",
        help="Checkpoint of the model, from torch.save; what it holds besides tensors is never run.",
    ),
]  # fmt: skip
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="FORMAT", autocompletion=_complete_format,
        help="text, json, csv or markdown. Default: what the ending of --output says, or else text.",
    ),
]  # fmt: skip
OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, whole or not at all.")
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="FILE",
        help="File of results. Default: what MACPROF_STORE names, or else one among the user's data.",
    ),
]  # fmt: skip
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="DEVICE", autocompletion=_complete_device, help="cpu, cuda or mps.")
]


def check_choice(option: str, value: str, choices: Sequence[str]) -> str:
    """The value, if it is one of the choices.

    Raises:
        InvalidInput: it is none.
    """
    if value not in choices:
        raise InvalidInput(
            f"{option} cannot be '{value}'.{did_you_mean(value, list(choices))} It is one of {', '.join(choices)}."
        )
    return value


def prepare(form: str | None, output: str | None, more: Sequence[str] = ()) -> str:
    """The output format; checked with the place of the output before the work, which may take long.

    Args:
        form: that was asked for.
        output: file that is written.
        more: formats that a verb has besides those of every report.

    Raises:
        InvalidInput: no such format.
        OutputFailed: the output cannot be written there.
    """
    from mac_profiler.output import check_writable
    from mac_profiler.report import choose_format

    chosen = choose_format(form, output, more)
    if output is not None:
        check_writable(output)
    return chosen


def deliver(document: Document, form: str, output: str | None) -> None:
    """Render a document and write it to the file, or to standard output.

    Raises:
        OutputFailed: the output cannot be written.
    """
    from mac_profiler.document import Screen
    from mac_profiler.output import shows_color, shows_unicode, terminal_width, write_file, write_stdout
    from mac_profiler.report import formats, render

    if form not in formats():
        from mac_profiler.notices import render
    if output is None:
        write_stdout(render(document, form, Screen(terminal_width(), shows_color(), shows_unicode())))
    else:
        write_file(output, render(document, form, Screen(terminal_width())))
