"""Places: what an exported graph says of its nodes: shape, module, and the weights that they stand for."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node


def shape_of(node: Node) -> tuple[int, ...]:
    """Shape of what a node makes."""
    return tuple(node.meta["val"].shape)


def path_of(node: Node) -> str:
    """Path of the module that a node was called in; "" where torch kept none."""
    stack = node.meta.get("nn_module_stack") or {}
    return next((str(path) for path, _ in reversed(list(stack.values()))), "")


def attribute(module: GraphModule, node: Node) -> Tensor:
    """The weight or buffer that a node stands for."""
    found: Any = reduce(getattr, str(node.target).split("."), module)
    return torch.as_tensor(found)


def attribute_node(module: GraphModule, name: str, value: Tensor) -> Node:
    """A node for a new weight, at the place where the graph is being written."""
    module.register_parameter(name, torch.nn.Parameter(value.detach(), requires_grad=False))
    return module.graph.get_attr(name)
