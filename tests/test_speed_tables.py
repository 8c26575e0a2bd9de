"""A platform from a table of speeds: one that was made from known laws gives them back, a broken one is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mac_profiler.cli import main
from mac_profiler.errors import InvalidInput, ModelNotFound
from mac_profiler.fitting import FEWEST, NUMBERS, count_rows, fit
from mac_profiler.kinds_of_work import KINDS
from mac_profiler.learning import laws_of
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.profile import Profile
from mac_profiler.shelf import load
from mac_profiler.speed_tables import COLUMNS, Row, read_table
from tests.machines import machine, of_zoo

HEADER = ",".join(COLUMNS)
# Different proportions of everything that a platform is learned from.
ZOO = (
    "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x2_0", "shufflenet_v1_g3_x1_0", "shufflenet_v1_g8_x1_0",
    "mobilenet_v1_x1_0", "mobilenet_v2_x1_0", "resnet18", "resnet50", "resnext50_32x4d", "densenet121", "squeezenet1_0",
    "squeezenet1_1", "vgg16", "alexnet", "googlenet", "mobilenet_v3_small", "mobilenet_v3_large",
)  # fmt: skip
# Seconds of a multiply-add of convolutions, linear layers, other products, grouped and depthwise ones; of a byte of
# maps in products, streamed and strided; of a byte of weights; of a launch.
SECONDS = (1e-13, 1.3e-13, 2e-13, 3e-13, 4e-13, 3e-12, 2e-12, 5e-12, 2e-12, 1.5e-7)


def made(fused: bool) -> Platform:
    """A machine that has exactly the numbers that are learned."""
    return machine(laws_of(NUMBERS, SECONDS), fused=fused)


def table_of(truth: Platform, names: Sequence[str] = ZOO) -> list[Row]:
    return [Row(name, 224, 1, predict(of_zoo(name), truth).total.total) for name in names]


def of_row(row: Row) -> Profile:
    if row.model.startswith("unknown"):
        raise ModelNotFound(f"no model named '{row.model}'")
    return of_zoo(row.model)


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "speeds.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------------------ the table


def test_rows_are_read_by_the_names_of_their_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "0,100.5,resnet18,256,224",
        "1,50,vgg16,64,160",
        header="rank,infer_samples_per_sec,model,infer_batch_size,infer_img_size",
    )
    assert read_table(path) == [Row("resnet18", 224, 256, 256 / 100.5), Row("vgg16", 160, 64, 64 / 50)]
    assert read_table(str(path)) == read_table(path)


def test_models_without_a_speed_are_left_out(tmp_path: Path) -> None:
    # As timm's tables have them: a model that did not fit the memory has a row, and nothing else.
    path = written(tmp_path, "resnet18,224,256,100", "vgg16,224,256,", "vgg19,,,", "alexnet")
    assert [row.model for row in read_table(path)] == ["resnet18"]
    assert read_table(written(tmp_path)) == []


@pytest.mark.parametrize("column", COLUMNS)
def test_a_table_without_a_column_is_refused(tmp_path: Path, column: str) -> None:
    header = ",".join(name for name in COLUMNS if name != column)
    with pytest.raises(InvalidInput, match=f"speeds.csv' has no column {column}; a table of speeds has") as caught:
        read_table(written(tmp_path, header=header))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("vgg16,big,256,100", "must be numbers"),
        ("vgg16,224,many,100", "must be numbers"),
        ("vgg16,224,256,fast", "must be numbers"),
        ("vgg16,224.5,256,100", "must be numbers"),
        ("vgg16,,256,100", "must be numbers"),
        ("vgg16,0,256,100", "above zero"),
        ("vgg16,224,-1,100", "above zero"),
        ("vgg16,224,256,0", "above zero"),
        ("vgg16,224,256,-3", "above zero"),
        ("vgg16,224,256,nan", "above zero"),
        ("vgg16,224,256,inf", "above zero"),
    ],
)
def test_a_figure_that_is_none_is_refused_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"speeds.csv', line 3: .*{reason}") as caught:
        read_table(written(tmp_path, "resnet18,224,256,100", line))
    assert "\n" not in str(caught.value)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read '.*none\.csv': .*give a table of speeds"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="cannot read"):
        read_table(tmp_path)
    path = tmp_path / "bytes.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\xfa,224,256,100\n")
    with pytest.raises(InvalidInput, match=r"bytes\.csv' is no table of speeds: it is no CSV text"):
        read_table(path)
    path.write_bytes(b"")
    with pytest.raises(InvalidInput, match="has no column model"):
        read_table(path)


# ------------------------------------------------------------------------------------------------------ what it teaches


def test_every_kind_has_every_number_once() -> None:
    parts = [part for number in NUMBERS for part in number.parts]
    assert len(parts) == len(set(parts))
    for amount in ("read_bytes", "write_bytes", "weight_bytes", "calls"):
        assert {kind for kind, own in parts if own == amount} == set(KINDS)


@pytest.mark.parametrize("fused", [False, True], ids=["eager", "fused"])
def test_the_platform_that_made_a_table_is_learned_from_it(fused: bool) -> None:
    truth = made(fused)
    counted, left_out = count_rows(table_of(truth), of_row)
    assert left_out == []
    found = fit("learned", counted, device="cuda", dtype="float16", table="speeds.csv")
    assert found.fused is fused
    for name in ZOO:
        told = predict(of_zoo(name), found).total.total
        assert told == pytest.approx(predict(of_zoo(name), truth).total.total, rel=0.01)
    assert found.median_error <= found.error < 0.01
    assert (found.name, found.device, found.dtype, found.bandwidths) == ("learned", "cuda", "float16", ())
    assert (found.provenance["learned_from"], found.provenance["models"]) == ("speeds.csv", len(ZOO))
    assert found.laws == laws_of(NUMBERS, list(found.provenance["numbers"].values()))


def test_a_model_that_cannot_be_counted_is_named_and_the_others_are_kept() -> None:
    said: list[str] = []
    rows = table_of(made(False), ZOO[:3])
    rows.insert(1, Row("unknown_net", 224, 1, 1.0))
    counted, left_out = count_rows(rows, of_row, said.append)
    assert [each.row.model for each in counted] == list(ZOO[:3])
    assert left_out == ["unknown_net: no model named 'unknown_net'"]
    assert said[1] == "counting unknown_net: 2 of 4"
    for each in counted:
        assert each.eager.seconds == each.fused.seconds == each.row.seconds
        assert sum(work.calls for work in each.fused.works.values()) < sum(
            work.calls for work in each.eager.works.values()
        )


def test_too_few_models_teach_nothing() -> None:
    counted, _ = count_rows(table_of(made(False), ZOO[:FEWEST]), of_row)
    assert len(counted) == FEWEST
    fit("enough", counted, device="cpu", dtype="float32", table="t.csv")
    with pytest.raises(InvalidInput, match=f"{FEWEST - 1} models of t.csv could be counted; .* at least {FEWEST}"):
        fit("few", counted[1:], device="cpu", dtype="float32", table="t.csv")


# ----------------------------------------------------------------------------------------------------- the command line

SMALL = (
    "test_byobnet", "test_efficientnet", "test_efficientnet_ln", "test_mambaout", "test_nfnet", "test_resnet",
    "test_vit", "test_vit2", "test_vit3", "test_convnext", "test_convnext2", "test_convnext3", "lcnet_050",
    "no_such_model",
)  # fmt: skip


def test_a_table_of_timms_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{name},160,2,{100 + 7 * i}" for i, name in enumerate(SMALL)]
    output = tmp_path / "learned.json"
    arguments = ["platforms", "fit", str(written(tmp_path, *lines)), "--name", "learned", "--output", str(output)]
    capsys.readouterr()
    assert main([*arguments, "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    told = json.loads(captured.out)
    assert told["provenance"]["models"] == len(SMALL) - 1
    assert [line.partition(":")[0] for line in told["left_out"]] == ["no_such_model"]
    assert load(str(output)).provenance["learned_from"] == "speeds.csv"
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert "left out, as they could not be counted: no_such_model:" in " ".join(captured.out.split())
