"""timm's models: every file that defines one is traced, and held against torch's FlopCounterMode."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import mac_profiler
from mac_profiler import models
from mac_profiler.api import analyze_named
from mac_profiler.compiled_operators import import_package
from mac_profiler.models import Built

TIMM: Any = import_package("timm", "timm")

# A small model of every file in timm/models.
NAMES = (
    "beit_base_patch16_384", "botnet26t_256", "caformer_s18", "cait_xxs24_384", "coat_lite_tiny", "convit_tiny",
    "convmixer_1024_20_ks9_p14", "cpubone_nano", "crossvit_tiny_240", "cs3darknet_focus_s", "csatv2", "cspnext_tiny",
    "davit_tiny", "deepseek_vit_412m_enc", "deit3_small_patch16_224", "densenet121", "dla46_c", "dpn68",
    "edgenext_xx_small", "efficientformer_l1", "efficientformerv2_s0", "efficientvim_m1", "efficientvit_b0",
    "efficientvit_m0", "eva02_small_patch14_224", "fasternet_t0", "fastvit_t8", "focalnet_tiny_srf", "gcvit_xxtiny",
    "gemma4_vit_167m", "ghostnet_100", "gmixer_12_224", "hardcorenas_a", "hgnet_small", "hiera_small_224",
    "hrnet_w18_small", "iformer_t", "inception_next_atto", "inception_resnet_v2", "inception_v3", "inception_v4",
    "lcnetv2_small", "legacy_seresnet18", "legacy_xception", "levit_128", "lowformer_b0", "mobilenetv5_base",
    "mobilevit_xxs", "mvitv2_tiny", "naflexvit_base_patch16_par_gap", "nasnetalarge", "nest_tiny_jx", "nextvit_small",
    "pit_xs_distilled_224", "pnasnet5large", "pvt_v2_b0", "qwen3_vit_88m", "rdnet_tiny", "regnetx_002",
    "repghostnet_050", "repvit_m0_9", "res2net50_14w_8s", "resnest14d", "resnet10t", "resnetv2_18", "rexnetr_100",
    "sam2_hiera_small", "samvit_base_patch16", "selecsls42b", "sequencer2d_s", "shvit_s1", "skresnet18",
    "starnet_s050", "swiftformer_xs", "swin_tiny_patch4_window7_224", "swinv2_cr_tiny_224",
    "swinv2_tiny_window16_256", "test_byobnet", "test_coatnet", "test_convnext3", "test_efficientnet_ln",
    "test_mambaout", "test_nfnet", "test_vit", "tf_mobilenetv3_small_minimal_100", "tiny_vit_11m_224",
    "tnt_s_legacy_patch16_224", "tresnet_m", "twins_pcpvt_small", "vgg16", "visformer_tiny",
    "vit_srelpos_small_patch16_224", "vit_tiny_r_s16_p8_384", "vitamin_small_224", "volo_d1_384", "vovnet39a",
    "xception41p", "xcit_tiny_12_p8_384",
)  # fmt: skip

# A mixture of ways to wire a network, small enough to be run with data.
SMALL = (
    "test_byobnet", "test_convnext3", "test_efficientnet_ln", "test_mambaout", "test_coatnet", "test_nfnet",
    "test_vit", "ghostnet_050", "starnet_s050", "mobilevit_xxs", "edgenext_xx_small", "coat_lite_tiny",
)  # fmt: skip


@cache
def built(name: str) -> Built:
    return models.find(f"timm:{name}")


def run_count(module: torch.nn.Module, *inputs: torch.Tensor) -> float:
    """Multiply-adds that torch's own counter sees: it takes two FLOPs for one."""
    # Where a parameter is handed to a module, the counter expects a gradient function even though none is recorded.
    module.requires_grad_(requires_grad=False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return float(counter.get_total_flops() / 2)


def test_every_file_of_models_is_covered() -> None:
    files = [TIMM.model_entrypoint(name).__module__.rpartition(".")[2] for name in NAMES]
    assert sorted(files) == sorted(TIMM.list_modules())


@pytest.mark.parametrize("name", NAMES)
def test_a_model_on_meta_costs_what_torch_counts(name: str) -> None:
    model = built(name)
    profile = mac_profiler.analyze(model.module, *model.args)
    assert profile.uncounted == {}
    assert profile.complete
    assert profile.graph.mode == "shapes"
    assert profile.graph.notes == ()
    assert profile.parameters == sum(parameter.numel() for parameter in model.module.parameters())
    assert profile.total.mult_adds == run_count(model.module, *model.args)


@pytest.mark.parametrize("name", SMALL)
def test_a_model_with_data_costs_what_the_one_on_meta_costs(name: str) -> None:
    on_meta = built(name)
    module = models.find(f"timm:{name}", device="cpu").module
    image = torch.zeros(on_meta.args[0].shape)
    with_data = mac_profiler.analyze(module, image)
    without = analyze_named(f"timm:{name}")
    assert with_data.graph.mode == "shapes"
    assert with_data.total == without.total
    assert with_data.op_count == without.op_count
    # The model still runs, and is no worse for having been traced.
    with torch.no_grad():
        assert torch.isfinite(module(image)).all()


@pytest.mark.parametrize("name", SMALL[:6])
def test_the_work_is_proportional_to_the_batch(name: str) -> None:
    model = built(name)
    one, three = (
        mac_profiler.analyze(model.module, torch.empty(batch, *model.args[0].shape[1:], device="meta"))
        for batch in (1, 3)
    )
    assert three.total.mult_adds == 3 * one.total.mult_adds
    assert three.parameters == one.parameters
