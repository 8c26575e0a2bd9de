"""Stacking: one pass in the place of a concatenation and of the channel shuffle behind it."""

from __future__ import annotations

from math import prod

from mac_profiler.graph import Op
from mac_profiler.sketch import Draft, Sketch
from mac_profiler.subject import Subject

# They write what they read, in the order of its dimensions.
_COPIES = frozenset({"aten.clone", "aten.contiguous", "aten.reshape", "aten.flatten"})


def stacked(subject: Subject, first: int, second: int) -> Sketch | None:
    """One stacking in the place of a concatenation and of the channel shuffle behind it; None for other copies.

    Shuffling the channels of g equal parts in g groups puts channel k of part j at k g + j: that is what stacking them
    behind the channels' dimension, and flattening, does.
    """
    parts = subject.ops[first].args.get("tensors")
    if not parts or subject.ops[first].target != "aten.cat" or len({part.shape for part in parts}) > 1:
        return None
    dimension = int(subject.ops[first].args.get("dim", 0)) % len(parts[0].shape)
    if not _shuffles(subject.ops[second], parts[0].shape, dimension, len(parts)):
        return None
    draft = Draft()
    tensors = [draft.entering(part) for part in parts]
    return draft.sketch(draft.call("aten.stack", {"tensors": tensors, "dim": dimension + 1})[0])


def _shuffles(op: Op, part: tuple[int, ...], dimension: int, number: int) -> bool:
    """Whether an operator writes, in the order of their places, the channels of so many parts in turns."""
    if op.target.endswith("channel_shuffle"):
        return dimension == 1 and op.args.get("groups") == number
    if op.target not in _COPIES:
        return False
    # It has to read the concatenated memory, [..., parts, channels, ...], with these two dimensions exchanged.
    inner = prod(part[dimension + 1 :])
    lead = [prod(part[i + 1 :]) * number for i in range(dimension)]
    tail = [prod(part[i + 1 :]) for i in range(dimension + 1, len(part))]
    expected = [*zip(part[:dimension], lead, strict=True), (part[dimension], inner), (number, part[dimension] * inner)]
    expected += zip(part[dimension + 1 :], tail, strict=True)
    read = op.inputs[0]
    strides = read.strides or [prod(read.shape[i + 1 :]) for i in range(len(read.shape))]
    # Where a dimension of one element lies is nobody's concern.
    return [each for each in zip(read.shape, strides, strict=True) if each[0] > 1] == [
        each for each in expected if each[0] > 1
    ]
