"""Signatures: what is common to all calls of an operator whose arguments have equal metadata."""

from __future__ import annotations

import itertools
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from typing import Any

from mac_profiler.graph import Value
from mac_profiler.trace.operators import Operator


class Leaf:
    """Place of the n-th tensor argument in a template of arguments."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Signature:
    """An operator and the metadata of its arguments; compared by identity.

    Attributes:
        operator: the schema facts.
        template: arguments by name, a `Leaf` for every tensor.
    """

    __slots__ = ("operator", "template")

    def __init__(self, operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], is_tensor: Any) -> None:
        self.operator = operator
        counter = itertools.count()
        given = {name: _lift(value, counter, is_tensor) for name, value in zip(operator.names, args, strict=False)}
        given |= {name: _lift(value, counter, is_tensor) for name, value in kwargs.items()}
        missing = {name: value for name, value in operator.defaults.items() if name not in given}
        # Schema order, so that an op's inputs read as its schema does; a few schemas take unnamed extras.
        ordered = {name: given[name] if name in given else missing.get(name) for name in operator.names}
        self.template = ordered | {name: value for name, value in given.items() if name not in ordered}

    def bind(self, values: Sequence[Value]) -> dict[str, Any]:
        """The arguments of one call, given its tensors in order."""
        bound = {name: _fill(value, values) for name, value in self.template.items()}
        return self.operator.complete(bound) if self.operator.complete is not None else bound


# Functions of the module, not closures: a closure that calls itself is a cycle, and keeps the tensors it sees alive.
def _lift(value: Any, counter: Iterator[int], is_tensor: Callable[[object], bool]) -> Any:
    if is_tensor(value):
        return Leaf(next(counter))
    if isinstance(value, list | tuple):
        return tuple([_lift(item, counter, is_tensor) for item in value])
    return value


def _fill(template: Any, values: Sequence[Any]) -> Any:
    if template.__class__ is Leaf:
        return values[template.index]
    if template.__class__ is tuple:
        return tuple([_fill(item, values) for item in template])
    return template


class BoundArguments(Mapping[str, Any]):
    """Arguments of one executed operator by name, put together when first looked at.

    Most operators are only summed, by a cost that is remembered for their signature: then nobody looks.
    """

    __slots__ = ("_bound", "signature", "values_in_order")

    def __init__(self, signature: Signature, values: tuple[Value, ...]) -> None:
        self.signature = signature
        self.values_in_order = values
        self._bound: dict[str, Any] | None = None

    def _arguments(self) -> dict[str, Any]:
        if self._bound is None:
            self._bound = self.signature.bind(self.values_in_order)
        return self._bound

    def __getitem__(self, name: str) -> Any:
        return self._arguments()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments())

    def __len__(self) -> int:
        return len(self._arguments())

    # The mixin's own are loops in Python.
    def keys(self) -> KeysView[str]:
        """Names, in schema order."""
        return self._arguments().keys()

    def values(self) -> ValuesView[Any]:
        """Arguments, in schema order."""
        return self._arguments().values()

    def items(self) -> ItemsView[str, Any]:
        """Names and arguments, in schema order."""
        return self._arguments().items()

    def __repr__(self) -> str:
        return repr(self._arguments())
