"""Stack: a concatenation and the channel shuffle behind it become one stacking (G406)."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from mac_profiler.previewed import Rewrite
from mac_profiler.rewriting.places import path_of, shape_of

aten = torch.ops.aten
_RESHAPES = {aten.view.default, aten.reshape.default, aten._unsafe_view.default, aten.flatten.using_ints}
_COPIES = {aten.contiguous.default, aten.clone.default}


def stack_shuffles(module: GraphModule) -> list[Rewrite]:
    """Rewrite the graph in place; what was done."""
    done = []
    for node in list(module.graph.nodes):
        last = _shuffled(node) if node.target == aten.cat.default else None
        if last is None:
            continue
        parts = node.args[0]
        dimension = _dimension(node)
        with module.graph.inserting_before(last):
            stacked = module.graph.call_function(aten.stack.default, (list(parts), dimension + 1))
            flat = module.graph.call_function(aten.view.default, (stacked, list(shape_of(node))))
        flat.meta = dict(last.meta)
        last.replace_all_uses_with(flat)
        done.append(Rewrite("G406", path_of(last), "cat, view, transpose, copy, view", "stack, view"))
    module.graph.eliminate_dead_code()
    return done


def _dimension(cat: Node) -> int:
    dimension: Any = cat.args[1] if len(cat.args) > 1 else 0
    return int(dimension) % len(shape_of(cat))


def _shuffled(cat: Node) -> Node | None:
    """The last operator of a shuffle of as many groups as there are parts; None where it is something else."""
    parts: Any = cat.args[0]
    dimension = _dimension(cat)
    shape = shape_of(cat)
    if len({shape_of(part) for part in parts}) > 1:
        return None
    at_once = _only(cat, {aten.channel_shuffle.default})
    if at_once is not None:
        return at_once if dimension == 1 and at_once.args[1] == len(parts) else None
    split = _only(cat, _RESHAPES)
    groups, channels = len(parts), shape[dimension] // len(parts)
    if split is None or shape_of(split) != (*shape[:dimension], groups, channels, *shape[dimension + 1 :]):
        return None
    turned = _only(split, {aten.transpose.int, aten.permute.default})
    if turned is None or _order(turned) != _order(split, dimension):
        return None
    copied = _only(turned, _COPIES) or turned
    joined = _only(copied, _RESHAPES)
    return joined if joined is not None and shape_of(joined) == shape else None


def _order(node: Node, exchanged: int | None = None) -> list[int]:
    """The order that a node brings dimensions in; or that in which one and the next are exchanged."""
    order = list(range(len(shape_of(node))))
    given: Any = node.args[1:]
    if exchanged is not None:
        given = exchanged, exchanged + 1
    elif node.target == aten.permute.default:
        return [int(each) % len(order) for each in given[0]]
    one, other = (int(each) % len(order) for each in given)
    order[one], order[other] = order[other], order[one]
    return order


def _only(node: Node, targets: set[Any]) -> Node | None:
    """The one operator that reads a result, if it is one of these."""
    users = list(node.users)
    return users[0] if len(users) == 1 and users[0].target in targets else None
