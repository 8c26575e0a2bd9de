"""Liveness: the bytes of inputs and activations alive while each operator runs.

A tensor's memory is alive from the operator that makes it to the last operator that reads or writes it, through any
view or in-place version; both included, so that an operator's operands and results are alive together, which is how
the literature on microcontrollers counts (MCUNet, arXiv 2007.10319). The caller's inputs are alive from the start,
what the model returns until the end. Weights and buffers do not count, neither does an input that nothing reads.
A constant that no operator made is alive from its first use. Backward operators keep what they read alive by reading.
Workspace inside an operator, alignment and the allocator's rounding are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from mac_profiler.graph import Graph, Value


def peak_activation_bytes(graph: Graph) -> int:
    """Most bytes of inputs and activations alive at once.

    Args:
        graph: what was executed, in this order.
    """
    return max(activation_bytes(graph))


def activation_bytes(graph: Graph) -> tuple[int, ...]:
    """Bytes of inputs and activations alive during each operator; one entry where there is no operator.

    Args:
        graph: what was executed, in this order.
    """
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    end = max(len(graph.ops) - 1, 0)
    for value in graph.inputs:
        first[value.owner] = 0
    for index, op in enumerate(graph.ops):
        if op.view:
            continue
        _touch(op.args.values(), index, first, last)
        _touch(op.outputs, index, first, last)
    for value in graph.outputs:
        first.setdefault(value.owner, end)
        last[value.owner] = end
    changes = [0] * (end + 2)
    for owner, death in last.items():
        if owner.role != "weight" and owner.role != "buffer":
            size = owner.footprint * owner.element_size
            changes[first[owner]] += size
            changes[death + 1] -= size
    return tuple(accumulate(changes))[:-1]


def _touch(values: Iterable[Any], index: int, first: dict[Value, int], last: dict[Value, int]) -> None:
    for value in values:
        if isinstance(value, Value):
            owner = value.base or value
            if owner not in first:
                first[owner] = index
            last[owner] = index
        elif isinstance(value, tuple | list):
            _touch(value, index, first, last)
