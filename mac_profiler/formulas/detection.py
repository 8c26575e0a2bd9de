"""torchvision's operators on regions and boxes.

A bilinear sample costs 7 FLOPs (4 taps) and 1 to add it up.
"""

from __future__ import annotations

from mac_profiler.cost import Cost, floating_flops, formula, traffic
from mac_profiler.graph import Op


@formula("torchvision.roi_align", "torchvision.ps_roi_align")
def roi_align(op: Op) -> Cost:
    """sampling_ratio^2 bilinear samples an output element.

    Without a ratio their number follows from the size of each region, which a shape does not tell: one is counted.
    """
    source, out = op.args["input"], op.outputs[0]
    samples = max(op.args.get("sampling_ratio", 1), 1) ** 2 * out.elements
    return traffic(op, flops=floating_flops(op, 8 * samples), reads={source: min(source.footprint, 4 * samples)})


@formula("torchvision._roi_align_backward", "torchvision._ps_roi_align_backward")
def roi_align_backward(op: Op) -> Cost:
    """Every gradient goes to the 4 taps of its samples: 2 FLOPs each."""
    grad = op.args["grad"]
    samples = max(op.args.get("sampling_ratio", 1), 1) ** 2 * grad.elements
    return traffic(op, flops=floating_flops(op, 8 * samples))


@formula("torchvision.roi_pool", "torchvision.ps_roi_pool")
def roi_pool(op: Op) -> Cost:
    """How many elements a region has, a shape does not tell: one comparison an output element is counted."""
    source, out = op.args["input"], op.outputs[0]
    return traffic(op, flops=floating_flops(op, out.elements), reads={source: min(source.footprint, out.elements)})


@formula("torchvision._roi_pool_backward", "torchvision._ps_roi_pool_backward")
def roi_pool_backward(op: Op) -> Cost:
    """Every gradient is added to its element."""
    return traffic(op, flops=floating_flops(op, op.args["grad"].elements))


@formula("torchvision.nms")
def non_maximum_suppression(op: Op) -> Cost:
    """Every pair of boxes compared, an upper bound: 13 FLOPs an overlap, and 3 a box for its area."""
    boxes = op.args["dets"].shape[0]
    return traffic(op, flops=floating_flops(op, 13 * boxes * (boxes - 1) // 2 + 3 * boxes))
