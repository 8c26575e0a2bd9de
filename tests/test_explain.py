"""What is said of a prediction: its document in every format, shares as in the paper's figure, and its picture."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import pytest

from mac_profiler.atlas import describe_platform, list_platforms
from mac_profiler.cost import Cost
from mac_profiler.document import Screen
from mac_profiler.errors import InvalidInput, OutputFailed
from mac_profiler.explain import explain
from mac_profiler.graph import Graph, Module, Op, Value
from mac_profiler.platform import Fact, Law, Platform
from mac_profiler.predict import Prediction, predict
from mac_profiler.profile import Profile
from mac_profiler.report import formats, render
from mac_profiler.roofline import roofs, write_roofline
from mac_profiler.shares import CATEGORIES, categories, published_shares
from tests.machines import BANDWIDTHS, machine, of_zoo

FIGURE_2 = Path(__file__).parents[1] / "mac_profiler" / "published" / "v2_figure2.csv"
FULL = machine(
    bandwidths=BANDWIDTHS,
    facts=(
        Fact("dense_conv", "rate", "multiply-adds/s", 4e10, 3e10, 5e10, "3x3"),
        Fact("elementwise", "rate", "bytes/s", 2e10, 1e10, 3e10, "add"),
        Fact("launch", "launch", "s", 2e-6, 1e-6, 4e-6, "add"),
    ),
    error=0.25,
    median_error=0.125,
    provenance={"cpu": "an i9", "torch": "2.9.0", "date": "2026-01-02", "added_in_networks": {"launch": 0}},
)


@cache
def by_hand() -> Profile:
    """Convolution, ReLU, a channel shuffle, a concat, a pooling, and an operator that nobody knows."""
    x, y, z = (Value((1, 4, 2, 2)) for _ in range(3))
    # [1, 2, 2, 2, 2], its second and third dimension exchanged
    turned = Value((1, 2, 2, 2, 2), strides=(16, 4, 8, 2, 1), base=z)
    copied, joined, pooled, odd = Value((1, 2, 2, 2, 2)), Value((1, 8, 2, 2)), Value((1, 8, 1, 1)), Value((1, 8))
    ops = (
        Op("aten.convolution", "body", "", {"input": x, "weight": Value((4, 4, 1, 1), role="weight")}, (y,)),
        Op("aten.relu", "body", "", {"self": y}, (z,)),
        Op("aten.transpose", "", "", {"self": z}, (turned,), view=True),
        Op("aten.clone", "", "", {"self": turned}, (copied,)),
        Op("aten.cat", "", "", {"tensors": (copied, z)}, (joined,)),
        Op("aten.adaptive_avg_pool2d", "", "", {"self": joined}, (pooled,)),
        Op("mylib.odd", "", "", {"self": pooled}, (odd,)),
    )
    costs = (
        Cost(64, 128, 16, 16, 16, 192), Cost(0, 16, 0, 16, 16, 128), Cost(), Cost(0, 0, 0, 16, 16, 128),
        Cost(0, 0, 0, 32, 32, 256), Cost(0, 32, 0, 32, 8, 160), None,
    )  # fmt: skip
    modules = {"": Module("", "Net", 0), "body": Module("body", "Sequential", 16)}
    return Profile(Graph("by_hand", ops, modules, (x,), (odd,)), costs)


MEASURED = (4e-6, 1e-6, None, 2e-6, 1e-6, 2e-6, None)


def told(platform: Platform = FULL) -> Prediction:
    return predict(by_hand(), platform)


# ------------------------------------------------------------------------------------------------------------ documents


@pytest.mark.parametrize("observed", [None, MEASURED], ids=["predicted", "measured"])
@pytest.mark.parametrize("form", formats())
def test_a_prediction_has_every_format(form: str, observed: tuple[float | None, ...] | None) -> None:
    text = render(explain(told(), observed), form, Screen(100))
    assert text.endswith("\n")
    if form == "json":
        return
    for word in ("pointwise_conv", "elementwise", "movement"):
        assert word in text.replace("\\", "")
    if form in ("text", "markdown"):
        assert "by_hand on made-up" in text.replace("\\", "")
        assert ("shuffle" in text) == (observed is not None)
        assert "not counted, so not in the time: mylib.odd (1)" in text.replace("\\", "")


def test_data_are_the_prediction() -> None:
    prediction = told()
    data = json.loads(render(explain(prediction, MEASURED), "json", Screen()))
    assert (data["model"], data["platform"], data["error"]) == ("by_hand", "made-up", 0.25)
    totals = data["totals"]
    assert totals["seconds"] == prediction.total.total
    assert totals["seconds"] == pytest.approx(totals["compute"] + totals["memory"] + totals["launch"])
    assert (totals["low_seconds"], totals["high_seconds"]) == prediction.interval
    assert totals["complete"] is False
    assert [each["target"] for each in data["ops"]] == [
        "aten.convolution", "aten.relu", "aten.clone", "aten.cat", "aten.adaptive_avg_pool2d",
    ]  # fmt: skip
    assert [each["measured_seconds"] for each in data["ops"]] == [4e-6, 1e-6, 2e-6, 1e-6, 2e-6]
    for rows in (data["ops"], data["kinds"].values()):
        assert sum(each["seconds"] for each in rows) == pytest.approx(totals["seconds"])
    assert data["modules"][""]["seconds"] == pytest.approx(totals["seconds"])
    assert {each["kind"] for each in data["ops"]} == set(data["kinds"]) <= set(data["meaning"])
    assert data["shares"] == {"measured": categories(by_hand().graph, MEASURED), "published": {}}
    assert "shares" not in json.loads(render(explain(prediction), "json", Screen()))


def test_tables_say_how_far_off_the_prediction_was() -> None:
    laws = {"pointwise_conv": Law(launch_seconds=6e-6), "other": Law(launch_seconds=1e-6)}
    document = explain(predict(by_hand(), machine(laws)), MEASURED)
    beside = next(table for table in document.tables if "furthest off" in table.title)
    # The convolution is 2 us too long; copy and pooling are 1 us too short; the others are right.
    assert [line.values["target"] for line in beside.lines][:3] == [
        "aten.convolution", "aten.clone", "aten.adaptive_avg_pool2d",
    ]  # fmt: skip
    assert [line.values["residual"] for line in beside.lines] == pytest.approx([0.5, -0.5, -0.5, 0.0, 0.0])
    assert any("10.0 µs in 5 operators, predicted 10.0 µs" in note for note in document.notes)
    (kinds,) = (table for table in document.tables if table.title == "By kind of work")
    assert [line.values["calls"] for line in kinds.lines] == [1, 2, 1, 1]
    assert kinds.total is not None
    assert kinds.total.values["calls"] == 5


def test_operators_without_a_time_are_said_to_have_none() -> None:
    notes = explain(told(), (4e-6, None, None, None, 1e-6, 2e-6, None)).notes
    assert any(note.startswith("2 operators have no measured time") for note in notes)


def test_a_model_that_is_counted_whole_has_no_warning() -> None:
    document = explain(predict(of_zoo("shufflenet_v2_x0_5"), FULL))
    assert (document.warnings, document.partial) == ((), False)
    assert (explain(told()).partial, len(explain(told()).warnings)) == (True, 1)


@pytest.mark.parametrize("form", formats())
def test_a_platform_has_every_format(form: str) -> None:
    made = {"learned_from": "speeds.csv", "numbers": {"launch": 1e-6, "byte": 0.0}}
    bare = machine({"other": Law()}, provenance=made)
    for platform in (FULL, bare):
        assert render(describe_platform(platform, "file.json", ["vgg16: no"]), form, Screen(120)).endswith("\n")
    text = render(list_platforms([FULL, bare], "folder"), form, Screen(160))
    assert "an i9" in text or form == "json"
    assert "speeds.csv" in text
    assert render(list_platforms([], "folder"), form, Screen()).endswith("\n")


# --------------------------------------------------------------------------------------------------------------- shares


def test_shares_by_hand() -> None:
    expected = {"convolution": 0.4, "elementwise": 0.1, "data": 0.1, "shuffle": 0.2, "other": 0.2}
    assert categories(by_hand().graph, MEASURED) == pytest.approx(expected)
    assert list(expected) == list(CATEGORIES)
    assert categories(by_hand().graph, [None] * 7) == dict.fromkeys(CATEGORIES, 0.0)
    with pytest.raises(ValueError, match="zip"):
        categories(by_hand().graph, [1.0])


@pytest.mark.parametrize(("model", "shuffles"), [("shufflenet_v2_x1_0", 16), ("shufflenet_v1_g3_x1_0", 16)])
def test_every_unit_of_a_shufflenet_shuffles_once(model: str, shuffles: int) -> None:
    # 4 + 8 + 4 units in three stages, each with one shuffle.
    graph = of_zoo(model).graph
    found = [op.path for i, op in enumerate(graph.ops) if categories(graph, _only(i, len(graph.ops)))["shuffle"] == 1.0]
    assert len(found) == shuffles
    assert len(set(found)) == shuffles


def _only(place: int, count: int) -> list[float | None]:
    """A time for one operator, none for the others."""
    return [1.0 if i == place else None for i in range(count)]


def test_shares_of_the_figure_are_those_of_the_table() -> None:
    lines = [line for line in FIGURE_2.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert {row["model"] for row in rows} == {"shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0"}
    for row in rows:
        shares = {
            category: pytest.approx(float(row[f"{category}_percent"]) / 100)
            for category in CATEGORIES
            if row[f"{category}_percent"]
        }
        assert published_shares(row["model"])[row["at_platform"]] == shares
    assert published_shares("resnet18") == {}
    document = explain(predict(of_zoo("mobilenet_v2_x1_0"), FULL), [1.0] * len(of_zoo("mobilenet_v2_x1_0").graph.ops))
    (table,) = (table for table in document.tables if "Figure 2" in table.title)
    assert [line.values["published_gpu"] for line in table.lines] == pytest.approx([0.54, 0.23, 0.22, None, 0.01])


# ------------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("platform", "name"),
    [(FULL, "roof.png"), (FULL, "roof.SVG"), (machine(), "laws.svg"), (machine(bandwidths=BANDWIDTHS), "curve.svg")],
)
def test_a_roofline_is_drawn(tmp_path: Path, platform: Platform, name: str) -> None:
    for prediction in (None, told(platform)):
        path = tmp_path / name
        write_roofline(platform, str(path), prediction)
        head = path.read_bytes()[:200]
        assert head.startswith(b"\x89PNG") if name.endswith("png") else b"<?xml" in head
        path.unlink()


def test_a_roofline_is_the_same_for_the_same_platform(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_roofline(FULL, str(tmp_path / name), told())
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("name", ["roof.pdf", "roof", "roof.png.txt", ""])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"a roofline is drawn as \.png or \.svg") as caught:
        write_roofline(FULL, str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match=r"cannot write .*roof\.svg"):
        write_roofline(FULL, str(tmp_path / "none" / "roof.svg"))


def test_roofs_are_what_was_measured_or_else_the_laws() -> None:
    # A multiply-add is two FLOPs; main memory copies at 3 GB/s, passes in the nearest cache go at 20.
    assert roofs(FULL) == (8e10, {"caches": 2e10, "main memory": 3e9})
    assert roofs(machine(bandwidths=BANDWIDTHS))[1] == {"caches": 1.2e10, "main memory": 3e9}
    peak, memory = roofs(machine({"linear": Law(1e-12, 1e-11), "matmul": Law(2e-12), "elementwise": Law(1e-15, 5e-11)}))
    assert peak == pytest.approx(2e12)
    assert memory == {"memory": pytest.approx(1e11)}
    assert roofs(machine({"other": Law()})) == (0.0, {})
