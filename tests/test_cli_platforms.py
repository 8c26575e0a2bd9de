"""`macprof platforms`, `macprof why` and `macprof calibrate`: what they say, and what they refuse in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mac_profiler.cli import main
from mac_profiler.environment import describe_environment
from mac_profiler.layout import cells
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.shelf import load, place_of, save
from tests.machines import BANDWIDTHS, machine, of_zoo

WHY = ["why", "--model", "shufflenet_v2"]
ELSEWHERE = {"cpu": "a processor that nobody has", "torch": "2.0.0", "date": "2026-01-02 03:04:05 UTC"}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's data, and a narrow terminal."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A profile in a file of its own."""
    platform = machine(bandwidths=BANDWIDTHS, error=0.25, provenance=ELSEWHERE)
    save(platform, tmp_path / "machine.json")
    return str(tmp_path / "machine.json")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    return captured.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("macprof: ")
    assert captured.err.count("\n") == 1
    return captured.err


def kept(name: str, platform: Platform | None = None) -> None:
    save(platform or machine(name=name, provenance=ELSEWHERE), place_of(name, None))


# ------------------------------------------------------------------------------------------------------------ platforms


def test_nothing_is_known_yet(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    out = run(capsys, "platforms")
    assert "0 platforms" in out
    assert "macprof calibrate" in out
    assert json.loads(run(capsys, "platforms", "list", "--format", "json")) == {"schema_version": 1, "platforms": []}
    assert not (data / "data").exists(), "looking makes nothing"


def test_platforms_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    kept("one")
    kept("two")
    out = run(capsys, "platforms")
    assert "2 platforms" in out
    assert all(name in out for name in ("one", "two"))
    listed = json.loads(run(capsys, "platforms", "--format", "json"))["platforms"]
    assert [each["name"] for each in listed] == ["one", "two"]
    shown = run(capsys, "platforms", "show", "one")
    assert "Platform one" in shown
    assert "dense_conv" in shown
    assert max(map(cells, shown.splitlines())) <= 100


@pytest.mark.parametrize(("option", "value"), [("--dtype", "foo"), ("--device", "bar")])
def test_a_platform_is_fitted_for_something_that_exists(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "x.json"
    assert main(["platforms", "fit", "t.csv", "--name", "x", option, value, "--output", str(output)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"macprof: {option} cannot be '{value}'.")
    assert said.count("\n") == 1
    assert not output.exists()


def test_a_busy_machine_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for drift, told in ((0.1, False), (0.4, True)):
        path = tmp_path / f"{drift}.json"
        path.write_text(replace(machine(), provenance={"drift": drift}).to_json())
        capsys.readouterr()
        assert main(["platforms", "show", str(path)]) == 0
        assert ("calibrate anew when nothing else runs" in " ".join(capsys.readouterr().out.split())) is told


def test_showing_is_the_profile(capsys: pytest.CaptureFixture[str], file: str) -> None:
    told = json.loads(run(capsys, "platforms", "show", file, "--format", "json"))
    assert told == json.loads(Path(file).read_text(encoding="utf-8"))


def test_a_roofline_goes_to_a_file(capsys: pytest.CaptureFixture[str], data: Path, file: str) -> None:
    out = data / "roof.svg"
    run(capsys, "platforms", "plot", file, "--output", str(out))
    assert b"<svg" in out.read_bytes()
    assert "give a file with --output" in refused(capsys, "platforms", "plot", file)
    assert ".png or .svg" in refused(capsys, "platforms", "plot", file, "--output", str(data / "roof.pdf"))
    assert not (data / "roof.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("shwo",), "did you mean 'show'"),
        (("show",), "takes a platform, not 0 names"),
        (("show", "a", "b"), "takes a platform, not 2 names"),
        (("list", "a"), "takes nothing, not 1 names"),
        (("plot",), "takes a platform"),
        (("fit",), "takes a table"),
        (("show", "none"), "no platform named 'none'"),
        (("plot", "none", "--output", "roof.svg"), "no platform named 'none'"),
        (("show", "none.json"), "cannot read 'none.json'"),
        (("fit", "none.csv"), "give --name"),
        (("fit", "none.csv", "--name", "a/b"), "is named with letters"),
        (("fit", "none.csv", "--name", "one"), "cannot read 'none.csv'"),
        (("--format", "xml"), "xml"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    assert reason.lower() in refused(capsys, "platforms", *arguments).lower()


def test_a_damaged_profile_is_one_line(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    kept("one")
    (data / "data" / "macprof" / "platforms" / "two.json").write_text('{"schema_version": 1, "laws": {}}')
    for arguments in (["platforms"], ["platforms", "show", "two"], [*WHY, "--platform", "two"]):
        assert "two.json" in refused(capsys, *arguments)


# ------------------------------------------------------------------------------------------------------------------ why


def test_why_adds_up(capsys: pytest.CaptureFixture[str], file: str) -> None:
    data = json.loads(run(capsys, *WHY, "--platform", file, "--format", "json"))
    expected = predict(of_zoo("shufflenet_v2"), load(file))
    totals = data["totals"]
    assert totals["seconds"] == expected.total.total
    assert totals["seconds"] == pytest.approx(totals["compute"] + totals["memory"] + totals["launch"], rel=1e-12)
    assert totals["high_seconds"] == pytest.approx(1.25 * totals["seconds"])
    for rows in (data["ops"], data["kinds"].values()):
        for part in ("seconds", "compute", "memory", "launch"):
            assert sum(each[part] for each in rows) == pytest.approx(totals[part], rel=1e-9)
    assert len(data["ops"]) == len(expected.tasks)
    assert (data["platform"], totals["complete"]) == ("made-up", True)
    # Nothing was measured.
    assert {each["measured_seconds"] for each in data["ops"]} == {None}


def test_why_by_name_batch_and_engine(capsys: pytest.CaptureFixture[str], file: str) -> None:
    kept("mine", load(file))

    def seconds(*more: str) -> float:
        data = json.loads(run(capsys, *WHY, "--platform", "mine", "--format", "json", *more))
        return float(data["totals"]["seconds"])

    alone = seconds()
    assert alone == predict(of_zoo("shufflenet_v2"), load(file)).total.total
    assert alone < seconds("--batch", "4") == seconds("--input", "4x3x224x224")
    engine = machine(bandwidths=BANDWIDTHS, fused=True)
    assert seconds("--fused") == predict(of_zoo("shufflenet_v2"), engine).total.total
    assert seconds("--arg", "num_classes=10") < alone


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_why_for_a_reader(capsys: pytest.CaptureFixture[str], data: Path, file: str, form: str) -> None:
    picture = data / "roof.svg"
    out = run(capsys, *WHY, "--platform", file, "--format", form, "--depth", "2", "--roofline", str(picture))
    assert "depthwise_conv" in out.replace("\\", "")
    assert picture.stat().st_size > 1000
    if form == "text":
        assert max(map(cells, out.splitlines())) <= 100
        assert "computing" in out


def test_why_needs_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert "macprof calibrate" in refused(capsys, *WHY)
    assert "macprof calibrate" in refused(capsys, *WHY, "--measure")
    kept("elsewhere")
    said = refused(capsys, *WHY)
    assert "a processor that nobody has" in said
    assert "macprof calibrate" in said


def test_why_takes_the_profile_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    kept("elsewhere")
    kept("here", machine(name="here", provenance=describe_environment()))
    assert json.loads(run(capsys, *WHY, "--format", "json"))["platform"] == "here"


def test_another_machine_is_not_measured_here(capsys: pytest.CaptureFixture[str], data: Path, file: str) -> None:
    said = refused(capsys, *WHY, "--platform", file, "--measure")
    assert "--measure" in said
    assert "a processor that nobody has" in said
    learned = data / "learned.json"
    save(machine(provenance={"learned_from": "speeds.csv"}), learned)
    assert "learned from speeds.csv" in refused(capsys, *WHY, "--platform", str(learned), "--measure")


def test_measured_times_stand_beside(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    here = data / "here.json"
    save(machine(provenance=describe_environment()), here)
    arguments = ("why", "--model", "shufflenet_v2_x0_5", "--input", "1x3x32x32", "--platform", str(here), "--measure")
    told = json.loads(run(capsys, *arguments, "--format", "json"))
    convolutions = [each["measured_seconds"] for each in told["ops"] if each["target"] == "aten.convolution"]
    assert convolutions
    assert all(seconds > 0 for seconds in convolutions)
    assert sum(told["shares"]["measured"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "shufflenet_v9"), "shufflenet_v9"),
        (("--model", "shufflenet_v2", "--input", "1x3xfour"), "1x3xfour"),
        (("--model", "shufflenet_v2", "--roofline", "roof.pdf"), "roofline"),
        (("--model", "shufflenet_v2", "--format", "xml"), "xml"),
    ],
)
def test_what_cannot_be_told_is_one_line(
    capsys: pytest.CaptureFixture[str], file: str, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(capsys, "why", "--platform", file, *arguments)


# ------------------------------------------------------------------------------------------------------------ calibrate


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--name", "a/b"), "is named with letters"),
        (("--output", "none/one.json"), "does not exist"),
        (("--format", "xml"), "xml"),
    ],
)
def test_what_could_not_be_kept_is_not_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.setattr("mac_profiler.conduct.conduct", lambda *_, **__: pytest.fail("it was measured"))
    assert reason in refused(capsys, "calibrate", *arguments)
