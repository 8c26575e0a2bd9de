"""Measured times find their operators, by name and order, or none at all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

import mac_profiler
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.matching import match
from mac_profiler.measurement import Settings
from mac_profiler.models import Built
from mac_profiler.observe import CALLS, observe

Event = tuple[float, float, str, float]
CONV, RELU, ADD = "aten::convolution", "aten::relu", "aten::add"


def graph_of(*targets: str) -> Graph:
    x = Value((1, 2))
    return Graph("net", tuple(Op(target, "", "", {"self": x}, (Value((1, 2)),)) for target in targets))


def in_turn(*events: tuple[str, float]) -> list[Event]:
    """Events one after the other, each a second after the last began and half a second long; seconds as given."""
    return [(float(i), i + 0.5, name, seconds) for i, (name, seconds) in enumerate(events)]


def test_the_nth_event_of_a_name_is_the_nth_operator_of_it() -> None:
    graph = graph_of("aten.convolution", "aten.relu", "aten.convolution", "aten.relu")
    events = in_turn((CONV, 1.0), (RELU, 2.0), (CONV, 3.0), (RELU, 4.0))
    assert match(graph, events, 1) == [1.0, 2.0, 3.0, 4.0]
    # Events that no operator goes by are of no interest.
    strange = [(0.1, 0.2, "cudaLaunchKernel", 9.0), (0.6, 0.7, "aten::empty", 9.0)]
    assert match(graph, sorted([*events, *strange]), 1) == [1.0, 2.0, 3.0, 4.0]


def test_of_several_calls_the_median_counts() -> None:
    graph = graph_of("aten.convolution", "aten.relu", "aten.convolution")
    calls = [(5.0, 0.1, 7.0), (1.0, 0.3, 9.0), (3.0, 0.2, 80.0)]
    events = in_turn(*(pair for a, b, c in calls for pair in ((CONV, a), (RELU, b), (CONV, c))))
    assert match(graph, events, 3) == [3.0, 0.2, 9.0]


def test_what_an_operator_calls_is_inside_of_it() -> None:
    graph = graph_of("aten.convolution", "aten.add", "aten.add")
    events = [
        (0.0, 4.0, CONV, 4.0),
        (0.0, 3.0, ADD, 3.0),  # begins together with the longer one that it is part of
        (3.0, 4.0, ADD, 1.0),
        (4.0, 5.0, ADD, 1.5),  # begins where that one ends
        (6.0, 7.0, ADD, 2.5),
    ]
    assert match(graph, events, 1) == [4.0, 1.5, 2.5]


@pytest.mark.parametrize(
    "events",
    [
        in_turn((CONV, 1.0), (RELU, 2.0)),
        in_turn((CONV, 1.0), (RELU, 2.0), (CONV, 3.0), (CONV, 4.0)),
        in_turn((RELU, 2.0)),
    ],
    ids=["fewer", "more", "none"],
)
def test_another_number_of_events_gives_no_time(events: Sequence[Event]) -> None:
    graph = graph_of("aten.convolution", "aten.relu", "aten.convolution")
    assert match(graph, events, 1) == [None, 2.0, None]


def test_a_number_that_does_not_fit_all_calls_gives_no_time() -> None:
    # Two events for two calls of an operator that stands there once: fine; three are not.
    graph = graph_of("aten.relu")
    assert match(graph, in_turn((RELU, 1.0), (RELU, 3.0)), 2) == [2.0]
    assert match(graph, in_turn((RELU, 1.0), (RELU, 3.0), (RELU, 5.0)), 2) == [None]
    assert match(graph, [], 2) == [None]
    assert match(graph_of(), in_turn((RELU, 1.0)), 1) == []


def test_operators_of_other_libraries_have_names_too() -> None:
    assert match(graph_of("torchvision.nms"), in_turn(("torchvision::nms", 2.0)), 1) == [2.0]


def tiny() -> Built:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.Conv2d(8, 4, 1))
    return Built("tiny", nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1)).eval(), (torch.randn(1, 3, 32, 32),))


def test_a_real_model_has_times() -> None:
    built = tiny()
    graph = mac_profiler.analyze(built.module, *built.args).graph
    before = torch.get_num_threads()
    found = observe(built, graph, Settings())
    assert torch.get_num_threads() == before
    assert len(found) == len(graph.ops)
    times = {op.target: [] for op in graph.ops}  # type: dict[str, list[float | None]]
    for op, seconds in zip(graph.ops, found, strict=True):
        times[op.target].append(seconds)
    assert len(times["aten.convolution"]) == 3
    for target in ("aten.convolution", "aten.relu"):
        for each in times[target]:
            # A call of nanoseconds or of a minute would be in another unit.
            assert each is not None
            assert 1e-7 < each < 60
    assert CALLS % 2 == 1, "a median of an even number of calls is no call"


@pytest.mark.parametrize("device", ["mps", "tpu"])
def test_a_device_that_no_profiler_looks_at_is_refused(device: str) -> None:
    with pytest.raises(InvalidInput, match=f"--device {device}: .*leave --measure out"):
        observe(tiny(), graph_of(), Settings(device=device))
