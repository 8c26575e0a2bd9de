"""Linear layers, products of activations and attention, over the sizes of classifiers and transformers."""

from __future__ import annotations

from functools import partial
from typing import Any

from mac_profiler.measurement import Case, Settings
from mac_profiler.probes import probe

# Rows, widths there and back.
LINEAR = (
    (1, 1024, 1000), (1, 2048, 1000), (1, 4096, 4096), (1, 192, 48), (49, 384, 384), (49, 768, 3072), (49, 96, 384),
    (197, 192, 576), (197, 384, 384), (197, 768, 768), (784, 96, 384), (784, 192, 192), (3136, 96, 96), (3136, 64, 256),
)  # fmt: skip
# Batch, rows, inner size, columns.
MATMUL = (
    (12, 197, 64, 197), (3, 197, 64, 197), (96, 49, 32, 49), (24, 49, 32, 49), (8, 64, 32, 64), (12, 50, 64, 50),
    (192, 49, 32, 49), (1, 256, 256, 256),
)  # fmt: skip
# Heads, tokens, width of a head.
ATTENTION = ((12, 197, 64), (3, 197, 64), (6, 197, 64), (12, 50, 64), (8, 512, 64))
LSTM = ((16, 128, 128), (32, 256, 256))


def cases(settings: Settings) -> list[Case]:
    """What transformers and classifiers are made of."""
    found = [probe("linear", f"{n}x{a}-{b}", partial(_build_linear, n, a, b)) for n, a, b in LINEAR]
    found += [probe("matmul", f"{b}x{m}x{k}x{n}", partial(_build_matmul, b, m, k, n)) for b, m, k, n in MATMUL]
    found += [probe("attention", f"{h}x{n}x{d}", partial(_build_attention, h, n, d)) for h, n, d in ATTENTION]
    return found + [probe("recurrent", f"{t}x{a}-{b}", partial(_build_lstm, t, a, b)) for t, a, b in LSTM]


def _build_linear(rows: int, there: int, back: int) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import nn

    return nn.Sequential(nn.Linear(there, back), nn.Linear(back, there)), (torch.randn(rows, there),)


def _build_matmul(batch: int, rows: int, inner: int, columns: int) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import Tensor, nn

    class Products(nn.Module):
        """Scores of queries and keys, and what they make of the values; the softmax between them left out."""

        def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            return torch.bmm(torch.bmm(queries, keys), values)

    inputs = (
        torch.randn(batch, rows, inner),
        torch.randn(batch, inner, columns) / inner,
        torch.randn(batch, columns, inner),
    )
    return Products(), inputs


def _build_attention(heads: int, tokens: int, width: int) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import Tensor, nn

    class Attention(nn.Module):
        """Scaled dot-product attention alone."""

        def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            return nn.functional.scaled_dot_product_attention(queries, keys, values)

    return Attention(), tuple(torch.randn(1, heads, tokens, width) for _ in range(3))


def _build_lstm(steps: int, there: int, hidden: int) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import Tensor, nn

    class Recurrent(nn.Module):
        """An LSTM; its states are let go."""

        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(there, hidden, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.lstm(x)[0]
            return found

    return Recurrent(), (torch.randn(1, steps, there),)
