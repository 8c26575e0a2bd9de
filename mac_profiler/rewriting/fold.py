"""Fold: batch-norm with fixed statistics goes into the weights of the layer before it (G401)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from mac_profiler.previewed import Rewrite
from mac_profiler.rewriting.places import attribute, attribute_node, path_of, shape_of

aten = torch.ops.aten
_LAYERS = {
    aten.conv1d.default, aten.conv2d.default, aten.conv3d.default, aten.linear.default,
    aten.conv1d.padding, aten.conv2d.padding, aten.conv3d.padding,
    aten.convolution.default, aten.conv_transpose1d.default, aten.conv_transpose2d.input, aten.conv_transpose3d.input,
}  # fmt: skip
_NORMS = {aten.batch_norm.default, aten._native_batch_norm_legit_no_training.default}


def fold_batch_norms(module: GraphModule) -> list[Rewrite]:
    """Rewrite the graph in place; what was done."""
    done = []
    for norm in list(module.graph.nodes):
        layer = norm.args[0] if norm.target in _NORMS and norm.args else None
        if not isinstance(layer, Node) or layer.target not in _LAYERS or len(layer.users) > 1:
            continue
        # Behind a linear layer on more than rows the norm is of another dimension than the layer's outputs.
        if layer.target == aten.linear.default and len(shape_of(layer)) != 2:
            continue
        # batch_norm(input, weight, bias, running_mean, running_var, training, ...)
        weight, bias, mean, variance = (_constant(module, argument) for argument in norm.args[1:5])
        if norm.args[5] is not False or mean is None or variance is None:
            continue
        epsilon = norm.args[7]
        kernel, shift = _constant(module, layer.args[1]), _constant(module, _third(layer))
        if kernel is None or (shift is None and _third(layer) is not None):
            continue
        folded = _fold(layer, kernel, shift, mean, variance, epsilon, weight, bias)
        with module.graph.inserting_before(layer):
            arguments = list(layer.args) + [None] * (3 - len(layer.args))
            names = (f"{layer.name}_folded_weight", f"{layer.name}_folded_bias")
            arguments[1:3] = [
                attribute_node(module, name, value) for name, value in zip(names, folded, strict=True)
            ]  # fmt: skip
        layer.args = tuple(arguments)
        norm.replace_all_uses_with(layer)
        done.append(
            Rewrite("G401", path_of(norm), f"{_name(layer)}, batch_norm", f"{_name(layer)} with folded weights")
        )
        module.graph.erase_node(norm)
    return done


def _third(layer: Node) -> Any:
    return layer.args[2] if len(layer.args) > 2 else layer.kwargs.get("bias")


def _name(node: Node) -> str:
    return str(node.target).removeprefix("aten.").partition(".")[0]


def _constant(module: GraphModule, argument: Any) -> Tensor | None:
    return attribute(module, argument) if isinstance(argument, Node) and argument.op == "get_attr" else None


def _fold(
    layer: Node, kernel: Tensor, shift: Tensor | None, mean: Tensor, variance: Tensor, epsilon: float,
    weight: Tensor | None, bias: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    factor = torch.ones_like(mean) if weight is None else weight
    offset = torch.zeros_like(mean) if bias is None else bias
    if layer.target == aten.linear.default:
        return fuse_linear_bn_weights(kernel, shift, mean, variance, epsilon, factor, offset)
    transposed = "transpose" in str(layer.target) or (
        layer.target == aten.convolution.default and bool(layer.args[6])
    )  # fmt: skip
    if not transposed:
        return fuse_conv_bn_weights(kernel, shift, mean, variance, epsilon, factor, offset)
    # [groups x inputs of a group, outputs of a group, ...]: torch's own knows one group alone.
    groups = len(mean) // kernel.shape[1]
    scale = factor * torch.rsqrt(variance + epsilon)
    scales = scale.reshape(groups, 1, -1, *[1] * (kernel.dim() - 2))
    before = torch.zeros_like(mean) if shift is None else shift
    return (kernel.unflatten(0, (groups, -1)) * scales).flatten(0, 1), (before - mean) * scale + offset
