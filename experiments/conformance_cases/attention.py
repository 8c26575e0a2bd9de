"""Attention: fused, by modules, and as whole transformer layers; dense, whatever is masked."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, randn

from .case import Call, Function, case


def _attend(**options: Any) -> Function:
    return Function(lambda _, q, k, v, *mask: F.scaled_dot_product_attention(q, k, v, *mask, **options))


def _layer(queries: int, keys: int, width: int, batch: int) -> int:
    """Multi-head attention with all widths equal: four projections, scores and values."""
    return batch * (2 * queries * width**2 + 2 * keys * width**2 + 2 * queries * keys * width)


@case(2 * 3 * 4 * 6 * (5 + 7), accesses=2 * 3 * (4 * 5 + 6 * 5 + 6 * 7 + 4 * 7))
def fused() -> Call:
    """Scores over width 5, values of width 7, for 2 * 3 heads of 4 queries and 6 keys; scores never reach memory."""
    return Call(_attend(), (randn(2, 3, 4, 5), randn(2, 3, 6, 5), randn(2, 3, 6, 7)))


@case(2 * 3 * 6 * 6 * 2 * 8)
def fused_causal() -> Call:
    """Counted dense: half of the pairs are masked, none is left out."""
    x = randn(2, 3, 6, 8)
    return Call(_attend(is_causal=True), (x, x.clone(), x.clone()))


@case(2 * 3 * 4 * 6 * 2 * 8)
def fused_with_mask() -> Call:
    """A boolean mask, broadcast over batch and heads, changes nothing."""
    mask = torch.ones(4, 6, dtype=torch.bool).tril()
    return Call(_attend(), (randn(2, 3, 4, 8), randn(2, 3, 6, 8), randn(2, 3, 6, 8), mask))


@case(2 * 6 * 4 * 5 * 2 * 8)
def grouped_queries() -> Call:
    """Six query heads share two heads of keys and values: the queries' heads count."""
    return Call(_attend(enable_gqa=True), (randn(2, 6, 4, 8), randn(2, 2, 5, 8), randn(2, 2, 5, 8)))


@case(3 * 4 * 6 * 2 * 8)
def fused_without_head_dimension() -> Call:
    """Three dimensions are a batch of single heads."""
    return Call(_attend(), (randn(3, 4, 8), randn(3, 6, 8), randn(3, 6, 8)))


@case(2 * 3 * 4 * 6 * 2 * 8)
def fused_under_gradient() -> Call:
    """Inputs that want gradients make torch choose another kernel, no other count."""
    inputs = [randn(2, 3, n, 8).requires_grad_() for n in (4, 6, 6)]
    return Call(_attend(), tuple(inputs))


@case(_layer(5, 5, 12, 2))
def multihead_with_weights() -> Call:
    """Self-attention that returns its weights is computed by steps: 2 sequences of 5, width 12."""
    x = randn(5, 2, 12)
    return Call(nn.MultiheadAttention(12, 3), (x, x, x), {"need_weights": True})


@case(_layer(5, 5, 12, 2), parameters=4 * 12 * 12 + 4 * 12)
def multihead_without_weights() -> Call:
    """The same by the fused kernel, batch first."""
    x = randn(2, 5, 12)
    return Call(nn.MultiheadAttention(12, 3, batch_first=True), (x, x, x), {"need_weights": False})


@case(_layer(5, 5, 12, 2))
def multihead_fast_path() -> Call:
    """In evaluation without gradients torch has an operator of its own for it: the same number."""
    x = randn(2, 5, 12)
    return Call(
        nn.MultiheadAttention(12, 3, batch_first=True).eval().requires_grad_(False), (x, x, x), {"need_weights": False}
    )


@case(_layer(4, 6, 12, 2))
def multihead_across_under_masks() -> Call:
    """Four queries on 6 keys, with an additive mask and padded keys: neither changes the number."""
    keys = randn(2, 6, 12)
    mask = torch.zeros(4, 6)
    padding = torch.zeros(2, 6)
    model = nn.MultiheadAttention(12, 3, batch_first=True)
    return Call(model, (randn(2, 4, 12), keys, keys), {"attn_mask": mask, "key_padding_mask": padding})


@case(
    2 * (4 * 12 * 12 + 6 * 5 * 12 + 6 * 7 * 12 + 2 * 4 * 6 * 12 + 4 * 12 * 12), parameters=12 * (12 + 5 + 7 + 12) + 48
)
def multihead_of_other_widths() -> Call:
    """Keys are 5 wide and values 7: each is projected from its own width to 12."""
    model = nn.MultiheadAttention(12, 3, kdim=5, vdim=7, batch_first=True)
    return Call(model, (randn(2, 4, 12), randn(2, 6, 5), randn(2, 6, 7)))


@case(2 * 5 * 12**2 + 2 * 5 * 12**2 + 2 * 5 * (5 + 2) * 12)
def multihead_with_added_keys() -> Call:
    """A learnt key and a zero key make 5 + 2 keys for one unbatched sequence of 5."""
    x = randn(5, 12)
    return Call(nn.MultiheadAttention(12, 3, add_bias_kv=True, add_zero_attn=True), (x, x, x))


@case(_layer(5, 5, 12, 2) + 2 * 5 * 2 * 12 * 20, parameters=4 * 156 + 12 * 20 + 20 + 20 * 12 + 12 + 48)
def encoder_layer_in_training() -> Call:
    """Attention, and two linear layers through width 20 for each of 2 * 5 tokens."""
    return Call(nn.TransformerEncoderLayer(12, 3, 20, batch_first=True).train(), (randn(2, 5, 12),))


@case(_layer(5, 5, 12, 2) + 2 * 5 * 2 * 12 * 20)
def encoder_layer_fast_path() -> Call:
    """In evaluation without gradients torch has one operator for the whole layer: the same number."""
    return Call(
        nn.TransformerEncoderLayer(12, 3, 20, batch_first=True).eval().requires_grad_(False), (randn(2, 5, 12),)
    )


@case(3 * (_layer(5, 5, 12, 2) + 2 * 5 * 2 * 12 * 20))
def encoder_under_padding_mask() -> Call:
    """Three layers with padded keys; without gradients torch may cut those out: counted dense."""
    layer = nn.TransformerEncoderLayer(12, 2, 20, batch_first=True)
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    return Call(
        nn.TransformerEncoder(layer, 3).eval().requires_grad_(False),
        (randn(2, 5, 12),),
        {"src_key_padding_mask": padding},
    )


@case(_layer(4, 4, 12, 2) + _layer(4, 6, 12, 2) + 2 * 4 * 2 * 12 * 20)
def decoder_layer() -> Call:
    """Self-attention of 4 tokens, attention to 6 of the memory, two linear layers."""
    model = nn.TransformerDecoderLayer(12, 3, 20, batch_first=True).eval()
    return Call(model, (randn(2, 4, 12), randn(2, 6, 12)), {"tgt_is_causal": True, "tgt_mask": torch.zeros(4, 4)})


@case(2 * (_layer(6, 6, 12, 1) + 6 * 2 * 12 * 20) + 3 * (_layer(4, 4, 12, 1) + _layer(4, 6, 12, 1) + 4 * 2 * 12 * 20))
def whole_transformer() -> Call:
    """Two encoder layers on 6 tokens, three decoder layers on 4."""
    model = nn.Transformer(12, 2, 2, 3, 20, batch_first=True).train()
    return Call(model, (randn(1, 6, 12), randn(1, 4, 12)))


@case(2 * 3 * 7 * 7 * 2 * 4 + 2 * 7 * 12 * 36 + 2 * 7 * 12 * 12)
def written_by_hand() -> Call:
    """One projection to queries, keys and values at once, heads by reshape and unbind, matmul by operators."""

    def forward(self: Any, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, 3, c // 3).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * 0.5).softmax(dim=-1)
        out: Tensor = self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))
        return out

    return Call(Function(forward, qkv=nn.Linear(12, 36), proj=nn.Linear(12, 12)), (randn(2, 7, 12),))


@case(2 * 4 * 5 * 5 * 2 * 3 + 2 * 5 * 12 * 12)
def windows_under_relative_bias() -> Call:
    """Attention in 4 windows with a bias from a table, gathered (0) and added (0); 2 heads of 3, width 6."""

    def forward(self: Any, x: Tensor) -> Tensor:
        bias = self.table[self.index.flatten()].view(5, 5, 2).permute(2, 0, 1)
        out: Tensor = self.inner(x, bias)
        return out

    def inner(self: Any, x: Tensor, bias: Tensor) -> Tensor:
        y: Tensor = self.mix(x)
        y = y.view(2, 5, 2, 6).transpose(0, 2).reshape(4, 5, 2, 3).transpose(1, 2)
        return F.scaled_dot_product_attention(y, y, y, attn_mask=bias)

    windows = Function(inner, mix=nn.Linear(12, 12))
    model = Function(forward, inner=windows, table=nn.Parameter(randn(9, 2)), index=torch.zeros(5, 5).long())
    return Call(model, (randn(2, 5, 12),))
