"""Models of torchvision, with the input that their default weights were measured at."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mac_profiler.compiled_operators import import_package, replace_detection_operators, torchvision_operators_load
from mac_profiler.construct import construct_on
from mac_profiler.errors import ModelNotFound
from mac_profiler.inputs import Input, make_tensor
from mac_profiler.models import Built
from mac_profiler.registry import did_you_mean

# @register_model(), perhaps a name of its own, more decorators, then the function.
_REGISTERED = re.compile(r"^@register_model\((?:name=\"(\w+)\")?\)\n(?:^(?!def ).*\n)*?^def (\w+)\(", re.MULTILINE)
# Clips of 16 frames are what the printed _ops of every video model follow from.
CLIP_FRAMES = 16
# Size of the frames that the optical-flow weights' _ops were measured at.
FLOW_SIZE = (512, 512)
CLASSIFICATION_SIZE = 224
FOUND_BY_CHANCE = "a detector works on what it finds; without trained weights and a picture, that is up to chance"


@cache
def names() -> list[str]:
    """Names that torchvision registers, read from its source: importing it takes a second and torch."""
    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return []
    files = Path(spec.submodule_search_locations[0], "models").rglob("*.py")
    found = [match for file in files for match in _REGISTERED.findall(file.read_text(encoding="utf-8"))]
    return sorted({given or function for given, function in found})


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Make a model without weights, yet of the structure that its weights have.

    Raises:
        MissingPackage: torchvision is not installed.
        ModelNotFound: it has no such model.
    """
    models = import_package("torchvision", "torchvision").models
    try:
        builder = models.get_model_builder(name)
    except ValueError:
        raise ModelNotFound(f"torchvision has no model named '{name}'.{did_you_mean(name, names())}") from None
    kind = builder.__module__.removeprefix("torchvision.models.").partition(".")[0]
    if kind == "detection" and not torchvision_operators_load():
        replace_detection_operators()
    try:
        weights = models.get_model_weights(builder).DEFAULT
    except (AttributeError, ValueError):
        weights = None  # A model that somebody registered without weights.
    given = _as_weights_have(builder, weights, arguments)
    if kind != "detection":
        made = construct_on(device, f"torchvision:{name}", builder, given)
        return Built(name, made, _inputs(kind, made, weights, given.get("image_size")))
    # What a detector finds decides what it computes next: it needs data, and the same each time.
    made = construct_on("cpu" if device == "meta" else device, f"torchvision:{name}", _seeded(builder), given)
    return Built(name, made, _inputs(kind, made, weights, None), note=FOUND_BY_CHANCE)


def _seeded(builder: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(builder)
    def build_seeded(**given: object) -> Any:
        import torch

        torch.manual_seed(0)
        return builder(**given)

    return build_seeded


def _as_weights_have(builder: Any, weights: Any, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments, no weights, and what the builder would set by itself if it were given weights."""
    takes = inspect.signature(builder).parameters
    given: dict[str, object] = {key: None for key in ("weights", "weights_backbone") if key in takes}
    if "aux_loss" in takes:
        given["aux_loss"] = True
    # These three take what follows among **kwargs.
    if builder.__name__ == "googlenet":
        given["aux_logits"] = False
    if builder.__name__ in ("googlenet", "inception_v3"):
        given["init_weights"] = False
    if weights is not None and builder.__module__.endswith(".vision_transformer"):
        given["image_size"] = weights.meta["min_size"][0]
    return {**given, **arguments}


def _inputs(kind: str, made: Any, weights: Any, image_size: object) -> tuple[Any, ...]:
    device = next(made.parameters()).device
    sizes = getattr(getattr(weights, "transforms", None), "keywords", {})
    if kind == "optical_flow":
        return tuple(make_tensor(Input((1, 3, *FLOW_SIZE)), device) for _ in range(2))
    if kind == "detection":
        side = made.transform.fixed_size or (made.transform.min_size[-1],) * 2
        return ([make_tensor(Input((3, side[1], side[0])), device)],)
    side = _pair(image_size or sizes.get("crop_size") or sizes.get("resize_size") or CLASSIFICATION_SIZE)
    return (make_tensor(Input((1, 3, CLIP_FRAMES, *side) if kind == "video" else (1, 3, *side)), device),)


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, int):
        return (size, size)
    return (size[0], size[-1])
