"""What a generous reader lets a peer add to the multiply-adds: biases, the gates of recurrent cells, softmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from experiments.conformance_cases import Call

# Element-wise operations for one hidden unit in one step, as those peers count them that count most: biases, sums of
# the two products, gates, the new state. The products themselves are not in it.
_GATES: tuple[tuple[type[nn.Module], int], ...] = (
    (nn.LSTM, 18), (nn.LSTMCell, 18), (nn.GRU, 13), (nn.GRUCell, 13), (nn.RNN, 3), (nn.RNNCell, 3),
)  # fmt: skip


class _Biases(TorchDispatchMode):
    """Elements of the results to which an operator that multiplies adds a bias or an addend."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        biased = name in ("addmm", "baddbmm", "addmv", "addbmm") or (
            name in ("convolution", "_convolution") and args[2] is not None
        )
        if biased:
            self.elements += out.numel()
        return out


def epilogue_operations(call: Call) -> int:
    """Operations that belong to a product and are no multiply-adds: one for each element and bias, and the gates."""
    operations = 0

    def add_gates(module: Any, inputs: Any, output: Any) -> None:
        nonlocal operations
        number = next(number for kind, number in _GATES if issubclass(type(module), kind))
        # Packed sequences hold theirs in .data, and so does a tensor.
        steps = inputs[0].data.numel() // module.input_size
        cells = getattr(module, "num_layers", 1) * (2 if getattr(module, "bidirectional", False) else 1)
        operations += number * steps * module.hidden_size * cells

    def add_attention(module: Any, inputs: Any, named: Any, output: Any) -> None:
        nonlocal operations
        query = inputs[0] if inputs else named["query"]
        key = inputs[1] if len(inputs) > 1 else named["key"]
        batch = query.shape[1 - module.batch_first] if query.dim() == 3 else 1
        length = query.numel() // query.shape[-1] // batch
        width = module.embed_dim
        # Scaled queries, softmax, and four biases.
        keys = key.numel() // key.shape[-1] // batch
        operations += batch * (length * width + module.num_heads * length * keys + 2 * (length + keys) * width)

    for module in call.model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            module.register_forward_hook(add_gates)
        elif isinstance(module, nn.MultiheadAttention):
            module.register_forward_hook(add_attention, with_kwargs=True)
    torch.backends.mha.set_fastpath_enabled(False)
    with _Biases() as biases:
        call.model(*call.args, **call.kwargs)
    return operations + int(biases.elements)
