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
from mac_profiler.errors import TraceFailed
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
SEGMENTER = {
    "vision_config": {
        "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64,
        "patch_size": 8, "mlp_dim": 64, "window_size": 4, "global_attn_indexes": [1], "num_pos_feats": 8,
    },
    "prompt_encoder_config": {"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
    "mask_decoder_config": {
        "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
    },
}  # fmt: skip
VOICE = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32,
    "flow_size": 16, "spectrogram_bins": 9, "upsample_initial_channel": 8, "upsample_rates": [2, 2],
    "upsample_kernel_sizes": [4, 4], "resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]],
    "duration_predictor_filter_channels": 16, "depth_separable_channels": 2, "depth_separable_num_layers": 2,
    "prior_encoder_num_flows": 2, "prior_encoder_num_wavenet_layers": 2, "duration_predictor_num_flows": 2,
    "posterior_encoder_num_wavenet_layers": 2, "wavenet_kernel_size": 3,
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


def with_image_tokens(count: int) -> torch.Tensor:
    """Ids of which the first stand for the parts of an image."""
    return torch.cat([torch.full((BATCH, count), 5), ids(BATCH, LENGTH - count)], dim=1)


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
    text("Llama", GROUPED, fused=True),
    text("Mistral", {**GROUPED, "sliding_window": 8}, fused=True),
    text("Phi3", GROUPED, fused=True),
    text("Gemma", {**GROUPED, "head_dim": 8}, fused=True),
    text("Gemma2", {**GROUPED, "head_dim": 8, "sliding_window": 8}),
    text("Gemma3Text", {**GROUPED, "head_dim": 8, "sliding_window": 8}, fused=True),
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
        "Whisper",
        {**SEQUENCE_TO_SEQUENCE, "num_mel_bins": 20, "max_source_positions": 30, "max_target_positions": 32},
        {"input_features": torch.ones(BATCH, 20, 60), "decoder_input_ids": ids(BATCH, 8)},
        fused=True,
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
    Case("Vits", VOICE, {"input_ids": ids(BATCH, 6)}),
    Case(
        "Cvt",
        {"embed_dim": [8, 16, 32], "num_heads": [1, 2, 4], "depth": [1, 2, 3], "cls_token": [False, False, True]},
        image(64),
    ),
    Case("Sam", SEGMENTER, {**image(64), "input_points": torch.zeros(BATCH, 1, 1, 2)}),
    Case(
        "Mask2Former",
        {
            "backbone_config": (
                "SwinConfig",
                {
                    "image_size": 64,
                    "patch_size": 2,
                    "embed_dim": 8,
                    "depths": [1, 1, 1, 1],
                    "num_heads": [1, 1, 2, 2],
                    "window_size": 4,
                    "out_features": ["stage1", "stage2", "stage3", "stage4"],
                },
            ),
            "hidden_dim": 32,
            "feature_size": 32,
            "mask_feature_size": 32,
            "encoder_feedforward_dim": 64,
            "dim_feedforward": 64,
            "encoder_layers": 1,
            "decoder_layers": 2,
            "num_attention_heads": 4,
            "num_queries": 10,
        },
        image(64),
    ),
    Case(
        "Llava",
        {
            "text_config": {"model_type": "llama", **GROUPED},
            "vision_config": {"model_type": "clip_vision_model", **VISION},
            "image_token_id": 5,
            "vision_feature_layer": -1,
        },
        {"input_ids": with_image_tokens(16), **image()},
    ),
    Case(
        "Blip2",
        {
            "text_config": {"model_type": "opt", **TEXT, "ffn_dim": 64, "word_embed_proj_dim": 32},
            "vision_config": VISION,
            "qformer_config": {**TEXT, "encoder_hidden_size": 32},
            "num_query_tokens": 4,
            "image_token_index": 5,
            "image_token_id": 5,
        },
        {"input_ids": with_image_tokens(4), **image()},
    ),
    Case(
        "Qwen2VL",
        {
            "text_config": {
                **GROUPED,
                "rope_scaling": {"type": "mrope", "rope_type": "default", "mrope_section": [1, 1, 2]},
            },
            "vision_config": {
                "embed_dim": 32,
                "hidden_size": 32,
                "depth": 2,
                "num_heads": 4,
                "patch_size": 4,
                "mlp_ratio": 2,
            },
            "image_token_id": 5,
            "vision_start_token_id": 6,
            "vision_end_token_id": 7,
            "video_token_id": 4,
        },
        {
            "input_ids": with_image_tokens(16),
            "mm_token_type_ids": (with_image_tokens(16) == 5).long(),
            "pixel_values": torch.linspace(-1, 1, BATCH * 64 * 96).reshape(BATCH * 64, 96),
            "image_grid_thw": torch.tensor([[1, 8, 8]] * BATCH),
        },
    ),
]


@pytest.fixture(scope="session")
def transformers() -> Any:
    prepare_torchvision()
    import transformers

    transformers.logging.set_verbosity_error()
    return transformers


def build(transformers: Any, case: Case, device: str, **settings: str) -> torch.nn.Module:
    """The model on a device; settings go into its configuration once that is made."""

    def configuration(given: Any) -> Any:
        return getattr(transformers, given[0])(**given[1]) if isinstance(given, tuple) else given

    inside = {key: configuration(value) for key, value in case.config.items()}
    config = getattr(transformers, f"{case.name}Config")(**inside)
    for key, value in settings.items():
        setattr(config, key, value)
    torch.manual_seed(0)
    with torch.device(device):
        module: torch.nn.Module = getattr(transformers, f"{case.name}Model")(config)
    return module.eval().requires_grad_(requires_grad=False)


def on_meta(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: tensor.to("meta") for key, tensor in inputs.items()}


def with_mask(case: Case) -> dict[str, torch.Tensor]:
    return {**case.inputs, "attention_mask": torch.ones_like(case.inputs["input_ids"])}


def analyze(module: torch.nn.Module, inputs: Mapping[str, Any]) -> Profile:
    return mac_profiler.analyze(module, **inputs)


def run_count(module: torch.nn.Module, inputs: Mapping[str, torch.Tensor]) -> float:
    """Multiply-adds that torch's own counter sees in a real run: it takes two FLOPs for one."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(**inputs)
    return float(counter.get_total_flops() / 2)


def products(profile: Profile) -> list[tuple[str, str, int]]:
    """The operators with multiply-adds, in order."""
    return [
        (op.target, op.path, cost.mult_adds)
        for op, cost in zip(profile.graph.ops, profile.costs, strict=True)
        if cost is not None and cost.mult_adds
    ]


def case_id(case: Case) -> str:
    return case.name


# Asks whether the ids hold padding, to warn of a missing mask; on meta the answer is unknown, and assumed to be no.
ASKS_FOR_PADDING = {"BigBird", "Deberta", "DebertaV2", "Longformer", "Nystromformer", "Reformer", "Yoso"}
# Compares the image tokens among the ids with the parts of the image, and refuses if they are not as many.
COUNTS_IMAGE_TOKENS = {"Blip2", "Llava"}
# Looks at a mask that its own code makes, or at what a branch needs; that is known, and computed.
LOOKS_AT_ITS_MASK = {"Bart", "Detr"}
# How large an image is stands in a tensor among the inputs.
SIZES_AMONG_THE_INPUTS = {"Qwen2VL"}
# How many tokens an expert gets, or how many frames a letter lasts, stands in the result of the network itself.
DECIDED_BY_RESULTS = {"SwitchTransformers", "Vits"}


def expected_modes(case: Case, device: str) -> set[str]:
    without_data = device == "meta"
    if case.name in DECIDED_BY_RESULTS | SIZES_AMONG_THE_INPUTS:
        # A network as small as these may be computed on the way, as ids and masks are.
        return {"assume"} if without_data else {"values", "run"}
    if case.name in ASKS_FOR_PADDING | COUNTS_IMAGE_TOKENS:
        return {"assume"} if without_data else {"values"}
    return {"values"} if case.name in LOOKS_AT_ITS_MASK else {"shapes"}


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_an_architecture_costs_what_a_run_of_it_counts(transformers: Any, case: Case) -> None:
    module = build(transformers, case, "cpu")
    profile = analyze(module, case.inputs)
    assert profile.uncounted == {}
    assert profile.complete
    assert profile.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert profile.graph.mode in expected_modes(case, "cpu")
    assert bool(profile.graph.notes) == (profile.graph.mode != "shapes")
    # The counter has no formula for the CPU's fused attention, nor for the grouped product of experts.
    plain = build(transformers, case, "cpu", _attn_implementation="eager", _experts_implementation="eager")
    assert profile.total.mult_adds == run_count(plain, case.inputs)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_an_architecture_is_left_as_found_and_costs_the_same_again_and_on_meta(transformers: Any, case: Case) -> None:
    module = build(transformers, case, "cpu")
    state = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    first, again = analyze(module, case.inputs), analyze(module, case.inputs)
    assert [op.target for op in again.graph.ops] == [op.target for op in first.graph.ops]
    assert again.total == first.total
    after = module.state_dict()
    assert after.keys() == state.keys()
    assert all(torch.equal(after[key], tensor) for key, tensor in state.items())
    with torch.no_grad():
        module(**case.inputs)
    if case.name in DECIDED_BY_RESULTS | SIZES_AMONG_THE_INPUTS:
        return
    without_data = analyze(build(transformers, case, "meta"), on_meta(case.inputs))
    assert without_data.uncounted == {}
    assert products(without_data) == products(first)
    assert without_data.parameters == first.parameters
    assert without_data.graph.mode in expected_modes(case, "meta")
    assert any("assumed" in note for note in without_data.graph.notes) == (without_data.graph.mode == "assume")


@pytest.mark.parametrize("case", [case for case in CASES if case.masked], ids=case_id)
def test_a_mask_does_not_lower_the_count(transformers: Any, case: Case) -> None:
    module = build(transformers, case, "cpu")
    without = analyze(module, case.inputs)
    everything = with_mask(case)
    half = {**everything, "attention_mask": everything["attention_mask"].clone()}
    half["attention_mask"][:, -LENGTH // 2 :] = 0
    for inputs in (everything, half):
        masked = analyze(module, inputs)
        assert masked.complete
        assert masked.total.mult_adds == without.total.mult_adds


@pytest.mark.parametrize("case", [case for case in CASES if case.fused], ids=case_id)
def test_attention_costs_the_same_fused_and_written_out(transformers: Any, case: Case) -> None:
    written_out, fused = (
        analyze(build(transformers, case, "meta", _attn_implementation=form), on_meta(case.inputs))
        for form in ("eager", "sdpa")
    )
    operator = "aten.scaled_dot_product_attention"
    assert operator not in written_out.by_target()
    assert operator in fused.by_target()
    assert fused.total.mult_adds == written_out.total.mult_adds
    # What fusing saves is the traffic of the scores.
    assert fused.total.accesses < written_out.total.accesses


@pytest.mark.parametrize("name", ["Mixtral", "Qwen2Moe", "Qwen3Moe", "DeepseekV3", "Jamba"])
def test_experts_cost_the_same_grouped_and_one_by_one(transformers: Any, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    grouped, one_by_one = (
        analyze(build(transformers, case, "cpu", _experts_implementation=form), case.inputs)
        for form in ("grouped_mm", "eager")
    )
    assert any("grouped" in target for target in grouped.by_target())
    assert not any("grouped" in target for target in one_by_one.by_target())
    assert grouped.total.mult_adds == one_by_one.total.mult_adds


def test_a_decision_of_the_network_itself_is_assumed_where_there_are_no_data(transformers: Any) -> None:
    case = next(case for case in CASES if case.name == "Vits")
    profile = analyze(build(transformers, case, "meta"), on_meta(case.inputs))
    assert profile.graph.mode == "assume"
    assert any(note.startswith("assumed") for note in profile.graph.notes)


def test_sizes_that_stand_in_a_tensor_without_data_are_asked_for(transformers: Any) -> None:
    case = next(case for case in CASES if case.name == "Qwen2VL")
    with pytest.raises(TraceFailed, match=r"needs data.*vision_utils\.py:\d+") as caught:
        analyze(build(transformers, case, "meta"), on_meta(case.inputs))
    assert "\n" not in str(caught.value)


# ----------------------------------------------------------------------------------------------- 70 billion parameters

LARGE_LAYERS, LARGE_WIDTH, LARGE_HEADS, LARGE_KEY_HEADS, LARGE_INNER, LARGE_VOCABULARY = 80, 8192, 64, 8, 28672, 128256
LARGE = f"""
import os, resource
from mac_profiler import analyze
from mac_profiler.compiled_operators import prepare_torchvision
prepare_torchvision()
import torch
from transformers import LlamaConfig, LlamaForCausalLM

config = LlamaConfig(
    hidden_size={LARGE_WIDTH}, num_hidden_layers={LARGE_LAYERS}, num_attention_heads={LARGE_HEADS},
    num_key_value_heads={LARGE_KEY_HEADS}, intermediate_size={LARGE_INNER}, vocab_size={LARGE_VOCABULARY},
)
with torch.device("meta"):
    model = LlamaForCausalLM(config).eval()
for length in (1, 128, 2048):
    profile = analyze(model, torch.zeros(1, length, dtype=torch.long, device="meta"))
    print(length, profile.total.mult_adds, profile.parameters, profile.complete, profile.graph.mode)
# Of this process alone: on Linux getrusage begins with what the process had before it became this program.
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")] if os.path.exists("/proc") else []
print(int(peak[0].split()[1]) // 2**10 if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20)
"""


def large_weights() -> int:
    """Elements of the matrices that a token meets, the head's among them."""
    keys = LARGE_KEY_HEADS * (LARGE_WIDTH // LARGE_HEADS)
    layer = 2 * LARGE_WIDTH**2 + 2 * LARGE_WIDTH * keys + 3 * LARGE_WIDTH * LARGE_INNER
    return LARGE_LAYERS * layer + LARGE_VOCABULARY * LARGE_WIDTH


def test_seventy_billion_parameters_are_analyzed_in_700_megabytes() -> None:
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LARGE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *rows, megabytes = done.stdout.splitlines()
    # Beside the matrices the embedding, and two norms a layer and one at the end.
    parameters = large_weights() + LARGE_VOCABULARY * LARGE_WIDTH + (2 * LARGE_LAYERS + 1) * LARGE_WIDTH
    for length, row in zip((1, 128, 2048), rows, strict=True):
        # Scores, and the sum of values under them, of every head: dense, though a token attends to none after it.
        attention = LARGE_LAYERS * 2 * length**2 * LARGE_WIDTH
        assert row == f"{length} {length * large_weights() + attention} {parameters} True shapes"
    assert int(megabytes) < 700
