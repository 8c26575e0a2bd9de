"""Grouping: convolutions of several groups, and what these cost beside dense ones (ShuffleNet V2, G2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt

from mac_profiler.audit import Hit, Proof
from mac_profiler.bounds import Product
from mac_profiler.metrics import excess_of_groups
from mac_profiler.remedying.drafts import maps, row, title
from mac_profiler.sketch import even
from mac_profiler.structure.equal_widths import equal_accesses
from mac_profiler.subject import Subject


def grouped(subject: Subject, limit: float, wanted: Callable[[Product], bool]) -> Iterator[Hit]:
    """Convolutions of several groups, depthwise ones left out, with more memory access than the limit allows."""
    for i, product in subject.chains.products.items():
        op = subject.ops[i]
        if product.groups < 2 or title(op) == "linear layer" or not wanted(product):
            continue
        measured = excess_of_groups(product)
        if measured > limit:
            dense = sqrt(product.channels_in * product.channels_out / product.groups)
            yield Hit(
                (i,),
                i,
                f"{title(op)} of {product.channels_in} to {product.channels_out} channels in {product.groups} groups"
                f"{maps(op)} has {measured:.2f} times the memory access of a dense one of equal multiply-adds",
                measured,
                subject.saved(i, product, equal_accesses(product, 1), _dense(product)),
                product.accesses - equal_accesses(product, 1),
                f"the same multiply-adds fit {dense:.0f} channels without groups; this changes the network",
                partial(_prove, subject, i, dense),
            )


def _dense(product: Product) -> str:
    return "pointwise_conv" if product.kernel_area == 1 else "dense_conv"


def _prove(subject: Subject, i: int, width: float) -> Proof | None:
    product = subject.chains.products[i]
    dense = even(width)
    found = row(subject, [i], [(product.channels_in, product.channels_out, product.groups)])
    remedy = row(subject, [i], [(dense, dense, 1)])
    if found is None or remedy is None:
        return None
    return Proof(found, remedy, f"the layer alone, {product.groups} groups beside {dense} channels without groups")
