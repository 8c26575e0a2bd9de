"""Outcomes: what an operator returns for given argument metadata, found out once a process.

torch's own meta kernels say what comes out; many of them are slow Python, so their answer is remembered by operator,
argument metadata and scalars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mac_profiler.trace.formats import broadcasts
from mac_profiler.trace.operators import Operator
from mac_profiler.trace.refusals import refuse
from mac_profiler.trace.shape_rules import SHAPE_RULES
from mac_profiler.trace.signature import Signature
from mac_profiler.trace.standin import Adopted, NeedsData, Spec, StandIn, spec, spec_of

Leaves = Sequence["StandIn | Adopted"]
META = torch.device("meta")
_ON_META = re.compile(r"\bmeta tensors?\b|on meta\b|it's on meta|\bmeta long tensor\b", re.IGNORECASE)


class Outcome:
    """What an operator returns, as a function of its tensor arguments ("leaves").

    Attributes:
        signature: operator and metadata of its arguments.
        parts: for each returned tensor: (spec, None) made anew, (spec, n) a view of leaf n, (None, n) leaf n itself,
            (None, None) no tensor.
        fresh: the only part's spec where one new tensor is returned: the common case, kept for speed.
        structure: how the parts are returned: "one", "tuple" or "list".
        view: it only renames memory.
        written: leaves that it writes into.
        silent: nothing is executed: it returned what it was given.
        reshaped: leaf 0's new spec, for operators that change the sizes of what they are given.
    """

    __slots__ = ("fresh", "parts", "reshaped", "signature", "silent", "structure", "view", "written")

    def __init__(
        self,
        signature: Signature,
        parts: list[tuple[Spec | None, int | None]],
        structure: str,
        written: tuple[int, ...] = (),
    ) -> None:
        self.signature = signature
        self.parts = parts
        self.structure = structure
        self.written = written
        self.reshaped: Spec | None = None
        made = [part for part in parts if part != (None, None)]
        aliases = [part for part in made if part[1] is not None]
        self.view = bool(made) and len(aliases) == len(made) and not written
        self.silent = self.view and all(part[0] is None for part in made)
        single = structure == "one" and len(parts) == 1 and not written
        self.fresh = parts[0][0] if single and parts[0][1] is None else None


def is_tensor(value: object) -> bool:
    """Whether a template has a leaf in that place."""
    return isinstance(value, torch.Tensor)


def resolve_by_rule(
    operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: Leaves
) -> Outcome | None:
    """The outcome by one of macprof's own shape rules, or None where there is none that answers."""
    if operator.writes_self and _written_elementwise(operator, leaves, args):
        # In place, element by element: what comes back is what went in.
        return Outcome(Signature(operator, args, kwargs, is_tensor), [(None, 0)], "one", (0,))
    rule = SHAPE_RULES.get(operator.target)
    if rule is None or "out" in kwargs:
        return None
    signature = Signature(operator, args, kwargs, is_tensor)
    answer = rule(signature.bind(leaves))  # type: ignore[arg-type]  # rules read .spec, which leaves have
    if answer is None:
        return None
    parts: list[tuple[Spec | None, int | None]] = [(found, None) for found in answer]
    return Outcome(signature, parts, "one" if len(parts) == 1 else "tuple")


def _written_elementwise(operator: Operator, leaves: Leaves, args: Sequence[Any]) -> bool:
    """Whether all leaves fit an element-wise in-place operator; where not, torch is asked, and says what is wrong."""
    first = leaves[0].spec
    if not first.dtype.is_floating_point or any(isinstance(arg, complex) for arg in args):
        return False
    if len(leaves) == 1:
        return "bitwise" not in operator.target
    return operator.elementwise and all(
        leaf.spec.dtype is first.dtype and broadcasts(leaf.spec.shape, first.shape) for leaf in leaves
    )


def resolve(operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: Leaves) -> Outcome:
    """Find out what an operator returns.

    Raises:
        NeedsData: only the contents of its tensors can tell, or torch has no meta kernel for it.
    """
    signature = Signature(operator, args, kwargs, is_tensor)
    device = _device(operator, args, kwargs, leaves)
    refuse(operator.target, leaves, args)
    result, fakes = _call_on_meta(operator, args, kwargs, leaves, device)
    moved = bool(leaves) and "device" in operator.names and device != leaves[0].spec.device
    written = written_leaves(operator, signature)
    return describe(operator, signature, result, fakes, leaves, device, written, moved=moved)


def ask(operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: Leaves) -> Any:
    """The answer of an operator that returns no tensor: a question about shapes and types.

    Raises:
        NeedsData: it asks for more.
    """
    return _call_on_meta(operator, args, kwargs, leaves, META)[0]


def _call_on_meta(
    operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: Leaves, device: torch.device
) -> tuple[Any, list[torch.Tensor]]:
    """Call an operator with meta tensors in the place of the leaves; returns what it returned, and them."""
    try:
        fakes = [_meta(leaf.spec, operator) for leaf in leaves]
        positions = iter(fakes)
        meta_args = [_substitute(value, positions) for value in args]
        meta_kwargs = {name: _substitute(value, positions) for name, value in kwargs.items()}
        if device.type != "meta" and "device" in operator.names:
            where = operator.names.index("device")
            if where < len(meta_args):
                meta_args[where] = META
            else:
                meta_kwargs["device"] = META
            if meta_kwargs.get("pin_memory"):
                meta_kwargs["pin_memory"] = False
        return operator.func(*meta_args, **meta_kwargs), fakes
    except NotImplementedError:  # torch raises it for an operator without a meta kernel; the trace lacks nothing
        # A later mode may run the real kernel.
        raise NeedsData(f"{operator.target}, which has no meta kernel") from None
    except RuntimeError as error:
        # Kernels that look into a tensor say so in many words; all of them name the device that has nothing to see.
        if _ON_META.search(str(error)):
            raise NeedsData(operator.target) from None
        raise


def _meta(description: Spec, operator: Operator) -> torch.Tensor:
    if operator.target == "aten.as_strided":
        # It may look beyond the tensor that it is given, into the rest of the storage.
        whole = torch.empty(1 << 40, dtype=description.dtype, device=META)
        return whole.as_strided(description.shape, description.strides)
    return torch.empty_strided(description.shape, description.strides, dtype=description.dtype, device=META)


def _substitute(value: Any, tensors: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, list | tuple):
        return [_substitute(item, tensors) for item in value]
    return value


def _device(operator: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: Leaves) -> torch.device:
    """Where the outputs live: where asked, else with the first tensor that has dimensions, else on the CPU."""
    if "device" in operator.names:
        where = operator.names.index("device")
        asked = kwargs.get("device") if where >= len(args) else args[where]
        if asked is not None:
            return torch.device(asked)
        if not leaves:
            return torch.device("cpu")
    for leaf in leaves:
        if leaf.spec.shape:
            return leaf.spec.device
    return leaves[0].spec.device if leaves else torch.device("cpu")


def written_leaves(operator: Operator, signature: Signature) -> tuple[int, ...]:
    """Indices of the leaves that an operator writes into."""
    found: list[int] = []
    for name in operator.written:
        _collect(signature.template.get(name), found)
    return tuple(found)


def _collect(template: Any, found: list[int]) -> None:
    if hasattr(template, "index") and not isinstance(template, tuple | str):
        found.append(template.index)
    elif isinstance(template, tuple):
        for item in template:
            _collect(item, found)


def describe(
    operator: Operator,
    signature: Signature,
    result: Any,
    tensors: Sequence[torch.Tensor],
    leaves: Leaves,
    device: torch.device | None,
    written: tuple[int, ...],
    *,
    moved: bool = False,
) -> Outcome:
    """Outcome of a call that was made, with `tensors` in the place of the leaves, and gave `result`."""
    structure = "list" if isinstance(result, list) else "tuple" if isinstance(result, tuple) else "one"
    returned = list(result) if structure != "one" else [result]
    storages: dict[int, int] | None = None
    parts: list[tuple[Spec | None, int | None]] = []
    for item in returned:
        if not isinstance(item, torch.Tensor):
            parts.append((None, None))
            continue
        if item.layout is not torch.strided:
            raise NeedsData(f"{operator.target} (a tensor of layout {item.layout})")
        same = next((n for n, tensor in enumerate(tensors) if tensor is item), None)
        if same is not None and not moved:
            parts.append((None, same))
            continue
        owner: int | None = None
        if not moved:
            if storages is None:
                storages = {tensor.untyped_storage()._cdata: n for n, tensor in reversed(list(enumerate(tensors)))}
            owner = storages.get(item.untyped_storage()._cdata)
        # By its memory, not by its schema: `_unsafe_view` is a view that says it is none.
        role = leaves[owner].spec.role if owner is not None else "activation"
        parts.append((spec_of(item, role, device or item.device), owner))
    outcome = Outcome(signature, parts, structure, written)
    if operator.reshapes_self and written and tensors:
        changed = tensors[written[0]]
        before = leaves[written[0]].spec
        outcome.reshaped = spec(tuple(changed.shape), changed.stride(), changed.dtype, before.device, before.role)
        outcome.view = True
    return outcome
