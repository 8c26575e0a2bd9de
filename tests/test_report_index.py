"""The index of the reports is what the experiments and their reports make it; all experiments run by one command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.reporting import everything
from experiments.reporting.asked import EXPERIMENTS, Asked, all_asked, asked, experiment_of
from experiments.reporting.index import NAME, index
from experiments.reporting.options import REPORTS
from experiments.reporting.verdicts import verdicts

ROOT = EXPERIMENTS.parent
ENVIRONMENT = {"date": "2026-01-02", "device": "a processor", "system": "Linux", "python": "3.11.0", "torch": "2.9.0"}
TABLE = """\
# Title

| model | expected | found | verdict |
| :-- | :-- | --: | --: |
| one | no more than 1 | 0.5 | met |
| two | no more than 1 | 1.5 | not met |
"""
TWO_TABLES = """\
# Title

## here

| table | rank | at least 0.9 |
|--|--|--|
| a\\|b | 0.8 | not met |

## there

| table | rank | at least 0.9 |
|--|--|--|
| c | 0.95 | met |
"""


def an_experiment(folder: Path, name: str = "a_question", usage: str = "") -> Path:
    path = folder / f"{name}.py"
    path.write_text(
        f'"""Is it so?\n\nQuestion: is it\nreally so?\nExpectation: it is.\nSource: a paper.\n\n'
        f'    python -m experiments.{name}{usage} [--smoke]\n"""\n',
        encoding="utf-8",
    )
    return path


def a_report(reports: Path, name: str = "a_question", table: str = TABLE) -> Path:
    folder = reports / name
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"environment": ENVIRONMENT}), encoding="utf-8")
    (folder / "table.md").write_text(table, encoding="utf-8")
    return folder


def test_the_index_is_up_to_date() -> None:
    kept = (REPORTS / NAME).read_text(encoding="utf-8")
    assert kept == index(REPORTS, all_asked()), "'make index' brings it up to date"


def test_what_the_index_links_to_exists() -> None:
    kept = (REPORTS / NAME).read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\S+)$", kept, re.MULTILINE))
    for link in re.findall(r"\]\(([^)]+)\)", kept):
        assert link.removeprefix("#") in headings if link.startswith("#") else (REPORTS / link).is_file()


def test_every_report_is_in_the_index() -> None:
    kept = (REPORTS / NAME).read_text(encoding="utf-8")
    for folder in REPORTS.iterdir():
        if folder.is_dir():
            assert kept.count(f"![{folder.name}]({folder.name}/figure.svg)") == 1


def test_a_report_has_a_section(tmp_path: Path) -> None:
    a_report(tmp_path / "reports")
    made = index(tmp_path / "reports", [asked(an_experiment(tmp_path))])
    assert "*Asked:* is it really so?" in made
    assert "*Expected:* it is." in made
    assert "**1 of 2** expectations met.\n\n- not met: two, no more than 1, found 1.5\n" in made
    assert "![a_question](a_question/figure.svg)" in made
    assert "*Made:* 2026-01-02 on a processor; Linux; Python 3.11.0; torch 2.9.0." in made
    assert "Without a report" not in made


def test_a_survey_has_a_table_and_no_verdict(tmp_path: Path) -> None:
    a_report(tmp_path / "reports", table="# Title\n\n|  | one |\n|--|--|\n| can | yes |\n")
    made = index(tmp_path / "reports", [asked(an_experiment(tmp_path))])
    assert "*Found:* [a table](a_question/table.md).\n\n![a_question]" in made


def test_a_changed_report_changes_the_index(tmp_path: Path) -> None:
    folder = a_report(tmp_path / "reports")
    experiments = [asked(an_experiment(tmp_path))]
    before = index(tmp_path / "reports", experiments)
    (folder / "table.md").write_text(TABLE.replace("not met", "met"), encoding="utf-8")
    assert index(tmp_path / "reports", experiments) != before


def test_a_question_without_a_report_is_named(tmp_path: Path) -> None:
    made = index(tmp_path / "reports", [asked(an_experiment(tmp_path))])
    assert "## Without a report\n\n- `a_question`: Is it so?\n" in made


def test_a_report_without_a_question_is_an_error(tmp_path: Path) -> None:
    a_report(tmp_path / "reports", "of_nothing")
    with pytest.raises(ValueError, match="no experiment makes: of_nothing"):
        index(tmp_path / "reports", [asked(an_experiment(tmp_path))])


def test_a_report_of_another_device_belongs_to_the_longest_name() -> None:
    short, long = (Asked(name, "", "", "", "", reads_tables=False) for name in ("g1", "g1_width"))
    assert experiment_of("g1_width_cuda", [short, long]) is long
    assert experiment_of("g1_width", [short, long]) is long
    assert experiment_of("g1_cuda", [short, long]) is short
    assert experiment_of("g10", [short, long]) is None


def test_a_docstring_that_asks_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vague.py"
    path.write_text('"""Something.\n\nQuestion: what?\n"""\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"vague\.py: the docstring has no Expectation and no Source"):
        asked(path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("# T\n\nAll is **met**.\n\nMore words.\n\n| a |\n|--|\n| 1 |\n", ["All is **met**."]),
        ("# T\n\nA source.\n\n- one\n- two\n\n## Next\n\nwords\n", ["- one\n- two"]),
        (
            TWO_TABLES,
            ["**1 of 2** expectations met.", "- not met: here, at least 0.9, a\\|b, rank 0.8"],
        ),
        ("# T\n\n| expected | verdict |\n|--|--|\n| x | met |\n", ["**1 of 1** expectations met."]),
        ("# T\n\n![figure](figure.svg)\n", []),
    ],
)
def test_what_a_report_found(table: str, said: list[str]) -> None:
    assert verdicts(table) == said


def test_the_command_of_an_experiment(tmp_path: Path) -> None:
    plain = asked(an_experiment(tmp_path))
    reading = asked(an_experiment(tmp_path, "a_table", " TABLE.csv ..."))
    tables = [tmp_path / "speeds.csv"]
    assert everything.command(plain, tables, None, smoke=False) == [sys.executable, "-m", "experiments.a_question"]
    assert everything.command(reading, tables, tmp_path, smoke=True)[3:] == [
        str(tables[0]), "--output", str(tmp_path / "a_table"), "--smoke",
    ]  # fmt: skip


def test_which_experiments_read_tables() -> None:
    reading = {each.name for each in all_asked() if each.reads_tables}
    sources = {path.stem for path in EXPERIMENTS.glob("*.py") if "tables=True" in path.read_text(encoding="utf-8")}
    assert reading == sources
    assert reading


@pytest.mark.slow
def test_all_are_run_and_those_without_their_tables_are_skipped(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            sys.executable, "-m", "experiments.reporting.everything", "--smoke", "--output", str(tmp_path),
            "--only", "published_complexity", "--only", "flops_are_not_speed",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "flops_are_not_speed: skipped, it reads tables of measured speeds" in ran.stdout
    assert "published_complexity: done" in ran.stdout
    assert [each.name for each in tmp_path.iterdir()] == ["published_complexity"]


def test_one_that_fails_does_not_keep_the_others_from_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(everything, "all_asked", lambda: [asked(an_experiment(tmp_path, name)) for name in ("a", "b")])
    # Neither is a module of the package, so that both fail.
    monkeypatch.setattr(sys, "argv", ["everything", "--output", str(tmp_path / "reports")])
    with pytest.raises(SystemExit, match="failed: a, b"):
        everything.main()
    assert "b: failed with exit status 1" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [(["--smoke"], "--smoke needs --output"), (["--only", "nothing"], "no such experiment: nothing")],
)
def test_what_cannot_be_meant_is_refused(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["everything", *given])
    with pytest.raises(SystemExit):
        everything.main()
    assert said in capsys.readouterr().err


def test_the_makefile_has_their_targets() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))
    assert {"experiments", "index", "notebooks"} <= targets
    assert set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()) == targets
    tested = re.search(r"^test:(.*\n)(?:\t.*\n)*", text, re.MULTILINE)
    assert tested is not None
    assert "experiments" not in tested[0]
