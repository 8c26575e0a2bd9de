"""Trace: model + inputs -> Graph of the operators that the call executes; the only part that hooks into torch."""

from mac_profiler.trace.call import trace

__all__ = ["trace"]
