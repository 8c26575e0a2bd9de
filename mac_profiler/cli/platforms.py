"""`macprof platforms`: what is known of machines, and learning one from a table of speeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mac_profiler.errors import InvalidInput
from mac_profiler.options import FormatOption, OutputOption, check_choice, complete_platform, deliver, prepare

if TYPE_CHECKING:
    from mac_profiler.document import Document

# What can be done, and what it is done with.
ACTIONS = {"list": "", "show": "a platform", "plot": "a platform", "fit": "a table"}


def _complete_action(incomplete: str) -> list[str]:
    return [action for action in ACTIONS if action.startswith(incomplete)]


def platforms(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", show_default=False, autocompletion=_complete_action, help="list, show, plot, fit."
        ),
    ] = "list",
    subject: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUBJECT", show_default=False, autocompletion=complete_platform,
            help="Name or file of a platform; of fit, a table of speeds.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the platform that is fitted.")] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="That the table was measured on.")] = "cuda",
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="That the table was measured in.")] = "float32",
    format: FormatOption = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """List, show, plot and learn platforms.

    \b
    list        every platform; what is done when nothing is said
    show NAME   its rates, bandwidths and laws, and where they come from
    plot NAME   its roofline, to the png or svg of --output
    fit TABLE   learn a platform from measured speeds of known models, in
                the layout of timm's results; kept as --name, or written
                to --output
    """  # noqa: D301 - not an escaped letter but the sign by which click leaves a paragraph as it is
    check_choice("ACTION", action, list(ACTIONS))
    given = subject or []
    if len(given) != bool(ACTIONS[action]):
        raise InvalidInput(f"'macprof platforms {action}' takes {ACTIONS[action] or 'nothing'}, not {len(given)} names")
    if action == "plot":
        return _plot(given[0], output)
    if action == "fit":
        return _fit(given[0], name, device, dtype, format, output)
    form = prepare(format, output)
    return deliver(_describe(action, given), form, output)


def _describe(action: str, given: Sequence[str]) -> Document:
    from mac_profiler.atlas import describe_platform, list_platforms
    from mac_profiler.shelf import folder, load, names

    if action == "show":
        return describe_platform(load(given[0]), given[0])
    return list_platforms([load(name) for name in names()], str(folder()))


def _plot(name: str, output: str | None) -> None:
    from mac_profiler.roofline import write_roofline
    from mac_profiler.shelf import load

    if output is None:
        raise InvalidInput("a roofline is a picture, and is not written to a terminal; give a file with --output")
    write_roofline(load(name), output)


def _fit(table: str, name: str | None, device: str, dtype: str, format: str | None, output: str | None) -> None:
    from mac_profiler import api, devices
    from mac_profiler.atlas import describe_platform
    from mac_profiler.graph import FLOATING
    from mac_profiler.progress import progress

    if name is None:
        raise InvalidInput("'macprof platforms fit' names what it learns: give --name")
    # A name that nothing else knows would only come to light when the platform is used.
    check_choice("--device", device, devices.names())
    check_choice("--dtype", dtype, sorted(FLOATING))
    form = prepare(format, None)
    with progress("counting") as say:
        platform, place, left_out = api.fit_platform(
            table, name=name, device=device, dtype=dtype, output=output, progress=say
        )
    deliver(describe_platform(platform, place, left_out), form, None)
