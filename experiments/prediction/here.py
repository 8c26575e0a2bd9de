"""Networks measured on this machine, each by itself: called again and again, as somebody does who ships it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from experiments.trust.macprof import measure_in_processes
from mac_profiler import models
from mac_profiler.intervals import Estimate, median_of
from mac_profiler.measurement import Case, Settings

TORCHVISION = (
    "alexnet", "vgg11", "vgg16_bn", "googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1", "resnet18",
    "resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121", "densenet169", "mobilenet_v3_small",
    "mobilenet_v3_large", "mnasnet0_5", "mnasnet1_0", "mnasnet1_3", "efficientnet_b0", "efficientnet_b1",
    "efficientnet_b3", "efficientnet_v2_s", "regnet_y_400mf", "regnet_y_800mf", "regnet_x_400mf", "regnet_x_1_6gf",
    "regnet_y_3_2gf", "convnext_tiny", "vit_b_16", "vit_b_32", "swin_t", "swin_v2_t", "maxvit_t",
)  # fmt: skip
ZOO = (
    "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "shufflenet_v2_50",
    "shufflenet_v1_g1_x1_0", "shufflenet_v1_g3_x1_0", "shufflenet_v1_g8_x1_0", "mobilenet_v1_x0_5",
    "mobilenet_v1_x1_0", "mobilenet_v2_x0_5", "mobilenet_v2_x1_0", "mobilenet_v2_x1_4", "igcv3_d_x1_0",
    "condensenet_74_g4", "nasnet_mobile", "pnasnet5_mobile",
)  # fmt: skip
TIMM = (
    "ghostnet_100", "hrnet_w18_small", "dla34", "resnest14d", "cspresnet50", "mixnet_s", "tinynet_a", "lcnet_100",
    "repvgg_a2", "levit_128", "deit_tiny_patch16_224", "mobilevit_s", "poolformer_s12", "pit_ti_224",
    "xcit_nano_12_p16_224", "edgenext_small", "fbnetc_100", "hardcorenas_a", "dpn48b", "res2net50_14w_8s", "gernet_s",
    "ese_vovnet19b_dw", "selecsls42b", "rexnet_100", "mixer_s32_224", "efficientformer_l1",
)  # fmt: skip
# Drawn up when probes and laws were settled, and not run before.
FRESH = (
    "resnet26d", "efficientnet_lite0", "mobilenetv3_rw", "mobilenetv4_conv_small", "ghostnetv2_100", "tf_mixnet_m",
    "semnasnet_075", "spnasnet_100", "mnasnet_small", "tinynet_d", "dpn68", "cspdarknet53", "ese_vovnet39b",
    "skresnet18", "resnet33ts", "seresnet33ts", "gcresnet33ts", "halonet26t", "botnet26t_256", "lambda_resnet26t",
    "sebotnet33ts_256", "convnext_atto", "convnextv2_femto", "convit_tiny", "cait_xxs24_224", "coat_lite_tiny",
    "crossvit_tiny_240", "deit_small_patch16_224", "efficientvit_b0", "fastvit_t8", "gmixer_24_224", "gmlp_s16_224",
    "inception_next_tiny", "lcnet_050", "mvitv2_tiny", "poolformerv2_s12", "pvt_v2_b0", "repghostnet_100",
    "resmlp_12_224", "swin_tiny_patch4_window7_224", "tiny_vit_5m_224", "twins_svt_small", "visformer_tiny",
    "vit_small_patch32_224", "mobileone_s0", "hgnetv2_b0", "edgenext_xx_small", "efficientvit_m0",
)  # fmt: skip
SMOKE = ("shufflenet_v2_x0_5", "mobilenet_v2_x0_5", "shufflenet_v1_g3_x1_0")
SETTINGS = Settings(processes=2, max_seconds=1.2, min_rounds=5, precision=0.01, warmup_seconds=0.3)


def names(*, smoke: bool) -> list[str]:
    """What is measured."""
    if smoke:
        return list(SMOKE)
    return [f"torchvision:{name}" for name in TORCHVISION] + [*ZOO, *(f"timm:{name}" for name in (*TIMM, *FRESH))]


def looked_at(name: str) -> bool:
    """Whether it was looked at while probes and laws were being chosen; the others were not."""
    return name.removeprefix("timm:") not in FRESH


def measure(asked: Sequence[str], settings: Settings) -> dict[str, Estimate]:
    """Median seconds of a call with one image, by name; each network has its turn alone, in several processes."""
    cases = [Case("here", name, name, {}, partial(_build, name)) for name in asked]
    return {each.case.name: median_of(each, settings) for each in measure_in_processes(cases, settings)}


def _build(name: str) -> tuple[Any, tuple[Any, ...]]:
    built = models.find(name, device="cpu")
    return built.module, built.args
