"""Graph: the executed operators of one call of a model, as plain data.

Nothing here knows torch: shapes are tuples, dtypes are names, so that a graph can be written by hand in a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, Literal

Role = Literal["input", "weight", "buffer", "activation"]
Phase = Literal["forward", "backward"]

# Bytes of one element; what torch prints after "torch.".
ELEMENT_SIZE: Mapping[str, int] = {
    "bool": 1, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
    "float4_e2m1fn_x2": 1, "complex32": 4, "complex64": 8, "complex128": 16,
    "qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1,
}  # fmt: skip
FLOATING = frozenset(name for name in ELEMENT_SIZE if name.startswith(("float", "bfloat", "complex")))


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One tensor that an operator reads or writes; two Values are the same only if they are one object.

    Attributes:
        shape: sizes, as the operator sees them.
        dtype: torch's name of the element type, without "torch.".
        role: what the tensor is to the model; a view of a weight is a weight.
        strides: elements from one index to the next, per dimension; None means contiguous.
        base: the Value that owns the memory that this one is a view or a new version of; None where it owns its own.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    role: Role = "activation"
    strides: tuple[int, ...] | None = None
    base: Value | None = None

    @property
    def elements(self) -> int:
        """Number of elements by the shape, repeats of an expanded dimension included."""
        return prod(self.shape)

    @property
    def footprint(self) -> int:
        """Number of distinct elements in memory: an expanded dimension (stride 0) is stored once."""
        if self.strides is None:
            return prod(self.shape)
        distinct, extent = 1, 1
        for size, stride in zip(self.shape, self.strides, strict=True):
            if size == 0:
                return 0
            if stride:
                distinct *= size
                extent += (size - 1) * abs(stride)
        # Overlapping windows (unfold, as_strided) name more elements than the memory that they lie in holds.
        return min(distinct, extent)

    @property
    def owner(self) -> Value:
        """The Value that owns the memory; itself where it is no view."""
        return self if self.base is None else self.base

    @property
    def memory(self) -> Value:
        """What two Values share when they are the same elements: x, its transpose and its expansion are one memory."""
        base = self.base
        if base is not None and self.elements >= base.elements and self.footprint == base.footprint:
            return base
        return self

    @property
    def element_size(self) -> int:
        """Bytes of one element."""
        return ELEMENT_SIZE[self.dtype]

    @property
    def floating(self) -> bool:
        """Whether the elements are floating-point or complex numbers."""
        return self.dtype in FLOATING


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One executed operator.

    Attributes:
        target: kind, overload left out: "aten.convolution".
        path: path of the module whose code ran it, "" for the model itself: "stage2.0.branch2.3".
        source: line of the user's code that led to it, "file.py:41"; "" where only library code ran.
        args: arguments under the operator schema's own names; tensors are Values, lists of tensors are tuples of them.
        outputs: tensors that it returned; for an in-place operator the new version of what it wrote.
        view: it only renames memory: no kernel runs and no data moves.
        writes: it writes into memory that one of its arguments owns (in-place, or out=).
        phase: the pass that it belongs to.
        signature: equal for operators of one target whose arguments have equal metadata; a key to remember costs by.
    """

    target: str
    path: str
    source: str
    args: Mapping[str, Any]
    outputs: tuple[Value, ...]
    view: bool = False
    writes: bool = False
    phase: Phase = "forward"
    signature: object = field(default=None, repr=False)

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The tensors among the arguments, in schema order."""
        return tuple(_tensors(self.args.values()))

    def moved(self, path: str, source: str) -> Op:
        """The same op at another place."""
        return replace(self, path=path, source=source)


def _tensors(arguments: Any) -> Iterator[Value]:
    for argument in arguments:
        if isinstance(argument, Value):
            yield argument
        elif isinstance(argument, tuple | list):
            yield from _tensors(argument)


@dataclass(frozen=True, slots=True)
class Module:
    """One module of the model: what a row of a per-module table is about.

    Attributes:
        path: "" for the model itself.
        type: class name.
        parameters: elements of the parameters that it owns itself, its children's left out; a parameter that
            several modules share belongs to the first.
    """

    path: str
    type: str
    parameters: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Graph:
    """What one call of a model executed, in order.

    Attributes:
        model: name of the model.
        ops: executed operators.
        modules: every module of the model by path, called or not, parents before children.
        inputs: the tensors that the call was given.
        outputs: the tensors that the call returned.
        mode: how the trace answered, see `mac_profiler.trace`: "shapes", "values", "run" or "assume".
        notes: what a reader of the result must know: why a fallback was taken, what was assumed.
    """

    model: str
    ops: tuple[Op, ...]
    modules: Mapping[str, Module] = field(default_factory=dict)
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    mode: str = "shapes"
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Graph({self.model}, ops={len(self.ops)}, mode={self.mode})"

    @property
    def parameters(self) -> int:
        """Elements of all parameters of the model, each counted once, used or not."""
        return sum(module.parameters for module in self.modules.values())

    def edges(self) -> list[tuple[int, int]]:
        """Pairs (i, j): operator j needs operator i to have run, by data; sorted, each pair once.

        An in-place operator makes a new version of its memory: whoever reads that memory later, through whatever
        view, depends on the last operator that wrote it.
        """
        producer: dict[Value, int] = {}
        writer: dict[Value, int] = {}
        found: set[tuple[int, int]] = set()
        for j, op in enumerate(self.ops):
            for value in op.inputs:
                for origin in (producer.get(value), writer.get(value.owner)):
                    if origin is not None:
                        found.add((origin, j))
            for value in op.outputs:
                producer[value] = j
                if op.writes:
                    writer[value.owner] = j
        return sorted(found)


def shapes(values: Sequence[Value]) -> list[list[int]]:
    """Shapes as lists, for JSON."""
    return [list(value.shape) for value in values]
