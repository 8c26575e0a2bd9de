"""Rebuilding: a module from a sketch, with random weights, that runs torch's operators one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from mac_profiler.errors import MeasureFailed
from mac_profiler.sketch import TENSOR, TORCH, Sketch


class Rebuilt(nn.Module):
    """Runs a sketch.

    Args:
        sketch: what to run.

    Raises:
        MeasureFailed: torch has no such operator, or none with such arguments.
    """

    def __init__(self, sketch: Sketch) -> None:
        super().__init__()
        self.sketch = sketch
        self.weights = nn.ParameterList(
            [nn.Parameter(_fill(name, shape), requires_grad=False) for name, shape in sketch.weights]
        )
        self.operators = [_operator(target, arguments) for target, arguments, _ in sketch.calls]

    def forward(self, *inputs: Tensor) -> Any:
        """Tensors of the sketch's input shapes -> its results, one tensor or a list."""
        tensors: list[Any] = [*inputs, *self.weights]
        for operator, (_, arguments, made) in zip(self.operators, self.sketch.calls, strict=True):
            result = operator(**{name: _decoded(argument, tensors) for name, argument in arguments.items()})
            several = isinstance(result, tuple | list)
            # An operator may return more than the graph keeps; what it keeps comes first.
            tensors += list(result)[: len(made)] if several else [result]
        outputs = [tensors[number] for number in self.sketch.outputs]
        return outputs[0] if len(outputs) == 1 else outputs


def rebuild(text: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The module of a sketch that was written as a text, and inputs for it, on the CPU."""
    sketch = Sketch.from_text(text)
    return Rebuilt(sketch).eval(), tuple(torch.randn(shape) for shape in sketch.inputs)


def _decoded(argument: Any, tensors: list[Any]) -> Any:
    if isinstance(argument, Mapping):
        return tensors[argument[TENSOR]] if TENSOR in argument else _named(argument[TORCH], tensors)
    return [_decoded(each, tensors) for each in argument] if isinstance(argument, list) else argument


def _named(name: str, tensors: list[Any]) -> Any:
    """A type or layout of torch's; whatever device it was, the tensors are on another one."""
    found = getattr(torch, name.removeprefix("torch."), None)
    return tensors[0].device if found is None and tensors else found


def _operator(target: str, arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """The overload that takes arguments of these names and kinds: found once, not in every call."""
    namespace, _, name = target.partition(".")
    packet = getattr(getattr(torch.ops, namespace), name, None)
    for overload in packet.overloads() if packet is not None else ():
        function: Any = getattr(packet, overload)
        taken = {argument.name: argument for argument in function._schema.arguments}
        if set(arguments) <= set(taken) and all(_fits(value, taken[key].type) for key, value in arguments.items()):
            missing = [key for key, each in taken.items() if key not in arguments and not each.has_default_value()]
            if not missing:
                return function  # type: ignore[no-any-return]
    raise MeasureFailed(f"torch has no operator {target} with the arguments {', '.join(arguments)}")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value may stand for a type of a schema: a tensor is no number, and a list is neither."""
    said = str(kind).replace("Optional[", "").replace("]", "")
    if value is None:
        return "Optional" in str(kind)
    if isinstance(value, Mapping):
        return ("Tensor" in said and "List" not in said) == (TENSOR in value)
    if isinstance(value, list):
        return "List" in said and ("Tensor" in said) == any(
            isinstance(each, Mapping) and TENSOR in each for each in value
        )
    return "Tensor" not in said


def _fill(name: str, shape: tuple[int, ...]) -> Tensor:
    """Numbers that keep the scale of the maps: such as die away end as denormals, which take longer."""
    if len(shape) > 1:
        return torch.randn(shape).mul_((2 / max(prod(shape[1:]), 1)) ** 0.5)
    return torch.ones(shape) if name in ("running_var", "weight") else torch.zeros(shape)
