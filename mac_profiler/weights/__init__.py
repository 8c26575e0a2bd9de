"""Weights: a checkpoint is read without running what it holds, checked against a model as a whole, and then copied."""

from mac_profiler.weights.checkpoint import Checkpoint, read_checkpoint
from mac_profiler.weights.filling import fill
from mac_profiler.weights.naming import shapes_of

__all__ = ["Checkpoint", "fill", "read_checkpoint", "shapes_of"]
