"""X101 sigmoid-activation: a sigmoid, which costs more than a comparison, follows a layer.

## What it does

Finds sigmoids. It is an example of a rule in a distribution of its own.

## Use instead

`nn.ReLU()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.subject import Subject


@rule(
    "X101",
    "sigmoid-activation",
    limit=0,
    metric="sigmoids",
    remedy="use a ReLU; this changes the network",
    most="warning",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Sigmoids, and what they take of the time."""
    found = [i for i, op in enumerate(subject.ops) if op.target in ("aten.sigmoid", "macprof_example.triple")]
    for i in found if len(found) > limit else ():
        yield Hit(
            (i,), i, "a sigmoid or a triple stands here", len(found), subject.seconds((i,)), subject.accesses((i,))
        )
