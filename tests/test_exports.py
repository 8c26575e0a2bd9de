"""Files for other viewers: each is read back by its own format's rules, and adds up to what was predicted."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

import mac_profiler
from mac_profiler import api
from mac_profiler.audited import Audited
from mac_profiler.distinct import distinct
from mac_profiler.errors import InvalidInput
from mac_profiler.exports import formats, render, steps
from mac_profiler.platform import Platform
from tests.reporting import END, SCRIPT, audits, hostile

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "speedscope.json").read_text(encoding="utf-8"))

# Of the classes in graph_builder.py and node_data_builder.py of ai-edge-model-explorer 0.1.34.
NODE = {"id", "label", "namespace", "attrs", "incomingEdges", "outputsMetadata"}
EDGE = {"sourceNodeId", "sourceNodeOutputId", "targetNodeInputId"}
METADATA = {"id", "attrs"}
NODE_DATA = {"name", "results", "gradient"}


def written(name: str, *given: Audited) -> Any:
    text = render(given, name)
    assert text.endswith("\n")
    text.encode()
    return json.loads(text)


def fused(audited: Audited) -> Audited:
    """The same as an engine would run it that fuses operators."""
    from mac_profiler.predict import predict

    prediction = audited.prediction
    platform: Platform = replace(prediction.platform, fused=True)
    return replace(audited, prediction=predict(prediction.profile, platform))


def test_formats_are_the_files_of_the_room() -> None:
    assert formats() == ["model-explorer", "node-data", "perfetto", "speedscope"]
    with pytest.raises(InvalidInput, match=r"no export named 'perfeto'\. Did you mean 'perfetto'"):
        render([], "perfeto")


def test_equal_names_are_told_apart() -> None:
    assert distinct(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


@pytest.mark.parametrize("as_fused", [False, True])
def test_speedscope(as_fused: bool) -> None:
    found = [fused(each) if as_fused else each for each in (*audits("shufflenet_v2", "mobilenet_v2"), hostile())]
    file = written("speedscope", *found)
    Draft7Validator(SCHEMA).validate(file)
    frames = file["shared"]["frames"]
    assert len(file["profiles"]) == 3 * len(found)
    for profile, audited in zip(file["profiles"][::3], found, strict=True):
        assert profile["unit"] == "seconds"
        assert profile["endValue"] == pytest.approx(audited.prediction.total.total)
    for profile, audited in zip(file["profiles"][2::3], found, strict=True):
        assert profile["endValue"] == audited.prediction.profile.total.mult_adds
    for profile in file["profiles"]:
        stack: list[int] = []
        for event in profile["events"]:
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        assert stack == []
        times = [event["at"] for event in profile["events"]]
        assert all(before <= after for before, after in pairwise(times))
    names = {frame["name"] for frame in frames}
    assert {"stage3.0.branch2", "aten.convolution", SCRIPT, f"{END}.0"} <= names
    assert any(frame.get("file", "").endswith("shufflenet_v2.py") and frame["line"] > 1 for frame in frames)


@pytest.mark.parametrize("as_fused", [False, True])
def test_perfetto(as_fused: bool) -> None:
    found = [fused(each) if as_fused else each for each in (*audits("shufflenet_v2"), hostile())]
    file = written("perfetto", *found)
    assert file["displayTimeUnit"] in ("ms", "ns")
    for process, audited in enumerate(found, start=1):
        events = [event for event in file["traceEvents"] if event["pid"] == process]
        assert {event["args"]["name"] for event in events if event["ph"] == "M"} >= {"predicted on nominal"}
        stack: list[dict[str, Any]] = []
        ops, lengths, last = [], dict[str, float](), 0.0
        for event in events[2:]:
            assert event["ts"] >= last
            last = event["ts"]
            if event["ph"] == "B":
                stack.append(event)
                continue
            begun = stack.pop()
            assert (event["ph"], event["name"], event["cat"]) == ("E", begun["name"], begun["cat"])
            if begun["cat"] == "module":
                lengths[begun["name"]] = lengths.get(begun["name"], 0) + event["ts"] - begun["ts"]
            else:
                ops.append(begun)
        assert stack == []
        assert len(ops) == len(audited.prediction.tasks)
        assert last / 1e6 == pytest.approx(audited.prediction.total.total, abs=1e-9)
        assert sum(op["args"]["mult_adds"] for op in ops) == audited.prediction.profile.total.mult_adds
        seconds = audited.prediction.by_module()
        for path, length in lengths.items():
            assert length / 1e6 == pytest.approx(seconds[path].total, rel=1e-3, abs=1e-8), path


def test_model_explorer() -> None:
    found = (*audits("shufflenet_v2"), hostile(), hostile())
    file = written("model-explorer", *found)
    assert [graph["id"] for graph in file["graphs"]] == ["shufflenet_v2", "Hostile", "Hostile (2)"]
    for graph, audited in zip(file["graphs"], found, strict=True):
        nodes = {node["id"]: node for node in graph["nodes"]}
        assert len(nodes) == audited.prediction.profile.op_count
        arriving = sum(len(node["incomingEdges"]) for node in nodes.values())
        assert arriving == len(audited.prediction.profile.graph.edges())
        assert all(edge["sourceNodeId"] in nodes for node in nodes.values() for edge in node["incomingEdges"])
        texts = [item["value"] for node in nodes.values() for item in node["attrs"]]
        assert all(isinstance(text, str) for text in texts)
        assert all(node.keys() == NODE for node in nodes.values())
        assert all(edge.keys() == EDGE for node in nodes.values() for edge in node["incomingEdges"])
        assert all(each.keys() == METADATA for node in nodes.values() for each in node["outputsMetadata"])
    first = file["graphs"][0]["nodes"][0]
    assert (first["label"], first["namespace"]) == ("aten.convolution", "conv1/0")
    assert {"key": "multiply-adds", "value": "8.13 M"} in first["attrs"]
    # A slash in a module's name would be one more module.
    namespaces = {node["namespace"] for node in file["graphs"][1]["nodes"]}
    assert "<script>alert(1)<∕script>" in namespaces  # noqa: RUF001


def test_node_data_belongs_to_the_graphs() -> None:
    found = (*audits("shufflenet_v2"), hostile(), fused(hostile()))
    file = written("node-data", *found)
    graphs = {graph["id"]: graph for graph in written("model-explorer", *found)["graphs"]}
    assert file.keys() == graphs.keys()
    for audited, (name, data) in zip(found, file.items(), strict=True):
        assert data["results"].keys() <= {node["id"] for node in graphs[name]["nodes"]}
        total = sum(result["value"] for result in data["results"].values())
        assert total / 1e6 == pytest.approx(audited.prediction.total.total, rel=1e-4)
        assert [data["gradient"][0]["stop"], data["gradient"][-1]["stop"]] == [0, 1]
        assert data.keys() == NODE_DATA


def test_a_model_without_modules_is_exported_too() -> None:
    import torch

    settings = api.audit_settings(platform="nominal")
    audited = mac_profiler.audit_model(lambda x: torch.relu(x) @ x, torch.zeros(4, 4), settings=settings)
    for name in formats():
        assert written(name, audited)
    assert [step.stack for step in steps(audited.prediction)] == [(), ()]
    empty = mac_profiler.audit_model(lambda x: x, torch.zeros(4), settings=settings)
    for name in formats():
        assert written(name, empty)
    assert "nothing to draw" in api.report_page([empty])
