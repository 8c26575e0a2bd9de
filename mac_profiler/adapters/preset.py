"""Rows of presets with the images that they are called with: "preset:v1-table8/alexnet@1x3x480x640"."""

from __future__ import annotations

from collections.abc import Mapping

from mac_profiler import models, presets
from mac_profiler.construct import construct_on
from mac_profiler.errors import InvalidInput, ModelNotFound
from mac_profiler.inputs import make_tensor, parse_input
from mac_profiler.models import Built
from mac_profiler.registry import did_you_mean


def names() -> list[str]:
    """Every row of every preset that has images of its own, one at once."""
    return [
        presets.built_as(preset, row, 1)[0].partition(":")[2]
        for preset in map(presets.find, presets.names())
        for row in presets.rows_of(preset)
        if row.model and row.shape is not None
    ]


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Make the module of a row, with its images.

    Raises:
        ModelNotFound: no such row.
        InvalidInput: the row has a module of its own, which takes no arguments.
    """
    row, at, shape = name.rpartition("@")
    room, slash, model = row.partition("/")
    if not (at and slash):
        raise ModelNotFound(
            f"no row '{name}' of a preset.{did_you_mean(name, names())} Rows are named like "
            "preset:v1-table8/alexnet@1x3x480x640"
        )
    preset = presets.find(room)
    known = {row.model for row in presets.rows_of(preset)}
    if model not in known:
        raise ModelNotFound(f"no row '{model}' of the preset {room}.{did_you_mean(model, sorted(known))}")
    make = presets.builder_of(preset)
    if make is None:
        return models.find(model, arguments, (shape,), device=device)
    if arguments:
        raise InvalidInput(f"{name} takes no argument '{next(iter(arguments))}'")
    module = construct_on(device, name, lambda: make(model), {})
    return Built(name, module, (make_tensor(parse_input(shape), device, None),))
