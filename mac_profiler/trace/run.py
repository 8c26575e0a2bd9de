"""Run: the model run with its own data, the operators recorded as they pass."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mac_profiler.graph import Op, Phase, Value
from mac_profiler.trace.higher_order import follow_higher_order
from mac_profiler.trace.location import Locator
from mac_profiler.trace.operators import operator
from mac_profiler.trace.outcome import describe, is_tensor, written_leaves
from mac_profiler.trace.recorder import HAND_ON, Atomic
from mac_profiler.trace.signature import BoundArguments, Signature
from mac_profiler.trace.standin import Adopted, spec_of


class Runner(TorchDispatchMode):
    """Records a real run; what the run writes into the user's tensors and generators is put back by `close`.

    Args:
        locator: finds module path and source line.
        atomic: whether an operator of that target is recorded whole; a composite that is not is followed.
        token: what every stand-in refers to.
    """

    supports_higher_order_operators = True
    computes = False  # it runs everything; nothing is left to be computed beside

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True would import the whole compiler on the first operator; nothing here is ever compiled.
        return False

    def __init__(self, locator: Locator, atomic: Atomic, token: object) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.ops: list[Op] = []
        self.notes: list[str] = []
        self.phase: Phase = "forward"
        self.locator = locator
        self._atomic = atomic
        # The user's tensors, kept. What the run makes carries its state itself and dies when the run drops it.
        self._lasting: dict[int, Adopted] = {}
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._versions: dict[int, tuple[torch.Tensor, int]] = {}
        self._generators: dict[int, tuple[torch.Generator, torch.Tensor]] = {}
        # The memory of the model's tensors: `tensor.data = other` exchanges it, and no operator announces that.
        self._data: dict[int, tuple[torch.Tensor, torch.Tensor]] = {
            id(tensor): (tensor, tensor.data) for tensor in locator.tensors()
        }

    def close(self) -> None:
        """Put back what the run wrote."""
        for tensor, data in self._data.values():
            if tensor.data_ptr() != data.data_ptr() or tensor.shape != data.shape or tensor.stride() != data.stride():
                tensor.data = data
        # Last kept, first put back: what was kept of one tensor may hold what the run had written into another's part.
        for tensor, before in reversed(self._before.values()):
            tensor.copy_(before)
        for generator, state in self._generators.values():
            generator.set_state(state)
        for tensor, version in self._versions.values():
            if tensor._version != version:
                torch._C._autograd._unsafe_set_version_counter((tensor,), (version,))

    def take_input(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor itself: it is run."""
        role: Any = self.locator.roles.get(id(tensor), "input")
        description = spec_of(tensor, role)
        self._lasting[id(tensor)] = Adopted(tensor, description, description.value())
        self._note_version(tensor)
        return tensor

    def _note_version(self, tensor: torch.Tensor) -> None:
        if not tensor.is_inference():  # an inference tensor counts no writes
            self._versions[id(tensor)] = (tensor, tensor._version)

    def value_of(self, tensor: torch.Tensor) -> Value:
        """The current Value of a tensor that went in or came out."""
        return self._state(tensor).value

    def _state(self, tensor: torch.Tensor) -> Adopted:
        state: Adopted | None = getattr(tensor, "_macprof_state", None) or self._lasting.get(id(tensor))
        if state is None:
            role: Any = self.locator.roles.get(id(tensor))
            if role is None:
                role = "weight" if isinstance(tensor, torch.nn.Parameter) else "buffer"
            description = spec_of(tensor, role)
            state = self._lasting[id(tensor)] = Adopted(tensor, description, description.value())
            self._note_version(tensor)
        return state

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, torch._ops.HigherOrderOperator):
            with self:
                return follow_higher_order(func, args, kwargs)
        found = operator(func)
        if found.composite and not self._atomic(found.target) and found.target not in HAND_ON:
            with self:
                return func.decompose(*args, **kwargs)
        tensors: list[torch.Tensor] = []
        _gather(args, tensors)
        _gather(kwargs.values(), tensors)
        leaves = [self._state(tensor) for tensor in tensors]
        generator = kwargs.get("generator")
        if isinstance(generator, torch.Generator):
            self._generators.setdefault(id(generator), (generator, generator.get_state()))
        signature = Signature(found, args, kwargs, is_tensor)
        written = written_leaves(found, signature)
        for index in written:
            self._keep(tensors[index], leaves[index], found.reshapes_self)
        if found.composite or "norm" in found.target:
            # What writes more than its schema says: batch_norm its running statistics.
            for tensor, leaf in zip(tensors, leaves, strict=True):
                if leaf.spec.role == "buffer":
                    self._keep(tensor, leaf, False)
        read = tuple(leaf.value for leaf in leaves)
        result = func(*args, **kwargs)
        if not isinstance(result, torch.Tensor | list | tuple) and not written:
            return result
        self._note(found, signature, result, tensors, leaves, read, written)
        return result

    def _note(
        self, found: Any, signature: Signature, result: Any, tensors: Any, leaves: Any, read: Any, written: Any
    ) -> None:
        outcome = describe(found, signature, result, tensors, leaves, None, written)
        returned = list(result) if isinstance(result, list | tuple) else [result]
        values: list[Value] = []
        for index in written:
            leaf = leaves[index]
            leaf.spec = spec_of(tensors[index], leaf.spec.role)
            leaf.value = leaf.spec.value(leaf.value.owner)
            values.append(leaf.value)
        for (description, index), tensor in zip(outcome.parts, returned, strict=True):
            if description is not None:
                same = found.target in HAND_ON and index is not None
                value = (
                    leaves[index].value
                    if same
                    else description.value(None if index is None else leaves[index].value.owner)
                )
                values.append(value)
                tensor._macprof_state = Adopted(None, description, value)
        if outcome.silent or found.target in HAND_ON:
            return
        path, source = self._place()
        arguments = BoundArguments(signature, read)
        self.ops.append(
            Op(found.target, path, source, arguments, tuple(values), outcome.view, bool(written), self.phase, None)
        )

    def _place(self) -> tuple[str, str]:
        """Module path and source line of the operator that is being recorded."""
        return self.locator.locate(sys._getframe(3))

    def _keep(self, tensor: torch.Tensor, leaf: Adopted, reshapes: bool) -> None:
        """Keep contents, and where it is reshaped the sizes, of the user's memory before the first write into it."""
        if reshapes and id(tensor) in self._lasting:
            self._data.setdefault(id(tensor), (tensor, tensor.data))
        owner = leaf.value.owner
        for lasting in self._lasting.values():
            if lasting.value.owner is owner and lasting.tensor is not None:
                kept = lasting.tensor
                if id(kept) not in self._before:
                    self._before[id(kept)] = (kept, kept.detach().clone())
                return


def _gather(values: Any, found: list[torch.Tensor]) -> None:
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            _gather(value, found)
