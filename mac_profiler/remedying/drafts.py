"""Remedies: what rules say of convolutions and linear layers, and what they draft to stand in their place."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from mac_profiler.blocks import Block
from mac_profiler.graph import Op
from mac_profiler.sketch import Draft, Sketch, even
from mac_profiler.subject import Subject

# Channels read, channels written, groups.
Widths = tuple[int, int, int]


def title(op: Op) -> str:
    """A product in words: "3x3 convolution", "linear layer"."""
    if op.target.endswith("linear") or "weight" not in op.args:
        return "linear layer"
    kernel = "x".join(map(str, op.args["weight"].shape[2:]))
    return f"{kernel} {'transposed ' if op.args.get('transposed') else ''}convolution"


def maps(op: Op) -> str:
    """Where it works, in words: " on 56x56 maps"; "" for rows."""
    channel = 1 - len(op.args["weight"].shape) if "weight" in op.args and not op.target.endswith("linear") else 0
    return f" on {'x'.join(map(str, op.outputs[0].shape[channel + 1 :]))} maps" if channel else ""


def row(subject: Subject, ops: Sequence[int], widths: Sequence[Widths], *, biased: bool = False) -> Sketch | None:
    """Convolutions or linear layers one behind the other, alike but for their widths; bare, as the paper's are.

    Args:
        subject: the model.
        ops: positions of the products that they are like.
        widths: of each.
        biased: each adds a bias.

    Returns:
        None where one is neither `aten.convolution` nor `aten.linear`, or is transposed.
    """
    draft = Draft()
    first = subject.ops[ops[0]]
    linear = first.target == "aten.linear"
    shape = list(first.args["input"].shape) if "input" in first.args else []
    if not shape:
        return None
    shape[-1 if linear else 1 - len(first.args["weight"].shape)] = widths[0][0]
    tensor = draft.input(shape)
    for i, own in zip(ops, widths, strict=True):
        made = _product(draft, subject.ops[i], tensor, own, biased)
        if made is None:
            return None
        tensor = made
    return draft.sketch(tensor)


def _product(draft: Draft, op: Op, tensor: Any, widths: Widths, biased: bool) -> Any:
    channels_in, channels_out, groups = widths
    bias = draft.weight((channels_out,), "bias") if biased else None
    if op.target == "aten.linear":
        weight = draft.weight((channels_out, channels_in))
        return draft.call(op.target, {"input": tensor, "weight": weight, "bias": bias})[0]
    if op.target != "aten.convolution" or op.args["transposed"]:
        return None
    weight = draft.weight((channels_out, channels_in // groups, *op.args["weight"].shape[2:]))
    own = {"input": tensor, "weight": weight, "bias": bias, "groups": groups}
    kept = {name: _listed(value) for name, value in op.args.items() if name not in own}
    return draft.call(op.target, {**own, **kept})[0]


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple | list) else value


def plain_block(subject: Subject, block: Block) -> Sketch | None:
    """Three convolutions, 1x1, 3x3 and 1x1, each with batch-norm and ReLU, in the place of a block of maps.

    It reads the map that the block reads first and writes one of the size that the block writes; its width is such that
    it has no fewer multiply-adds.
    """
    graph = subject.profile.graph
    inside = {id(value) for i in block.ops for value in graph.ops[i].outputs}
    entering = [value for i in block.ops for value in graph.ops[i].inputs if id(value) not in inside]
    read = next((value for value in entering if value.role not in ("weight", "buffer") and len(value.shape) == 4), None)
    written = graph.ops[max(block.ops)].outputs[0]
    if read is None or len(written.shape) != 4:
        return None
    batch, channels_in, height, _ = read.shape
    channels_out, out = written.shape[1], written.shape[2]
    stride = max(1, round(height / out))
    draft = Draft()
    tensor = draft.input(read.shape)
    positions = batch * written.shape[2] * written.shape[3]
    mult_adds = sum(subject.cost(i).mult_adds for i in block.ops)
    # s w^2 + d w = B, the stride in the first convolution.
    square, linear = 9 * positions, positions * (channels_in + channels_out)
    width = even((sqrt(linear**2 + 4 * square * mult_adds) - linear) / (2 * square))
    for c1, c2, kernel, step in ((channels_in, width, 1, stride), (width, width, 3, 1), (width, channels_out, 1, 1)):
        weight = draft.weight((c2, c1, kernel, kernel))
        arguments = {
            "input": tensor, "weight": weight, "bias": None, "stride": [step, step],
            "padding": [kernel // 2, kernel // 2], "dilation": [1, 1], "transposed": False,
            "output_padding": [0, 0], "groups": 1,
        }  # fmt: skip
        tensor = draft.call("aten.convolution", arguments)[0]
        tensor = draft.call("aten.batch_norm", _norm(draft, tensor, c2))[0]
        tensor = draft.call("aten.relu", {"self": tensor})[0]
    return draft.sketch(tensor)


def _norm(draft: Draft, tensor: Any, channels: int) -> dict[str, Any]:
    names = ("weight", "bias", "running_mean", "running_var")
    own = {name: draft.weight((channels,), name) for name in names}
    return {"input": tensor, **own, "training": False, "momentum": 0.1, "eps": 1e-5, "cudnn_enabled": True}
