"""`macprof results`: what was measured, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from mac_profiler.errors import InvalidInput
from mac_profiler.options import OutputOption, StoreOption, check_choice, deliver, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from mac_profiler.document import Document
    from mac_profiler.store import Store

# What can be done, and of how many runs: at least and at most.
ACTIONS = {"list": (0, 0), "show": (0, 1), "export": (0, 1), "compare": (2, 2)}
EXPORTS = ("json", "csv", "parquet")


def _complete_action(incomplete: str) -> list[str]:
    return [action for action in ACTIONS if action.startswith(incomplete)]


def _complete_run(incomplete: str) -> list[str]:
    from mac_profiler.errors import MacprofError
    from mac_profiler.store import LAST, open_store

    try:
        with open_store(read_only=True) as store:
            known = [run.id for run in store.runs()]
    except MacprofError:
        return []
    return [name for name in (*known, LAST) if name.startswith(incomplete)]


def _complete_format(incomplete: str) -> list[str]:
    from mac_profiler.report import formats

    return [name for name in dict.fromkeys([*formats(), *EXPORTS]) if name.startswith(incomplete)]


def results(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", show_default=False, autocompletion=_complete_action, help="list, show, export, compare."
        ),
    ] = "list",
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN", show_default=False, autocompletion=_complete_run, help="Id, its beginning, or last."
        ),
    ] = None,
    store: StoreOption = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", metavar="FORMAT", autocompletion=_complete_format,
            help="text, json, csv or markdown; of export: json, csv or parquet. Default: what the ending of --output "
            "says, or else text, and json of export.",
        ),
    ] = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """List, show, export and compare what was measured.

    \b
    list             every run; what is done when nothing is said
    show RUN         its cases with their medians, machine and settings
    export RUN       every sample of it, as json, csv or parquet
    compare RUN RUN  the cases that both have: the second run beside the first

    Show and export take the last run when none is named.
    """  # noqa: D301 - not an escaped letter but the sign by which click leaves a paragraph as it is
    from mac_profiler.store import open_store

    check_choice("ACTION", action, list(ACTIONS))
    given = runs or []
    least, most = ACTIONS[action]
    if not least <= len(given) <= most:
        raise InvalidInput(_say_how_many(action, given))
    form = _choose_export(format, output) if action == "export" else prepare(format, output)
    unused = _find_unused(store)
    if unused is not None:
        return _say_unused(unused, action, form, output)
    with open_store(store, read_only=True) as opened:
        if form == "parquet":
            return _export_parquet(opened, given, output or "")
        document = _describe(opened, action, given)
    return deliver(document, form, output)


def _say_how_many(action: str, given: Sequence[str]) -> str:
    wanted = {"list": "no run", "show": "one run", "export": "one run", "compare": "two runs"}[action]
    return f"'macprof results {action}' takes {wanted}, not {len(given)}; 'macprof results list' lists them"


def _choose_export(format: str | None, output: str | None) -> str:
    from pathlib import PurePath

    from mac_profiler.output import check_writable

    ending = PurePath(output or "").suffix.lower().removeprefix(".")
    form = check_choice("--format", format or (ending if ending in EXPORTS else EXPORTS[0]), EXPORTS)
    if output is not None:
        check_writable(output)
    if form == "parquet":
        _require_parquet()
        if output is None:
            raise InvalidInput("parquet is no text, and is not written to a terminal; give a file with --output")
    return form


def _find_unused(store: str | None) -> Path | None:
    """Where results would be, if no file was named and nothing was measured yet."""
    from mac_profiler.store import default_path

    place = default_path()
    return None if store is not None or place.exists() else place


def _say_unused(place: Path, action: str, form: str, output: str | None) -> None:
    from mac_profiler.errors import StoreFailed
    from mac_profiler.history import list_runs

    if action != "list":
        raise StoreFailed(f"nothing was measured yet: 'macprof bench' does, and writes it to '{place}'")
    deliver(list_runs([], place), form, output)


def _describe(store: Store, action: str, given: Sequence[str]) -> Document:
    from mac_profiler import history
    from mac_profiler.store import LAST

    if action == "list":
        return history.list_runs(store.runs(), store.path)
    run, *others = [store.find(name) for name in given or [LAST]]
    measured = store.measurements(run.id)
    if action == "show":
        return history.show_run(run, measured)
    if action == "export":
        return history.export_run(run, measured)
    return history.compare_runs(run, others[0], measured, store.measurements(others[0].id))


def _require_parquet() -> None:
    from mac_profiler.errors import MissingPackage

    try:
        import_module("pyarrow")  # pandas asks for it as late as it writes
    except ImportError as error:
        raise MissingPackage("parquet needs pyarrow: pip install 'macprof[parquet]', or export csv or json") from error


def _export_parquet(store: Store, given: Sequence[str], output: str) -> None:
    """Written as a whole or not at all, as texts are."""
    import tempfile
    from pathlib import Path

    from mac_profiler.errors import OutputFailed
    from mac_profiler.history import SAMPLES, sample_rows
    from mac_profiler.store import LAST

    run = store.find(given[0] if given else LAST)
    rows = sample_rows(run, store.measurements(run.id))
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(SAMPLES))
    target = Path(output).resolve()
    try:
        with tempfile.TemporaryDirectory(prefix=".macprof-", dir=target.parent) as folder:
            part = Path(folder) / target.name
            frame.to_parquet(part, index=False)
            part.replace(target)
    except OSError as error:
        raise OutputFailed(f"cannot write '{output}': {error.strerror or error}; give another place") from error
