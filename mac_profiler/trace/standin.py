"""Stand-ins: tensors with a shape and no memory, that a model computes with instead of real ones.

A `StandIn` reports the device, dtype, shape and strides of the tensor that it stands for and owns no storage. It is a
wrapper subclass and not a meta tensor, so that the model sees the device it expects, autocast casts as on that device,
and autograd accepts its gradients for parameters that live there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from mac_profiler.graph import Role, Value


class NeedsData(BaseException):
    """The model asked for the contents of a tensor that has none.

    A BaseException, so that an `except Exception` in the model's own code does not take it for an answer.
    """


class Spec:
    """What an operator can know of a tensor before it runs; one object for all equal ones, so that `is` compares.

    Attributes:
        shape: sizes.
        strides: elements from one index to the next.
        dtype: torch's element type.
        device: where the tensor that is stood for lives.
        role: what the tensor is to the model.
        dtype_name: dtype without "torch.".
        value_strides: strides for `Value`, None where they are the contiguous ones.
    """

    __slots__ = ("device", "dtype", "dtype_name", "role", "shape", "strides", "value_strides")

    def __init__(
        self,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
        role: Role,
    ) -> None:
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.device = device
        self.role = role
        self.dtype_name = str(dtype).removeprefix("torch.")
        self.value_strides = None if strides == contiguous_strides(shape) else strides

    def value(self, base: Value | None = None) -> Value:
        """A new Value of this description."""
        return Value(self.shape, self.dtype_name, self.role, self.value_strides, base)


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of a row-major tensor of that shape, as torch gives them (an empty dimension counts as 1)."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


# Descriptions and outcomes that are kept over the traces of a process; beyond that, they are begun anew.
MOST_REMEMBERED = 200_000

_specs: dict[tuple[Any, ...], Spec] = {}


def spec(
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: torch.dtype,
    device: torch.device,
    role: Role,
) -> Spec:
    """The one Spec of that description."""
    key = (shape, strides, dtype, device, role)
    found = _specs.get(key)
    if found is None:
        found = _specs[key] = Spec(shape, strides, dtype, device, role)
    return found


def spec_of(tensor: torch.Tensor, role: Role, device: torch.device | None = None) -> Spec:
    """The Spec of a strided tensor."""
    shape = tensor.shape
    found = _specs.get((shape, tensor.stride(), tensor.dtype, device or tensor.device, role))
    return found or spec(tuple(shape), tensor.stride(), tensor.dtype, device or tensor.device, role)


class StandIn(torch.Tensor):
    """A tensor without memory.

    Attributes:
        spec: what it stands for.
        token: the trace that it belongs to, see `mac_profiler.trace.leftovers`.
        value: its current Value in the graph; an in-place operator replaces it.
        contents: the same tensor with data, where the trace has it, else None.
        stale: owners of memory that was written into without computing; `contents` does not hold for them.
    """

    __slots__ = ("spec", "token", "value")

    spec: Spec
    value: Value
    token: object
    contents: torch.Tensor | None = None
    stale: set[Value] | frozenset[Value] = frozenset()

    # Nothing to intercept above the dispatcher; this also makes torch's own functions skip the override check.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # torch's own idiom

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch declares it without the function
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten._has_compatible_shallow_copy_type.default:
            return True  # asked when `tensor.data = other` takes over the sizes of another stand-in
        raise RuntimeError(
            f"{func} was called where macprof does not trace: in another thread, or on a tensor of a finished trace"
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]  # torch leaves it untyped
        return f"tensor(..., size={self.spec.shape}, dtype={self.spec.dtype}, no data)"

    @property
    def data(self) -> torch.Tensor:
        """The same memory, outside autograd."""
        return self.detach()

    @data.setter
    def data(self, other: torch.Tensor) -> None:
        torch.Tensor.data.__set__(self, other)  # type: ignore[attr-defined]
        if isinstance(other, StandIn):
            self.spec, self.value, self.contents, self.stale = other.spec, other.value, other.contents, other.stale

    def __format__(self, form: str) -> str:
        # torch formats the number of a tensor without dimensions, of plain tensors only.
        return format(self.item(), form) if self.dim() == 0 else object.__format__(self, form)

    def _leave_torch(self) -> None:
        notes = getattr(self.token, "notes", [])
        text = "a tensor was handed to numpy: what is computed outside of torch is not counted"
        if text not in notes:
            notes.append(text)

    def _contents(self) -> torch.Tensor:
        if self.contents is None or self.value.owner in self.stale:
            raise NeedsData("the contents of a tensor")
        return self.contents

    def tolist(self) -> Any:
        """Contents, where the trace has them."""
        with _disable_current_modes():
            return self._contents().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Contents, where the trace has them."""
        self._leave_torch()
        with _disable_current_modes():
            return self._contents().numpy(force=force)

    def __array__(self, dtype: Any = None) -> Any:
        self._leave_torch()
        with _disable_current_modes():
            return self._contents().__array__(dtype)

    def data_ptr(self) -> int:
        """No address exists; asking for one needs the run mode."""
        return self._contents().data_ptr()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise NeedsData("a picture of a tensor (pickle)")


_make = torch.Tensor._make_wrapper_subclass


def stand_in(description: Spec, value: Value, token: object, real: torch.Tensor | None = None) -> StandIn:
    """A new stand-in of that description."""
    made: StandIn = _make(
        StandIn,
        description.shape,
        description.strides,
        0,
        None,
        description.dtype,
        torch.strided,
        description.device,
    )
    made.spec = description
    made.value = value
    made.token = token
    if real is not None:
        made.contents = real
    return made


class Adopted:
    """What the trace knows of a real tensor that takes part: a parameter, a buffer, a constant, or any in run mode.

    Attributes:
        tensor: the tensor itself, kept so that its id stays its own; None where the tensor carries this object.
        spec: its description.
        token: the trace that it belongs to, see `mac_profiler.trace.leftovers`.
        value: its current Value in the graph.
        copied: whether `copy`, and not the tensor itself, tells the contents; the trace may change the copy.
        copy: contents, or None where they are not kept.
    """

    __slots__ = ("copied", "copy", "spec", "tensor", "value")

    def __init__(self, tensor: torch.Tensor | None, description: Spec, value: Value) -> None:
        self.tensor = tensor
        self.spec = description
        self.value = value
        self.copied = False
        self.copy: torch.Tensor | None = None

    @property
    def contents(self) -> torch.Tensor | None:
        """The tensor with its data, outside autograd; None where it has none or they are not kept."""
        if self.copied or self.tensor is None:
            return self.copy
        return None if self.spec.device.type == "meta" else self.tensor.detach()


def forget_if_many() -> bool:
    """Whether descriptions are so many (thousands of models in one process) that they were forgotten."""
    if len(_specs) < MOST_REMEMBERED:
        return False
    _specs.clear()
    return True
