"""A table that nobody measured, for runs that only show that the experiment runs."""

from __future__ import annotations

from mac_profiler import models
from mac_profiler.speed_tables import Row

# A made-up machine: so many multiply-adds a second, and so much for every image besides.
RATE, EACH = 1e11, 1e-3
FAMILIES = ("shufflenet_v2", "shufflenet_v1", "mobilenet_v1", "mobilenet_v2")


def make_up() -> list[Row]:
    """Networks of the zoo with speeds that follow from their published multiply-adds."""
    found = []
    for entry in models.entries():
        plain = [figure for figure in entry.published if figure.quantity == "mult_adds" and not figure.conditions]
        figures = [figure.value for figure in plain]
        if entry.name.startswith(FAMILIES) and figures and entry.input_shape == (1, 3, 224, 224):
            found.append(Row(entry.name, 224, 1, figures[0] / RATE + EACH))
    return found[:30]
