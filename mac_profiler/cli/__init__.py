"""Room: one file a verb of `macprof`; the function of the file's name is the command, its docstring the help.

Nothing that takes long to import is imported here or at the top of a verb: help, version and completion are instant.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from mac_profiler.errors import MacprofError
from mac_profiler.registry import did_you_mean, modules_of

STATUS_FAILED = 2
# In the environment: what is not meant to happen is shown with its traceback.
TRACEBACK = "MACPROF_TRACEBACK"
STATUS_INTERRUPTED = 130
STATUS_TERMINATED = 143
HELP_OPTIONS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
# typer brings its own copy of click in newer versions and imports click in older ones; the class is the same by name.
UsageError: Any = next(parent for parent in typer.BadParameter.__mro__ if parent.__name__ == "ClickException")


def app() -> typer.Typer:
    """The application with every verb of the room."""
    application = typer.Typer(
        name="macprof", rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=HELP_OPTIONS
    )
    application.callback(invoke_without_command=True)(macprof)
    for module in modules_of(__name__):
        verb = module.rpartition(".")[2]
        application.command(verb.replace("_", "-"), context_settings=HELP_OPTIONS)(getattr(import_module(module), verb))
    return application


def _print_version(wanted: bool) -> None:
    if wanted:
        from mac_profiler import __version__

        typer.echo(f"macprof {__version__}")
        raise typer.Exit


def macprof(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What a PyTorch architecture costs: multiply-adds, FLOPs, memory access cost and parameters, op by op."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(STATUS_FAILED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 clean, 1 findings, 2 could not run.

    Args:
        arguments: what follows the program's name; None takes the process's.
    """
    if hasattr(sys.stdout, "reconfigure"):
        # A module's name may hold what the terminal cannot show; a "?" in it beats no answer.
        sys.stdout.reconfigure(errors="replace")
    # One short run makes nothing worth collecting, and collections take a tenth of the time that importing torch takes.
    collecting = gc.isenabled()
    gc.disable()
    _end_in_order()
    try:
        command: Any = typer.main.get_command(app())
        status = command(
            args=None if arguments is None else list(arguments), prog_name="macprof", standalone_mode=False
        )
    except MacprofError as error:
        return _fail(str(error))
    except UsageError as error:
        return _fail(_explain(error))
    except (typer.Abort, KeyboardInterrupt):
        return STATUS_INTERRUPTED
    except Exception as error:
        # A mistake of macprof's own: it must not look like findings, which have the status that Python gives to it.
        if os.environ.get(TRACEBACK):
            raise
        return _fail(
            f"a mistake in macprof, {type(error).__name__}: {error}; please report it with the command, and with what "
            f"{TRACEBACK}=1 prints besides"
        )
    finally:
        if collecting:
            gc.enable()
    return status if isinstance(status, int) else 0


def _end_in_order() -> None:
    """Let SIGTERM, by which CI cancels, unwind as Ctrl-C does: temporary folders go, and processes that measure end."""

    def stop(*_: object) -> None:
        raise SystemExit(STATUS_TERMINATED)

    # Whoever calls this from Python and handles the signal goes on handling it; other threads cannot.
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)


def _fail(message: str) -> int:
    # One line, whatever a model's own exception says.
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", message)
    sys.stderr.write(f"macprof: {' '.join(plain.split())}\n")
    return STATUS_FAILED


def _explain(error: Any) -> str:
    """What was wrong with the command line, and where to read what is right."""
    context = getattr(error, "ctx", None)
    said = " ".join(error.format_message().split())
    wrong = getattr(error, "option_name", None)
    path = context.command_path if context else "macprof"
    if context and wrong and said.startswith("No such option"):
        known = [option for parameter in context.command.params for option in parameter.opts]
        said = f"{path} has no option '{wrong}'.{did_you_mean(wrong, known)}"
    elif context and said.startswith("No such command"):
        verbs = list(context.command.commands)
        named = said.split("'")[1]
        said = f"no command named '{named}'.{did_you_mean(named, verbs)} The commands are {', '.join(verbs)}."
    return f"{said.rstrip('.?') + ('?' if said.endswith('?') else '.')} See '{path} --help'."
