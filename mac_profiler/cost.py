"""Cost: what one operator costs, and the register of the formulas that say so.

Conventions, the same for every formula:

- ``mult_adds``: multiply-accumulates of convolution, matrix and vector products, attention and recurrent cells; bias
  and normalisation are not counted in them. That is what the papers print as "FLOPs" (ShuffleNet V2, section 1) and
  torchvision as ``_ops``. They are products of elements: of complex ones as of real ones. What torch runs as an
  element-wise product (an outer product, ``kron``, ``(x * y).sum()``) is none, and so is a distance (``cdist``),
  whichever kernel computes it; factorisations and solvers have FLOPs only. Padding and masks lower nothing: a kernel
  position that meets padding, or a masked pair of query and key, is counted (fvcore and torchvision do so too).
- ``flops``: every floating-point operation; a multiply-add is 2 (of complex numbers 8), any other arithmetic,
  comparison or transcendental function 1 an output element (2 where it is complex), a reduction 1 an input element.
  Operations on integers and booleans, random numbers, conversions, selections (``where``, ``masked_fill``, gathers)
  and copies are none. Operators that do more than one thing to an element say how much in their formula's docstring.
- ``accesses``: memory access cost in elements: weights read + inputs read + outputs written, each tensor once
  (ShuffleNet V2, G1). A view costs nothing; an expanded tensor is read as often as it is stored; an in-place operator
  reads and writes; a gather reads no more than it gathers, a scatter into given memory writes no more than it scatters;
  an argument that only lends its shape, and memory that is only allocated, are not touched.
- backward: every gradient that is produced is counted, with the products that it takes; attention recomputes its
  scores, as the fused kernels do (FlashAttention, arXiv 2205.14135, algorithm 4): 5 products for the forward's 2.
- what depends on the contents of a tensor (rows that a mask keeps, lengths of packed sequences inside a fused kernel,
  sampling points of a region) is counted by its upper bound, or as the formula's docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mac_profiler.graph import Op, Value
from mac_profiler.registry import Registry


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operator, or a sum of them, costs.

    Attributes:
        mult_adds: multiply-accumulates.
        flops: floating-point operations.
        weight_reads: elements of parameters and buffers read.
        input_reads: elements of other tensors read.
        output_writes: elements written.
        bytes_moved: bytes of all three; kept beside them because operands may differ in element size.
    """

    mult_adds: int = 0
    flops: int = 0
    weight_reads: int = 0
    input_reads: int = 0
    output_writes: int = 0
    bytes_moved: int = 0

    @property
    def accesses(self) -> int:
        """Memory access cost in elements."""
        return self.weight_reads + self.input_reads + self.output_writes

    @property
    def intensity(self) -> float:
        """Floating-point operations a byte moved; 0 where no byte moves."""
        return self.flops / self.bytes_moved if self.bytes_moved else 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.mult_adds + other.mult_adds,
            self.flops + other.flops,
            self.weight_reads + other.weight_reads,
            self.input_reads + other.input_reads,
            self.output_writes + other.output_writes,
            self.bytes_moved + other.bytes_moved,
        )


ZERO = Cost()

Formula = Callable[[Op], Cost]
F = TypeVar("F", bound=Formula)

FORMULAS: Registry[Formula] = Registry("formula", "mac_profiler.formulas")


def formula(*targets: str, replace: bool = False) -> Callable[[F], F]:
    """Decorator: register a function as the formula of operators, named like "aten.convolution" or "mylib.my_op".

    An overload ("aten.add.Tensor") is left out of the name. A formula for a composite operator also makes the trace
    keep it whole instead of following it into its parts.

    Raises:
        DuplicateName: a target has a formula already and replace is False.
    """

    def register(function: F) -> F:
        for target in targets:
            FORMULAS.register(target, function, replace=replace)
        return function

    return register


def aten(names: str, *, in_place: bool = False) -> list[str]:
    """Targets of ATen operators: "relu tanh" -> "aten.relu", "aten.tanh".

    Args:
        names: operator names, space between them.
        in_place: give the in-place partner of each as well: "aten.relu_".
    """
    return [f"aten.{name}{suffix}" for name in names.split() for suffix in (("", "_") if in_place else ("",))]


def floating_flops(op: Op, count: int) -> int:
    """FLOPs of `count` element operations: none without a floating-point tensor, twice as many where one is complex."""
    values = (*op.inputs, *op.outputs)
    if any(value.dtype.startswith("complex") for value in values):
        return 2 * count
    return count if any(value.floating for value in values) else 0


def product_flops(op: Op, mult_adds: int) -> int:
    """FLOPs of multiply-adds: 2 each, 8 for complex numbers (4 products, 4 sums), none for integers."""
    if any(value.dtype.startswith("complex") for value in op.outputs):
        return 8 * mult_adds
    return floating_flops(op, 2 * mult_adds)


def traffic(
    op: Op,
    *,
    mult_adds: int = 0,
    flops: int = 0,
    reads: Mapping[Value, int] | None = None,
    writes: int | None = None,
    updates: Iterable[Value] = (),
) -> Cost:
    """Cost of an operator that reads each of its input tensors once and writes each output once.

    Args:
        op: the operator.
        mult_adds: multiply-accumulates.
        flops: floating-point operations.
        reads: elements read of an input, where that is not the whole of it (a gather reads some rows).
        writes: elements written, where that is not the whole of the outputs (a scatter writes some).
        updates: inputs that are written as well without being among the outputs (running statistics).
    """
    weight_reads = input_reads = bytes_moved = 0
    seen: set[Value] = set()
    for value in _read(op):
        elements = value.footprint if reads is None else reads.get(value, value.footprint)
        key = value.memory
        if not elements or key in seen:
            continue
        seen.add(key)
        if value.role == "weight" or value.role == "buffer":
            weight_reads += elements
        else:
            input_reads += elements
        bytes_moved += elements * value.element_size
    output_writes = 0
    for value in (*op.outputs, *updates):
        elements = value.footprint if writes is None else writes
        output_writes += elements
        bytes_moved += elements * value.element_size
    return Cost(mult_adds, flops, weight_reads, input_reads, output_writes, bytes_moved)


def _read(op: Op) -> tuple[Value, ...]:
    """The inputs without the memory given by out=, which schemas name last: that is written, not read."""
    inputs = op.inputs
    if not op.writes or op.target.endswith("_"):
        return inputs
    first = len(inputs) - len(op.outputs)
    written = {value.owner for value in op.outputs}
    return tuple(value for i, value in enumerate(inputs) if i < first or value.owner not in written)
