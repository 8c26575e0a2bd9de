"""The cost of a custom operator."""

from __future__ import annotations

from mac_profiler import Cost, Op, formula, traffic


@formula("macprof_example.triple")
def triple(op: Op) -> Cost:
    """One FLOP an element."""
    return traffic(op, flops=op.outputs[0].elements)
