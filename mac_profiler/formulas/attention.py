"""Attention: one operator, as a fused kernel runs it: it reads query, key and value and writes the result.

The scores never reach memory. Dense: neither a mask nor `is_causal` lowers the count, as no published figure does.
Beside its products a score costs 6 FLOPs (scaling 1, softmax 5), 1 more under a mask and 2 more under dropout.
"""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, product_flops, traffic
from mac_profiler.graph import Op, Value


@formula(
    *aten("scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention"),
    *aten("_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_cudnn_attention"),
    *aten("_scaled_dot_product_fused_attention_overrideable _scaled_dot_product_attention_math"),
    *aten("_scaled_dot_product_attention_math_for_mps _triton_scaled_dot_attention _cudnn_attention_forward"),
)
def attention(op: Op) -> Cost:
    """Scores over the width of a query, then the sum of the values: b * h * l_q * l_k * (d + d_v).

    With `enable_gqa` fewer heads of key and value are read; it is the query heads that count.
    """
    # [b, h, l_q, d_v] = attention([b, h, l_q, d], [b, h_kv, l_k, d], [b, h_kv, l_k, d_v])
    query, key, value = _projections(op)
    scores = prod(op.outputs[0].shape[:-1]) * key.shape[-2]
    return _fused(op, scores, query.shape[-1] + value.shape[-1])


@formula(*aten("_flash_attention_forward _flash_attention_forward_no_dropout_inplace _efficient_attention_forward"))
def attention_of_sequences(op: Op) -> Cost:
    """The kernels below attention, which keep heads behind the sequence; several sequences may be packed into one.

    How long packed sequences are stands in a tensor's contents: each counts with the longest length, an upper bound.
    """
    # [b, l_q, h, d_v] = attention([b, l_q, h, d], [b, l_k, h_kv, d], [b, l_k, h_kv, d_v])
    query, _, value = _projections(op)
    return _fused(op, _sequence_scores(op), query.shape[-1] + value.shape[-1])


@formula(
    *aten("_scaled_dot_product_flash_attention_backward _scaled_dot_product_efficient_attention_backward"),
    *aten("_scaled_dot_product_flash_attention_for_cpu_backward _scaled_dot_product_cudnn_attention_backward"),
    *aten("_scaled_dot_product_fused_attention_overrideable_backward _cudnn_attention_backward"),
)
def attention_backward(op: Op) -> Cost:
    """Five products: the scores again, and the gradients of values, probabilities, queries and keys.

    FlashAttention (arXiv 2205.14135), algorithm 4. Of width d: scores, queries, keys; of width d_v: the other two.
    """
    query, key, _ = _projections(op)
    return _fused_backward(op, prod(query.shape[:-1]) * key.shape[-2])


@formula(*aten("_flash_attention_backward _efficient_attention_backward"))
def attention_of_sequences_backward(op: Op) -> Cost:
    """As `attention_backward`, with heads behind the sequence."""
    return _fused_backward(op, _sequence_scores(op))


def _projections(op: Op) -> tuple[Value, Value, Value]:
    names = ("query", "key", "value") if "query" in op.args else ("q", "k", "v")
    query, key, value = (op.args[name] for name in names)
    return query, key, value


def _sequence_scores(op: Op) -> int:
    query, key, _ = _projections(op)
    ends = op.args.get("cum_seq_q", op.args.get("cu_seqlens_q"))
    if ends is None or not ends.elements:
        return query.elements // max(query.shape[-1], 1) * key.shape[-3]
    longest_query = op.args.get("max_q", op.args.get("max_seqlen_q"))
    longest_key = op.args.get("max_k", op.args.get("max_seqlen_k"))
    if longest_query is None or longest_key is None:
        longest_query, longest_key = query.shape[-3], key.shape[-3]
    sequences = ends.elements - 1
    return int(sequences * query.shape[-2] * longest_query * longest_key)


def _around(op: Op) -> int:
    """FLOPs a score beside its products."""
    masks = ("attn_mask", "attn_bias", "bias")
    masked = any(isinstance(op.args.get(name), Value) and op.args[name].elements for name in masks)
    return 6 + masked + 2 * bool(op.args.get("dropout_p"))


def _fused(op: Op, scores: int, width: int) -> Cost:
    mult_adds = scores * width
    return traffic(
        op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, _around(op) * scores)
    )


def _fused_backward(op: Op, scores: int) -> Cost:
    query, _, value = _projections(op)
    mult_adds = scores * (3 * query.shape[-1] + 2 * value.shape[-1])
    # The softmax again, and its gradient: 4 FLOPs a score.
    flops = product_flops(op, mult_adds) + floating_flops(op, (_around(op) + 4) * scores)
    return traffic(op, mult_adds=mult_adds, flops=flops)


@formula(*aten("_native_multi_head_attention _triton_multi_head_attention"))
def multi_head_attention(op: Op) -> Cost:
    """The fast path of nn.MultiheadAttention: three projections in, attention, one projection out, in one operator."""
    # [b, l_q, e] = _native_multi_head_attention([b, l_q, e], [b, l_k, e], [b, l_k, e], qkv_weight [3 e, e])
    query, key, value = _projections(op)
    embedding = op.args["embed_dim"]
    queries, keys, values = (prod(tensor.shape[:-1]) for tensor in (query, key, value))
    scores = queries * key.shape[-2] * op.args["num_head"]
    mult_adds = (2 * queries + keys + values) * embedding**2 + 2 * queries * key.shape[-2] * embedding
    bias = (2 * queries + keys + values) * embedding
    flops = product_flops(op, mult_adds) + floating_flops(op, bias + (6 + _masked(op)) * scores)
    return traffic(op, mult_adds=mult_adds, flops=flops)


@formula("aten._transformer_encoder_layer_fwd")
def transformer_encoder_layer(op: Op) -> Cost:
    """The fast path of nn.TransformerEncoderLayer: attention, two linear layers, two layer norms, in one operator.

    A layer norm is 8 FLOPs an element, a residual 1, the activation 1 and a bias 1.
    """
    # [b, l, e] = _transformer_encoder_layer_fwd([b, l, e], qkv [3 e, e], proj [e, e], ffn [f, e], ffn [e, f])
    source = op.args["src"]
    names = ("qkv_weight", "proj_weight", "ffn_weight_1", "ffn_weight_2")
    tokens, length, embedding = prod(source.shape[:-1]), source.shape[-2], source.shape[-1]
    hidden = op.args["ffn_weight_1"].shape[0]
    mult_adds = tokens * (sum(op.args[name].elements for name in names) + 2 * length * embedding)
    around = tokens * (op.args["num_heads"] * length * (6 + _masked(op)) + (3 + 1 + 1 + 2 + 2 * 8) * embedding)
    flops = product_flops(op, mult_adds) + floating_flops(op, around + 2 * tokens * hidden)
    return traffic(op, mult_adds=mult_adds, flops=flops)


@formula("aten._transform_bias_rescale_qkv")
def split_projections(op: Op) -> Cost:
    """Adds the bias of the joint projection, scales the queries, lays out the heads: 1 FLOP an element, 2 a query."""
    elements = op.args["qkv"].elements
    return traffic(op, flops=floating_flops(op, elements + elements // 3))


def _masked(op: Op) -> int:
    return int(op.args.get("mask") is not None)
