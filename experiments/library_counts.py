"""Does macprof count the networks of torchvision and timm as they are counted elsewhere?

Question: torchvision prints the multiply-adds and parameters of every set of weights that it publishes, measured with
its own scripts. Are they ours, to the last printed digit? timm prints none: is the first network of every file of it
counted as torch's FlopCounterMode counts it, when it runs the network itself?
Expectation: all, but detectors of two stages, whose multiply-adds depend on how many regions their weights find.
Source: the metadata of torchvision's weights, and torch.utils.flop_counter, which counts two for a multiply-add.

    python -m experiments.library_counts [--smoke] [--output DIR]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments.libraries.figure import draw
from experiments.libraries.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options
from mac_profiler import models
from mac_profiler.api import analyze_named
from mac_profiler.compiled_operators import import_package
from mac_profiler.errors import MacprofError


def main() -> None:
    """Count every network and write the report."""
    options = read_options("library_counts", __doc__)
    results = {
        "environment": describe(("torchvision", "timm")),
        "torchvision": list(torchvision_lines(smoke=options.smoke)),
        "timm": list(timm_lines(smoke=options.smoke)),
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def torchvision_lines(*, smoke: bool) -> Iterator[dict[str, Any]]:
    """Every set of weights, with the figures that it prints and ours."""
    zoo = import_package("torchvision", "torchvision").models
    for name in zoo.list_models()[: 4 if smoke else None]:
        for weights in zoo.get_model_weights(name):
            kind = zoo.get_model_builder(name).__module__.removeprefix("torchvision.models.").partition(".")[0]
            yield {
                "model": name,
                "weights": weights.name,
                "kind": kind if kind in _KINDS else "classification",
                "printed": weights.meta["_ops"],
                "printed_parameters": weights.meta["num_params"],
                **_count(f"torchvision:{name}", *_shape(name, weights)),
            }


_KINDS = ("segmentation", "video", "detection", "optical_flow", "quantization")


def _shape(name: str, weights: Any) -> tuple[tuple[str, ...], dict[str, object]]:
    """Inputs and arguments under which the figures of these weights were measured; ours by default."""
    options = getattr(weights.transforms, "keywords", {})
    crop = options.get("crop_size")
    if not isinstance(crop, (int, list)):
        return (), {}
    side = crop if isinstance(crop, int) else crop[0]
    return (f"1x3x{side}x{side}",), {"image_size": side} if name.startswith("vit_") else {}


def timm_lines(*, smoke: bool) -> Iterator[dict[str, Any]]:
    """The first network of every file, counted by macprof and, when it runs on meta, by FlopCounterMode."""
    timm = import_package("timm", "timm")
    for file in timm.list_modules()[: 2 if smoke else None]:
        name = timm.list_models(module=file)[0]
        yield {"model": name, "file": file, **_count(f"timm:{name}"), "torch": _torch_count(f"timm:{name}")}


def _count(model: str, inputs: tuple[str, ...] = (), arguments: dict[str, object] | None = None) -> dict[str, Any]:
    try:
        profile = analyze_named(model, arguments=arguments or {}, inputs=inputs)
    except MacprofError as error:
        return {"error": str(error)}
    return {
        "mult_adds": profile.total.mult_adds,
        "parameters": profile.parameters,
        "complete": profile.complete,
        "mode": profile.graph.mode,
    }


def _torch_count(model: str) -> float | str:
    """Multiply-adds, or what was raised."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    built = models.find(model)
    # Where a parameter is handed to a module, the counter expects a gradient function even though none is recorded.
    built.module.requires_grad_(requires_grad=False)
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            built.module(*built.args)
    except Exception as error:  # noqa: BLE001 - its answer then
        return type(error).__name__
    return float(counter.get_total_flops() / 2)


if __name__ == "__main__":
    main()
