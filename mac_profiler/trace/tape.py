"""Tape: what a recorder knows of the tensors that take part, and the operators that it has written down."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mac_profiler.graph import Op, Phase, Value
from mac_profiler.trace.location import Locator
from mac_profiler.trace.outcome import Leaves, Outcome
from mac_profiler.trace.signature import BoundArguments
from mac_profiler.trace.standin import Adopted, NeedsData, Spec, StandIn, spec_of, stand_in


class Tape(TorchDispatchMode):
    """A dispatch mode that can write down operators and answer with stand-ins.

    Args:
        locator: finds module path and source line.
        token: what every stand-in refers to.

    Attributes:
        ops: what was written down.
        notes: what a reader of the result must know.
        phase: the pass that is being recorded.
        stale: owners of memory that an operator wrote into without computing; contents kept of it do not hold.
    """

    supports_higher_order_operators = True
    computes = False
    """Whether contents decide too, so that remembered outcomes are not the whole answer."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True would import the whole compiler on the first operator; nothing here is ever compiled.
        return False

    def __init__(self, locator: Locator, token: object) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.locator = locator
        self.token = token
        self.ops: list[Op] = []
        self.notes: list[str] = []
        self.phase: Phase = "forward"
        self.stale: set[Value] = set()
        self._adopted: dict[int, Adopted] = {}
        # What has contents, by the storage that they lie in; sorted only when something of it is written.
        self._unsorted: list[Adopted | StandIn] = []
        self._in_storage: dict[int, set[Value]] = {}

    def take_input(self, tensor: torch.Tensor) -> StandIn:
        """The stand-in of a tensor that the call is given."""
        role: Any = self.locator.roles.get(id(tensor), "input")
        description = spec_of(tensor, role)
        real = tensor.detach() if tensor.device.type != "meta" else None
        taken = self._stand_in(description, description.value(), real)
        self._unsorted.append(taken)
        return taken

    def value_of(self, tensor: Any) -> Value:
        """The current Value of a tensor that went in or came out."""
        value: Value = tensor.value if tensor.__class__ is StandIn else self.adopt(tensor).value
        return value

    def close(self) -> None:
        """Nothing was computed, so nothing is to be undone."""

    def _stand_in(self, description: Spec, value: Value, real: torch.Tensor | None) -> StandIn:
        made = stand_in(description, value, self.token, real)
        made.stale = self.stale
        return made

    def adopt(self, tensor: torch.Tensor) -> Adopted:
        """Note a real tensor that takes part."""
        found = self._adopted.get(id(tensor))
        if found is not None:
            return found
        role: Any = self.locator.roles.get(id(tensor))
        if role is None:
            role = "weight" if isinstance(tensor, torch.nn.Parameter) else "buffer"
        if tensor.layout is not torch.strided or tensor.is_nested:
            raise NeedsData(f"a tensor of layout {tensor.layout}")
        description = spec_of(tensor, role)
        found = self._adopted[id(tensor)] = Adopted(tensor, description, description.value())
        self._unsorted.append(found)
        return found

    def emit(self, outcome: Outcome, leaves: Leaves) -> Any:
        """Record one executed operator and make what it returns."""
        if outcome.fresh is not None:
            fresh = outcome.fresh
            made = Value(fresh.shape, fresh.dtype_name, "activation", fresh.value_strides)
            self.record(outcome, tuple([leaf.value for leaf in leaves]), (made,))
            return stand_in(fresh, made, self.token)
        returned: list[Any] = []
        values: list[Value] = []
        read = tuple([leaf.value for leaf in leaves])
        for description, index in outcome.parts:
            if description is not None:
                value = description.value(None if index is None else leaves[index].value.owner)
                values.append(value)
                returned.append(stand_in(description, value, self.token))
            elif index is None:
                returned.append(None)
            elif index in outcome.written:
                values.append(self._overwrite(leaves[index], outcome))
                returned.append(_itself(leaves[index]))
            elif isinstance(leaves[index], StandIn) and outcome.signature.operator.aliasing and self.phase == "forward":
                # A view that changes nothing; autograd wants a tensor of its own all the same.
                leaf = leaves[index]
                returned.append(self._stand_in(leaf.spec, leaf.value, leaf.contents))
            else:
                returned.append(_itself(leaves[index]))
        for index in outcome.written:
            # Written besides what is returned: running statistics, out= arguments.
            if (None, index) not in outcome.parts:
                values.append(self._overwrite(leaves[index], outcome))  # noqa: PERF401  # the two cases read alike
        if not outcome.silent:
            self.record(outcome, read, tuple(values))
        if outcome.structure == "one":
            return returned[0]
        return returned if outcome.structure == "list" else tuple(returned)

    def _overwrite(self, leaf: Any, outcome: Outcome) -> Value:
        """A new version of a leaf's memory; what was known of its contents no longer holds."""
        old: Value = leaf.value
        if outcome.reshaped is not None and leaf.__class__ is StandIn:
            # The sizes that C++ sees change only by taking over another tensor's.
            new = outcome.reshaped.value(old.owner)
            contents = leaf.contents if self.computes else None  # where it is not computed, it keeps the old shape
            leaf.data = self._stand_in(outcome.reshaped, new, None)
            leaf.contents = contents
            return new
        written: Value = leaf.spec.value(old.owner)
        leaf.value = written
        self.stale.add(old.owner)
        contents = leaf.contents
        if contents is not None:
            self.stale |= self._sharing(contents.untyped_storage()._cdata)
        return written

    def _sharing(self, storage: int) -> set[Value]:
        """Owners of the real tensors that lie in a storage: two buffers, or an input and its slice, may share one."""
        while self._unsorted:
            known = self._unsorted.pop()
            contents = known.contents
            if contents is not None:
                self._in_storage.setdefault(contents.untyped_storage()._cdata, set()).add(known.value.owner)
        return self._in_storage.get(storage, set())

    def record(self, outcome: Outcome, read: tuple[Value, ...], outputs: tuple[Value, ...]) -> None:
        """Append one op to the graph."""
        path, source = self.locator.locate(sys._getframe(2))
        signature = outcome.signature
        self.ops.append(
            Op(
                signature.operator.target,
                path,
                source,
                BoundArguments(signature, read),
                outputs,
                outcome.view,
                bool(outcome.written) and outcome.reshaped is None,
                self.phase,
                signature,
            )
        )


def _itself(leaf: StandIn | Adopted) -> Any:
    return leaf if isinstance(leaf, StandIn) else leaf.tensor
