"""Provenance: which earlier element every element of a tensor is a bit-identical copy of.

Every element that an operator computes gets an identity of its own, and an operator that only moves elements passes
their identities on. Identities lie in memory as the elements of the tensors do: a view is the same memory under other
strides, so that what is written in place shows through every view of it, and in no element beside.

What counts as touched is decided by the operator, not by numbers: ReLU touches all that goes through it, though it
leaves positive elements as they are, and so do pooling, batch-norm and a sum. What an operator that is not understood
makes or writes (a custom one, or one that picks elements by indices, which a graph does not hold) is unknown: neither
a copy nor new. Identities are positive; those of unknown elements are negative.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from mac_profiler.graph import Op, Value
from mac_profiler.kinds import kind_of, linear_in_weight, normalises_by_batch
from mac_profiler.movement import Identities, move, name_of, offsets, strides_of

# Arithmetic on what they read, as far as `kinds` does not say so: the beginnings of their names.
_ARITHMETIC = (
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bilinear", "bmm", "dot", "matmul", "mm", "mv", "outer", "vdot",
    "max_pool", "avg_pool", "adaptive_", "fractional_max_pool", "max_unpool", "mkldnn_max_pool", "quantized_max_pool",
    "scaled_dot_product", "_scaled_dot_product", "_flash_attention", "_efficient_attention", "lstm", "gru", "rnn_",
    "upsample_linear", "upsample_bi", "upsample_tri", "_upsample_bi", "grid_sampler", "linear", "linalg_", "cdist",
    "embedding_bag", "fft_", "_fft_",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a tensor lies.

    Attributes:
        memory: identities of all elements of the memory, [elements].
        offset: position of the tensor's first element.
        certain: it is known to be its owner's memory; otherwise a copy of its own stands for it.
    """

    memory: Identities
    offset: int
    certain: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """What the identities from `start` to `stop` are the sums of.

    Attributes:
        terms: one array for each summand of the same shape, [elements], in the order of the identities.
    """

    start: int
    stop: int
    terms: tuple[Identities, ...]


def fingerprints(rows: Identities) -> list[bytes]:
    """What tells each row from all others, in 16 bytes.

    Args:
        rows: identities, [rows, elements].
    """
    return [blake2b(row.tobytes(), digest_size=16).digest() for row in rows]


class Provenance:
    """The identities of what is alive, as operator after operator runs.

    Args:
        disregarded: targets that are taken to hand their first tensor on unchanged, in place or not.
    """

    def __init__(self, disregarded: Collection[str] = ()) -> None:
        self._disregarded = frozenset(target.removesuffix("_") for target in disregarded)
        self._places: dict[Value, dict[Value, _Place]] = {}  # by owner, then by tensor
        self._sums: list[_Sum] = []
        self._made = 0
        self._lost = 0
        self.not_understood: Counter[str] = Counter()

    def identities(self, value: Value) -> Identities:
        """The identity of every element, in the tensor's own shape; it changes when the tensor is written."""
        place = self._place(value)
        strides, size = strides_of(value), place.memory.itemsize
        if place.offset + _reach(value) >= place.memory.size:
            raise ValueError(f"a view of shape {value.shape}, strides {strides} ends beyond the memory of its owner")
        start = place.memory[place.offset :]
        return as_strided(start, value.shape, [size * stride for stride in strides])

    def expansions(self, rows: Identities) -> Iterator[tuple[Identities, list[bytes], NDArray[np.int64]]]:
        """The rows themselves, then the summands of those that are sums, and so on down.

        A row that was put together from parts of several sums is none of them.

        Args:
            rows: identities, [rows, elements].

        Yields:
            Rows, the fingerprint of each, and which of the given rows each is, or is a summand of, [rows].
        """
        starts = [each.start for each in self._sums]
        seen: set[tuple[int, bytes]] = set()
        waiting = [(rows, np.arange(len(rows)))]
        while waiting:
            found, origins = waiting.pop()
            # A row that was met before on the way down from the same row leads to nothing new.
            keys = list(zip(origins.tolist(), fingerprints(found), strict=True))
            new = [i for i, key in enumerate(keys) if key not in seen]
            seen.update(keys)
            found, origins = found[new], origins[new]
            if not found.size:
                continue
            yield found, [keys[i][1] for i in new], origins
            sums = np.array([bisect_right(starts, first) - 1 for first in found.min(axis=1).tolist()])
            last = found.max(axis=1)
            for index in np.unique(sums[sums >= 0]):
                of = self._sums[index]
                whole = (sums == index) & (last < of.stop)
                waiting.extend((term[found[whole] - of.start], origins[whole]) for term in of.terms)

    def forget(self, owner: Value) -> None:
        """Nothing reads this memory any more."""
        self._places.pop(owner, None)

    def run(self, op: Op) -> None:
        """What one operator moves, makes and writes."""
        if op.view:
            self._look(op)
            return
        if op.writes and not normalises_by_batch(op) and all(v.base is None for v in op.outputs):
            # Which of its arguments it wrote, nobody knows.
            self.not_understood[op.target] += 1
            for value in op.inputs:
                self._spoil(value.owner)
        for value, identities in zip(op.outputs, self._results(op), strict=True):
            self._put(op, value, identities)

    def _place(self, value: Value) -> _Place:
        places = self._places.setdefault(value.owner, {})
        if value not in places:
            # No operator made it: an input, a weight, a constant; where in its owner's memory it lies is not told.
            self._lay(value, self._new(value.shape), certain=value.base is None)
        return places[value]

    def _lay(self, value: Value, identities: Identities, *, certain: bool) -> None:
        """Give a tensor memory of its own."""
        memory = np.zeros(_reach(value) + 1, np.int64)
        self._places.setdefault(value.owner, {})[value] = _Place(memory, 0, certain)
        self.identities(value)[...] = identities

    def _look(self, op: Op) -> None:
        """A view: the same memory under another shape and other strides."""
        source = op.inputs[0]
        place = self._place(source)
        starts = offsets(op)
        for index, value in enumerate(op.outputs):
            if starts is not None:
                start = place.offset + starts[index]
            elif _reach(value) + 1 == place.memory.size:
                start = 0  # it has room nowhere else
            else:
                start = -1
            if start >= 0 and value.dtype == source.dtype:
                self._places.setdefault(value.owner, {})[value] = _Place(place.memory, start, place.certain)
            else:
                self.not_understood[op.target] += 1
                self._lay(value, self._unknown(value.shape), certain=False)

    def _results(self, op: Op) -> Sequence[Identities]:
        alike = len(op.outputs) == 1 and op.inputs and op.outputs[0].shape == op.inputs[0].shape
        if alike and op.target.removesuffix("_") in self._disregarded:
            return [self._read(op.inputs[0], op.outputs[0])]
        if name_of(op) == "add":
            return [self._add(op)]
        moved = move(op, self._read, self._new)
        if moved is not None:
            return [moved]
        # What it might have moved, were it to move: nothing else than elements of the same type.
        types = {value.dtype for value in op.inputs if value.role in ("input", "activation")}
        if _computes(op) or types.isdisjoint(value.dtype for value in op.outputs):
            return [self._new(value.shape) for value in op.outputs]
        self.not_understood[op.target] += 1
        return [self._unknown(value.shape) for value in op.outputs]

    def _read(self, value: Value, into: Value) -> Identities:
        """What arrives of a tensor in one of another type, maybe: a conversion computes."""
        return self.identities(value) if value.dtype == into.dtype else self._new(value.shape)

    def _add(self, op: Op) -> Identities:
        result = op.outputs[0]
        summands = [op.args.get("self"), op.args.get("other") if op.args.get("alpha", 1) == 1 else None]
        identities = self._new(result.shape)
        terms = tuple(
            self.identities(each).flatten()
            for each in summands
            if isinstance(each, Value) and (each.shape, each.dtype) == (result.shape, result.dtype)
        )
        if terms and result.elements:
            self._sums.append(_Sum(self._made - result.elements + 1, self._made + 1, terms))
        return identities

    def _put(self, op: Op, value: Value, identities: Identities) -> None:
        """Store a result, in memory of its own or in that of the argument that was written."""
        if value.base is None:
            self._lay(value, identities, certain=True)
            return
        written = _written(op, value)
        if written is None:
            self.not_understood[op.target] += 1
            if op.writes:
                self._spoil(value.owner)
            self._lay(value, self._unknown(value.shape), certain=False)
            return
        place = self._place(written)
        self._places[value.owner][value] = place
        # What is written may be made of what it overwrites, as in x[:, 1:] = x[:, :-1]: it is made first.
        self.identities(value)[...] = np.array(identities)
        self._spoil(value.owner, [each for each in self._places[value.owner].values() if not each.certain])
        if not place.certain:
            self._spoil(value.owner)

    def _spoil(self, owner: Value, places: Sequence[_Place] | None = None) -> None:
        """Something in this memory was overwritten, and nobody knows what; or which of these places were."""
        for place in [self._place(owner), *self._places[owner].values()] if places is None else places:
            place.memory[...] = self._unknown(place.memory.shape)

    def _new(self, shape: tuple[int, ...]) -> Identities:
        size = int(np.prod(shape))
        self._made += size
        return np.arange(self._made - size + 1, self._made + 1).reshape(shape)

    def _unknown(self, shape: tuple[int, ...]) -> Identities:
        size = int(np.prod(shape))
        self._lost += size
        return -np.arange(self._lost - size + 1, self._lost + 1).reshape(shape)


def _computes(op: Op) -> bool:
    if kind_of(op) in ("elementwise", "reduction") or linear_in_weight(op) or normalises_by_batch(op):
        return True
    return name_of(op).startswith(_ARITHMETIC)


def _reach(value: Value) -> int:
    """Elements of memory from the first to the last; negative where there are none."""
    if not value.elements:
        return -1
    return sum((length - 1) * stride for length, stride in zip(value.shape, strides_of(value), strict=True))


def _written(op: Op, value: Value) -> Value | None:
    """The argument that a result is a new version of; None where that cannot be told."""
    if not op.writes:
        return None
    fitting = [
        each
        for each in (op.args.get("out"), op.args.get("self"), *op.inputs)
        if isinstance(each, Value)
        and each.owner is value.owner
        and (each.shape, strides_of(each)) == (value.shape, strides_of(value))
    ]
    return fitting[0] if fitting else None
