"""Gathers and scatters: they move what they name, and the indices.

A gather reads no more elements than it puts out. A scatter that makes a new tensor copies the old one whole; one into
given memory writes only what it is given, and reads it first only where it adds to it.
"""

from __future__ import annotations

from math import prod
from typing import Any

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value


@formula(
    *aten("gather index_select index _unsafe_index _unsafe_masked_index take masked_select"),
    *aten("select_copy slice_copy narrow_copy diagonal_copy as_strided_copy repeat_interleave"),
)
def gather(op: Op) -> Cost:
    """Reads what it puts out, and the indices."""
    source = op.args.get("self")
    # repeat_interleave(repeats) has no tensor to gather from: it makes indices out of counts.
    reads = {source: min(source.footprint, op.outputs[0].elements)} if isinstance(source, Value) else None
    return traffic(op, reads=reads)


@formula("aten.embedding")
def embedding(op: Op) -> Cost:
    """A row of the table for each index: reads no more rows than it gathers, nor than there are."""
    # [*, d] = embedding([n, d], [*])
    table = op.args["weight"]
    return traffic(op, reads={table: min(table.footprint, op.outputs[0].elements)})


@formula(*aten("embedding_bag _embedding_bag _embedding_bag_forward_only"))
def embedding_bag(op: Op) -> Cost:
    """The rows of each bag reduced: 1 FLOP an element gathered, 2 with weights of their own."""
    # [bags, d] = embedding_bag([n, d], [indices], [bags])
    table = op.args["weight"]
    gathered = op.args["indices"].elements * table.shape[-1]
    per_element = 1 + (op.args.get("per_sample_weights") is not None)
    flops = floating_flops(op, per_element * gathered)
    return traffic(op, flops=flops, reads={table: min(table.footprint, gathered)})


@formula(*aten("embedding_renorm", in_place=True))
def embedding_renorm(op: Op) -> Cost:
    """The rows named are brought to a norm: 3 FLOPs an element of them, read and written in place."""
    table = op.args["self"]
    rows = min(table.footprint, op.args["indices"].elements * table.shape[-1])
    if not op.target.endswith("_"):
        return traffic(op, flops=floating_flops(op, 3 * rows))
    return traffic(op, flops=floating_flops(op, 3 * rows), reads={table: rows}, writes=rows)


@formula("aten.embedding_dense_backward")
def embedding_backward(op: Op) -> Cost:
    """Every gradient is added to its row (1 FLOP) of a table of zeros."""
    return traffic(op, flops=floating_flops(op, op.args["grad_output"].elements))


@formula(*aten("_embedding_bag_backward _embedding_bag_dense_backward"))
def embedding_bag_backward(op: Op) -> Cost:
    """Every gradient is added to the rows of its bag (1 FLOP an index and column), in a table of zeros."""
    grad = op.args["grad"]
    rows = op.args["indices"].elements
    return traffic(op, flops=floating_flops(op, rows * grad.shape[-1]))


@formula("aten._embedding_bag_per_sample_weights_backward")
def embedding_bag_weights_backward(op: Op) -> Cost:
    """The gradient of an index's weight is the row's sum of products: 2 FLOPs an element gathered."""
    table = op.args["weight"]
    gathered = op.args["indices"].elements * table.shape[-1]
    return traffic(op, flops=floating_flops(op, 2 * gathered), reads={table: min(table.footprint, gathered)})


@formula(*aten("scatter index_copy index_fill scatter_add scatter_reduce index_add index_reduce", in_place=True))
def scatter(op: Op) -> Cost:
    """Writes the elements that it is given; one that adds or reduces costs 1 FLOP each."""
    name = op.target
    if "index_fill" in name:
        source, index = op.args["self"], op.args["index"]
        size = source.shape[op.args["dim"]] if source.shape else 1
        count = source.elements // max(size, 1) * index.elements
    else:
        given = op.args.get("src", op.args.get("source"))
        # `scatter` may name fewer elements than its source has.
        count = op.args["index"].elements if "scatter" in name else given.elements
    reduces = "add" in name or "reduce" in name or op.args.get("reduce") is not None
    return _scattered(op, count, reduces)


@formula(*aten("index_put _index_put_impl", in_place=True), *aten("_unsafe_index_put"))
@formula(*aten("_unsafe_masked_index_put_accumulate"))
def index_put(op: Op) -> Cost:
    """Writes one element for each index and each place of the dimensions that are not indexed.

    How many places a boolean mask keeps depends on its contents: as many as there are values for, else all of it.
    """
    values = op.args["values"]
    count = max(values.elements, _indexed(op.args["self"], op.args["indices"], values))
    return _scattered(op, count, bool(op.args.get("accumulate", "accumulate" in op.target)))


def _indexed(source: Value, indices: Any, values: Value) -> int:
    rest, dim, places = list(source.shape), 0, 1
    named: list[int] = []
    masked = False
    for index in indices:
        if index is None:
            dim += 1
            continue
        masked = masked or index.dtype in ("bool", "uint8")
        spans = len(index.shape) if index.dtype in ("bool", "uint8") else 1
        rest[dim : dim + spans] = [1] * spans
        dim += spans
        named.append(index.elements)
    if masked and values.elements > 1:
        return values.elements
    # Indices broadcast against each other; of shapes that do, the product of the sizes is at least the largest.
    places = max(named, default=1)
    return prod(rest) * places


@formula(*aten("put", in_place=True))
def put(op: Op) -> Cost:
    """Writes the elements that it is given."""
    return _scattered(op, op.args["source"].elements, bool(op.args.get("accumulate")))


@formula(*aten("masked_scatter", in_place=True))
def masked_scatter(op: Op) -> Cost:
    """Writes where the mask is set, at most all of it; reads no more of the source."""
    given, target = op.args["source"], op.args["self"]
    return traffic(op, reads={given: min(given.footprint, target.elements)})


@formula("aten.masked_scatter_backward")
def masked_scatter_backward(op: Op) -> Cost:
    """Gathers the gradients where the mask is set."""
    return traffic(op)


@formula(*aten("select_scatter slice_scatter diagonal_scatter as_strided_scatter"))
def replace_part(op: Op) -> Cost:
    """A copy of a tensor with a part replaced: what is replaced is read from the source alone."""
    source, given = op.args["self"], op.args["src"]
    return traffic(op, reads={source: max(source.footprint - given.elements, 0)})


@formula(*aten("select_backward slice_backward diagonal_backward"))
def place_part(op: Op) -> Cost:
    """A gradient laid into zeros."""
    return traffic(op)


def _scattered(op: Op, count: int, reduces: bool) -> Cost:
    target = op.args["self"]
    flops = floating_flops(op, count) if reduces else 0
    given = op.args.get("src", op.args.get("source", op.args.get("values")))
    reads = {given: min(given.footprint, count)} if isinstance(given, Value) else {}
    if not op.target.endswith("_"):
        return traffic(op, flops=flops, reads=reads)
    reads[target] = min(target.footprint, count) if reduces else 0
    return traffic(op, flops=flops, reads=reads, writes=min(target.footprint, count))
