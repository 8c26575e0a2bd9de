"""Import torchvision where its compiled operators do not load, as beside a torch of another build.

torchvision declares shapes of its operators when it is imported, and that fails where the library that defines them
cannot be loaded: a build for CUDA beside a torch for the CPU. Few of its models call these operators, so the names are
declared here first; to call one still fails, and says so. Only for the detectors, which cannot do without, kernels are
written in Python.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec
from typing import Any

from mac_profiler.errors import MissingPackage, ModelNotFound

# What torchvision registers a shape for without asking whether its library was loaded (torchvision 0.23 to 0.28:
# _meta_registrations.py, under torch.library.register_fake); the others it leaves alone.
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# What the detectors call, and torchvision itself only registers a shape for where its library was loaded.
ROI_ALIGN = (
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor"
)
# A declaration lasts as long as the object that made it.
_declared: list[Any] = []


@cache
def torchvision_operators_load() -> bool:
    """Whether torchvision's compiled operators (nms, roi_align, deform_conv2d, ...) can be called beside this torch."""
    import torch

    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    finder = FileFinder(spec.submodule_search_locations[0], (ExtensionFileLoader, EXTENSION_SUFFIXES))
    library = finder.find_spec("_C")
    if library is None or library.origin is None:
        return False
    try:
        # Just what torchvision does itself; loading twice is loading once.
        torch.ops.load_library(library.origin)
    except OSError:
        return False
    return True


def prepare_torchvision() -> None:
    """Make `import torchvision` work in this process; nothing happens where it does already, or is not installed."""
    if "torchvision" in sys.modules or _declared or find_spec("torchvision") is None or torchvision_operators_load():
        return
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        # Others know this trick too, and a name cannot be defined twice.
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    _declared.append(library)


@cache
def replace_detection_operators() -> None:
    """Give nms and roi_align kernels in Python, slow and right, in a process in which the compiled ones do not load.

    Torchvision is told that they are there: the models call them as operators then, and are counted as they are.
    """
    import torch
    from torchvision import extension
    from torchvision.ops import boxes

    # Its function has the name of the module.
    regions: Any = sys.modules[f"{boxes.__package__}.roi_align"]

    def keep_best(dets: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
        left, kept = scores.argsort(descending=True), []
        while len(left):
            kept.append(left[0])
            left = left[1:][boxes.box_iou(dets[left[:1]], dets[left[1:]])[0] <= iou_threshold]
        return torch.stack(kept) if kept else left

    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define(ROI_ALIGN)
    library.impl("nms", keep_best, "CompositeExplicitAutograd")
    # Torchvision's own, which it would compile first.
    library.impl("roi_align", regions._roi_align.__wrapped__, "CompositeExplicitAutograd")
    _declared.append(library)
    for module in (extension, regions):
        module._has_ops = lambda: True


def import_package(package: str, extra: str) -> Any:
    """Import a package that is torchvision or needs it.

    Args:
        package: what to import: "timm".
        extra: the extra of macprof that installs it.

    Raises:
        MissingPackage: it is not installed.
        ModelNotFound: it is, and its import fails.
    """
    if find_spec(package) is None:
        raise MissingPackage(f"{package} is not installed; pip install 'macprof[{extra}]' installs it")
    prepare_torchvision()
    try:
        return importlib.import_module(package)
    # The package's own code runs here, and what it raises can be anything.
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing:
            raise MissingPackage(
                f"{package} needs {missing}, which is not installed; pip install 'macprof[{extra}]' installs it"
            ) from error
        message = next(iter(str(error).splitlines()), "")
        raise ModelNotFound(f"{package} cannot be imported: {type(error).__name__}: {message}") from error
