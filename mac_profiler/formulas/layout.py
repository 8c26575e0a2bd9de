"""Copies, joins and rearrangements: they read all, write all and compute nothing.

What only renames memory never comes here: `reshape`, `contiguous`, `to` and the like do when they had to copy.
"""

from __future__ import annotations

from mac_profiler.cost import ZERO, Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op


@formula(
    *aten("clone contiguous to _to_copy reshape reshape_as flatten unflatten ravel view view_as copy _to_cpu"),
    *aten("expand expand_as broadcast_to permute transpose t movedim moveaxis swapaxes swapdims squeeze unsqueeze"),
    *aten("_reshape_copy _lazy_clone lift_fresh_copy _pin_memory pin_memory unfold resolve_conj resolve_neg"),
    *aten("_conj_copy _neg_view_copy real imag view_as_real view_as_complex chunk split split_with_sizes"),
    *aten("tensor_split unbind as_strided diagonal select slice narrow"),
    *aten("cat stack _stack block_diag _chunk_cat flip roll rot90 repeat channel_shuffle pixel_shuffle"),
    *aten("pixel_unshuffle diag_embed _pad_packed_sequence _pack_padded_sequence fill_diagonal_"),
    *aten("tril triu", in_place=True),
    *aten("alias_copy detach_copy expand_copy permute_copy squeeze_copy t_copy transpose_copy unbind_copy unfold_copy"),
    *aten("unsqueeze_copy view_copy view_as_real_copy view_as_complex_copy _reshape_alias_copy split_copy"),
    *aten("split_with_sizes_copy _autocast_to_full_precision _autocast_to_reduced_precision _fw_primal_copy"),
    *aten("_make_dual_copy _local_scalar_dense item _mkldnn_reshape _mkldnn_transpose to_mkldnn _copy_from"),
    *aten("mkldnn_reorder_conv2d_weight mkldnn_reorder_conv3d_weight _cudnn_rnn_flatten_weight"),
    *aten("_convert_weight_to_int4pack _convert_weight_to_int4pack_for_cpu _dyn_quant_pack_4bit_weight"),
    *aten("_copy_from_and_resize one_hot"),
)
def copy(op: Op) -> Cost:
    """Reads its inputs, writes its outputs."""
    return traffic(op)


@formula("aten.copy_")
def copy_into(op: Op) -> Cost:
    """Reads the source, writes the memory given, whose old contents are not read."""
    return traffic(op, reads={op.args["self"]: 0})


@formula(
    *aten("constant_pad_nd _pad_circular reflection_pad1d reflection_pad2d reflection_pad3d"),
    *aten("replication_pad1d replication_pad2d replication_pad3d"),
)
def pad(op: Op) -> Cost:
    """Reads no more than it puts out: padding by a negative size crops."""
    source = op.args["input"] if "input" in op.args else op.args["self"]
    return traffic(op, reads={source: min(source.footprint, op.outputs[0].elements)})


@formula(
    *aten("reflection_pad1d_backward reflection_pad2d_backward reflection_pad3d_backward"),
    *aten("replication_pad1d_backward replication_pad2d_backward replication_pad3d_backward"),
)
def pad_backward(op: Op) -> Cost:
    """Every gradient is added to the element that it was copied from; of the input only the shape is needed."""
    flops = floating_flops(op, op.args["grad_output"].elements)
    return traffic(op, flops=flops, reads={op.args["self"]: 0})


@formula(
    *aten("squeeze_ unsqueeze_ t_ transpose_ swapaxes_ swapdims_ as_strided_ detach_ requires_grad_"),
    *aten("_mkldnn_transpose_ set_ set set_data resize_ resize_as_ resize resize_as _resize_output _resize_output_"),
    # Views of which autograd is not told.
    *aten("_unsafe_view unsafe_chunk unsafe_split unsafe_split_with_sizes lift lift_fresh detach alias"),
    *aten("_assert_async _functional_assert_async _assert_scalar _functional_assert_scalar _assert_tensor_metadata"),
    *aten("sym_size sym_stride sym_numel sym_storage_offset sym_constrain_range sym_constrain_range_for_size"),
    *aten("_functional_sym_constrain_range _functional_sym_constrain_range_for_size _make_dep_token record_stream"),
    *aten("_shape_as_tensor _print is_pinned is_same_size _has_compatible_shallow_copy_type _linalg_check_errors"),
    *aten("_cudnn_init_dropout_state _use_cudnn_ctc_loss _use_miopen_ctc_loss _fused_sdp_choice retain_grad"),
)
def rename(op: Op) -> Cost:
    """Changes or reads what is known about a tensor, none of its elements."""
    return ZERO
