"""Operators: what a torch operator's schema says, read once for each overload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

# What torch's front doors to convolution are called below; the formulas and the reader see one operator.
_CONVOLUTIONS = {f"aten.conv{n}d": False for n in (1, 2, 3)} | {f"aten.conv_transpose{n}d": True for n in (1, 2, 3)}

Arguments = dict[str, Any]


class Operator:
    """One overload of an operator.

    Attributes:
        func: the overload, kept so that its id stays its own.
        target: name without overload; convolutions of every dimension are "aten.convolution".
        names: argument names of the schema, in order.
        defaults: default values by argument name.
        written: names of the arguments that it writes into.
        aliasing: some output may be a view of an argument that it does not write.
        composite: torch defines it by other operators, into which it can be followed.
        elementwise: it works element by element.
        writes_self: it writes its first argument, and that is what it returns.
        reshapes_self: it changes the sizes of the tensor that it is given (`unsqueeze_`, `t_`, `resize_`).
        makes_tensors: it returns or writes some.
        needs_contents: its answer depends on the contents of its tensors.
        complete: turns the schema's arguments into those of the target.
    """

    __slots__ = (
        "aliasing", "complete", "composite", "defaults", "elementwise", "func", "makes_tensors", "names",
        "needs_contents", "plain_convolution", "reshapes_self", "target", "writes_self", "written",
    )  # fmt: skip

    def __init__(self, func: torch._ops.OpOverload) -> None:
        schema = func._schema
        namespace, _, name = schema.name.partition("::")
        own = f"{namespace}.{name}"
        self.func = func
        self.names = tuple(argument.name for argument in schema.arguments)
        self.defaults: Mapping[str, Any] = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        self.written = tuple(a.name for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write)
        self.aliasing = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
        self.makes_tensors = any("Tensor" in str(r.type) for r in schema.returns) or bool(self.written)
        self.composite = bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"))
        tags = func.tags
        self.reshapes_self = torch.Tag.inplace_view in tags
        self.elementwise = torch.Tag.pointwise in tags or own == "aten.copy_"
        single = len(schema.returns) == 1 and self.written == ("self",)
        self.writes_self = single and self.names[0] == "self" and not self.reshapes_self
        # Indexing is tagged for its masks; by integers its shape is known.
        indexing = own in ("aten.index", "aten._unsafe_index")
        data_dependent = torch.Tag.data_dependent_output in tags or torch.Tag.dynamic_output_shape in tags
        self.needs_contents = data_dependent and not indexing
        # With padding="same" (overload "padding") a convolution may pad first: it is followed into its parts.
        self.plain_convolution = own in _CONVOLUTIONS and func._overloadname in ("default", "input")
        self.complete: Callable[[Arguments], Arguments] | None = None
        self.target = own
        if self.plain_convolution:
            self.target = "aten.convolution"
            transposed, dimensions = _CONVOLUTIONS[own], int(own[-2])
            self.complete = lambda arguments: _convolution_arguments(arguments, transposed, dimensions)
        elif own == "aten._convolution":
            self.target = "aten.convolution"


def _convolution_arguments(given: Arguments, transposed: bool, dimensions: int) -> Arguments:
    def each(value: Any) -> list[int]:
        values = list(value) if isinstance(value, list | tuple) else [value]
        return values * dimensions if len(values) == 1 else values

    return {
        "input": given["input"],
        "weight": given["weight"],
        "bias": given["bias"],
        "stride": each(given["stride"]),
        "padding": each(given["padding"]),
        "dilation": each(given["dilation"]),
        "transposed": transposed,
        "output_padding": each(given.get("output_padding", 0)),
        "groups": given["groups"],
    }


_operators: dict[int, Operator] = {}


def operator(func: torch._ops.OpOverload) -> Operator:
    """The schema facts of an overload."""
    found = _operators.get(id(func))
    if found is None:
        found = _operators[id(func)] = Operator(func)
    return found
