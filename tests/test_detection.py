"""Detectors of torchvision are counted whole, with its compiled operators or with those written in Python."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from mac_profiler import models
from mac_profiler.api import analyze_named
from mac_profiler.compiled_operators import import_package
from mac_profiler.profile import Profile

# Those whose multiply-adds do not depend on what they find.
ONE_STAGE = ("retinanet_resnet50_fpn", "fcos_resnet50_fpn", "ssd300_vgg16", "ssdlite320_mobilenet_v3_large")


def published(name: str) -> float:
    weights = import_package("torchvision", "torchvision").models.get_model_weights(name).DEFAULT
    operations: float = weights.meta["_ops"]
    return operations


@cache
def profile_of(name: str) -> Profile:
    return analyze_named(name)


@pytest.mark.parametrize("name", ONE_STAGE)
def test_a_one_stage_detector_has_the_multiply_adds_that_torchvision_prints(name: str) -> None:
    profile = profile_of(f"torchvision:{name}")
    digits = len(str(published(name)).partition(".")[2])
    assert round(profile.total.mult_adds / 1e9, digits) == published(name)
    assert profile.complete


def test_faster_rcnn_has_them_with_as_many_regions_as_its_trained_weights_find() -> None:
    profile = profile_of("faster_rcnn")
    assert profile.complete
    regions = sum(op.outputs[0].shape[0] for op in profile.graph.ops if op.target == "torchvision.roi_align")
    # Two hidden layers of 1024 on 7x7 maps of 256, 91 classes, 4 coordinates of each.
    per_region = 256 * 7 * 7 * 1024 + 1024 * 1024 + 1024 * 91 * 5
    at_most = profile.total.mult_adds + (1000 - regions) * per_region
    assert 0 < regions <= 1000
    assert round(at_most / 1e9, 2) == published("fasterrcnn_resnet50_fpn")
    assert any("weights" in note for note in profile.graph.notes)


def test_a_detector_costs_the_same_each_time() -> None:
    name = "torchvision:ssdlite320_mobilenet_v3_large"
    torch.rand(7)
    assert analyze_named(name).total == profile_of(name).total


def test_suppression_keeps_the_best_of_those_that_overlap() -> None:
    models.find("torchvision:ssdlite320_mobilenet_v3_large")
    nms = import_package("torchvision", "torchvision").ops.nms
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 9]])
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.1, 0.8]), 0.5).tolist() == [1, 2]
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.1, 0.8]), 0.99).tolist() == [1, 3, 0, 2]
    assert nms(boxes[:0], torch.empty(0), 0.5).tolist() == []


def test_aligned_regions_are_means_of_what_they_cover() -> None:
    models.find("faster_rcnn")
    roi_align = import_package("torchvision", "torchvision").ops.roi_align
    slope = torch.arange(16.0).expand(1, 1, 16, 16)
    (region,) = roi_align(slope, [torch.tensor([[2.0, 2, 10, 10]])], 2, 1.0, 2, True)[0]
    # Along a slope the mean over half of the region is the value in its middle; pixels are at their centres.
    assert region.tolist() == [[3.5, 7.5], [3.5, 7.5]]
