"""Model Explorer: the graph of operators, with what each costs, for Google's viewer (pip: ai-edge-model-explorer).

The fields are those of `graph_builder.py` of that package. A node's id is the position of its operator; the file of
`node_data` colours these nodes. With several models there is a graph for each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mac_profiler.audited import Audited, names_of
from mac_profiler.exports import steps
from mac_profiler.graph import Op, Value
from mac_profiler.sound import sound
from mac_profiler.units import count, seconds, shape, size


def render(audits: Sequence[Audited]) -> str:
    """A collection of graphs, one a model."""
    names = names_of(audits)
    graphs = [_graph(audited, name) for audited, name in zip(audits, names, strict=True)]
    file = {"label": ", ".join(names), "graphs": graphs}
    return sound(json.dumps(file, ensure_ascii=False, separators=(",", ":"))) + "\n"


def _graph(audited: Audited, name: str) -> dict[str, Any]:
    graph, costs = audited.prediction.profile.graph, audited.prediction.profile.costs
    arriving: dict[int, list[int]] = {}
    for source, target in graph.edges():
        arriving.setdefault(target, []).append(source)
    timed = {step.position: step.timed for step in steps(audited.prediction)}
    nodes = []
    for i, (op, cost) in enumerate(zip(graph.ops, costs, strict=True)):
        told = {"source": op.source}
        if cost is not None:
            told["multiply-adds"] = count(cost.mult_adds)
            told["FLOPs"] = count(cost.flops)
            told["memory access"] = count(cost.accesses)
            told["bytes moved"] = size(cost.bytes_moved)
        if i in timed:
            told["predicted"] = seconds(timed[i].seconds.total)
            told["bound by"] = timed[i].seconds.bound
        nodes.append(_node(i, op, told, arriving.get(i, [])))
    return {"id": name, "nodes": nodes}


def _node(position: int, op: Op, told: dict[str, str], arriving: list[int]) -> dict[str, Any]:
    return {
        "id": str(position),
        "label": op.target,
        "namespace": _namespace(op.path),
        "attrs": [{"key": key, "value": value} for key, value in told.items() if value],
        "incomingEdges": [
            {"sourceNodeId": str(source), "sourceNodeOutputId": "0", "targetNodeInputId": str(i)}
            for i, source in enumerate(arriving)
        ],
        "outputsMetadata": [_metadata(i, value) for i, value in enumerate(op.outputs)],
    }


def _namespace(path: str) -> str:
    """Modules, the outermost first; a slash in a name would be one more of them."""
    return "/".join(part.replace("/", "∕") for part in path.split("."))  # noqa: RUF001 - a look-alike is what it takes


def _metadata(position: int, value: Value) -> dict[str, Any]:
    shown = f"{value.dtype}[{shape(value.shape)}]"
    return {"id": str(position), "attrs": [{"key": "tensor_shape", "value": shown}]}
