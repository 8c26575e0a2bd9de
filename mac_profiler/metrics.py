"""Metrics: the numbers that the guidelines speak of.

- *excess* (G1): memory access of a convolution or matrix product by that of equal widths, at its own multiply-adds, map
  sizes, kernel, stride and groups; 1 where the channels are equal, see `mac_profiler.structure.equal_widths`.
- *excess of groups* (G2): the same by that of equal widths in one group, of the dense one.
- *element-wise share* (G4): share of the memory access that element-wise operators have, depthwise convolutions and
  copies among them.
- *intensity*: FLOPs a byte moved.
- *launch density* (G3): operators that run for a million multiply-adds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from mac_profiler.blocks import Block, is_elementwise, is_fragment
from mac_profiler.bounds import Product, bound, product_of
from mac_profiler.cost import Cost
from mac_profiler.profile import Profile
from mac_profiler.structure.equal_widths import equal_accesses


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of a model or of a part of it; the modules's docstring defines them. None where there is nothing to divide by."""

    mult_adds: int
    accesses: int
    op_count: int
    fragments: int
    elementwise_share: float | None
    intensity: float | None
    launch_density: float | None


def excess(product: Product) -> float:
    """Memory access by that of equal widths at its own groups."""
    return product.accesses / max(equal_accesses(product), 1)


def excess_of_groups(product: Product) -> float:
    """Memory access by that of a dense one of equal widths and multiply-adds."""
    return product.accesses / max(equal_accesses(product, 1), 1)


def measure_ops(profile: Profile, ops: Iterable[int] | None = None) -> Metrics:
    """The metrics of some operators, or of all; those that were not counted are left out, and views."""
    chosen = range(len(profile.graph.ops)) if ops is None else ops
    counted = [
        (op, cost) for i in chosen if (cost := profile.costs[i]) is not None and not (op := profile.graph.ops[i]).view
    ]
    total = sum((cost for _, cost in counted), Cost())
    moved = sum(cost.accesses for op, cost in counted if is_elementwise(op))
    return Metrics(
        total.mult_adds,
        total.accesses,
        len(counted),
        sum(is_fragment(op) for op, _ in counted),
        moved / total.accesses if total.accesses else None,
        total.flops / total.bytes_moved if total.bytes_moved else None,
        len(counted) / total.mult_adds * 1e6 if total.mult_adds else None,
    )


def of_block(profile: Profile, block: Block) -> dict[str, Any]:
    """A block as data: where it is, its shape, and its metrics."""
    return {
        "path": block.path,
        "branches": len(block.branches),
        "width": block.width,
        "depth": block.depth,
        "work": block.work,
        "span": block.span,
        "parallelism": block.parallelism,
        **asdict(measure_ops(profile, block.ops)),
    }


def of_products(profile: Profile) -> list[dict[str, Any]]:
    """Every forward convolution and matrix product as data, with the least memory access that it could have."""
    found = []
    for op, cost in zip(profile.graph.ops, profile.costs, strict=True):
        product = product_of(op) if op.phase == "forward" else None
        if product is not None and cost is not None:
            found.append(
                {
                    "path": op.path,
                    "target": op.target,
                    "source": op.source,
                    "channels_in": product.channels_in,
                    "channels_out": product.channels_out,
                    "groups": product.groups,
                    "mult_adds": product.mult_adds,
                    "accesses": product.accesses,
                    "least_accesses": product.least_accesses,
                    "excess": excess(product),
                    "excess_of_groups": excess_of_groups(product),
                    "intensity": cost.flops / cost.bytes_moved if cost.bytes_moved else None,
                }
            )
    return found


def of_model(profile: Profile) -> dict[str, Any]:
    """The whole model, with the excess of all its products together."""
    products = bound(profile.graph)
    return {
        **asdict(measure_ops(profile)),
        "excess": products.accesses / products.least_accesses if products.least_accesses else None,
        "excess_of_groups": products.accesses / products.least_ungrouped if products.least_ungrouped else None,
    }
