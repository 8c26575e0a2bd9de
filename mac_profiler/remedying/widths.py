"""Widths: products and bottlenecks whose channels are unequal, with what that costs (ShuffleNet V2, G1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import lcm, sqrt

from mac_profiler.audit import Hit, Proof
from mac_profiler.bounds import Product
from mac_profiler.graph import Op
from mac_profiler.metrics import excess
from mac_profiler.remedying.drafts import Widths, maps, row, title
from mac_profiler.sketch import even
from mac_profiler.structure.bottlenecks import Bottleneck
from mac_profiler.structure.equal_widths import equal_accesses
from mac_profiler.subject import Subject


def unequal(subject: Subject, limit: float, wanted: Callable[[Op], bool]) -> Iterator[Hit]:
    """Products with more memory access than the limit allows; those of a bottleneck are judged with it."""
    chains = subject.chains
    in_rows = {i for each in subject.bottlenecks for i in each.ops}
    for i, product in chains.products.items():
        op = subject.ops[i]
        if i in in_rows or i in chains.stems or i in chains.heads or not wanted(op):
            continue
        measured = excess(product)
        if measured > limit:
            yield Hit(
                (i,),
                i,
                f"{title(op)} of {product.channels_in} to {product.channels_out} channels{maps(op)} has "
                f"{measured:.2f} times the memory access of equal widths at the same multiply-adds",
                measured,
                subject.saved(i, product, equal_accesses(product)),
                product.accesses - equal_accesses(product),
                _both(sqrt(product.channels_in * product.channels_out)),
                partial(_prove, subject, i),
            )


def _both(width: float) -> str:
    return f"the same multiply-adds fit {width:.0f} channels on both sides; this changes the network"


def _prove(subject: Subject, i: int) -> Proof | None:
    product = subject.chains.products[i]
    width = even(sqrt(product.channels_in * product.channels_out), product.groups)
    found = row(subject, [i], [(product.channels_in, product.channels_out, product.groups)])
    remedy = row(subject, [i], [(width, width, product.groups)])
    if found is None or remedy is None:
        return None
    widths = f"{product.channels_in} to {product.channels_out}"
    return Proof(found, remedy, f"the layer alone, {widths} beside {width} channels on both sides")


def bottlenecks(subject: Subject, limit: float, kind: str) -> Iterator[Hit]:
    """Bottlenecks of a kind with more memory access than the limit allows beside their even form."""
    for each in subject.bottlenecks:
        if each.kind == kind and each.excess > limit:
            a, m, b = each.widths
            op = subject.ops[each.ops[0]]
            kinds = "linear layers" if title(op) == "linear layer" else "convolutions"
            yield Hit(
                each.ops,
                each.ops[0],
                f"{kind} bottleneck of {a}, {m} and {b} channels{maps(op)}: its {kinds} have "
                f"{each.excess:.2f} times the memory access of equal widths at the same multiply-adds",
                each.excess,
                sum(subject.saved(i, product, equal_accesses(product)) for i, product in _products(subject, each)),
                each.accesses - each.equal_accesses,
                f"the same multiply-adds fit {each.even_width:.0f} channels throughout; this changes the network",
                partial(prove_even, subject, each),
            )


def _products(subject: Subject, each: Bottleneck) -> list[tuple[int, Product]]:
    return [(i, subject.chains.products[i]) for i in each.ops if i in subject.chains.products]


def prove_even(subject: Subject, each: Bottleneck) -> Proof | None:
    """The products of a bottleneck beside its even form."""
    chains = subject.chains
    groups = lcm(*(chains.products[i].groups for i in each.ops if i in chains.products))
    width = even(each.even_width, groups)
    now: list[Widths] = []
    then: list[Widths] = []
    for i in each.ops:
        product = chains.products.get(i) or chains.depthwise[i]
        now.append((product.channels_in, product.channels_out, product.groups))
        then.append((width, width, product.groups if i in chains.products else width))
    found, remedy = row(subject, each.ops, now), row(subject, each.ops, then)
    if found is None or remedy is None:
        return None
    a, m, b = each.widths
    return Proof(found, remedy, f"its convolutions alone, {a}, {m} and {b} beside {width} channels throughout")
