"""Bottlenecks: rows of convolutions or linear layers whose outer widths are thicker, or thinner, than those between.

A row is followed through `mac_profiler.structure.chains`: widths a -> m -> ... -> m -> b, depthwise convolutions in
it keep the width. It is *thin* where a and b are at least twice m, as in ResNet and ShuffleNet V1, and *inverted*
where m is at least twice a and b, as in MobileNet V2. Every product is in one bottleneck at most; the one that is
written in one module goes first.

Its *excess* is the memory access of its products by that of products of equal widths (ShuffleNet V2, G1), depthwise
convolutions left out, for they have one width anyway. Its *even* form has one width everywhere, with all
multiply-adds, those of depthwise convolutions too, as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from mac_profiler.bounds import Product
from mac_profiler.graph import Graph
from mac_profiler.kinds_of_work import kind_of_work
from mac_profiler.structure.chains import Chains, Link
from mac_profiler.structure.equal_widths import equal_accesses
from mac_profiler.structure.regions import common_path

LEAST_RATIO = 2.0


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A row of products.

    Attributes:
        kind: "thin" or "inverted".
        ops: positions of the products, depthwise convolutions among them, in order.
        between: positions of all operators from the first to the last product, ascending.
        widths: channels before the first, between, and behind the last.
        accesses: memory access of the products, depthwise ones left out.
        equal_accesses: what they would have at equal widths, each by itself.
        even_width: channels of the even form.
    """

    kind: Literal["thin", "inverted"]
    ops: tuple[int, ...]
    between: tuple[int, ...]
    widths: tuple[int, int, int]
    accesses: int
    equal_accesses: int
    even_width: float

    @property
    def excess(self) -> float:
        """Memory access by that of equal widths."""
        return self.accesses / max(self.equal_accesses, 1)

    @property
    def ratio(self) -> float:
        """The thick width by the thin one, at the side where they are nearer."""
        a, m, b = self.widths
        return min(a, b) / m if self.kind == "thin" else m / max(a, b)


def find_bottlenecks(graph: Graph, chains: Chains) -> tuple[Bottleneck, ...]:
    """All of a graph, in order."""
    paths = [op.path for op in graph.ops]
    found = [_describe(graph, chains, links) for links in _rows(chains) if not _given(chains, links)]
    taken: set[int] = set()
    chosen = []
    for each in sorted(found, key=lambda row: (-_depth([paths[i] for i in row.ops]), row.ops)):
        if not taken.intersection(each.ops):
            taken.update(each.ops)
            chosen.append(each)
    return tuple(sorted(chosen, key=lambda row: row.ops))


def _rows(chains: Chains) -> Iterator[tuple[Link, ...]]:
    """Links from a product that changes the width to the next one that changes it back."""
    following: dict[int, list[Link]] = defaultdict(list)
    for link in chains.links:
        following[link.first].append(link)
    for first, product in chains.products.items():
        inner = product.channels_out
        pending: list[tuple[Link, ...]] = [(link,) for link in following[first] if product.channels_in != inner]
        while pending:
            row = pending.pop()
            last = chains.products[row[-1].second]
            if last.channels_out == inner:
                pending += [(*row, link) for link in following[row[-1].second]]
            else:
                widths = product.channels_in, inner, last.channels_out
                if _kind(widths) is not None:
                    yield row


def _kind(widths: tuple[int, int, int]) -> Literal["thin", "inverted"] | None:
    a, m, b = widths
    if min(a, b) >= LEAST_RATIO * m:
        return "thin"
    return "inverted" if m >= LEAST_RATIO * max(a, b) else None


def _given(chains: Chains, links: Sequence[Link]) -> bool:
    """Whether the input of the network or its answer decides a width."""
    return links[0].first in chains.stems or links[-1].second in chains.heads


def _describe(graph: Graph, chains: Chains, links: Sequence[Link]) -> Bottleneck:
    first, last = links[0].first, links[-1].second
    inner = [i for link in links for i in link.between]
    ends = [links[0].first, *(link.second for link in links)]
    ops = sorted([*ends, *(i for i in inner if kind_of_work(graph.ops[i]) == "depthwise_conv")])
    products = [chains.products.get(i) or chains.depthwise[i] for i in ops]
    widths = chains.products[first].channels_in, chains.products[first].channels_out, chains.products[last].channels_out
    dense = [chains.products[i] for i in ends]
    kind = _kind(widths)
    if kind is None:
        raise ValueError(f"no bottleneck: {widths}")
    return Bottleneck(
        kind,
        tuple(ops),
        tuple(sorted([*ends, *inner])),
        widths,
        sum(product.accesses for product in dense),
        sum(equal_accesses(product) for product in dense),
        _even_width(products),
    )


def _is_depthwise(product: Product) -> bool:
    return product.groups == product.channels_in > 1


def _even_width(products: Sequence[Product]) -> float:
    """The width w of all of them with the multiply-adds of them as they are: the root of s w^2 + d w = B."""
    square = linear = 0.0
    for product in products:
        positions = product.positions_in if product.transposed else product.positions_out
        if _is_depthwise(product):
            linear += positions * product.kernel_area
        else:
            square += positions * product.kernel_area / product.groups
    total = sum(product.mult_adds for product in products)
    return (sqrt(linear**2 + 4 * square * total) - linear) / (2 * square)


def _depth(paths: Sequence[str]) -> int:
    around = common_path(paths)
    return around.count(".") + 1 if around else 0
