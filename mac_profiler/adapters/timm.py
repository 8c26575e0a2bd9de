"""Models of timm, with the input size of their default configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mac_profiler.compiled_operators import import_package
from mac_profiler.construct import construct_on
from mac_profiler.errors import InvalidInput, ModelNotFound
from mac_profiler.inputs import Input, make_tensor
from mac_profiler.models import Built
from mac_profiler.registry import did_you_mean

_REGISTERED = re.compile(r"^@register_model\n(?:^@.*\n)*^def (\w+)\(", re.MULTILINE)


@cache
def names() -> list[str]:
    """Names that timm registers, read from its source: importing it takes seconds and torch."""
    spec = find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        return []
    files = Path(spec.submodule_search_locations[0], "models").glob("*.py")
    return sorted({found for file in files for found in _REGISTERED.findall(file.read_text(encoding="utf-8"))})


def build(name: str, arguments: Mapping[str, object], device: str) -> Built:
    """Make a model without weights; a tag of pretrained weights ("resnet50.a1_in1k") picks their configuration.

    Raises:
        MissingPackage: timm is not installed.
        ModelNotFound: it has no such model.
        InvalidInput: the arguments ask for weights, which macprof does not fetch.
    """
    timm = import_package("timm", "timm")
    if not timm.is_model(name):
        raise ModelNotFound(f"timm has no model named '{name}'.{did_you_mean(name.partition('.')[0], names())}")
    if arguments.get("pretrained"):
        raise InvalidInput(f"timm:{name} with pretrained={arguments['pretrained']}: weights are not fetched, leave it")

    def create(**given: Any) -> Any:
        return timm.create_model(name, **given)

    made = construct_on(device, f"timm:{name}", create, {"pretrained": False, **arguments})
    return Built(name, made, (make_tensor(Input(_shape(made, arguments)), next(made.parameters()).device),))


def _shape(made: Any, arguments: Mapping[str, object]) -> tuple[int, ...]:
    channels, height, width = made.pretrained_cfg.get("input_size") or (3, 224, 224)
    size, planes = arguments.get("img_size"), arguments.get("in_chans")
    if isinstance(size, int):
        height = width = size
    elif isinstance(size, tuple | list) and len(size) == 2:
        height, width = size
    return (1, planes if isinstance(planes, int) else channels, height, width)
