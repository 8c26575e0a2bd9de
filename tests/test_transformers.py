"""Hugging Face transformers' architectures, from small configurations: nothing is downloaded.

Each is analyzed on meta and with real data, and held against torch's FlopCounterMode over a real run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import mac_profiler
from mac_profiler.compiled_operators import prepare_torchvision
from mac_profiler.graph import Graph
from mac_profiler.profile import Profile

# The package warns of its own deprecations and of kernels that are not installed; neither is about the trace.
pytestmark = pytest.mark.filterwarnings("ignore")

BATCH, LENGTH, VOCABULARY = 2, 24, 99

TEXT = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GROUPED = {**TEXT, "num_key_value_heads": 2}
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
DEPTH_FIRST = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
DETECTOR = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_queries": 10,
}  # fmt: skip
SMALL_RESNET = {
    "embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "layer_type": "basic",
}  # fmt: skip
SEQUENCE_TO_SEQUENCE = {
    "vocab_size": VOCABULARY, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 64,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
}  # fmt: skip


def ids(*shape: int) -> torch.Tensor:
    """Token ids that are no special token of any of the vocabularies."""
    return torch.arange(8, 8 + torch.Size(shape).numel()).remainder(40).add(8).reshape(shape)


def tokens(length: int = LENGTH) -> dict[str, torch.Tensor]:
    return {"input_ids": ids(BATCH, length)}


def image(side: int = 32) -> dict[str, torch.Tensor]:
    return {"pixel_values": torch.linspace(-1, 1, BATCH * 3 * side * side).reshape(BATCH, 3, side, side)}


def wave(samples: int = 1600) -> dict[str, torch.Tensor]:
    return {"input_values": torch.linspace(-1, 1, BATCH * samples).reshape(BATCH, samples)}


@dataclass(frozen=True)
class Case:
    """An architecture.

    Attributes:
        name: its class less "Model", and its configuration's less "Config".
        config: what differs from the default configuration; (CLASS, {...}) is a configuration inside it.
        inputs: keyword inputs.
        masked: whether it takes an `attention_mask` of the shape of the ids.
        fused: whether its attention can be chosen: written out ("eager") or torch's fused operator ("sdpa").
    """

    name: str
    config: Mapping[str, Any]
    inputs: Mapping[str, torch.Tensor]
    masked: bool = False
    fused: bool = False


def text(name: str, config: Mapping[str, Any], **settings: Any) -> Case:
    return Case(name, config, settings.pop("inputs", tokens()), settings.pop("masked", True), **settings)


CASES = [
    text("Bert", TEXT, fused=True),
    text("Roberta", TEXT, fused=True),
    text(
        "DistilBert", {"vocab_size": VOCABULARY, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}, fused=True
    ),
    text("Electra", {**TEXT, "embedding_size": 16}, fused=True),
    text("Albert", {**TEXT, "embedding_size": 16}, fused=True),
    text("MPNet", TEXT),
    text(
        "ModernBert",
        {**TEXT, "global_attn_every_n_layers": 2, "local_attention": 8, "cls_token_id": 1, "sep_token_id": 2},
        fused=True,
    ),
    text("Deberta", {**TEXT, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    text("DebertaV2", {**TEXT, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 8}),
    text("Longformer", {**TEXT, "attention_window": 8}),
    text(
        "BigBird",
        {
            **TEXT,
            "attention_type": "block_sparse",
            "block_size": 4,
            "num_random_blocks": 1,
            "max_position_embeddings": 128,
        },
        inputs=tokens(64),
    ),
    text(
        "Reformer",
        {
            "vocab_size": VOCABULARY,
            "is_decoder": True,
            "hidden_size": 32,
            "num_attention_heads": 2,
            "attention_head_size": 16,
            "feed_forward_size": 32,
            "axial_pos_shape": [4, 8],
            "axial_pos_embds_dim": [8, 24],
            "attn_layers": ["local", "lsh"],
            "local_attn_chunk_length": 4,
            "lsh_attn_chunk_length": 4,
            "num_buckets": 4,
            "max_position_embeddings": 32,
        },
        inputs=tokens(32),
    ),
    text("FNet", {**TEXT}, masked=False),
    text("Nystromformer", {**TEXT, "num_landmarks": 8, "segment_means_seq_len": 8}),
    text("Yoso", TEXT),
    text(
        "Funnel",
        {
            "vocab_size": VOCABULARY,
            "block_sizes": [1, 1],
            "num_decoder_layers": 1,
            "d_model": 32,
            "n_head": 4,
            "d_head": 8,
            "d_inner": 64,
        },
    ),
    text("XLNet", {"vocab_size": VOCABULARY, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64}),
    text(
        "T5",
        {"vocab_size": VOCABULARY, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
        inputs={**tokens(), "decoder_input_ids": ids(BATCH, 8)},
        fused=True,
    ),
    text(
        "SwitchTransformers",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_heads": 4,
            "num_experts": 4,
            "num_sparse_encoder_layers": 1,
            "num_sparse_decoder_layers": 1,
        },
        inputs={**tokens(), "decoder_input_ids": ids(BATCH, 8)},
    ),
    text("Bart", SEQUENCE_TO_SEQUENCE, inputs={**tokens(), "decoder_input_ids": ids(BATCH, 8)}, fused=True),
    text("Pegasus", SEQUENCE_TO_SEQUENCE, inputs={**tokens(), "decoder_input_ids": ids(BATCH, 8)}, fused=True),
    text("Marian", SEQUENCE_TO_SEQUENCE, inputs={**tokens(), "decoder_input_ids": ids(BATCH, 8)}, fused=True),
    text("Llama", GROUPED, fused=True),
    text("Mistral", {**GROUPED, "sliding_window": 8}, fused=True),
    text("Qwen2", GROUPED, fused=True),
    text("Qwen3", {**GROUPED, "head_dim": 8}, fused=True),
    text("Phi", TEXT, fused=True),
    text("Phi3", GROUPED, fused=True),
    text("Gemma", {**GROUPED, "head_dim": 8}, fused=True),
    text("Gemma2", {**GROUPED, "head_dim": 8, "sliding_window": 8}),
    text("Gemma3Text", {**GROUPED, "head_dim": 8, "sliding_window": 8}, fused=True),
    text("Cohere", GROUPED, fused=True),
    text("Olmo2", GROUPED, fused=True),
    text("GPT2", {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}, fused=True),
    text(
        "GPTNeo",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "num_layers": 2,
            "attention_types": [[["global", "local"], 1]],
            "num_heads": 4,
            "window_size": 8,
            "max_position_embeddings": 64,
        },
    ),
    text("GPTNeoX", TEXT, fused=True),
    text(
        "GPTJ", {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "n_positions": 64}
    ),
    text("OPT", {**TEXT, "ffn_dim": 64, "word_embed_proj_dim": 16}, fused=True),
    text("Bloom", {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    text("Falcon", {**TEXT, "new_decoder_architecture": True, "num_kv_heads": 2}, fused=True),
    text("Mpt", {"vocab_size": VOCABULARY, "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 64}),
    text("Mixtral", {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2}, fused=True),
    text(
        "Qwen2Moe",
        {
            **GROUPED,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 32,
            "decoder_sparse_step": 1,
        },
        fused=True,
    ),
    text(
        "Qwen3Moe",
        {**GROUPED, "head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
        fused=True,
    ),
    text(
        "DeepseekV3",
        {
            **TEXT,
            "num_key_value_heads": 4,
            "moe_intermediate_size": 16,
            "n_routed_experts": 8,
            "num_experts_per_tok": 2,
            "n_group": 2,
            "topk_group": 1,
            "n_shared_experts": 1,
            "first_k_dense_replace": 1,
            "kv_lora_rank": 8,
            "q_lora_rank": 12,
            "qk_rope_head_dim": 4,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
        },
        fused=True,
    ),
    text(
        "Jamba",
        {
            **GROUPED,
            "num_hidden_layers": 4,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "expert_layer_period": 2,
            "expert_layer_offset": 1,
            "num_experts": 4,
            "mamba_d_state": 4,
            "mamba_dt_rank": 2,
            "use_mamba_kernels": False,
        },
        fused=True,
    ),
    text(
        "Mamba",
        {"vocab_size": VOCABULARY, "hidden_size": 32, "state_size": 4, "num_hidden_layers": 2, "time_step_rank": 2},
    ),
    text(
        "Mamba2",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "state_size": 8,
            "num_hidden_layers": 2,
            "num_heads": 8,
            "head_dim": 8,
            "n_groups": 2,
            "chunk_size": 8,
        },
    ),
    text(
        "Rwkv",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "attention_hidden_size": 32,
            "intermediate_size": 64,
        },
        masked=False,
    ),
    Case("ViT", VISION, image(), fused=True),
    Case("DeiT", VISION, image(), fused=True),
    Case("Dinov2", {**VISION}, image(), fused=True),
    Case("Beit", {**VISION, "use_relative_position_bias": True}, image(), fused=True),
    Case(
        "Swin",
        {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4},
        image(),
    ),
    Case(
        "Swinv2",
        {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4},
        image(),
    ),
    Case("ConvNext", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}, image()),
    Case("ResNet", SMALL_RESNET, image()),
    Case(
        "Segformer",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 3, 4]},
        image(64),
    ),
    Case(
        "Pvt",
        {
            "image_size": 64,
            "hidden_sizes": [8, 16, 24, 32],
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 3, 4],
        },
        image(64),
    ),
    Case("Cvt", {"embed_dim": [8, 16, 32], "num_heads": [1, 2, 4], "depth": [1, 1, 2]}, image(64)),
    Case(
        "MobileViT",
        {"image_size": 64, "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 16, 16, 24, 24, 32]},
        image(64),
    ),
    Case(
        "Wav2Vec2",
        {
            **TEXT,
            "conv_dim": [16, 16, 16],
            "conv_stride": [5, 2, 2],
            "conv_kernel": [10, 3, 3],
            "num_feat_extract_layers": 3,
            "num_conv_pos_embeddings": 8,
            "num_conv_pos_embedding_groups": 2,
        },
        wave(),
        fused=True,
    ),
    Case(
        "Hubert",
        {
            **TEXT,
            "conv_dim": [16, 16, 16],
            "conv_stride": [5, 2, 2],
            "conv_kernel": [10, 3, 3],
            "num_feat_extract_layers": 3,
            "num_conv_pos_embeddings": 8,
            "num_conv_pos_embedding_groups": 2,
        },
        wave(),
        fused=True,
    ),
    Case(
        "Whisper",
        {**SEQUENCE_TO_SEQUENCE, "num_mel_bins": 20, "max_source_positions": 30, "max_target_positions": 32},
        {"input_features": torch.ones(BATCH, 20, 60), "decoder_input_ids": ids(BATCH, 8)},
        fused=True,
    ),
    Case(
        "Vits",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "ffn_dim": 64,
            "flow_size": 16,
            "spectrogram_bins": 9,
            "upsample_initial_channel": 32,
            "upsample_rates": [4, 4],
            "upsample_kernel_sizes": [8, 8],
            "resblock_kernel_sizes": [3, 5],
            "resblock_dilation_sizes": [[1, 3], [1, 3]],
            "duration_predictor_filter_channels": 32,
            "depth_separable_channels": 2,
            "prior_encoder_num_flows": 2,
            "duration_predictor_num_flows": 2,
        },
        tokens(),
    ),
    Case(
        "CLIP",
        {"text_config": {**TEXT}, "vision_config": VISION, "projection_dim": 16},
        {**tokens(), **image()},
        masked=True,
        fused=True,
    ),
    Case(
        "Siglip", {"text_config": {**TEXT}, "vision_config": VISION}, {**tokens(), **image()}, masked=True, fused=True
    ),
    Case(
        "Blip",
        {
            "text_config": {**TEXT, "is_decoder": False, "encoder_hidden_size": 32},
            "vision_config": VISION,
            "projection_dim": 16,
        },
        {**tokens(), **image()},
        masked=True,
    ),
    Case(
        "Detr",
        {**DETECTOR, **DEPTH_FIRST, "backbone_config": ("ResNetConfig", {**SMALL_RESNET, "out_features": ["stage4"]})},
        image(64),
    ),
    Case(
        "DeformableDetr",
        {
            **DETECTOR,
            **DEPTH_FIRST,
            "num_feature_levels": 3,
            "backbone_config": ("ResNetConfig", {**SMALL_RESNET, "out_features": ["stage2", "stage3", "stage4"]}),
        },
        image(64),
    ),
]


@pytest.fixture(scope="session")
def transformers() -> Any:
    prepare_torchvision()
    import transformers

    transformers.logging.set_verbosity_error()
    return transformers


def build(transformers: Any, case: Case, device: str, **settings: Any) -> torch.nn.Module:
    def configuration(given: Any) -> Any:
        if isinstance(given, tuple):
            return getattr(transformers, given[0])(**given[1])
        return given

    inside = {key: configuration(value) if isinstance(value, tuple) else value for key, value in case.config.items()}
    torch.manual_seed(0)
    config = getattr(transformers, f"{case.name}Config")(**inside)
    for key, value in settings.items():
        setattr(config, key, value)
    with torch.device(device):
        module: torch.nn.Module = getattr(transformers, f"{case.name}Model")(config)
    return module.eval().requires_grad_(False)


def on(device: str, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: tensor.to(device) for key, tensor in inputs.items()}


def run_count(module: torch.nn.Module, inputs: Mapping[str, torch.Tensor]) -> float:
    """Multiply-adds that torch's own counter sees in a real run: it takes two FLOPs for one."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(**inputs)
    return float(counter.get_total_flops() / 2)
