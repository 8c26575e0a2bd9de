"""Recurrent networks: whole sequences, layers and directions in one operator.

`lstm_cell`, `gru_cell` and the like have no formula on purpose: torch runs a single cell by its products (`linear`,
`addmm`) and element-wise operators, and those are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, product_flops, traffic
from mac_profiler.graph import Op, Value

# Gates of a cell, and FLOPs an element of its hidden state: every non-linearity, product and sum of the cell's
# equations (torch.nn.LSTM, GRU, RNN), the sum of the two projections included, bias left out.
_LSTM, _GRU, _RNN = (4, 13), (3, 10), (1, 2)
# Numbers that cuDNN and oneDNN give the kinds of cell.
_MODES = {0: _RNN, 1: _RNN, 2: _LSTM, 3: _GRU}


@formula(*aten("lstm _lstm_mps"))
def lstm(op: Op) -> Cost:
    """Gates by two products (input to hidden, hidden to hidden) a step; a projection (`proj_size`) by one more."""
    return _sequence(op, "params", _LSTM)


@formula("aten.gru")
def gru(op: Op) -> Cost:
    """Gates by two products a step."""
    return _sequence(op, "params", _GRU)


@formula(*aten("rnn_tanh rnn_relu"))
def rnn(op: Op) -> Cost:
    """The hidden state by two products a step."""
    return _sequence(op, "params", _RNN)


@formula(*aten("_cudnn_rnn miopen_rnn"))
def rnn_of_library(op: Op) -> Cost:
    """Any of them as cuDNN runs it; the flat buffer holds the same weights, which are read once."""
    buffer = op.args.get("weight_buf")
    unread = {buffer: 0} if isinstance(buffer, Value) and op.args["weight"] else None
    return _sequence(op, "weight", _MODES[op.args["mode"]], unread)


@formula("aten.mkldnn_rnn_layer")
def rnn_layer(op: Op) -> Cost:
    """One layer in one direction as oneDNN runs it; without biases the kernel is given zeros in their place."""
    weights = [op.args[f"weight{i}"] for i in range(4)]
    return _count(op, op.args["input"], weights, _MODES[op.args["mode"]])


def _sequence(op: Op, weights: str, cell: tuple[int, int], reads: dict[Value, int] | None = None) -> Cost:
    source = op.args["input"] if "input" in op.args else op.args["data"]
    return _count(op, source, op.args[weights], cell, reads)


def _count(
    op: Op, source: Value, weights: Iterable[Value], cell: tuple[int, int], reads: dict[Value, int] | None = None
) -> Cost:
    # Each 2-d weight of each layer and direction meets one vector a step and sequence; packed or padded, the number
    # of those is that of the input's rows.
    # [l, n, directions * h] = lstm([l, n, i], params [gates * h, i], [gates * h, h], ...)
    tokens = prod(source.shape[:-1])
    matrices = [weight for weight in weights if len(weight.shape) == 2]
    gates, around = cell
    mult_adds = tokens * sum(weight.elements for weight in matrices)
    biases = sum(weight.elements for weight in weights if len(weight.shape) == 1)
    # Matrices come in pairs from input and hidden state to the gates; a projection has no gates' worth of rows.
    per_direction = 3 if cell == _LSTM and _projects(matrices) else 2
    hidden = sum(weight.shape[0] // gates for weight in matrices[::per_direction])
    flops = product_flops(op, mult_adds) + floating_flops(op, tokens * (biases + around * hidden))
    return traffic(op, mult_adds=mult_adds, flops=flops, reads=reads)


def _projects(matrices: list[Value]) -> bool:
    """Whether every direction of an LSTM has a third matrix, which brings the hidden state to its output's width."""
    return len(matrices) > 2 and matrices[2].shape[0] == matrices[1].shape[1]


@formula(*aten("_cudnn_rnn_backward miopen_rnn_backward"))
def rnn_backward(op: Op) -> Cost:
    """The gradients of states and of weights: the products of the forward each."""
    weights = op.args["weight"]
    mask = op.args["output_mask"]
    mult_adds = (bool(mask[0]) + bool(mask[3])) * _products(op.args["input"], weights)
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds))


@formula(*aten("mkldnn_rnn_layer_backward lstm_mps_backward"))
def rnn_layer_backward(op: Op) -> Cost:
    """The gradients of states and of weights: the products of the forward each."""
    weights = op.args.get("params") or [op.args[f"weight{i}"] for i in range(1, 5)]
    mult_adds = 2 * _products(op.args["input"], weights)
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds))


def _products(source: Value, weights: Iterable[Value]) -> int:
    return prod(source.shape[:-1]) * sum(weight.elements for weight in weights if len(weight.shape) == 2)


@formula(*aten("_thnn_fused_lstm_cell _thnn_fused_gru_cell"))
def fused_cell(op: Op) -> Cost:
    """The element-wise part of a cell, after its two products: 13 FLOPs a hidden element of an LSTM, 10 of a GRU."""
    around = _LSTM[1] if "lstm" in op.target else _GRU[1]
    gates = op.args["input_gates"].elements
    biases = sum(op.args.get(name) is not None for name in ("input_bias", "hidden_bias"))
    return traffic(op, flops=floating_flops(op, around * op.outputs[0].elements + biases * gates))


@formula(*aten("_thnn_fused_lstm_cell_backward_impl _thnn_fused_gru_cell_backward"))
def fused_cell_backward(op: Op) -> Cost:
    """The derivative of the element-wise part: twice its FLOPs."""
    if "lstm" in op.target:
        return traffic(op, flops=floating_flops(op, 2 * _LSTM[1] * op.args["cx"].elements))
    return traffic(op, flops=floating_flops(op, 2 * _GRU[1] * op.args["grad_hy"].elements))
