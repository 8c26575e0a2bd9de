"""The published tables are read whole, and every network in them is in the zoo."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from experiments.complexity import rows as complexity
from mac_profiler import models, published
from mac_profiler.errors import UnknownName
from mac_profiler.published import Published

TABLES = {name: published.table(name) for name in published.names()}
# Tables of the two papers whose rows are networks.
OF_NETWORKS = [*(f"v1_table{i}" for i in range(1, 9)), *(f"v2_table{i}" for i in range(5, 9))]
NO_NETWORKS = {"v2_table1", "v2_table2", "v2_table3", "v2_table4", "v2_appendix_table1b"}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_whole(name: str) -> None:
    path = published.FOLDER / f"{name}.csv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    cells = list(csv.DictReader(lines))
    table = TABLES[name]
    assert table.title
    assert table.source
    assert len(table.rows) == len(cells) > 0
    for row, own in zip(table.rows, cells, strict=True):
        assert None not in own, "more cells than columns"
        assert row.label == own["row"]
        assert row.figures
        read = {figure.printed for figure in row.figures.values()} | set(row.conditions.values())
        kept = {row.model, row.label, *read, *(f.source for f in row.figures.values())}
        kept |= {remark for f in row.figures.values() for remark in (f.reading, f.note)}
        assert {cell for cell in own.values() if cell} <= kept


@pytest.mark.parametrize("name", OF_NETWORKS)
def test_every_network_of_the_papers_is_in_the_zoo(name: str) -> None:
    assert {row.model for row in TABLES[name].rows} <= {entry.name for entry in models.entries()}


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(OF_NETWORKS)))
def test_a_model_that_a_table_names_is_in_the_zoo(name: str) -> None:
    known = {entry.name for entry in models.entries()} | {""}
    named = {row.model for row in TABLES[name].rows}
    assert named <= known
    assert (named == {""}) == (name in NO_NETWORKS)


def test_figures_are_where_their_source_printed_them() -> None:
    entry = {entry.name: entry for entry in models.entries()}["shufflenet_v2_x1_0"]
    table8 = {figure.quantity: figure for figure in entry.published if figure.source.endswith("Table 8")}
    assert (table8["mult_adds"].printed, table8["mult_adds"].value) == ("146M", 146e6)
    assert table8["gpu_batches_per_second"].value == 341
    assert table8["gpu_batches_per_second"].conditions == "level 140M"
    mobile = TABLES["v1_table8"].rows[0].figures["seconds_224x224"]
    assert mobile.printed == "15.2ms"
    assert mobile.value == pytest.approx(0.0152)


@pytest.mark.parametrize(
    ("printed", "value"), [("12.7G", 12.7e9), ("0.5M", 5e5), ("3K", 3e3), ("24", 24.0), ("87.4ms", 0.0874)]
)
def test_a_figure_has_a_value(printed: str, value: float) -> None:
    assert Published("any", printed, "a source").value == pytest.approx(value)


def test_what_is_no_number_has_none() -> None:
    with pytest.raises(ValueError, match="convert"):
        _ = Published("conv2_x_layers", "[244,244,244]x3", "a source").value


def test_a_table_that_is_not_there_is_told_with_its_neighbours() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'v2_table8'"):
        published.table("v2_tabel8")
    with pytest.raises(UnknownName):
        published.table("../zoo/vgg")


def test_a_malformed_file_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.csv").write_text('# title: t\n# source: s\nmodel,row,mult_adds\nx,y,"1M\n')
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    with pytest.raises(csv.Error):
        published.table("odd")


@pytest.fixture(scope="module")
def lines() -> list[complexity.Line]:
    return complexity.collect()


def test_a_difference_of_more_than_two_per_cent_has_a_reason(lines: list[complexity.Line]) -> None:
    apart = [line for line in lines if line["apart"]]
    assert apart
    assert [line for line in apart if not line["reason"]] == []
    assert all(abs(line["ratio"] - 1) <= complexity.TOLERANCE for line in lines if line["ratio"] and not line["apart"])


def test_every_row_of_the_tables_is_compared_and_counted_whole(lines: list[complexity.Line]) -> None:
    for name in complexity.TABLES:
        compared = {line["row"] for line in lines if line["table"] == name}
        assert compared == {row.label for row in TABLES[name].rows}
    assert all(line["uncounted"] == 0 for line in lines)


def test_what_a_paper_describes_in_full_has_its_digits(lines: list[complexity.Line]) -> None:
    whole = [line for line in lines if line["table"] in ("v1_table1", "v2_table5")]
    assert len(whole) == 13
    assert all(line["follows"] for line in whole)


def test_the_committed_report_says_what_the_tables_say_now(lines: list[complexity.Line]) -> None:
    report = Path(__file__).resolve().parents[1] / "reports" / "published_complexity" / "results.json"
    assert json.loads(report.read_text(encoding="utf-8"))["lines"] == lines
