"""What changed between two models: exact figures, the laws of a difference, budgets of growth, and how it is told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import mac_profiler
from mac_profiler.budget import FIGURES
from mac_profiler.difference import SUMMED, Difference, Side, differ, parse_allowances, side_of
from mac_profiler.difference.comment import comment
from mac_profiler.difference.document import describe
from mac_profiler.difference.pairing import renames
from mac_profiler.difference.saved import is_saved, read_side
from mac_profiler.difference.told import verdict
from mac_profiler.document import Screen
from mac_profiler.errors import InvalidInput
from mac_profiler.finding import Finding, Place
from mac_profiler.layout import cells
from mac_profiler.overview import describe as describe_profile
from mac_profiler.report import render

IMAGE = torch.zeros(1, 3, 10, 10)


def side(model: nn.Module, name: str = "net", images: torch.Tensor = IMAGE) -> Side:
    return side_of(name, describe_profile(mac_profiler.analyze(model.eval(), images)).data(), None)


def convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 1, bias=False)


def told(difference: Difference) -> list[tuple[str, str | None, str | None]]:
    """Kind, path before, path after of each change."""
    return [
        (each.kind, each.before.path if each.before else None, each.after.path if each.after else None)
        for each in difference.modules or ()
    ]


# --------------------------------------------------------------------------------------------------------- by hand


def test_a_wider_layer_has_the_figures_derived_by_hand() -> None:
    # 100 positions; 3 -> 4 and 4 -> 2 channels become 3 -> 6 and 6 -> 2.
    before = nn.Sequential(convolution(3, 4), nn.ReLU(), convolution(4, 2))
    after = nn.Sequential(convolution(3, 6), nn.ReLU(), convolution(6, 2))
    found = differ(side(before), side(after))
    shifts = {shift.figure: (shift.before, shift.after, shift.difference) for shift in found.totals}
    assert list(shifts) == list(FIGURES)
    assert shifts["mult_adds"] == (2000, 3000, 1000)
    # Read and written: (3 + 4) 100 + 12, (4 + 4) 100, (4 + 2) 100 + 8 before.
    assert shifts["accesses"] == (2120, 900 + 18 + 1200 + 800 + 12, 810)
    assert shifts["parameters"] == (20, 30, 10)
    assert shifts["op_count"] == (3, 3, 0)
    assert [
        (each.part.path, each.figures["mult_adds"], each.figures["parameters"]) for each in found.modules or ()
    ] == [
        ("0", 600, 6),
        ("1", 0, 0),
        ("2", 400, 4),
    ]
    assert [(each.part.path, each.figures["mult_adds"]) for each in found.targets or ()] == [
        ("aten.convolution", 1000),
        ("aten.relu", 0),
    ]
    assert next(shift for shift in found.totals if shift.figure == "mult_adds").share == 0.5


def test_what_was_put_in_is_added_and_what_stood_behind_it_moved() -> None:
    before = nn.Sequential(convolution(3, 4), convolution(4, 5))
    after = nn.Sequential(convolution(3, 4), nn.ReLU(), convolution(4, 5))
    assert told(differ(side(before), side(after))) == [("added", None, "1"), ("moved", "1", "2")]
    assert told(differ(side(after), side(before))) == [("moved", "2", "1"), ("removed", "1", None)]


def test_a_renamed_part_is_moved_and_what_changed_in_it_is_known_again() -> None:
    def net(name: str, width: int) -> nn.Module:
        inner = nn.Sequential(convolution(3, 4), nn.ReLU(), convolution(4, width))
        return _named(name, inner)

    found = differ(side(net("features", 5)), side(net("stem", 7)))
    assert sorted(told(found)) == [
        ("changed", "features.2", "stem.2"),
        ("moved", "features.0", "stem.0"),
        ("moved", "features.1", "stem.1"),
    ]


def _named(name: str, inner: nn.Module) -> nn.Module:
    model = nn.Sequential()
    model.add_module(name, inner)
    return model


def test_another_type_at_one_path_is_a_change() -> None:
    before = nn.Sequential(convolution(3, 4), nn.ReLU())
    after = nn.Sequential(convolution(3, 4), nn.Sigmoid())
    found = differ(side(before), side(after))
    assert told(found) == [("changed", "1", "1")]
    assert not found.same


def test_other_shapes_of_equal_cost_are_a_change() -> None:
    wide, high = (side(nn.Sequential(nn.ReLU()), images=torch.zeros(1, 3, *size)) for size in ((4, 8), (8, 4)))
    found = differ(wide, high)
    assert told(found) == [("changed", "0", "0")]
    assert not any(shift.difference for shift in found.totals)
    assert any("the inputs differ" in line for line in describe(found).warnings)


def test_parameters_and_operators_of_the_model_itself_belong_to_it() -> None:
    class Scaled(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(width, 1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.scale

    found = differ(side(Scaled(1)), side(Scaled(3)))
    assert [(each.part.path, each.figures["parameters"]) for each in found.modules or ()] == [("", 2)]


def test_the_same_model_twice_is_no_difference() -> None:
    one = nn.Sequential(convolution(3, 4), nn.ReLU())
    found = differ(side(one), side(one))
    assert found.same
    assert (found.modules, found.targets) == ((), ())
    assert verdict(found) == "no difference in what they take"
    assert not found.fails(on_new=True)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("features.0.conv", "stem.0.conv")],
         {"features.0.conv": "stem.0.conv", "features.0": "stem.0", "features": "stem"}),
        ([("a.x", "b.x"), ("a.y", "c.y")], {"a.x": "b.x", "a.y": "c.y"}),
        ([("0", "1"), ("1", "2")], {"0": "1", "1": "2"}),
        ([("a", "a")], {}),
    ],
)  # fmt: skip
def test_renames_are_those_that_are_told_in_one_way(pairs: list[tuple[str, str]], expected: dict[str, str]) -> None:
    assert renames(pairs) == expected


# ------------------------------------------------------------------------------------------------------------ laws

FIGURES_OF_AN_OP = ("mult_adds", "flops", "accesses", "bytes_moved")
paths = st.sampled_from(["", "a", "a.x", "a.y", "b", "b.x", "b.y.z", "c.x"])
counts = st.integers(0, 5)
one_op = st.tuples(paths, st.sampled_from(["aten.conv", "aten.relu", "my.op"]), st.tuples(*[counts] * 4) | st.none())


def written(ops: list[Any], parameters: Mapping[str, int], types: Mapping[str, str]) -> dict[str, Any]:
    """The JSON of an analysis of such a model."""
    listed = [
        {"path": path, "module": types.get(path, ""), "target": target, "phase": "forward", "inputs": [[1]],
         "outputs": [[2]], **dict(zip(FIGURES_OF_AN_OP, figures or [None] * 4, strict=True))}
        for path, target, figures in ops
    ]  # fmt: skip
    known = dict.fromkeys(above for path in [*parameters, *(op[0] for op in ops)] for above in _around(path) if above)
    modules = [
        {"path": path, "module": types.get(path, ""),
         "parameters": sum(n for own, n in parameters.items() if own == path or own.startswith(f"{path}."))}
        for path in known
    ]  # fmt: skip
    sums = {name: sum(op[name] or 0 for op in listed) for name in FIGURES_OF_AN_OP}
    totals = {**dict.fromkeys(FIGURES, 0), **sums, "parameters": sum(parameters.values()), "op_count": len(ops)}
    uncounted = dict(Counter(target for _, target, figures in ops if figures is None))
    return {"inputs": [[1]], "totals": totals, "ops": listed, "modules": modules, "uncounted": uncounted}


def _around(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


sides = st.builds(
    lambda ops, parameters, types: side_of("net", written(ops, parameters, types), None),
    st.lists(one_op, max_size=8),
    st.dictionaries(paths, counts, max_size=5),
    st.dictionaries(paths, st.sampled_from(["Conv2d", "ReLU"])),
)


@given(sides, sides)
def test_the_other_way_round_every_difference_is_negative(one: Side, two: Side) -> None:
    there, back = differ(one, two), differ(two, one)
    assert [-shift.difference for shift in there.totals] == [shift.difference for shift in back.totals]
    for forward, backward in ((there.modules, back.modules), (there.targets, back.targets)):
        assert Counter((c.before and c.before.path, c.after and c.after.path) for c in forward or ()) == Counter(
            (c.after and c.after.path, c.before and c.before.path) for c in backward or ()
        )
        turned = {(c.before and c.before.path, c.after and c.after.path): c.figures for c in forward or ()}
        for change in backward or ():
            figures = turned[change.after and change.after.path, change.before and change.before.path]
            assert {name: -value for name, value in figures.items()} == change.figures
    assert there.same == back.same


@given(sides)
def test_nothing_differs_from_itself(one: Side) -> None:
    found = differ(one, replace(one, name="again"))
    assert found.same
    assert (found.modules, found.targets) == ((), ())


@given(sides, sides)
def test_the_differences_of_the_modules_add_up_to_the_whole(one: Side, two: Side) -> None:
    found = differ(one, two)
    whole = {shift.figure: shift.difference for shift in found.totals}
    for name in SUMMED:
        assert sum(each.figures[name] for each in found.modules or ()) == whole[name]
        if name != "parameters":
            assert sum(each.figures[name] for each in found.targets or ()) == whole[name]


@given(sides, sides)
def test_every_difference_can_be_told(one: Side, two: Side) -> None:
    found = differ(one, two)
    for form in ("text", "json", "csv"):
        text = render(describe(found), form, Screen(80))
        assert form != "text" or max(map(cells, text.splitlines())) <= 80
    assert comment(found).startswith("**macprof** `net`")


# -------------------------------------------------------------------------------------------------------- findings


def finding(code: str, *places: str, measured: float = 2.0, severity: Any = "warning") -> Finding:
    return Finding(
        code, "a-rule", severity, "low", "it is <wide> | so", measured, 1.0, "ratio", 0.1, 1e-3, 10, "mend it", False,
        tuple(Place(path, f"net.py:{i}") for i, path in enumerate(places, 1)),
    )  # fmt: skip


def audited(*findings: Finding, name: str = "net", platform: str = "nominal", rules: str = "G101 G202") -> Side:
    return Side(
        name, ((1, 3),), {"mult_adds": 5, "accesses": 7}, {}, findings=findings, rules=frozenset(rules.split()),
        score=40.0, platform=platform,
    )  # fmt: skip


def turns(before: Side, after: Side) -> list[tuple[str, str, str]]:
    return [
        (turn.kind, turn.finding.code, place.path)
        for turn in differ(before, after).findings or ()
        for place in turn.finding.places
    ]


def test_findings_are_new_gone_worse_and_better_by_rule_and_place() -> None:
    before = audited(finding("G101", "a", "b"), finding("G202", "c", measured=3.0))
    after = audited(finding("G101", "b", "d"), finding("G202", "c", measured=4.0))
    assert turns(before, after) == [("new", "G101", "d"), ("worse", "G202", "c"), ("gone", "G101", "a")]
    assert turns(after, before) == [("new", "G101", "a"), ("gone", "G101", "d"), ("better", "G202", "c")]
    assert turns(before, before) == []


def test_only_what_is_more_than_a_note_fails_and_only_where_it_is_asked_for() -> None:
    assert differ(audited(), audited(finding("G101", "a"))).fails(on_new=True)
    assert not differ(audited(), audited(finding("G101", "a"))).fails()
    assert not differ(audited(), audited(finding("G101", "a", severity="info"))).fails(on_new=True)
    assert not differ(audited(finding("G101", "a")), audited()).fails(on_new=True)


def test_a_rule_that_one_audit_left_out_says_nothing() -> None:
    found = differ(audited(rules="G202"), audited(finding("G101", "a")))
    assert found.findings == ()
    assert any("G101" in note for note in describe(found).notes)


def test_audits_of_two_platforms_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match=r"'nominal'.*'mine'.*--platform"):
        differ(audited(), audited(platform="mine"))


def test_a_finding_moves_with_its_module() -> None:
    one, two = (side(_named(name, nn.Sequential(convolution(3, 4), nn.ReLU()))) for name in ("features", "stem"))
    known: dict[str, Any] = {"rules": frozenset({"G101"}), "score": 1.0, "platform": "nominal"}
    before = replace(one, findings=(finding("G101", "features.0"), finding("G101", "features")), **known)
    after = replace(two, findings=(finding("G101", "stem.0"), finding("G101", "stem")), **known)
    assert turns(before, after) == turns(after, before) == []


# --------------------------------------------------------------------------------------------------------- budgets


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("mult_adds=+5%", 1050), ("mult_adds=+0", 1000), ("mult_adds=-10%", 900), ("mult_adds=+1.25 %", 1012),
        ("mult_adds=+2k", 3000), ("mult_adds=-200", 800), ("mult_adds=900", 900), (" mult_adds = + 5 % ", 1050),
        ("mult_adds=+0%", 1000),
    ],
)  # fmt: skip
def test_a_budget_is_of_the_growth_or_of_the_whole(text: str, limit: int) -> None:
    before = Side("old", (), {"mult_adds": 1000}, {})
    for found, exceeded in ((limit, False), (limit + 1, True)):
        (item,) = differ(before, Side("new", (), {"mult_adds": found}, {}), parse_allowances(text)).budget
        assert (item.limit, item.exceeded) == (limit, exceeded)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a part is empty"), ("mult_adds", "is no FIGURE=AMOUNT"), ("mult_ads=+5%", "mult_adds"),
        ("mult_adds=+", "cannot be read"), ("mult_adds=+x%", "cannot be read"), ("mult_adds=5%", "Write +5%"),
        ("mult_adds=+1,mult_adds=+2", "twice"), ("mult_adds=+-5", "cannot be read"), ("flops=+1e9%", "cannot be read"),
        ("mult_adds=+5%,", "a part is empty"), ("mult_adds=1.5", "no whole number"),
    ],
)  # fmt: skip
def test_a_budget_that_cannot_be_read_is_told_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_allowances(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lower_bound_keeps_no_budget_for_sure() -> None:
    before = Side("old", (), {"mult_adds": 10, "parameters": 3}, {})
    after = Side("new", (), {"mult_adds": 10, "parameters": 3}, {"my.op": 1})
    items = differ(before, after, parse_allowances("mult_adds=+0,parameters=+0")).budget
    assert [item.certain for item in items] == [False, True]


def test_a_figure_that_an_audit_does_not_tell_has_no_budget() -> None:
    with pytest.raises(InvalidInput, match=r"flops.*macprof analyze"):
        differ(audited(), audited(), parse_allowances("flops=+0"))


# ------------------------------------------------------------------------------------------------------- telling it


def test_the_comment_is_short_folded_and_safe() -> None:
    before = nn.Sequential(convolution(3, 4), convolution(4, 5))
    after = nn.Sequential(convolution(3, 6), convolution(6, 5))
    found = differ(side(before, "a|b`@you"), side(after, "<b>"), parse_allowances("mult_adds=+5%"))
    text = comment(found)
    assert text.splitlines()[0] == (
        "**macprof** `a|b'@you` → `<b>`: modules: 2 changed; over budget: mult\\_adds"
    )  # fmt: skip
    assert "| multiply-adds | 3.20 k | 4.80 k | **+1.60 k (+50.0%)** |" in text
    assert "Unchanged: operators." in text
    assert text.count("<details>") == text.count("</details>") == 2
    back = comment(differ(side(after), side(before)))
    assert "**−1.60 k (−33.3%)**" in back
    risky = comment(differ(audited(), audited(finding("G101", "a|b"))))
    assert "it is &lt;wide&gt; \\| so" in risky
    assert len(comment(differ(side(before), side(before))).splitlines()) == 3  # the line, and what was not compared


def test_a_comment_of_a_large_network_is_not_refused_by_github() -> None:
    layers = [convolution(3, 3) for _ in range(400)]
    wider = [nn.Conv2d(3, 3, 1) for _ in range(400)]
    text = comment(differ(side(nn.Sequential(*layers)), side(nn.Sequential(*wider))))
    assert len(text) < 65_536
    assert "360 more are left out." in text


def test_json_tells_all_and_text_the_largest() -> None:
    before = nn.Sequential(convolution(3, 4), convolution(4, 5))
    after = nn.Sequential(convolution(3, 6), convolution(6, 9))
    found = differ(side(before), side(after))
    data = json.loads(render(describe(found, top=1), "json", Screen()))
    assert (data["kind"], data["schema_version"], data["same"]) == ("macprof difference", 1, False)
    assert [each["difference"]["mult_adds"] for each in data["modules"]] == [600, 3400]
    assert data["findings"] is data["score"] is None
    text = render(describe(found, top=1), "text", Screen(80))
    assert "… 1 more rows" in text
    rows = [line.split()[:2] for line in text.splitlines() if line.startswith("changed")]
    assert rows == [["changed", "1"], ["changed", "aten.convolution"]]


# ------------------------------------------------------------------------------------------------ saved analyses


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    path = tmp_path / "net.json"
    document = describe_profile(mac_profiler.analyze(nn.Sequential(convolution(3, 4)), IMAGE))
    path.write_text(render(document, "json", Screen()))
    return path


def test_a_saved_analysis_is_the_model(analysis: Path) -> None:
    found = differ(read_side(str(analysis)), side(nn.Sequential(convolution(3, 4))))
    assert found.same
    assert any("not compared" in note for note in describe(found).notes)


def change(*keys: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def apply(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = to

    return apply


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change("schema_version", to=2), "is of version 2"),
        (change("schema_version", to=None), "is of version None"),
        (lambda data: data.pop("ops"), "is no saved analysis or audit"),
        (lambda data: data.pop("inputs"), "'inputs' is missing"),
        (change("totals", to={"seconds": 1.0}), "'mult_adds' is missing"),
        (change("totals", "mult_adds", to=7), "do not add up"),
        (change("totals", "parameters", to=7), "fewer parameters"),
        (change("ops", 0, "mult_adds", to=-1), "-1 is no count"),
        (change("ops", 0, "mult_adds", to=True), "True is no count"),
        (change("ops", 0, "path", to=3), "3 is no text"),
        (change("ops", 0, "outputs", to=[["x"]]), "is no count"),
        (change("modules", to=None), "damaged"),
        (change("uncounted", to=[1]), "damaged"),
    ],
)
def test_a_spoilt_analysis_is_refused_in_one_line(
    analysis: Path, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    data = json.loads(analysis.read_text())
    spoil(data)
    analysis.write_text(json.dumps(data))
    with pytest.raises(InvalidInput) as caught:
        read_side(str(analysis))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"schema_version": 1}', "\ud800"])
def test_what_is_no_analysis_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidInput, match="saved analysis"):
        read_side(str(path))


def test_a_saved_name_is_a_file_and_no_model(tmp_path: Path) -> None:
    piped = tmp_path / "63"
    piped.touch()
    assert [is_saved(name) for name in ("a.json", "A.JSON", str(piped))] == [True, True, True]
    assert not any(map(is_saved, ("shufflenet_v2", "net.py:Net", f"{tmp_path}/net.py", "timm:a/b", "x" * 5000 + "/y")))
