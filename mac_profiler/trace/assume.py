"""Assume: the recorder that goes on where contents are unknown, with a stated assumption for each.

For models whose tensors have no data at all (a 70-billion-parameter configuration on meta).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch

from mac_profiler.trace.operators import Operator
from mac_profiler.trace.outcome import Outcome
from mac_profiler.trace.recorder import Answer
from mac_profiler.trace.signature import Signature
from mac_profiler.trace.standin import NeedsData, Spec, contiguous_strides, spec
from mac_profiler.trace.values import Computer

_SCALARS = frozenset({"aten.item", "aten._local_scalar_dense", "aten.is_nonzero", "aten.equal", "aten.allclose"})


class Assumer(Computer):
    """A recorder that assumes what it cannot know: every condition false, every selection whole, every count 1."""

    condition = False

    def _from_contents(self, found: Operator, args: Sequence[Any], kwargs: Mapping[str, Any], leaves: list[Any]) -> Any:
        if self._contents(leaves) is not None:
            return super()._from_contents(found, args, kwargs, leaves)
        first: Spec = leaves[0].spec
        if found.target in _SCALARS:
            scalar = self._scalar(found, first)
            self._note(found, f"taken as {scalar}")
            return Answer(scalar)
        shapes = _whole_selection(found, leaves)
        if shapes is None:
            raise NeedsData(found.target)
        self._note(found, "taken to select everything (upper bound)")
        signature = Signature(found, args, kwargs, lambda value: isinstance(value, torch.Tensor))
        parts: list[tuple[Spec | None, int | None]] = [
            (spec(shape, contiguous_strides(shape), dtype, first.device, "activation"), None) for shape, dtype in shapes
        ]
        listed = found.target in ("aten.nonzero_numpy", "aten.where")
        structure = "list" if listed else "one" if len(parts) == 1 else "tuple"
        return Outcome(signature, parts, structure)

    def _scalar(self, found: Operator, description: Spec) -> Any:
        if found.target in ("aten.is_nonzero", "aten.equal", "aten.allclose") or description.dtype is torch.bool:
            return self.condition
        return 1.0 if description.dtype.is_floating_point else 1

    def _note(self, found: Operator, text: str) -> None:
        note = f"assumed: unknown {found.target} {text}"
        if note not in self.notes:
            self.notes.append(note)


class Believer(Assumer):
    """As `Assumer`, with every unknown condition true: for models that check their data and raise on false."""

    condition = True


def _whole_selection(found: Operator, leaves: list[Any]) -> list[tuple[tuple[int, ...], torch.dtype]] | None:
    """Output shapes and dtypes if every element is selected and every value is distinct."""
    first: Spec = leaves[0].spec
    elements = prod(first.shape)
    ids = torch.int64
    match found.target:
        case "aten.nonzero" | "aten.argwhere":
            return [((elements, len(first.shape)), ids)]
        case "aten.nonzero_numpy" | "aten.where":
            rows: list[tuple[tuple[int, ...], torch.dtype]] = [((elements,), ids)]
            return rows * max(len(first.shape), 1)
        case "torchvision.nms":
            return [((first.shape[0],), ids)]
        case "aten.masked_select":
            return [((elements,), first.dtype)]
        case "aten.index" | "aten._unsafe_index":
            return _masked_rows(first, leaves)
        case "aten.unique_dim":
            return [(first.shape, first.dtype), *[((max(first.shape, default=1),), ids)] * 2]
        case "aten._unique2" | "aten._unique" | "aten.unique_consecutive":
            found_values: list[tuple[tuple[int, ...], torch.dtype]] = [((elements,), first.dtype)]
            return found_values + [((elements,), ids)] * (1 if found.target == "aten._unique" else 2)
        case _:
            return None


def _masked_rows(first: Spec, leaves: list[Any]) -> list[tuple[tuple[int, ...], torch.dtype]] | None:
    masks = [leaf.spec for leaf in leaves[1:]]
    if len(masks) != 1:
        return None
    covered = len(masks[0].shape)
    return [((prod(first.shape[:covered]), *first.shape[covered:]), first.dtype)]
