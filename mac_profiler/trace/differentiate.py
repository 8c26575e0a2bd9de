"""Differentiate: the recorder with autograd at work, for the backward pass and for models that differentiate inside.

Autograd takes composite operators apart before a dispatch mode can see them. To keep attention whole here too, every
operator is caught twice: first above autograd's reach, where attention is exchanged for the one fused kernel that torch
can differentiate whatever its arguments, then below autograd, where operators are recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Value
from mac_profiler.trace.location import Locator
from mac_profiler.trace.operators import operator
from mac_profiler.trace.outcome import Outcome, resolve_by_rule
from mac_profiler.trace.recorder import Atomic
from mac_profiler.trace.signature import Signature
from mac_profiler.trace.standin import Spec, StandIn, contiguous_strides, spec, stand_in
from mac_profiler.trace.values import Computer

_ATTENTION = torch.ops.aten.scaled_dot_product_attention.default
_MAY_TAKE_OVER = torch.ops.aten._has_compatible_shallow_copy_type.default
_FUSED = torch.ops.aten._scaled_dot_product_fused_attention_overrideable.default


class Differentiator(Computer):
    """A recorder of forward and backward operators.

    Args:
        locator: finds module path and source line.
        atomic: whether an operator of that target is recorded whole; a composite that is not is followed.
        token: what every stand-in refers to.
    """

    accumulates = False

    def __init__(self, locator: Locator, atomic: Atomic, token: object) -> None:
        super().__init__(locator, atomic, token)
        self._below = False
        self._attention: Outcome | None = None
        self._places = Places()
        self._before: dict[int, tuple[torch.Tensor, int | None, torch.Tensor | None]] = {}

    def take_input(self, tensor: torch.Tensor) -> StandIn:
        """The stand-in of a tensor that the call is given; it wants a gradient if the tensor does."""
        stand = super().take_input(tensor)
        return stand.requires_grad_(tensor.requires_grad)  # type: ignore[return-value]

    def adopt(self, tensor: torch.Tensor) -> Any:
        """Note a real tensor; autograd counts writes into it and may leave it a gradient, and both are put back."""
        if id(tensor) not in self._before:
            gradient = tensor.grad if tensor.is_leaf else None
            # An inference tensor counts no writes.
            version = None if tensor.is_inference() else tensor._version
            self._before[id(tensor)] = (tensor, version, gradient)
        return super().adopt(tensor)

    def close(self) -> None:
        """Put back the user's gradients, and how often autograd saw the user's tensors written."""
        for tensor, version, gradient in self._before.values():
            if tensor.is_leaf and tensor.grad is not gradient:
                tensor.grad = gradient
            if version is not None and tensor._version != version:
                torch._C._autograd._unsafe_set_version_counter((tensor,), (version,))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._below or self.phase == "backward":
            if func is _FUSED:
                return self._fused_attention(args, kwargs)
            return super().__torch_dispatch__(func, types, args, kwargs)
        if func is _MAY_TAKE_OVER:
            return super().__torch_dispatch__(func, types, args, kwargs)
        with self._autograd():
            if func is _ATTENTION and self._atomic("aten.scaled_dot_product_attention"):
                return self._attend(*args, **kwargs)
            return func(*args, **kwargs)

    @contextmanager
    def _autograd(self) -> Iterator[None]:
        """Dispatch through autograd to this mode again."""
        include = torch._C._dispatch_tls_local_include_set() | torch._C.DispatchKeySet(
            torch._C.DispatchKey.ADInplaceOrView
        )
        exclude = torch._C._dispatch_tls_local_exclude_set() - _AUTOGRAD
        self._below = True
        try:
            with torch._C._ForceDispatchKeyGuard(include, exclude), self:
                yield
        finally:
            self._below = False

    def _attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Any:
        args = (query, key, value, attn_mask, dropout_p, is_causal)
        kwargs = {"scale": scale, "enable_gqa": enable_gqa}
        signature = Signature(operator(_ATTENTION), args, kwargs, lambda item: isinstance(item, torch.Tensor))
        leaves = [item if item.__class__ is StandIn else self.adopt(item) for item in args[:4] if item is not None]
        self._attention = resolve_by_rule(operator(_ATTENTION), args, kwargs, leaves) or Outcome(
            signature, [(self._plain_output(query, value), None)], "one"
        )
        return _FUSED(query, key, value, attn_mask, dropout_p, is_causal, False, scale=scale)[0]

    @staticmethod
    def _plain_output(query: Any, value: Any) -> Spec:
        shape = (*query.shape[:-1], value.shape[-1])
        return spec(shape, contiguous_strides(shape), query.dtype, query.device, "activation")

    def _fused_attention(self, args: Any, kwargs: Any) -> Any:
        """Record the attention that was asked for, and give autograd what the fused kernel's derivative takes."""
        outcome = self._attention
        if outcome is None:  # called by the model itself, not by _attend
            return super().__torch_dispatch__(_FUSED, (), args, kwargs)
        tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
        leaves = [tensor if tensor.__class__ is StandIn else self.adopt(tensor) for tensor in tensors]
        output = self.emit(outcome, leaves)
        query = args[0]
        statistics = self._extra(query.shape[:-1], torch.float32, query.device)
        empty = [self._extra((0,), torch.int64, query.device) for _ in range(5)]
        longest = (query.shape[-2], args[1].shape[-2])
        return (output, statistics, empty[0], empty[1], *longest, empty[2], empty[3], empty[4])

    def _extra(self, shape: Any, dtype: torch.dtype, device: torch.device) -> StandIn:
        description = spec(tuple(shape), contiguous_strides(tuple(shape)), dtype, device, "activation")
        return stand_in(description, description.value(), self.token)

    def record(self, outcome: Outcome, read: tuple[Value, ...], outputs: tuple[Value, ...]) -> None:
        """Append one op to the graph; a backward op belongs where its forward op ran."""
        super().record(outcome, read, outputs)
        op = self.ops[-1]
        if self.phase == "forward":
            self._places.note(op.path, op.source)
        else:
            path, source = self._places.of_backward(op.path, op.source)
            self.ops[-1] = op.moved(path, source)

    def run_backward(self, returned: list[torch.Tensor], wanted: list[torch.Tensor]) -> None:
        """Record the backward pass from the returned tensors, a gradient given for each, to the wanted ones.

        Raises:
            InvalidInput: no returned tensor depends on one that requires a gradient.
        """
        roots, wanted = ends_of(returned, wanted)
        self.phase = "backward"
        gradients = [self._gradient(tensor) for tensor in roots]
        for tensor in wanted:
            if tensor.__class__ is not StandIn:
                self.adopt(tensor)
        try:
            call_backward(roots, wanted, gradients, self.accumulates)
        except RuntimeError as error:
            if "use_reentrant=True" in str(error) and not self.accumulates:
                raise NeedsAccumulation from error
            raise

    def _gradient(self, tensor: torch.Tensor) -> StandIn:
        shape = tuple(tensor.shape)
        description: Spec = spec(shape, contiguous_strides(shape), tensor.dtype, tensor.device, "input")
        return stand_in(description, description.value(), self.token)


def call_backward(roots: Any, wanted: Any, gradients: Any, accumulate: bool) -> None:
    """Differentiate; like `call_model`, the frame at which the model's part of the call stack ends."""
    if not accumulate:
        torch.autograd.grad(roots, wanted, gradients, allow_unused=True)
        return
    for tensor in wanted:
        tensor.grad = None
    torch.autograd.backward(roots, gradients)


def ends_of(returned: list[torch.Tensor], wanted: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Where a backward pass begins and where it ends: what was returned with a history, and every leaf of that history.

    Raises:
        InvalidInput: no returned tensor depends on one that requires a gradient.
    """
    roots = [tensor for tensor in returned if tensor.requires_grad]
    known = {id(tensor) for tensor in wanted}
    # Parameters that the model does not hold: of a callable's closure, or made inside forward.
    ends = wanted + [leaf for leaf in leaves_of(roots) if id(leaf) not in known]
    if not roots or not ends:
        raise InvalidInput(
            "nothing to differentiate: no output depends on a parameter or input that requires a gradient"
        )
    return roots, ends


def leaves_of(roots: list[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors that autograd would leave gradients in."""
    pending: list[Any] = [root.grad_fn for root in roots]
    seen: set[Any] = set()
    found: dict[int, torch.Tensor] = {}
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found[id(node.variable)] = node.variable
        pending.extend(following for following, _ in node.next_functions)
    return list(found.values())


class Places:
    """Where the operators ran that autograd's nodes differentiate, by the nodes' sequence numbers."""

    def __init__(self) -> None:
        self._by_number: dict[int, tuple[str, str]] = {}

    def note(self, path: str, source: str) -> None:
        """Remember the place of the operator that is being recorded: its node was made just before."""
        self._by_number.setdefault(torch._C._autograd._get_sequence_nr() - 1, (path, source))

    def of_backward(self, path: str, source: str) -> tuple[str, str]:
        """The place of what the running node differentiates, unless the stack told one (a recomputation)."""
        node = torch._C._current_autograd_node()
        if path or source or node is None:
            return path, source
        return self._by_number.get(node._sequence_nr(), ("", ""))


class NeedsAccumulation(Exception):
    """The backward pass runs only where gradients are left in `.grad`: re-entrant checkpoints."""


class Accumulator(Differentiator):
    """A recorder of a backward pass that leaves its gradients in `.grad`; they are taken out again."""

    accumulates = True


_AUTOGRAD = torch._C.DispatchKeySet(torch._C.DispatchKey.ADInplaceOrView)
for _name in ("AutogradOther", "AutogradCPU", "AutogradCUDA", "AutogradMeta", "AutogradMPS", "AutogradXPU",
              "AutogradPrivateUse1", "AutogradFunctionality", "AutogradNestedTensor"):  # fmt: skip
    if hasattr(torch._C.DispatchKey, _name):
        _AUTOGRAD = _AUTOGRAD | torch._C.DispatchKeySet(getattr(torch._C.DispatchKey, _name))
