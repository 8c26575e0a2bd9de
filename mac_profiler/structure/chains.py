"""Chains: which convolution or matrix product reads, with only lesser operators between, what another made.

That is where a width is chosen: the channels that one layer writes are those that the next one reads. Followed is the
operand that has the shape of the result, through activations, norms, pooling, copies and depthwise convolutions, none
of which changes the number of channels; not through a residual addition or a concatenation, where several widths
meet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mac_profiler.bounds import Product, product_of
from mac_profiler.dataflow import Step, Version, follow
from mac_profiler.graph import Graph
from mac_profiler.kinds_of_work import kind_of_work
from mac_profiler.profile import Profile


@dataclass(frozen=True, slots=True)
class Link:
    """Two products, one behind the other.

    Attributes:
        first: position of the one that makes the channels.
        second: position of the one that reads them.
        between: positions of the operators between, in order.
    """

    first: int
    second: int
    between: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Chains:
    """The products of a graph, and how they follow each other.

    Attributes:
        products: by position: convolutions and linear layers with a weight of the model; depthwise ones are not in it.
        depthwise: depthwise convolutions, likewise.
        links: between products, in the order of the second.
        stems: products that read the input of the model, with none before them: their input channels are given.
        heads: products behind which is none: their output channels are those of the answer.
        steps: the operators that run, by position, with what they read and make.
    """

    products: Mapping[int, Product]
    depthwise: Mapping[int, Product]
    links: tuple[Link, ...]
    stems: frozenset[int]
    heads: frozenset[int]
    steps: Mapping[int, Step]


def find_chains(profile: Profile, followed: Sequence[Step] | None = None) -> Chains:
    """Follow the products of a counted model.

    Args:
        profile: the model.
        followed: its operators with what they read and make, where that is known already.
    """
    steps = {step.index: step for step in followed or follow(profile.graph, profile.costs)}
    products: dict[int, Product] = {}
    depthwise: dict[int, Product] = {}
    for i, step in steps.items():
        product = _weighted(step)
        if product is not None:
            (depthwise if kind_of_work(step.op) == "depthwise_conv" else products)[i] = product
    links = tuple(link for i in products if (link := _back(steps[i], products)) is not None)
    return Chains(products, depthwise, links, _stems(steps, products), _heads(profile.graph, steps, products), steps)


def _weighted(step: Step) -> Product | None:
    """A product of the forward pass with a weight of the model, "weight" by name or in the place of one."""
    if step.op.phase != "forward" or not any(value.role == "weight" for value in step.op.inputs):
        return None
    return product_of(step.op)


def _main(step: Step) -> Version | None:
    """The operand that the result continues; None where there are several, or none."""
    own = [
        (region.elements, version)
        for region, (version, _) in step.reads.items()
        if region.role not in ("weight", "buffer") and version.step is not None
    ]
    if len(own) == 1:
        return own[0][1]
    size = max((value.elements for value in step.op.outputs), default=0)
    fitting = {version for elements, version in own if elements == size}
    # Of a map and a factor for each channel the map goes on; of two maps neither, unless one is made of the other, as
    # in x * sigmoid(x).
    origins = [version for version in fitting if not _made_of(version, fitting - {version})]
    return origins[0] if len(origins) == 1 else None


def _made_of(version: Version, others: Collection[Version]) -> bool:
    """Whether element-wise operators alone made it of one of the others."""
    first = min((other.step.index for other in others if other.step is not None), default=0)
    at: Version | None = version
    # What came before the first of them was made of none.
    while at is not None and at.step is not None and at.step.kind == "elementwise" and at.step.index > first:
        at = _main(at.step)
        if at in others:
            return True
    return False


def _back(step: Step, products: Mapping[int, Product]) -> Link | None:
    width = products[step.index].channels_in
    between: list[int] = []
    at = step
    while True:
        version = _main(at)
        if version is None or version.step is None:
            return None
        at = version.step
        if at.index in products:
            same = products[at.index].channels_out == width
            return Link(at.index, step.index, tuple(reversed(between))) if same else None
        if kind_of_work(at.op) in ("matmul", "attention", "recurrent", "other") or _joins(at):
            return None
        between.append(at.index)


def _joins(step: Step) -> bool:
    return step.op.target.rpartition(".")[2] in ("cat", "concat", "concatenate", "stack")


def _stems(steps: Mapping[int, Step], products: Mapping[int, Product]) -> frozenset[int]:
    """Forward: what no product has touched."""
    behind: set[int] = set()
    found = set()
    for i, step in steps.items():
        sources = [version.step.index for version, _ in step.reads.values() if version.step is not None]
        if any(source in behind or source in products for source in sources):
            behind.add(i)
        elif i in products:
            found.add(i)
    return frozenset(found)


def _heads(graph: Graph, steps: Mapping[int, Step], products: Mapping[int, Product]) -> frozenset[int]:
    """Backward: what leads to no product."""
    leads: set[int] = set()
    found = set()
    for i in reversed(range(len(graph.ops))):
        step = steps.get(i)
        if step is None:
            continue
        readers = [reader.index for version, _, _ in step.makes for reader in version.readers]
        if any(reader in leads or reader in products for reader in readers):
            leads.add(i)
        elif i in products:
            found.add(i)
    return frozenset(found)


def positions(links: Sequence[Link]) -> frozenset[int]:
    """All products of some links."""
    return frozenset(i for link in links for i in (link.first, link.second))
