"""`macprof models`: what can be analyzed by name, and what was published about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mac_profiler.options import FormatOption, OutputOption, deliver, prepare

if TYPE_CHECKING:
    from mac_profiler.document import Document, Line
    from mac_profiler.models import Entry, Published

SHOWN = ("model", "family", "input_shape", "published_mult_adds", "published_parameters", "reading")
ELSEWHERE = (
    "Other models: torchvision:NAME and timm:NAME, such as torchvision:resnet50 (macprof[torchvision] and "
    "macprof[timm] install them); package.module:callable and path/file.py:callable call what returns a model."
)


def models(format: FormatOption = None, output: OutputOption = None) -> None:
    """List the models, with published figures."""
    from mac_profiler.models import entries

    form = prepare(format, output)
    deliver(list_models(entries(), spelt_out=form == "csv"), form, output)


def list_models(entries: Sequence[Entry], *, spelt_out: bool = False) -> Document:
    """The models as a document, published figures as their sources print them.

    Args:
        entries: the models.
        spelt_out: name the sources in every row, instead of by number with a legend.
    """
    from mac_profiler.columns import COLUMNS
    from mac_profiler.document import Document, Table

    sources = dict.fromkeys(figure.source for entry in entries for figure in _figures(entry))
    numbers = {} if spelt_out else {source: f"[{i}]" for i, source in enumerate(sources, 1)}
    shown = (*SHOWN, "published_in") if spelt_out else SHOWN
    aliases = [f"{alias} is {entry.name}" for entry in entries for alias in entry.aliases]
    return Document(
        title=f"{len(entries)} models",
        facts={},
        tables=(Table(tuple(COLUMNS[key] for key in shown), tuple(_line(entry, numbers) for entry in entries)),),
        notes=(f"Other names: {', '.join(aliases)}.", ELSEWHERE) if aliases else (ELSEWHERE,),
        legend=(
            ("multiply-adds, parameters", "as the sources print them"),
            ("matches", "which count of ours a source's figures follow; where it is empty, the plain total, rounded"),
            *((number, source) for source, number in numbers.items()),
        ),
        data=lambda: _data(entries),
    )


def _figures(entry: Entry) -> list[Published]:
    return [figure for figure in entry.published if figure.quantity in ("mult_adds", "parameters")]


def _line(entry: Entry, numbers: Mapping[str, str]) -> Line:
    from mac_profiler.document import Line

    shown = _figures(entry)

    def printed(quantity: str) -> str:
        sources: dict[str, str] = {}
        for figure in shown:
            if figure.quantity == quantity:
                sources[figure.printed] = sources.get(figure.printed, "") + numbers.get(figure.source, "")
        return " ".join(f"{figure}{numbered}" for figure, numbered in sources.items())

    return Line(
        {
            "model": entry.name,
            "family": entry.family,
            "input_shape": entry.input_shape,
            "published_mult_adds": printed("mult_adds"),
            "published_parameters": printed("parameters"),
            "reading": "; ".join(
                dict.fromkeys(f"{figure.printed}: {figure.reading}" for figure in shown if figure.reading)
            ),
            "published_in": "; ".join(dict.fromkeys(figure.source for figure in shown)),
        }
    )


def _data(entries: Sequence[Entry]) -> Mapping[str, Any]:
    return {"schema_version": 1, "models": [asdict(entry) for entry in entries]}
