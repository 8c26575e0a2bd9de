"""Matching: a profiler's events brought together with traced operators, by name and order.

The n-th event of an operator's name, leaving out those inside of another event of that kind, is the n-th operator of
that name. Where the numbers differ, as where torch takes a fused path that a trace does not see, the operators of that
name have no time: a guess would be worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from mac_profiler.graph import Graph


def match(graph: Graph, events: Sequence[tuple[float, float, str, float]], calls: int) -> list[float | None]:
    """Bring events and operators together.

    Args:
        graph: the traced operators.
        events: begin, end, name and seconds, by begin; of those that begin together the longest first.
        calls: how often the graph was run meanwhile.
    """
    wanted = [_event_name(op.target) for op in graph.ops]
    known = set(wanted)
    seen: dict[str, list[float]] = {}
    end = float("-inf")
    for begin, finish, name, seconds in events:
        if name in known and begin >= end:
            seen.setdefault(name, []).append(seconds)
            end = finish
    expected = {name: wanted.count(name) for name in known}
    place = dict.fromkeys(known, 0)
    found: list[float | None] = []
    for name in wanted:
        number, own, each = place[name], seen.get(name, []), expected[name]
        place[name] += 1
        found.append(median(own[number + call * each] for call in range(calls)) if len(own) == calls * each else None)
    return found


def _event_name(target: str) -> str:
    """As the profiler names it: "aten::convolution" of "aten.convolution"."""
    namespace, _, name = target.partition(".")
    return f"{namespace}::{name}"
