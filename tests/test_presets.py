"""Presets: every row of the published tables is there, is built, and has the printed complexity or a reason."""

from __future__ import annotations

import importlib
from functools import cache

import pytest

from mac_profiler import api, models, presets, published
from mac_profiler.comparison import TOLERANCE, Comparison
from mac_profiler.errors import InvalidInput, ModelNotFound, UnknownName
from mac_profiler.presets import v2_appendix_1b
from mac_profiler.registry import modules_of

NAMES = presets.names()
ROWS = {
    "v1-table5": 10, "v1-table6": 7, "v1-table8": 15, "v2-appendix-1a": 48, "v2-appendix-1b": 24, "v2-table6": 5,
    "v2-table8": 39,
}  # fmt: skip


@cache
def compared(name: str) -> Comparison:
    return api.compare(preset=name)


def test_these_are_the_presets() -> None:
    assert list(ROWS) == NAMES


@pytest.mark.parametrize("module", modules_of("mac_profiler.presets"))
def test_a_file_is_a_preset(module: str) -> None:
    found = importlib.import_module(module)
    assert found.NAME.replace("-", "_") == module.rpartition(".")[2]
    table = published.table(found.TABLE)
    # "..., section 4 and Table 8" cites what the table cites.
    where, _, number = table.source.rpartition(", ")
    assert found.SOURCE.startswith(where.removesuffix(", appendix"))
    assert found.SOURCE.endswith(number)


@pytest.mark.parametrize("name", NAMES)
def test_every_printed_row_and_figure_is_there(name: str) -> None:
    preset = presets.find(name)
    rows = presets.rows_of(preset)
    assert len(rows) == ROWS[name]
    table = published.table(preset.TABLE)
    assert list(dict.fromkeys(row.label for row in rows)) == [row.label for row in table.rows]
    for row in table.rows:
        of_it = {figure for each in rows if each.label == row.label for figure in each.figures.values()}
        assert of_it == set(row.figures.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_the_printed_complexity_or_a_reason(name: str) -> None:
    found = compared(name)
    assert len(found.contenders) == ROWS[name]
    for each in found.contenders:
        assert each.counts is not None, each.missing
        assert each.counts.complete
        assert each.missing == ""
        assert each.reason != "no reason is known", each.label
        assert bool(each.reason) == (each.apart is not None and abs(each.apart) > TOLERANCE)


def test_levels_are_those_of_the_paper() -> None:
    found = compared("v2-table8").contenders
    assert all(each.level_published for each in found)
    assert [sum(each.level == level for each in found) for level in ("40M", "140M", "300M", "500M")] == [8, 9, 9, 13]


def test_speed_ups_over_alexnet_are_those_of_the_paper() -> None:
    found = compared("v1-table8")
    assert found.baseline == "alexnet"
    by_size = {(each.setting, each.label): each for each in found.contenders}
    small, alexnet = by_size["224x224", "shufflenet_v1_g3_x0_5"], by_size["224x224", "alexnet"]
    assert alexnet.published_arm is not None
    assert small.published_arm is not None
    # Section 4.6 of ShuffleNet V1: 18 times in theory, about 13 times in truth, at all sizes together.
    assert alexnet.published_arm / small.published_arm == pytest.approx(184.0 / 15.2)
    assert alexnet.mult_adds is not None
    assert alexnet.mult_adds / (small.mult_adds or 0) == pytest.approx(714.2 / 37.59, rel=0.001)
    assert {each.counts.inputs for each in found.contenders if each.counts} == {
        ((1, 3, 224, 224),), ((1, 3, 480, 640),), ((1, 3, 720, 1280),),
    }  # fmt: skip


def test_batches_are_those_of_the_papers_platforms() -> None:
    table8 = presets.rows_of(presets.find("v2-table8"))
    assert {(row.batch("cuda"), row.batch("cpu")) for row in table8} == {(8, 1)}
    sized = presets.find("v2-appendix-1a")
    rows = presets.rows_of(sized)
    assert [row.batch("cuda") for row in rows[:5]] == [8, 1, 1, 1, 8]
    # Printed width first.
    assert (rows[-1].setting, rows[-1].shape) == ("1080x720", (3, 720, 1080))
    assert presets.built_as(sized, rows[0], 8) == ("preset:v2-appendix-1a/shufflenet_v2_x0_5@8x3x320x320", 1)
    assert presets.built_as(presets.find("v2-table8"), table8[0], 8) == ("shufflenet_v2_x0_5", 8)


# -------------------------------------------------------------------------------------------------- units of equal cost


def test_units_are_as_wide_as_is_nearest() -> None:
    # 2 (64/2)^2 + 9 (64/2) products a position.
    assert v2_appendix_1b.products("shufflenet_v2", 64) == 2336
    assert [v2_appendix_1b.width(unit, 64) for unit in v2_appendix_1b.UNITS.values()] == [64, 117, 12, 55]
    for unit in v2_appendix_1b.UNITS.values():
        for channels in (64, 128, 256):
            wide = v2_appendix_1b.width(unit, channels)
            own, wanted = v2_appendix_1b.products(unit, wide), v2_appendix_1b.products("shufflenet_v2", channels)
            assert own == pytest.approx(wanted, rel=0.021)


@pytest.mark.parametrize("unit", v2_appendix_1b.UNITS.values())
def test_what_a_unit_is_reckoned_to_take_is_what_is_counted(unit: str) -> None:
    wide = v2_appendix_1b.width(unit, 64)
    found = models.find(f"preset:v2-appendix-1b/{unit}_{wide}@2x{wide}x28x28")
    assert found.args[0].shape == (2, wide, 28, 28)
    profile = api.analyze(found.module, *found.args)
    assert profile.total.mult_adds == 2 * 10 * 28 * 28 * v2_appendix_1b.products(unit, wide)


# -------------------------------------------------------------------------------------------------------------- by name


def test_a_row_is_a_model_by_name() -> None:
    found = models.find("preset:v1-table8/alexnet@2x3x480x640")
    assert found.name == "preset:v1-table8/alexnet@2x3x480x640"
    assert found.args[0].shape == (2, 3, 480, 640)
    known = models.complete("preset:v1-table8/alexnet")
    assert known == [f"preset:v1-table8/alexnet@1x3x{size}" for size in ("224x224", "480x640", "720x1280")]


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("preset:v1-table8/alexnet", ModelNotFound, "did you mean 'v1-table8/alexnet@1x3x"),
        ("preset:v1-table8/alexnett@1x3x224x224", ModelNotFound, "did you mean 'alexnet'"),
        ("preset:v1-table9/alexnet@1x3x224x224", UnknownName, "did you mean 'v1-table8'"),
        ("preset:v1-table8/alexnet@1x3xa", InvalidInput, "is not a size"),
    ],
)
def test_what_is_no_row_is_refused(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        models.find(name)
    assert said in str(caught.value).lower()


def test_units_take_no_arguments() -> None:
    with pytest.raises(InvalidInput, match="takes no argument 'width'"):
        models.find("preset:v2-appendix-1b/xception_55@1x55x28x28", {"width": 3})


def test_an_unknown_preset_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"no preset named 'v2-tabel8'. Did you mean 'v2-table8'") as caught:
        presets.find("v2-tabel8")
    assert all(name in str(caught.value) for name in NAMES)
