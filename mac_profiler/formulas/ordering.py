"""Sorting, selecting and searching; FLOPs are comparisons of floating-point keys by the textbook algorithm.

What a kernel does depends on the data and the device: these are leading orders, and integers cost none.
"""

from __future__ import annotations

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op


def _levels(count: int) -> int:
    """Steps of a binary search among `count` places: the logarithm to base 2, rounded up."""
    return max(count - 1, 0).bit_length()


@formula("aten.sort")
def sort(op: Op) -> Cost:
    """Along the dimension sorted n log2 n comparisons."""
    source = op.args["self"]
    length = source.shape[op.args.get("dim", -1)] if source.shape else 1
    return traffic(op, flops=floating_flops(op, source.elements * _levels(length)))


@formula("aten.topk")
def topk(op: Op) -> Cost:
    """A selection, 1 FLOP an input element, and the k found sorted: k log2 k."""
    found = op.outputs[0].elements
    k = op.outputs[0].shape[op.args.get("dim", -1)] if op.outputs[0].shape else 1
    sorting = found * _levels(k) if op.args.get("sorted", True) else 0
    return traffic(op, flops=floating_flops(op, op.args["self"].elements + sorting))


@formula(*aten("_unique _unique2 unique_dim unique_consecutive unique_dim_consecutive"))
def unique(op: Op) -> Cost:
    """Sorted (n log2 n comparisons) and compared with the neighbour; consecutive ones are only compared."""
    source = op.args["self"]
    per_element = 1 if "consecutive" in op.target else 1 + _levels(source.elements)
    return traffic(op, flops=floating_flops(op, source.elements * per_element))


@formula(*aten("searchsorted bucketize"))
def search(op: Op) -> Cost:
    """A binary search for each element: log2 of the number of intervals."""
    among = op.args["boundaries"] if "boundaries" in op.args else op.args["sorted_sequence"]
    length = among.shape[-1] if among.shape else 1
    return traffic(op, flops=floating_flops(op, op.outputs[0].elements * _levels(length + 1)))


@formula("aten.isin")
def isin(op: Op) -> Cost:
    """Each element looked for among the sorted others."""
    elements, among = op.args.get("elements"), op.args.get("test_elements")
    count = getattr(among, "elements", 1)
    searches = getattr(elements, "elements", 1) * max(_levels(count + 1), 1)
    return traffic(op, flops=floating_flops(op, searches + count * _levels(count)))


@formula(*aten("nonzero nonzero_static argwhere"))
def nonzero(op: Op) -> Cost:
    """Reads all, writes where it found something; 1 FLOP (a comparison) an element."""
    return traffic(op, flops=floating_flops(op, op.args["self"].elements))


@formula(*aten("histogram _histogramdd_from_bin_cts _histogramdd_from_bin_tensors _histogramdd_bin_edges"))
def histogram(op: Op) -> Cost:
    """A binary search among the bins for each coordinate."""
    source = op.args["self"]
    bins = max((size for out in op.outputs for size in out.shape), default=1)
    return traffic(op, flops=floating_flops(op, source.elements * _levels(bins + 1)))
