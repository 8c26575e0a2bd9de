"""Values: the recorder that also computes what is small and depends on existing contents alone.

Ids, masks and positions decide shapes and branches in many models, and follow from the inputs and from constants
without the network. Their operators are run on copies; all others are answered with stand-ins as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from mac_profiler.graph import Value
from mac_profiler.trace.location import Locator
from mac_profiler.trace.operators import Operator, operator
from mac_profiler.trace.outcome import Outcome
from mac_profiler.trace.recorder import OUTCOMES, Answer, Atomic, Recorder
from mac_profiler.trace.standin import Adopted, Spec, StandIn

# Elements of a tensor whose contents are kept. Of the user's tensors integers and masks are wanted, floats only as
# scales and schedules: with images and weights left out, no product of the network is ever computed.
_MOST = 1 << 20
_MOST_GIVEN_FLOATS = 1 << 12
_MOST_BYTES = 1 << 24


def _worth_keeping(tensor: torch.Tensor) -> bool:
    floating = tensor.dtype.is_floating_point or tensor.dtype.is_complex
    return tensor.device.type != "meta" and tensor.numel() <= (_MOST_GIVEN_FLOATS if floating else _MOST)


class Computer(Recorder):
    """A recorder that computes small known tensors."""

    computes = True

    def __init__(self, locator: Locator, atomic: Atomic, token: object) -> None:
        super().__init__(locator, atomic, token)
        self._copies: dict[int, torch.Tensor] = {}
        # Copied storages by the original's: tensors that share memory share its copy.
        self._storages: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def _stand_in(self, description: Spec, value: Value, real: torch.Tensor | None) -> StandIn:
        return super()._stand_in(description, value, self._copy(real))

    def adopt(self, tensor: torch.Tensor) -> Adopted:
        """Note a real tensor, and copy its contents if they are small."""
        known = id(tensor) in self._adopted
        found = super().adopt(tensor)
        if not known:
            found.copy = self._copy(found.contents)
            found.copied = True
        return found

    def _copy(self, real: torch.Tensor | None) -> torch.Tensor | None:
        """A copy that may be written into: the tensor itself belongs to the user."""
        if real is None or not _worth_keeping(real) or torch._C._functorch.peek_interpreter_stack() is not None:
            return None  # inside of a transform (vmap, jvp) tensors are more than their memory
        if id(real) in self._copies:
            return real
        storage = real.untyped_storage()
        if storage.nbytes() > _MOST_BYTES:
            return None
        with _disable_current_modes():
            if storage._cdata not in self._storages:
                self._storages[storage._cdata] = (storage, storage.clone())
            copied = torch.empty(0, dtype=real.dtype, device=real.device)
            copied.set_(self._storages[storage._cdata][1], real.storage_offset(), real.shape, real.stride())
        self._copies[id(copied)] = copied
        return copied

    def _decide(
        self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any], key: tuple[Any, ...]
    ) -> Any:
        found = operator(func)
        outcome = OUTCOMES.get(key)
        if outcome is None:
            outcome = super()._decide(func, args, kwargs, leaves, key)
        if outcome.__class__ is not Outcome or torch.Tag.nondeterministic_seeded in func.tags:
            return outcome
        reals = self._contents(leaves)
        if reals is None or not all(_small(part[0]) for part in outcome.parts) or not self._on_hand(found, leaves):
            return outcome
        return Answer(self._compute(found, args, kwargs, leaves, reals))

    @staticmethod
    def _on_hand(found: Operator, leaves: list[Any]) -> bool:
        # Without tensor arguments a factory; uninitialised memory has no contents worth keeping.
        return bool(leaves) or not found.target.startswith(("aten.empty", "aten.new_empty"))


def _small(description: Spec | None) -> bool:
    return description is None or prod(description.shape) <= _MOST
