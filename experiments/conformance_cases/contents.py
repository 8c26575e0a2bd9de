"""Shapes and paths that depend on what tensors hold, not on their shapes alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn, randn

from .case import Call, Function, case


@case(4 * 6 * 7 + 3 * 6 * 5, parameters=6 * 7 + 7 + 6 * 5 + 5)
def rows_chosen_by_contents() -> Call:
    """A boolean mask keeps 4 of 7 rows for one layer, 3 for the other: it depends on what the tensor holds."""

    def forward(self: Any, x: Tensor, mask: Tensor) -> tuple[Any, Any]:
        return self.a(x[mask]), self.b(x[~mask])

    mask = torch.tensor([True, False, True, True, False, False, True])
    return Call(Function(forward, a=nn.Linear(6, 7), b=nn.Linear(6, 5)), (randn(7, 6), mask))


@case(3 * 2 * 6 * 6)
def loop_until_a_tensor_says_so() -> Call:
    """The number of passes is read off a tensor: three."""

    def forward(self: Any, x: Tensor, steps: Tensor) -> Tensor:
        for _ in range(int(steps.max().item())):
            x = self.fc(x)
        return x

    return Call(Function(forward, fc=nn.Linear(6, 6)), (randn(2, 6), torch.tensor([1, 3, 2])))


@case(4 * 6 * 7 + 2 * 6 * 5)
def sizes_computed_by_torch() -> Call:
    """Plain numbers go through torch functions: 8 // 2 rows for one layer, 8 // 4 for the other."""

    def forward(self: Any, x: Tensor) -> tuple[Any, Any]:
        half = int(torch.div(x.size(0), 2, rounding_mode="trunc"))
        return self.a(x[:half]), self.b(x[: half - int(torch.tensor(2))])

    return Call(Function(forward, a=nn.Linear(6, 7), b=nn.Linear(6, 5)), (randn(8, 6),))


@case((1 + 0 + 3) * 6 * 7 + 2 * 6 * 5)
def sizes_held_by_tensors() -> Call:
    """Rows repeated 1, 0 and 3 times for one layer; a split at 2 for the other."""

    def forward(self: Any, x: Tensor, repeats: Tensor, ends: Tensor) -> tuple[Any, Any]:
        return self.a(x.repeat_interleave(repeats, 0)), self.b(x.tensor_split(ends)[0])

    model = Function(forward, a=nn.Linear(6, 7), b=nn.Linear(6, 5))
    return Call(model, (randn(3, 6), torch.tensor([1, 0, 3]), torch.tensor([2])))


@case(2 * 6 * 7 + 3 * 6 + 3 * 7)
def rows_in_an_order_that_is_computed() -> Call:
    """Scores of 7 by 2 rows of 6; the best three rows of a weight with a vector of 6, of a table with one of 7."""

    def forward(self: Any, x: Tensor) -> Any:
        scores = self.score(x)
        order = scores.sum(0).argsort(descending=True)[:3]
        return self.score.weight[order] @ scores.new_ones(6) + self.value[order] @ scores.new_ones(7)

    return Call(Function(forward, score=nn.Linear(6, 7), value=randn(7, 7)), (randn(2, 6),))
