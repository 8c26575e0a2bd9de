"""Sketch: a few operators and the shapes that they work on, as data, so that another process can build and time them.

A part of a model is sketched from its graph, operator by operator with the arguments that it was called with; what it
reads from outside becomes an input, and weights become weights of the same shape, with other numbers in them. What
should stand in its place is drafted by hand. Both run the same way: one call of torch's operator after another.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, lcm
from typing import Any

from mac_profiler.graph import Graph, Value

# What stands for a tensor among the arguments of a call: {"tensor": 3}; and for a type: {"torch": "torch.float32"}.
TENSOR, TORCH = "tensor", "torch"
# Widths of a remedy are whole registers of most processors, and rounded up: it never has fewer multiply-adds. A width
# below so many steps would be rounded up to more than half as many multiply-adds again, and has smaller steps.
_STEP, _FEWEST_STEPS = 8, 4


@dataclass(frozen=True, slots=True)
class Sketch:
    """Operators to run.

    Attributes:
        inputs: shapes of the tensors 0, 1, ... that it is called with.
        weights: shapes of those that follow.
        calls: target, arguments by name, and numbers of the tensors that it makes.
        outputs: tensors that are its result.
    """

    inputs: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[str, tuple[int, ...]], ...]
    calls: tuple[tuple[str, Mapping[str, Any], tuple[int, ...]], ...]
    outputs: tuple[int, ...]

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps([self.inputs, self.weights, self.calls, self.outputs])

    @staticmethod
    def from_text(text: str) -> Sketch:
        """What `to_text` wrote."""
        inputs, weights, calls, outputs = json.loads(text)
        return Sketch(
            tuple(tuple(shape) for shape in inputs),
            tuple((name, tuple(shape)) for name, shape in weights),
            tuple((target, arguments, tuple(made)) for target, arguments, made in calls),
            tuple(outputs),
        )


def sketch_of(graph: Graph, ops: Sequence[int], without: Collection[int] = ()) -> Sketch | None:
    """A part of a graph; None where another than floating-point data enters it, or an argument that no text can hold.

    Args:
        graph: what was executed.
        ops: positions of the operators, ascending.
        without: those of them that are left out; what reads their result gets their first operand instead, which has to
            have its shape.
    """
    inside = set(ops) - set(without)
    made = {id(value) for i in ops for value in graph.ops[i].outputs}
    draft = Draft()
    numbers: dict[int, Any] = {}

    def encode(argument: Any, name: str) -> Any:
        if isinstance(argument, Value):
            if id(argument) not in numbers:
                constant = argument.role in ("weight", "buffer") and id(argument) not in made
                numbers[id(argument)] = draft.weight(argument.shape, name) if constant else draft.entering(argument)
            return numbers[id(argument)]
        if isinstance(argument, tuple | list):
            return [encode(each, name) for each in argument]
        # A type, layout or device of torch's, by its name, so that nobody here has to know torch.
        return {TORCH: str(argument)} if type(argument).__module__ == "torch" else argument

    outer = [value for i in sorted(inside) for value in graph.ops[i].inputs if id(value) not in made]
    told = all(_can_be_told(argument) for i in inside for argument in graph.ops[i].args.values())
    if not inside or not told or any(not value.floating for value in outer):
        return None
    # The inputs of a module are numbered before its weights, so that they are met first.
    for value in outer:
        if value.role not in ("weight", "buffer"):
            encode(value, "")
    for i in ops:
        op = graph.ops[i]
        if i in inside:
            arguments = {name: encode(argument, name) for name, argument in op.args.items()}
            for value, tensor in zip(op.outputs, draft.call(op.target, arguments, len(op.outputs)), strict=True):
                numbers[id(value)] = tensor
        else:
            source = next((value for value in op.inputs if value.shape == op.outputs[0].shape), None)
            if source is None:
                return None
            numbers[id(op.outputs[0])] = encode(source, "")
    last = graph.ops[max(ops)]
    return draft.sketch(*(numbers[id(value)] for value in last.outputs))


def _can_be_told(argument: Any) -> bool:
    if isinstance(argument, tuple | list):
        return all(_can_be_told(each) for each in argument)
    return argument is None or isinstance(argument, Value | int | float | str) or type(argument).__module__ == "torch"


def even(width: float, groups: int = 1) -> int:
    """A width rounded up to whole registers, and to whole groups."""
    step = lcm(_STEP, groups)
    while width < _FEWEST_STEPS * step and step % (2 * groups) == 0:
        step //= 2
    # What was worked out with roots may be a whole number but for its last digits.
    return max(step, ceil(width / step - 1e-9) * step)


@dataclass
class Draft:
    """A sketch that is being made."""

    inputs: list[tuple[int, ...]] = field(default_factory=list)
    weights: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any], list[Any]]] = field(default_factory=list)

    def input(self, shape: Sequence[int]) -> Any:
        """Another input."""
        self.inputs.append(tuple(shape))
        return {TENSOR: ["input", len(self.inputs) - 1]}

    def entering(self, value: Value) -> Any:
        """Another input; what was no more than a view of memory is that again, so that whoever copies it has to."""
        shape, strides = value.shape, value.strides
        if strides is None or not value.elements:
            return self.input(shape)
        memory = self.input([1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))])
        return self.call("aten.as_strided", {"self": memory, "size": list(shape), "stride": list(strides)})[0]

    def weight(self, shape: Sequence[int], name: str = "weight") -> Any:
        """Another weight; the name of the argument tells what numbers suit it."""
        self.weights.append((name, tuple(shape)))
        return {TENSOR: ["weight", len(self.weights) - 1]}

    def call(self, target: str, arguments: Mapping[str, Any], results: int = 1) -> list[Any]:
        """Another operator; returns the tensors that it makes."""
        made = [{TENSOR: ["made", len(self.calls), number]} for number in range(results)]
        self.calls.append((target, arguments, made))
        return made

    def sketch(self, *outputs: Any) -> Sketch:
        """The finished one, its tensors numbered."""
        names = [("input", i) for i in range(len(self.inputs))] + [("weight", i) for i in range(len(self.weights))]
        names += [tuple(tensor[TENSOR]) for _, _, made in self.calls for tensor in made]
        numbers = {name: number for number, name in enumerate(names)}

        def numbered(argument: Any) -> Any:
            if isinstance(argument, dict):
                return {TENSOR: numbers[tuple(argument[TENSOR])]} if TENSOR in argument else argument
            return [numbered(each) for each in argument] if isinstance(argument, list) else argument

        return Sketch(
            tuple(self.inputs),
            tuple(self.weights),
            tuple(
                (target, {name: numbered(each) for name, each in arguments.items()}, tuple(
                    numbers[tuple(tensor[TENSOR])] for tensor in made))
                for target, arguments, made in self.calls
            ),
            tuple(numbers[tuple(tensor[TENSOR])] for tensor in outputs),
        )  # fmt: skip
