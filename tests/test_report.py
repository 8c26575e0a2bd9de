"""What is said about a profile, in every output format; the profile is made by hand, no torch in sight."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.columns import COLUMNS
from mac_profiler.cost import Cost
from mac_profiler.cross_check import Answer, Comparison, Difference
from mac_profiler.document import Document, Line, Screen, Table
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Module, Op, Value
from mac_profiler.layout import cells, shorten
from mac_profiler.overview import View, describe
from mac_profiler.profile import Profile
from mac_profiler.report import choose_format, formats, render

IMAGE, FEATURES = (1, 3, 224, 224), (1, 64, 112, 112)


def make_profile(*, complete: bool = True, mode: str = "shapes", notes: tuple[str, ...] = ()) -> Profile:
    image, hidden, active = Value(IMAGE, role="input"), Value(FEATURES), Value(FEATURES)
    kernel, matrix, answer = Value((64, 3, 7, 7), role="weight"), Value((10, 64), role="weight"), Value((1, 10))
    ops = (
        Op("aten.convolution", "stem.conv", "net.py:12", {"input": image, "weight": kernel}, (hidden,)),
        Op("aten.relu", "stem.act", "net.py:13", {"self": hidden}, (active,)),
        Op("mylib.pool", "", "net.py:14", {"x": active}, (Value((1, 64)),)),
        Op("aten.linear", "head", "net.py:15", {"input": Value((1, 64)), "weight": matrix}, (answer,)),
    )
    modules = [
        Module("", "Net", 0), Module("stem", "Sequential", 0), Module("stem.conv", "Conv2d", 9408),
        Module("stem.act", "ReLU", 0), Module("drop", "Dropout", 0), Module("head", "Linear", 650),
    ]  # fmt: skip
    costs = (
        Cost(118_013_952, 236_027_904, 9408, 150_528, 802_816, 3_851_008),
        Cost(0, 802_816, 0, 802_816, 802_816, 6_422_528),
        Cost(0, 802_752, 0, 802_816, 64, 3_211_520) if complete else None,
        Cost(640, 1290, 650, 64, 10, 2896),
    )
    by_path = {module.path: module for module in modules}
    profile = Profile(Graph("net", ops, by_path, (image,), (answer,), mode, notes), costs)
    # What other machines derive from the graph is given here, so that these tests are about words and columns.
    profile.__dict__["fused_accesses"] = 963_544
    profile.__dict__["peak_activation_bytes"] = 6_422_528
    return profile


def show(profile: Profile, view: View | None = None, form: str = "text", width: int = 80) -> str:
    return render(describe(profile, view or View()), form, Screen(width))


def table_of(text: str) -> str:
    """The part of a rendering that comes before the legend."""
    return text.partition("multiply-adds: ")[0].rstrip() + "\n"


def test_the_whole_text_at_80_columns() -> None:
    text = show(make_profile())
    assert (
        text
        == """\
net  input 1×3×224×224  dtype float32  trace shapes

                 multiply-          memory
module                adds   FLOPs  access  parameters  output         share
────────────────────────────────────────────────────────────────────────────
stem                 118 M   237 M  2.57 M      9.41 k  1×64×112×112  100.0%
├ conv               118 M   236 M   963 k      9.41 k  1×64×112×112  100.0%
└ act                    0   803 k  1.61 M           0  1×64×112×112    0.0%
head                   640  1.29 k     724         650  1×10           <0.1%
(own operators)          0   803 k   803 k           0                  0.0%
────────────────────────────────────────────────────────────────────────────
total                118 M   238 M  3.37 M      10.1 k                100.0%

multiply-adds              118 M  (118,014,592)
FLOPs                      238 M  (237,634,762)
memory access             3.37 M  (3,371,988)
fused access               964 k  (963,544)
bytes moved             12.9 MiB  (13,487,952 B)
parameters                10.1 k  (10,058)
peak activation memory  6.12 MiB  (6,422,528 B)
operators                      4  (4)

multiply-adds: multiply-accumulates of convolutions, matrix and vector products,
  attention and recurrent cells; bias and normalisation are not counted in them.
  Papers print this number as "FLOPs".
FLOPs: all floating-point operations, element-wise ones included; a multiply-add
  is 2.
memory access: the memory access cost, in elements: weights and inputs read and
  outputs written, each tensor once per operator. ShuffleNet V2 (arXiv
  1807.11164, G1) abbreviates it "MAC", a word that elsewhere means
  multiply-accumulate; here it never does.
fused access: memory access cost on an ideal fusing engine: normalisation folded
  into its producer, element-wise chains and layout changes done in the pass
  that writes their input.
peak activation memory: most bytes of inputs and activations alive at once in
  the executed order; weights are not in it.
"""
    )


def test_what_was_not_counted_is_loud_and_makes_lower_bounds() -> None:
    text = table_of(show(make_profile(complete=False), View(by="target")))
    assert (
        text
        == """\
net  input 1×3×224×224  dtype float32  trace shapes

lower bound: 1 operator not counted: mylib.pool (1). Register a formula for each
with mac_profiler.formula.

                         multiply-           memory      bytes
operator          calls       adds   FLOPs   access      moved   share
────────────────────────────────────────────────────────────────────────────────
aten.convolution      1      118 M   236 M    963 k   3.67 MiB  100.0% █████████
aten.relu             1          0   803 k   1.61 M   6.12 MiB    0.0%
mylib.pool            1          ?       ?        ?          ?
aten.linear           1        640  1.29 k      724   2.83 KiB   <0.1%
────────────────────────────────────────────────────────────────────────────────
total                 4     ≥118 M  ≥237 M  ≥2.57 M  ≥9.80 MiB  100.0%

multiply-adds              ≥118 M  (118,014,592)
FLOPs                      ≥237 M  (236,832,010)
memory access             ≥2.57 M  (2,569,108)
fused access               ≥964 k  (963,544)
bytes moved             ≥9.80 MiB  (10,276,432 B)
parameters                 10.1 k  (10,058)
peak activation memory   6.12 MiB  (6,422,528 B)
operators                       4  (4)
"""
    )


def test_a_wide_screen_shows_every_column_and_bars() -> None:
    lines = show(make_profile(), View(by="op"), width=140).splitlines()
    assert "net.py:12" in lines[5]
    assert "1×3×224×224, 64×3×7×7" in lines[5]
    assert lines[5].endswith("100.0% ████████████")


@pytest.mark.parametrize(
    "view", [View(), View(by="op"), View(by="target"), View(sort="accesses"), View(by="op", top=1)]
)
@given(width=st.integers(min_value=40, max_value=200))
def test_no_line_is_longer_than_the_screen(view: View, width: int) -> None:
    for complete in (True, False):
        for line in show(make_profile(complete=complete), view, width=width).splitlines():
            assert cells(line) <= width


@given(width=st.integers(min_value=40, max_value=200))
def test_a_number_is_whole_or_absent(width: int) -> None:
    text = table_of(show(make_profile(), View(by="op"), width=width))
    assert "118 M" in text
    assert "…" not in "".join(part for part in text.split() if part[0].isdigit() and "×" not in part)


def test_sorted_rows_are_flat_and_the_rest_is_announced() -> None:
    lines = show(make_profile(), View(sort="accesses", top=2)).splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("stem"))
    assert [line.split()[0] for line in lines[begin : begin + 3]] == ["stem", "stem.act", "…"]
    assert "… 3 more rows" in lines


def test_top_without_a_sort_is_by_multiply_adds() -> None:
    document = describe(make_profile(), View(by="op", top=1))
    assert [line.values["target"] for line in document.tables[0].lines] == ["aten.convolution"]
    assert document.tables[0].more == 3


@pytest.mark.parametrize("key", ["mult_adds", "flops", "accesses", "bytes_moved", "parameters", "share", "mult-adds"])
def test_every_numeric_column_sorts_descending(key: str) -> None:
    lines = describe(make_profile(), View(sort=key)).tables[0].lines
    figures = [line.values[key.replace("-", "_")] for line in lines]
    assert figures == sorted(figures, reverse=True)
    assert len(figures) == 5


def test_an_unknown_cost_sorts_last() -> None:
    lines = describe(make_profile(complete=False), View(by="op", sort="flops")).tables[0].lines
    assert [line.values["flops"] for line in lines] == [236_027_904, 802_816, 1290, None]


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"cannot sort by 'acesses'\. Did you mean 'accesses'\? The columns are"):
        describe(make_profile(), View(sort="acesses"))
    with pytest.raises(InvalidInput, match="cannot sort by 'module'"):
        describe(make_profile(), View(sort="module"))


@pytest.mark.parametrize("key", ["accesses", "parameters", "mult_adds"])
def test_shares_are_of_the_models_total(key: str) -> None:
    profile = make_profile()
    table = describe(profile, View(sort=key, depth=1)).tables[0]
    assert table.total is not None
    for line in table.lines:
        assert line.values["share"] == line.values[key] / table.total.values[key]
    assert sum(line.values["share"] for line in table.lines) == pytest.approx(1)


def test_depth_cuts_the_tree_and_not_the_sums() -> None:
    shallow, deep = (describe(make_profile(), View(depth=depth)).tables[0] for depth in (1, 2))
    assert [line.values["path"] for line in shallow.lines] == ["stem", "head", "(own operators)"]
    assert [line.values["path"] for line in deep.lines] == ["stem", "stem.conv", "stem.act", "head", "(own operators)"]
    assert shallow.lines[0] == deep.lines[0]
    assert shallow.total == deep.total


def test_a_fallback_of_the_trace_is_told() -> None:
    text = show(make_profile(mode="run", notes=("forward calls .item() in net.py:9",)), width=100)
    assert "trace mode 'run': the model was run, because its control flow depends on data.\n" in text
    assert "\nforward calls .item() in net.py:9\n" in text
    assert "trace mode" not in show(make_profile())


def test_json_is_the_contract() -> None:
    data = json.loads(show(make_profile(complete=False), form="json"))
    assert data["schema_version"] == 1
    assert (data["model"], data["inputs"]) == ("net", [[1, 3, 224, 224]])
    assert data["totals"] == {
        "mult_adds": 118_014_592, "flops": 236_832_010, "accesses": 2_569_108, "fused_accesses": 963_544,
        "bytes_moved": 10_276_432, "parameters": 10_058, "peak_activation_bytes": 6_422_528, "op_count": 4,
        "complete": False,
    }  # fmt: skip
    assert data["uncounted"] == {"mylib.pool": 1}
    assert data["ops"][0] == {
        "path": "stem.conv", "module": "Conv2d", "target": "aten.convolution", "source": "net.py:12",
        "inputs": [[1, 3, 224, 224], [64, 3, 7, 7]], "outputs": [[1, 64, 112, 112]], "mult_adds": 118_013_952,
        "flops": 236_027_904, "accesses": 962_752, "bytes_moved": 3_851_008, "phase": "forward",
    }  # fmt: skip
    unknown = data["ops"][2]
    assert [unknown[key] for key in ("mult_adds", "flops", "accesses", "bytes_moved")] == [None] * 4
    assert {"mode", "notes", "modules", "convention"} <= set(data)
    # Modules alone: the label of a table's row for the model's own operators is no path.
    assert [module["path"] for module in data["modules"]] == ["stem", "stem.conv", "stem.act", "drop", "head"]


def test_json_is_whole_whatever_the_view() -> None:
    assert show(make_profile(), View(by="target", top=1, depth=0), "json") == show(make_profile(), form="json")


def test_csv_is_one_raw_row_an_operator() -> None:
    rows = list(csv.DictReader(io.StringIO(show(make_profile(complete=False), View(by="op"), "csv"))))
    assert [row["target"] for row in rows] == ["aten.convolution", "aten.relu", "mylib.pool", "aten.linear"]
    assert rows[0]["inputs"] == "1x3x224x224;64x3x7x7"
    assert rows[0]["mult_adds"] == "118013952"
    assert rows[2]["mult_adds"] == rows[2]["bytes_moved"] == ""


def test_the_whole_markdown() -> None:
    text = show(make_profile(complete=False), View(depth=1), "markdown").partition("\n- **")[0]
    assert (
        text
        == """\
# net

input 1×3×224×224 · dtype float32 · trace shapes

> **Warning:** lower bound: 1 operator not counted: mylib.pool (1). Register a formula for each with mac\\_profiler.formula.

| module | type | multiply-adds | FLOPs | memory access | bytes moved | parameters | output | share |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |
| `stem` | `Sequential` | 118 M | 237 M | 2.57 M | 9.80 MiB | 9.41 k | `1×64×112×112` | 100.0% |
| `head` | `Linear` | 640 | 1.29 k | 724 | 2.83 KiB | 650 | `1×10` | <0.1% |
| (own operators) |  | ? | ? | ? | ? | 0 |  |  |
| **total** |  | **≥ 118 M** | **≥ 237 M** | **≥ 2.57 M** | **≥ 9.80 MiB** | **10.1 k** |  | **100.0%** |

| total |  | exactly |
| --- | ---: | ---: |
| multiply-adds | ≥ 118 M | 118,014,592 |
| FLOPs | ≥ 237 M | 236,832,010 |
| memory access | ≥ 2.57 M | 2,569,108 |
| fused access | ≥ 964 k | 963,544 |
| bytes moved | ≥ 9.80 MiB | 10,276,432 |
| parameters | 10.1 k | 10,058 |
| peak activation memory | 6.12 MiB | 6,422,528 |
| operators | 4 | 4 |
"""  # noqa: E501 - a line of Markdown is a paragraph
    )


def test_markdown_cells_keep_their_row() -> None:
    document = describe(make_profile())
    odd = Line({"path": "a|b`c", "module": "x\ny"})
    table = replace(document.tables[0], lines=(odd,), total=None)
    rows = render(replace(document, tables=(table,), totals=()), "markdown", Screen()).splitlines()
    row = next(line for line in rows if "a\\|b'c" in line)
    assert row.replace("\\|", "").count("|") == len(table.columns) + 1
    assert "x y" in row


def test_color_changes_nothing_but_codes() -> None:
    import re

    document = describe(make_profile())
    plain, painted = (render(document, "text", Screen(100, color)) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[" in painted
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", painted).splitlines()] == plain.splitlines()


def test_a_screen_without_unicode_gets_ascii_of_the_same_width() -> None:
    document = describe(make_profile(complete=False), View(sort="accesses", top=1))
    wide, narrow = (render(document, "text", Screen(100, unicode=unicode)) for unicode in (True, False))
    assert narrow.isascii()
    assert [len(line) for line in narrow.splitlines()] == [len(line) for line in wide.splitlines()]


def test_the_tree_is_drawn() -> None:
    columns = (COLUMNS["path"], COLUMNS["calls"])
    shape = [("a", 0), ("b", 1), ("c", 2), ("d", 2), ("e", 1), ("f", 2), ("g", 0)]
    lines = tuple(Line({"path": name, "calls": 1}, level, name) for name, level in shape)
    document = Document("t", (Table(columns, lines, tree=True),), dict, {})
    drawn = [line.rsplit(maxsplit=1)[0].rstrip() for line in render(document, "text", Screen()).splitlines()[4:]]
    assert drawn == ["a", "├ b", "│ ├ c", "│ └ d", "└ e", "  └ f", "g"]


def test_a_long_name_is_cut_in_its_middle() -> None:
    assert shorten("model.layers.31.self_attn.q_proj", 16) == "model…ttn.q_proj"
    assert shorten("short", 16) == "short"
    assert cells("模型") == 4
    assert cells(shorten("模型" * 20, 16)) <= 16


def test_a_comparison_says_why() -> None:
    comparison = Comparison(
        100,
        (
            Answer("fvcore", "normalisation too", 130, differences=(
                Difference((), ("batch_norm",), 50, 2, "stem.norm", "it counts these besides"),
                Difference(("aten.lstm",), (), -20, 1, "", "it has no formula for aten::lstm"),
            )),
            Answer("FlopCounterMode", "halved", message="failed: RuntimeError: no"),
        ),
    )  # fmt: skip
    text = render(describe(make_profile(), View(), comparison), "text", Screen(80))
    table = text.partition("Cross-check")[2].partition("\n\nmultiply-adds")[0]
    assert (
        table + "\n"
        == """\
: multiply-adds of the forward pass
                 multiply-
counted by            adds  difference
──────────────────────────────────────
macprof                100
  multiply-accumulates of convolutions, matrix and vector products, attention
  and recurrent cells; bias and normalisation are not counted in them. Papers
  print this number as "FLOPs".
fvcore                 130          30
  normalisation too
FlopCounterMode
  failed: RuntimeError: no

Where fvcore differs
            macprof    peer
difference  counts     counts      places  example
───────────────────────────────────────────────────────────
        50  nothing    batch_norm       2  stem.norm
  it counts these besides
       -20  aten.lstm  nothing          1  the model itself
  it has no formula for aten::lstm
"""
    )
    data = json.loads(render(describe(make_profile(), View(), comparison), "json", Screen()))
    assert data["cross_check"]["answers"][0]["differences"][1]["amount"] == -20


def test_formats_are_the_files_of_the_room() -> None:
    assert formats() == ["csv", "json", "markdown", "text"]


@pytest.mark.parametrize(
    ("asked", "output", "chosen"),
    [
        (None, None, "text"), (None, "a.json", "json"), (None, "a.md", "markdown"), (None, "b/a.CSV", "csv"),
        (None, "a.txt", "text"), (None, "a.log", "text"), ("csv", "a.json", "csv"),
    ],
)  # fmt: skip
def test_the_format_is_asked_for_or_in_the_files_name(asked: str | None, output: str | None, chosen: str) -> None:
    assert choose_format(asked, output) == chosen


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"no output format named 'jsn'\. Did you mean 'json'\?"):
        choose_format("jsn", None)
