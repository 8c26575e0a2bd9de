"""`macprof results`: what was kept is listed, shown, exported whole and compared."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mac_profiler.cli import main
from mac_profiler.intervals import median_of, unpaired_ratio
from mac_profiler.layout import cells
from mac_profiler.measurement import Case, Measurement, Sample, Settings
from mac_profiler.store import open_store

NAMES = ["aa000001", "ab000002", "cc000003"]
NOISY = "noisy: samples are 12% off their median; close other programs, or measure longer"
FAILED = Case("g1", "x4", "1:1", {"width": 4})


def a_case(width: int) -> Case:
    return Case("g1", "x1", f"1:{width}", {"width": width})


def samples_of(width: int, slower: float) -> list[Sample]:
    """Those of three processes, a little noisy, and the same whenever they are made."""
    return [
        Sample(process, number, slower * width * (1e-3 + 1e-6 * ((7 * number + 3 * process) % 11)), 2)
        for process in range(3)
        for number in range(20)
    ]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs: of widths 1, 2, 6; of 2, 6, 12, a fifth slower, unfinished; and of another benchmark."""
    file = tmp_path / "kept" / "results.sqlite"
    file.parent.mkdir()
    names = iter(NAMES)
    monkeypatch.setattr("mac_profiler.store.recording.secrets", SimpleNamespace(token_hex=lambda _: next(names)))
    monkeypatch.setenv("MACPROF_STORE", str(file))
    monkeypatch.setenv("COLUMNS", "80")
    words = {1: "one", 4: "four"}
    with open_store() as store:
        for threads, slower, widths in ((1, 1.0, (1, 2, 6)), (4, 1.2, (2, 6, 12))):
            run = store.begin(Settings(threads=threads), {"processor": "one"}, f"processor: {words[threads]}", ["g1"])
            for width in widths:
                warnings = (NOISY,) if width == 2 else ()
                seen = tuple(samples_of(width, slower))
                run.finish(Measurement(a_case(width), seen, "precise", warnings, 2048 * width))
            if slower == 1.0:
                run.finish(Measurement(FAILED, (), "failed: out of memory"))
                run.end()
        store.begin(Settings(), {}, "processor: one", ["g2"]).add([(Case("g2", "x1", "g1"), Sample(0, 0, 1.0))])
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["results", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    return captured.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = main(["results", *arguments])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_list_has_every_run(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    out = run(capsys)
    assert run(capsys, "list") == out
    assert max(map(cells, out.splitlines())) <= 80
    assert [line.split()[0] for line in out.splitlines()[-3:]] == NAMES
    data = json.loads(run(capsys, "--format", "json"))
    assert list(data) == ["schema_version", "store", "runs"]
    assert data["store"] == str(file)
    assert [(each["id"], each["state"], each["cases"], each["done"], each["samples"]) for each in data["runs"]] == [
        (NAMES[0], "finished", 4, 4, 180), (NAMES[1], "unfinished", 3, 3, 180), (NAMES[2], "unfinished", 1, 0, 1),
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(run(capsys, "--format", "csv"))))
    assert [(row["run"], row["benchmarks"], row["state"]) for row in rows] == [
        (NAMES[0], "g1", "finished"), (NAMES[1], "g1", "unfinished"), (NAMES[2], "g2", "unfinished"),
    ]  # fmt: skip


def test_a_run_is_shown_with_its_medians_and_what_it_was_measured_with(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    out = run(capsys, "show", NAMES[0])
    assert max(map(cells, out.splitlines())) <= 80
    said = " ".join(out.split())
    for words in (NOISY, "failed: out of memory", "threads 1", "processor one", "g1/x1/1:6", "4.00 KiB", "finished"):
        assert words in said
    data = json.loads(run(capsys, "show", "aa", "--format", "json"))
    assert data["run"]["settings"] == Settings().as_json()
    assert [line["case"] for line in data["cases"]] == ["g1/x1/1:1", "g1/x1/1:2", "g1/x1/1:6", "g1/x4/1:1"]
    second, last = data["cases"][1], data["cases"][3]
    expected = median_of(Measurement(a_case(2), tuple(samples_of(2, 1.0)), ""), Settings())
    assert [second[f"{name}_seconds"] for name in ("median", "low", "high")] == [
        expected.value, expected.low, expected.high,
    ]  # fmt: skip
    assert (second["axes"], second["warnings"], second["samples"]) == ({"width": 2}, [NOISY], 60)
    assert (last["median_seconds"], last["stopped"]) == (None, "failed: out of memory")
    # Without a name, the last one.
    assert json.loads(run(capsys, "show", "-f", "json"))["run"]["id"] == NAMES[2]
    assert run(capsys, "show", "aa", "-f", "markdown").startswith("# run aa000001\n")


def test_every_sample_is_exported(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    data = json.loads(run(capsys, "export", NAMES[0]))
    assert (data["schema_version"], data["run"]["id"], len(data["measurements"])) == (1, NAMES[0], 4)
    for width, measurement in zip((1, 2, 6), data["measurements"], strict=False):
        assert measurement["samples"] == [asdict(sample) for sample in samples_of(width, 1.0)]
        assert measurement["axes"] == {"width": width}
    assert data["measurements"][3]["stopped"] == "failed: out of memory"
    rows = list(csv.DictReader(io.StringIO(run(capsys, "export", NAMES[0], "--format", "csv"))))
    assert len(rows) == 180
    assert [
        Sample(int(row["process"]), int(row["round"]), float(row["seconds"]), int(row["calls"]))
        for row in rows if row["name"] == "1:6"
    ] == samples_of(6, 1.0)  # fmt: skip
    assert {row["run"] for row in rows} == {NAMES[0]}
    assert json.loads(rows[0]["axes"]) == {"width": 1}


def test_the_ending_of_the_file_says_the_format(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path) -> None:
    assert run(capsys, "export", "aa", "--output", str(tmp_path / "a.csv")) == ""
    assert (tmp_path / "a.csv").read_text().startswith("run,benchmark,")
    run(capsys, "export", "aa", "--output", str(tmp_path / "a.txt"))
    assert json.loads((tmp_path / "a.txt").read_text())["run"]["id"] == NAMES[0]
    run(capsys, "compare", "aa", "ab", "--output", str(tmp_path / "a.md"))
    assert (tmp_path / "a.md").read_text().startswith("# run ab000002 beside run aa000001\n")


def test_parquet_has_every_sample(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path) -> None:
    import pandas as pd

    target = tmp_path / "samples.parquet"
    target.write_text("old")
    assert run(capsys, "export", "aa", "--output", str(target)) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "samples.parquet"]
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(file.stat().st_mode)
    frame = pd.read_parquet(target)
    assert len(frame) == 180
    assert list(frame[frame["name"] == "1:6"]["seconds"]) == [sample.seconds for sample in samples_of(6, 1.0)]


def test_parquet_is_written_whole_or_not_at_all(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    def fill_the_disk(_: object, path: Path, **__: object) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace())
    monkeypatch.setattr(pd.DataFrame, "to_parquet", fill_the_disk)
    target = tmp_path / "samples.parquet"
    target.write_text("old")
    assert "No space left on device; give another place" in refused(capsys, "export", "aa", "-o", str(target))
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "samples.parquet"]
    assert "give a file with --output" in refused(capsys, "export", "aa", "-f", "parquet")


def test_parquet_is_made_of_the_samples_of_the_run_that_was_named(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace())
    monkeypatch.setattr(pd.DataFrame, "to_parquet", pd.DataFrame.to_csv)
    run(capsys, "export", "aa", "-o", str(tmp_path / "a.parquet"))
    assert (tmp_path / "a.parquet").read_text() == run(capsys, "export", "aa", "-f", "csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "kept"]


def test_parquet_needs_a_package(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install 'macprof[parquet]'" in refused(capsys, "export", "-f", "parquet", "-o", str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()


def test_two_runs_are_compared_by_the_cases_that_both_have(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    out = run(capsys, "compare", "aa", "ab")
    assert max(map(cells, out.splitlines())) <= 80
    said = " ".join(out.split())
    assert "not measured alike: processor was one and is four; threads was 1 and is 4." in said
    assert "In one of them only: g1/x1/1:1, g1/x4/1:1, g1/x1/1:12." in said
    assert "Not the same case" not in said
    data = json.loads(run(capsys, "compare", "aa", "ab", "-f", "json"))
    assert [line["case"] for line in data["cases"]] == ["g1/x1/1:2", "g1/x1/1:6"]
    one, other = (Measurement(a_case(2), tuple(samples_of(2, slower)), "") for slower in (1.0, 1.2))
    expected = unpaired_ratio(one, other, Settings())
    line = data["cases"][0]
    assert line["ratio"] == pytest.approx(expected.ratio.value)
    assert line["ratio"] == pytest.approx(1.2)
    assert (line["low_ratio"], line["high_ratio"]) == pytest.approx((expected.ratio.low, expected.ratio.high))
    assert (line["verdict"], expected.verdict) == ("slower", "slower")
    assert line["second_seconds"] == pytest.approx(1.2 * line["first_seconds"])
    same = json.loads(run(capsys, "compare", "aa", NAMES[0], "-f", "json"))
    assert [each["verdict"] for each in same["cases"]] == ["same", "same", "same", None]
    assert (same["differences"], same["not_shared"]) == ([], [])


def test_a_run_with_settings_that_this_macprof_does_not_know(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("UPDATE runs SET settings = ?", (json.dumps({**Settings().as_json(), "affinity": "all"}),))
    connection.commit()
    connection.close()
    assert "affinity" in run(capsys, "show", "aa")


def test_a_case_that_has_changed_is_told(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    changed = replace(a_case(2), axes={"width": 3})
    connection = sqlite3.connect(file)
    connection.execute("UPDATE cases SET axes = ? WHERE run = 2 AND key = ?", (json.dumps(changed.axes), changed.key))
    connection.commit()
    connection.close()
    assert "Not the same case by now: g1/x1/1:2." in " ".join(run(capsys, "compare", "aa", "ab").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shw"], "Did you mean 'show'"),
        (["show", "zz"], "no run named 'zz'"),
        (["show", "a"], "'a' begins 2 runs: aa000001, ab000002; give more"),
        (["show", "aa", "ab"], "takes one run, not 2"),
        (["list", "aa"], "takes no run, not 1"),
        (["compare", "aa"], "takes two runs, not 1"),
        (["compare"], "takes two runs, not 0"),
        (["compare", "aa", "ab", "cc"], "takes two runs, not 3"),
        (["compare", "aa", "cc"], "share no case; compare runs of the same benchmark"),
        (["export", "aa", "-f", "text"], "It is one of json, csv, parquet"),
        (["show", "aa", "-f", "parquet"], "no output format named 'parquet'"),
        (["export", "aa", "-o", "/no/such/a.csv"], "'/no/such' does not exist"),
        (["export", "zz", "-o", "/no/such/a.csv"], "'/no/such' does not exist"),
        (["--store", "/no/such/a.sqlite"], "'/no/such' does not exist"),
        (["--store", __file__], "holds no results of macprof"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_line(
    capsys: pytest.CaptureFixture[str], file: Path, arguments: list[str], said: str
) -> None:
    assert said in refused(capsys, *arguments)


def test_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "results.sqlite"
    monkeypatch.setenv("MACPROF_STORE", str(place))
    assert "Nothing was measured yet" in run(capsys)
    assert json.loads(run(capsys, "-f", "json"))["runs"] == []
    assert "nothing was measured yet" in refused(capsys, "show")
    assert "does not exist" in refused(capsys, "--store", str(place))
    assert not place.exists()


def test_the_option_goes_before_the_variable(
    capsys: pytest.CaptureFixture[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MACPROF_STORE", str(file.parent / "other.sqlite"))
    assert NAMES[0] in run(capsys, "list", "--store", str(file))


def test_the_help_says_what_there_is_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run(capsys, "--help")
    assert max(map(len, out.splitlines())) <= 80
    begins = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line.strip()]
    assert {"list", "show", "export", "compare"} <= set(begins)
    assert "\b" not in out


def test_the_list_needs_nothing_heavy_and_completion_knows_the_runs(file: Path) -> None:
    code = (
        "import sys\nfrom mac_profiler.cli import main\nfrom mac_profiler.cli.results import _complete_run\n"
        "status = main(['results'])\n"
        "heavy = [name for name in ('torch', 'numpy', 'pandas', 'matplotlib') if name in sys.modules]\n"
        "print(status, heavy, _complete_run('a'), _complete_run('l'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 [] ['aa000001', 'ab000002'] ['last']"
