"""Recurrent networks: a product with every weight matrix, for every step of every sequence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn, randn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from .case import Call, Function, case


@case(5 * 2 * 4 * 6 * (3 + 6), parameters=4 * 6 * (3 + 6 + 2))
def lstm() -> Call:
    """Four gates of 6 from 3 inputs and 6 states, for 5 steps of 2 sequences."""
    return Call(nn.LSTM(3, 6), (randn(5, 2, 3),))


@case(2 * 5 * 4 * 6 * (2 * (3 + 6) + 2 * (12 + 6)))
def lstm_of_two_layers_in_both_directions() -> Call:
    """The second layer reads both directions of the first, 12; batch first."""
    return Call(nn.LSTM(3, 6, num_layers=2, bidirectional=True, batch_first=True), (randn(2, 5, 3),))


@case(5 * 2 * (4 * 6 * (3 + 4) + 4 * 6 + 4 * 6 * (4 + 4) + 4 * 6))
def lstm_with_projection() -> Call:
    """States are projected from 6 to 4: gates read 3 + 4, then 4 + 4, and 4 * 6 projects each layer's state."""
    return Call(nn.LSTM(3, 6, num_layers=2, proj_size=4), (randn(5, 2, 3),))


@case(5 * 2 * 4 * 6 * (3 + 6))
def lstm_with_given_state() -> Call:
    """States that are given, and no biases, change nothing."""
    return Call(nn.LSTM(3, 6, bias=False), (randn(5, 2, 3), (randn(1, 2, 6), randn(1, 2, 6))))


@case(5 * 4 * 6 * (3 + 6) * 1)
def lstm_of_one_sequence() -> Call:
    """No batch dimension: 5 steps."""
    return Call(nn.LSTM(3, 6), (randn(5, 3),))


@case(5 * 2 * 3 * 6 * (3 + 6) + 5 * 2 * 3 * 6 * (6 + 6))
def gru_with_dropout() -> Call:
    """Three gates; the second layer reads 6 through dropout."""
    return Call(nn.GRU(3, 6, num_layers=2, dropout=0.5), (randn(5, 2, 3),))


@case(2 * (5 * 2 * 6 * (3 + 6) + 2 * 5 * 2 * 6 * (6 + 6)))
def plain_rnn_of_three_layers() -> Call:
    """No gates: 3 + 6, then twice 6 + 6; once with tanh, once with ReLU."""

    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.tanh(x)[0], self.relu(x)[0]

    model = Function(forward, tanh=nn.RNN(3, 6, 3), relu=nn.RNN(3, 6, 3, nonlinearity="relu"))
    return Call(model, (randn(5, 2, 3),))


@case((5 + 3 + 2) * 4 * 6 * (3 + 6))
def packed_sequences() -> Call:
    """Three sequences of 5, 3 and 2 steps, packed: ten steps in all."""
    return Call(nn.LSTM(3, 6), (pack_sequence([randn(n, 3) for n in (5, 3, 2)]),))


@case((5 + 3 + 2) * 3 * 6 * 2 * (3 + 6) + 3 * 5 * 12 * 7)
def packed_inside() -> Call:
    """Packed and padded again within forward: ten steps in both directions, then a linear layer on all 3 * 5."""

    def forward(self: Any, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        padded, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        out: Tensor = self.head(padded)
        return out

    model = Function(forward, gru=nn.GRU(3, 6, batch_first=True, bidirectional=True), head=nn.Linear(12, 7))
    return Call(model, (randn(3, 5, 3), torch.tensor([5, 3, 2])))


@case(5 * 2 * 4 * 6 * (3 + 6))
def lstm_cell_in_a_loop() -> Call:
    """Five steps of a cell: as an LSTM of one layer."""

    def forward(self: Any, x: Tensor) -> Tensor:
        state = None
        for step in x:
            state = self.cell(step, state)
        assert state is not None  # noqa: S101 - for the type checker
        return state[0]  # type: ignore[no-any-return]

    return Call(Function(forward, cell=nn.LSTMCell(3, 6)), (randn(5, 2, 3),))


@case(4 * 2 * (3 * 6 * (3 + 6) + 6 * (6 + 6)))
def stacked_cells() -> Call:
    """Four steps of a GRU cell that feeds a plain cell."""

    def forward(self: Any, x: Tensor) -> Tensor:
        lower, upper = x.new_zeros(2, 6), x.new_zeros(2, 6)
        for step in x.unbind():
            lower = self.gru(step, lower)
            upper = self.rnn(lower, upper)
        return upper

    return Call(Function(forward, gru=nn.GRUCell(3, 6), rnn=nn.RNNCell(6, 6)), (randn(4, 2, 3),))


@case(
    8 * (4 * 9) * 48 + 2 * 48 * 4 * 5 * (8 + 5) + 48 * 10 * 7,
    parameters=8 * 36 + 8 + 2 * 4 * 5 * (8 + 5 + 2) + 77,
)
def convolution_then_both_directions() -> Call:
    """An image of 3 x 16 becomes 16 steps of 3 rows; an LSTM reads them in both directions, a linear layer each."""

    def forward(self: Any, x: Tensor) -> Tensor:
        columns = self.conv(x).permute(3, 0, 2, 1).reshape(16, 3, 8)
        out: Tensor = self.head(self.lstm(columns)[0])
        return out

    parts = {"conv": nn.Conv2d(4, 8, 3, padding=1), "lstm": nn.LSTM(8, 5, bidirectional=True), "head": nn.Linear(10, 7)}
    return Call(Function(forward, **parts), (randn(1, 4, 3, 16),))
