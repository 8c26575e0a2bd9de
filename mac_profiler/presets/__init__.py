"""Room: one file a preset of `macprof compare`: a published table of networks, to be counted and measured anew.

A file holds, and needs no torch:

- ``NAME``: what it is asked for by: "v2-table8".
- ``TITLE``: a few words. Where the figures come from is said by the table.
- ``SOURCE``: citation.
- ``TABLE``: name of the table in `mac_profiler.published`.
- ``rows(table)``: its rows as `Row`, in printed order, with the images that each is called with.
- ``BASELINE``, where the paper compares with one network: its name in the zoo.
- ``NOTES``, where a reader must know more: sentences.
- ``build(model)``, where a row is about no network of the zoo: makes its module.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from mac_profiler import published
from mac_profiler.errors import UnknownName
from mac_profiler.published import Published, Table
from mac_profiler.registry import did_you_mean, modules_of

PREFIX = "preset"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a preset.

    Attributes:
        label: what the paper calls it.
        model: name in the zoo, or one that the preset builds; "" where there is nothing to build.
        figures: what the paper printed, by quantity, see `mac_profiler.published`.
        shape: of one image, channels first; None takes the network's own.
        setting: only rows of one setting are compared: "480x640"; "" where all are of one.
        level: of complexity, as the paper has it: "40M"; "" where it does not say, "none" where there is none.
        batches: images at once by device; a device that is not in it takes one.
        missing: why there is nothing to build.
    """

    label: str
    model: str
    figures: Mapping[str, Published]
    shape: tuple[int, ...] | None = None
    setting: str = ""
    level: str = ""
    batches: Mapping[str, int] = field(default_factory=dict)
    missing: str = ""

    def batch(self, device: str) -> int:
        """Images at once on a device."""
        return self.batches.get(device, 1)


class Preset(Protocol):
    """What a file of this room offers; see the room."""

    NAME: str
    TITLE: str
    SOURCE: str
    TABLE: str

    def rows(self, table: Table) -> list[Row]:
        """Its rows."""


def names() -> list[str]:
    """Names of all presets, sorted."""
    return sorted(preset.NAME for preset in _gather())


def find(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UnknownName: there is none.
    """
    known = {preset.NAME: preset for preset in _gather()}
    if name not in known:
        raise UnknownName(
            f"no preset named '{name}'.{did_you_mean(name, list(known))} The presets are {', '.join(sorted(known))}."
        )
    return known[name]


def rows_of(preset: Preset) -> list[Row]:
    """Its rows, from the published table."""
    return preset.rows(published.table(preset.TABLE))


def notes_of(preset: Preset) -> Sequence[str]:
    """What a reader must know besides."""
    return cast("Sequence[str]", getattr(preset, "NOTES", ()))


def baseline_of(preset: Preset) -> str:
    """The network that the paper compares with; "" where there is none."""
    return str(getattr(preset, "BASELINE", ""))


def builder_of(preset: Preset) -> Callable[[str], Any] | None:
    """What makes its modules, where they are no networks of the zoo."""
    return cast("Callable[[str], Any] | None", getattr(preset, "build", None))


def built_as(preset: Preset, row: Row, batch: int) -> tuple[str, int]:
    """Name that a row is built by, see `mac_profiler.adapters.preset`, and the images at once to ask for besides.

    A network of the zoo with images of its own goes by its own name, so that what is measured of it is what anybody
    measures of it.
    """
    if row.shape is None:
        return row.model, batch
    return f"{PREFIX}:{preset.NAME}/{row.model}@{'x'.join(map(str, (batch, *row.shape)))}", 1


def size_of(text: str, *, width_first: bool = False) -> tuple[int, int, int]:
    """Shape of an image of a printed size: "480x640" is 3 channels of 480 lines of 640."""
    first, second = map(int, text.split("x"))
    return (3, second, first) if width_first else (3, first, second)


def _gather() -> list[Preset]:
    return [cast("Preset", importlib.import_module(name)) for name in modules_of(__name__)]
