"""torchvision's models: multiply-adds and parameters are what the weights' own metadata print."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

import mac_profiler
from mac_profiler import models
from mac_profiler.api import analyze_named
from mac_profiler.compiled_operators import import_package
from mac_profiler.profile import Profile

ZOO: Any = import_package("torchvision", "torchvision").models

# Under these shapes the printed figure follows; torchvision measured them with its own scripts (references/).
CLIP_FRAMES = 16
FLOW_FRAME = (520, 960)


def names(*kinds: str) -> list[str]:
    """Models by the package that defines them; "classification" are those of torchvision.models itself."""
    known = ("segmentation", "video", "detection", "optical_flow", "quantization")
    found = []
    for name in ZOO.list_models():
        kind = ZOO.get_model_builder(name).__module__.removeprefix("torchvision.models.").partition(".")[0]
        if (kind if kind in known else "classification") in kinds:
            found.append(name)
    return found


def weights_of(*kinds: str) -> list[Any]:
    """Every published set of weights, with the name of its model: DEFAULT is an alias and comes once."""
    return [
        pytest.param(name, weights, id=f"{name}-{weights.name}")
        for name in names(*kinds)
        for weights in ZOO.get_model_weights(name)
    ]


def side_of(weights: Any) -> int:
    """The crop that the weights were evaluated at."""
    size = weights.transforms.keywords.get("crop_size") or weights.transforms.keywords["resize_size"]
    return int(size if isinstance(size, int) else size[0])


def shape_of(weights: Any) -> tuple[int, ...]:
    crop = weights.transforms.keywords["crop_size"]
    return (1, 3, CLIP_FRAMES, *crop) if isinstance(crop, tuple) else (1, 3, crop, crop)


def arguments_of(name: str, weights: Any) -> dict[str, object]:
    """What of the structure the weights decide and the name does not."""
    return {"image_size": side_of(weights)} if name.startswith("vit_") else {}


@cache
def built(name: str, image_size: int | None) -> Any:
    return models.find(f"torchvision:{name}", {"image_size": image_size} if image_size else {}).module


def assert_printed(profile: Profile, weights: Any) -> None:
    """Rounded as printed, to three decimals; the parameters to the last one; and nothing left out or assumed."""
    assert f"{profile.total.mult_adds / 1e9:.3f}" == f"{weights.meta['_ops']:.3f}"
    assert profile.parameters == weights.meta["num_params"]
    assert profile.uncounted == {}
    assert profile.complete
    assert profile.graph.mode == "shapes"
    assert profile.graph.notes == ()


@pytest.mark.parametrize(("name", "weights"), weights_of("classification"))
def test_a_classifier_costs_what_its_weights_print(name: str, weights: Any) -> None:
    arguments = arguments_of(name, weights)
    module = built(name, side_of(weights) if arguments else None)
    image = torch.empty(shape_of(weights), device="meta")
    with torch.no_grad():
        without = mac_profiler.analyze(module, image)
    with torch.enable_grad():
        with_gradients = mac_profiler.analyze(module, image.clone().requires_grad_())
    assert_printed(without, weights)
    assert_printed(with_gradients, weights)
    assert with_gradients.total == without.total


@pytest.mark.parametrize("name", names("classification"))
def test_a_classifier_by_name_costs_what_its_default_weights_print(name: str) -> None:
    assert_printed(analyze_named(f"torchvision:{name}"), ZOO.get_model_weights(name).DEFAULT)


@pytest.mark.parametrize(("name", "weights"), weights_of("quantization"))
def test_the_floating_form_of_a_quantized_model_costs_what_its_weights_print(name: str, weights: Any) -> None:
    assert_printed(analyze_named(f"torchvision:{name}"), weights)


@pytest.mark.parametrize(("name", "weights"), weights_of("segmentation", "video"))
def test_a_segmentation_or_video_model_costs_what_its_weights_print(name: str, weights: Any) -> None:
    assert_printed(analyze_named(f"torchvision:{name}"), weights)


@pytest.mark.parametrize("name", names("optical_flow"))
def test_an_optical_flow_model_costs_what_its_weights_print(name: str) -> None:
    assert_printed(analyze_named(f"torchvision:{name}"), ZOO.get_model_weights(name).DEFAULT)


def test_the_work_of_optical_flow_grows_by_the_same_amount_with_each_update() -> None:
    module = built("raft_small", None)
    frames = [torch.empty(1, 3, 128, 128, device="meta") for _ in range(2)]
    work = [mac_profiler.analyze(module, *frames, num_flow_updates=n).total.mult_adds for n in (1, 2, 3, 9)]
    update = work[1] - work[0]
    assert update > 0
    assert work[2] - work[1] == update
    assert work[3] - work[0] == 8 * update


# One of every way to wire a convolutional network: plain, residual, dense, depthwise, branched.
SMALL = ("densenet121", "googlenet", "inception_v3", "mnasnet0_5", "mobilenet_v3_small", "regnet_y_400mf",
         "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1")  # fmt: skip


def on_cpu(name: str) -> torch.nn.Module:
    builder: Callable[..., torch.nn.Module] = ZOO.get_model_builder(name)
    quirks: dict[str, object] = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return builder(weights=None, **quirks).eval()


@pytest.mark.parametrize("name", SMALL)
def test_a_model_with_data_costs_what_the_one_on_meta_costs_and_is_left_alone(name: str) -> None:
    weights = ZOO.get_model_weights(name).DEFAULT
    module = on_cpu(name)
    before = {key: tensor._version for key, tensor in module.state_dict().items()}
    profile = mac_profiler.analyze(module, torch.zeros(shape_of(weights)))
    assert f"{profile.total.mult_adds / 1e9:.3f}" == f"{weights.meta['_ops']:.3f}"
    assert profile.graph.mode == "shapes"
    assert {key: tensor._version for key, tensor in module.state_dict().items()} == before
