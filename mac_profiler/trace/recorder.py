"""Recorder: a dispatch mode that writes down every operator and answers with stand-ins instead of computing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from mac_profiler.errors import TraceFailed
from mac_profiler.trace.higher_order import follow_higher_order
from mac_profiler.trace.location import Locator
from mac_profiler.trace.operators import Operator, operator
from mac_profiler.trace.outcome import Outcome, ask, describe, is_tensor, resolve, resolve_by_rule, written_leaves
from mac_profiler.trace.signature import Signature
from mac_profiler.trace.standin import Adopted, NeedsData, StandIn
from mac_profiler.trace.tape import Tape

Atomic = Callable[[str], bool]

# Scalars that are their own key. bool and float are kept apart: True == 1 == 1.0, and x + 1.0 is not x + 1.
_PLAIN = frozenset({int, type(None), str, torch.dtype, torch.device, torch.layout, torch.memory_format})

# Operators that hand their argument on: nothing is executed, the result is the same Value.
HAND_ON = frozenset({"aten.detach", "aten.alias", "aten.lift", "aten.lift_fresh", "aten.detach_"})

# Asked before C++ reads a tensor's memory (`tolist()`, `numpy()`); they change complex tensors only.
_RESOLVE = frozenset({"aten.resolve_conj", "aten.resolve_neg"})

# Operators on ragged batches: lengths decide the shapes, and are at hand where the data are not.
_CONTENT_OPERATORS = frozenset({"aten._pack_padded_sequence", "aten._pad_packed_sequence"})

# With the answer "follow", a composite operator is run through its parts.
_FOLLOW = object()

# Outcomes by operator, argument metadata and scalars, kept over all traces of the process.
OUTCOMES: dict[tuple[Any, ...], Any] = {}


class Recorder(Tape):
    """Records the operators of one call.

    Args:
        locator: finds module path and source line.
        atomic: whether an operator of that target is recorded whole; a composite that is not is followed.
        token: what every stand-in refers to.
    """

    def __init__(self, locator: Locator, atomic: Atomic, token: object) -> None:
        super().__init__(locator, token)
        self._atomic = atomic

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if isinstance(func, torch._ops.HigherOrderOperator):
            with self:
                return follow_higher_order(func, args, kwargs or {})
        kwargs = kwargs or {}
        leaves: list[Any] = []
        key = self._key(func, args, kwargs, leaves)
        outcome = None if self.computes else OUTCOMES.get(key)
        if outcome is None or (outcome is _FOLLOW and self._atomic(operator(func).target)):
            # Not seen before, or followed before a formula for it was registered.
            outcome = self._decide(func, args, kwargs, leaves, key)
        if outcome is _FOLLOW:
            with self:
                return func.decompose(*args, **kwargs)
        if outcome.__class__ is not Outcome:
            return outcome.answer
        return self.emit(outcome, leaves)

    def _key(self, func: Any, args: Any, kwargs: Any, leaves: list[Any]) -> tuple[Any, ...]:
        """All that an outcome depends on; notes the tensors among the arguments in `leaves`."""
        key: list[Any] = [id(func)]
        for arg in args:
            cls = arg.__class__
            if cls is StandIn:
                leaves.append(arg)
                key.append(arg.spec)
            elif cls in _PLAIN:
                key.append(arg)
            elif cls is list or cls is tuple:
                key.append(self._list_key(arg, leaves))
            elif isinstance(arg, torch.Tensor):
                adopted = self._adopted.get(id(arg)) or self.adopt(arg)
                leaves.append(adopted)
                key.append(adopted.spec)
            else:
                key.append((cls, arg))
        if kwargs:
            key.append(self._list_key(list(kwargs.items()), leaves))
        if len(leaves) > 1:
            overlap = _overlap(leaves)
            if overlap is not None:
                key.append(overlap)
        return tuple(key)

    def _list_key(self, items: Sequence[Any], leaves: list[Any]) -> tuple[Any, ...]:
        key: list[Any] = []
        for item in items:
            cls = item.__class__
            if cls is int:
                key.append(item)
            elif cls is StandIn:
                leaves.append(item)
                key.append(item.spec)
            elif isinstance(item, torch.Tensor):
                adopted = self.adopt(item)
                leaves.append(adopted)
                key.append(adopted.spec)
            elif cls is list or cls is tuple:
                key.append(self._list_key(item, leaves))
            else:
                key.append((cls, item))
        return tuple(key)

    def _decide(
        self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any], key: tuple[Any, ...]
    ) -> Any:
        found = operator(func)
        special = self._special(found, args, kwargs, leaves)
        if special is not None:
            return special
        whole = not found.composite or self._atomic(found.target)
        if whole or found.needs_contents:
            outcome = resolve_by_rule(found, args, kwargs, leaves)
            if outcome is not None:
                OUTCOMES[key] = outcome
                return outcome
        if found.needs_contents or _masks(found, leaves):
            return self._from_contents(found, args, kwargs, leaves)
        if not whole and not found.aliasing:
            return _FOLLOW
        if not found.makes_tensors:
            return Answer(ask(found, args, kwargs, leaves))
        try:
            made = resolve(found, args, kwargs, leaves)
        except NeedsData:
            if found.composite:
                return _FOLLOW  # its parts may ask for what is known
            if self.computes:
                return self._from_contents(found, args, kwargs, leaves)
            raise
        # A reshape that has to copy is followed: its parts tell how.
        OUTCOMES[key] = result = made if whole or made.view else _FOLLOW
        return result

    def _special(self, found: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any]) -> Any:
        """The answer to operators that compute nothing or look into some of their arguments; None for all others."""
        if found.target in HAND_ON:
            return Answer(self._hand_on(found, args[0], leaves[0]))
        if found.target in _RESOLVE and leaves[0].__class__ is not StandIn and not leaves[0].spec.dtype.is_complex:
            return Answer(self._hand_on(found, args[0], leaves[0]))
        if not found.makes_tensors and not leaves:
            return Answer(found.func(*args, **kwargs))  # no tensor goes in or out: markers of a profiler, queries
        if found.target == "aten._has_compatible_shallow_copy_type":
            # Asked by `tensor.data = other`: a stand-in may take over another; a real tensor must not take over one.
            return Answer(leaves[0].__class__ is StandIn)
        if "nested" in found.target:
            raise TraceFailed("the model makes nested tensors, which have no one shape: use a padded tensor and a mask")
        if found.target in _CONTENT_OPERATORS:
            return self._from_some_contents(found, args, kwargs, leaves)
        return None

    def _hand_on(self, found: Operator, arg: Any, leaf: Any) -> Any:
        if found.target not in ("aten.detach", "aten.alias", *_RESOLVE):
            return arg if arg.__class__ is StandIn else self._stand_in(leaf.spec, leaf.value, leaf.contents)
        if arg.__class__ is StandIn:
            return self._stand_in(leaf.spec, leaf.value, leaf.contents)
        # C++ reads the memory of what it detached itself (`numpy()`), so a real tensor is answered by a real one.
        if leaf.value.owner in self.stale:
            raise NeedsData("the contents of a tensor that was written into")
        alias = (leaf.copy if leaf.copied and leaf.copy is not None else arg).detach()
        known = self._adopted[id(alias)] = Adopted(alias, leaf.spec, leaf.value)
        known.copied, known.copy = leaf.copied, leaf.copy  # what may be computed with and written into
        return alias

    def _from_contents(self, found: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any]) -> Any:
        """Answer an operator whose result depends on contents, if the trace has them."""
        reals = self._contents(leaves)
        if reals is None:
            raise NeedsData(found.target)
        return Answer(self._compute(found, args, kwargs, leaves, reals))

    def _from_some_contents(
        self, found: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any]
    ) -> Any:
        """Answer an operator of which only the integer arguments' contents matter; the others are taken as zeros."""
        reals = []
        for leaf in leaves:
            known = leaf.contents is not None and leaf.value.owner not in self.stale
            if not known and not leaf.spec.dtype.is_floating_point:
                raise NeedsData(found.target)
            # One element stands for all: the operator copies as many as it needs, on the CPU.
            zeros = torch.zeros((), dtype=leaf.spec.dtype).expand(leaf.spec.shape)
            reals.append(leaf.contents if known else zeros)
        return Answer(self._compute(found, args, kwargs, leaves, reals))

    def _contents(self, leaves: list[Any]) -> list[torch.Tensor] | None:
        """The contents of all leaves, or None where those of one are unknown."""
        if any(leaf.contents is None or leaf.value.owner in self.stale for leaf in leaves):
            return None
        return [leaf.contents for leaf in leaves]

    def _compute(
        self,
        found: Operator,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        leaves: list[Any],
        reals: list[torch.Tensor],
    ) -> Any:
        """Run an operator on known contents, record it, and keep the contents of what it returns."""
        positions = iter(reals)
        given = {name: _fill(arg, positions) for name, arg in zip(found.names, args, strict=False)}
        given |= {name: _fill(arg, positions) for name, arg in kwargs.items()}
        device: torch.device | None = leaves[0].spec.device if leaves else torch.device(given.get("device") or "cpu")
        if "device" in found.names:
            # Contents are kept on the CPU when the model's own device holds none.
            where = torch.device(given.get("device") or device or "cpu")
            device = where
            given["device"] = _where_contents_live(where)
            given.pop("pin_memory", None)
        result = found.func(**given)
        if not isinstance(result, torch.Tensor | list | tuple):
            return result
        signature = Signature(found, args, kwargs, is_tensor)
        written = written_leaves(found, signature)
        if found.target in _CONTENT_OPERATORS:
            device = None  # what they say of the lengths lives on the CPU, whatever the device
        outcome = describe(found, signature, result, reals, leaves, device, written)
        known = {leaves[index].value.owner for index in written} - self.stale
        emitted = self.emit(outcome, leaves)
        self.stale -= known  # it wrote, and the contents were written too
        made = [emitted] if isinstance(emitted, torch.Tensor) else emitted
        computed = [result] if isinstance(result, torch.Tensor) else result
        for stand, contents in zip(made, computed, strict=True):
            if isinstance(stand, StandIn):
                stand.contents, stand.stale = contents, self.stale
        return emitted


class Answer:
    """A result that is no outcome: it holds for this call alone."""

    __slots__ = ("answer",)

    def __init__(self, answer: Any) -> None:
        self.answer = answer


def _where_contents_live(device: torch.device) -> torch.device:
    return torch.device("cpu") if device.type == "meta" else device


def _overlap(leaves: list[Any]) -> tuple[int, ...] | None:
    """Which leaves are the same memory, as the index of the first such; None where all differ (nearly always)."""
    if len(leaves) == 2:
        a, b = leaves[0].value, leaves[1].value
        if (a.base or a) is not (b.base or b):
            return None
    owners = [leaf.value.owner for leaf in leaves]
    if len(set(owners)) == len(owners):
        return None
    memories = [leaf.value.memory for leaf in leaves]
    return tuple(memories.index(memory) for memory in memories)


def _masks(found: Operator, leaves: list[Any]) -> bool:
    """Indexing by a boolean mask: the number of rows is in the contents."""
    if found.target not in ("aten.index", "aten._unsafe_index"):
        return False
    return any(leaf.spec.dtype in (torch.bool, torch.uint8) for leaf in leaves[1:])


def _fill(value: Any, tensors: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, list | tuple):
        return type(value)(_fill(item, tensors) for item in value)
    return value
