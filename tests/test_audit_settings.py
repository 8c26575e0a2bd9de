"""Settings of an audit: the nearest table, every wrong key in one line, and rules selected as ruff selects them."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.audit_settings import AuditSettings, check_codes, ignored_at, merged, read_settings, selects
from mac_profiler.errors import InvalidInput

KNOWN = {
    "G101": "unequal-channel-width",
    "G102": "narrow-output",
    "G201": "many-groups",
    "G205": "grouped-pointwise",
    "G301": "fragmented-block",
    "M001": "dead-module",
}
WHOLE = """
[tool.macprof]
select = ["G1", "many-groups"]
ignore = ["G102"]
min-severity = "warning"
baseline = "audit/known.json"
platform = "laptop"
exit-zero = true

[tool.macprof.limits]
G101 = 2.5
many-groups = 4

[tool.macprof.budget]
mult_adds = "150M"
parameters = 3_000_000

[tool.macprof.per-module-ignore]
"features.*" = ["G1"]
"" = ["dead-module"]
"""


def read(folder: Path, text: str, name: str = "pyproject.toml") -> AuditSettings:
    (folder / name).write_text(text, encoding="utf-8")
    settings, file = read_settings(KNOWN, file=folder / name)
    assert file == folder / name
    return settings


def refused(folder: Path, text: str, name: str = "pyproject.toml") -> str:
    """What is said of a file that is wrong; one line with the file in it."""
    with pytest.raises(InvalidInput) as caught:
        read(folder, text, name)
    said = str(caught.value)
    assert "\n" not in said
    assert f"'{folder / name}'" in said
    return said


def table(text: str) -> str:
    return f"[tool.macprof]\n{text}\n"


# ------------------------------------------------------------------------------------------------------------- the file


def test_a_table_with_everything_in_it(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)
    assert settings == AuditSettings(
        select=("G1", "G201"),
        ignore=("G102",),
        min_severity="warning",
        limits={"G101": 2.5, "G201": 4.0},
        budget={"mult_adds": 150_000_000, "parameters": 3_000_000},
        baseline=str(tmp_path / "audit" / "known.json"),
        platform="laptop",
        exit_zero=True,
        per_module_ignore={"features.*": ("G1",), "": ("M001",)},
    )
    bare = WHOLE.replace("[tool.macprof]", "").replace("tool.macprof.", "")
    assert read(tmp_path, bare, "macprof.toml") == settings


def test_an_empty_table_is_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "[tool.macprof]") == read(tmp_path, "", "macprof.toml") == AuditSettings()


def test_the_nearest_file_with_the_table_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(table('select = ["G1"]'))
    (tmp_path / "a" / "pyproject.toml").write_text(table('select = ["G2"]'))
    (tmp_path / "a" / "b" / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\n')
    (inner / "pyproject.toml").mkdir()
    settings, file = read_settings(KNOWN, folder=inner)
    assert (settings.select, file) == (("G2",), tmp_path / "a" / "pyproject.toml")
    monkeypatch.chdir(inner)
    assert read_settings(KNOWN) == (settings, file)
    assert read_settings(KNOWN, folder=Path("../../..")) == (
        replace(settings, select=("G1",)), tmp_path / "pyproject.toml"
    )  # fmt: skip


def test_without_a_table_there_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = 3\n")
    # Whatever lies above the folder of the tests is no part of the test.
    settings, file = read_settings(KNOWN, folder=tmp_path)
    assert file is None or not file.is_relative_to(tmp_path)
    assert settings == AuditSettings() or file is not None


def test_a_file_that_was_named_has_the_table(tmp_path: Path) -> None:
    assert "has no table [tool.macprof]" in refused(tmp_path, "[tool.ruff]\n")
    assert "cannot be 3" in refused(tmp_path, "[tool]\nmacprof = 3\n")
    with pytest.raises(InvalidInput, match=r"cannot read '.*none\.toml': No such file"):
        read_settings(KNOWN, file=tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match=r"cannot read '.*': Is a directory"):
        read_settings(KNOWN, file=tmp_path)


@pytest.mark.parametrize("platform", ["machines/laptop.json", "laptop.json", "./laptop"])
def test_a_platform_in_a_file_is_found_beside_the_settings(tmp_path: Path, platform: str) -> None:
    assert read(tmp_path, table(f'platform = "{platform}"')).platform == str(tmp_path / platform)
    assert read(tmp_path, table('baseline = "/known.json"')).baseline == "/known.json"
    assert read(tmp_path, table('baseline = "known"')).baseline == str(tmp_path / "known")


def test_what_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    assert "(at line 2, column 8)" in refused(tmp_path, "[tool.macprof]\nselect ['G1']")
    assert "mend the TOML" in refused(tmp_path, table("select = 1\nselect = 2"))
    assert "mend the TOML" in refused(tmp_path, table("x = " + "9" * 5000))
    assert "mend the TOML" in refused(tmp_path, table("x = " + "[" * 20_000))
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.macprof]\nbaseline = '\xff'")
    for place in ({"file": tmp_path / "pyproject.toml"}, {"folder": tmp_path}):
        with pytest.raises(InvalidInput, match="it is no text in UTF-8"):
            read_settings(KNOWN, **place)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('selekt = ["G1"]', "no setting is named 'selekt'. Did you mean 'select'?"),
        ('min_severity = "info"', "Did you mean 'min-severity'?"),
        ('exit_zero = true', "Did you mean 'exit-zero'?"),
        ('per-file-ignores = {}', "Did you mean 'per-module-ignore'?"),
        ('zzz = 1', "The settings are select, ignore, min-severity"),
        ('"a\\nb" = 1', "no setting is named"),
        ('select = "G1"', "select: it cannot be 'G1'; write a list of texts"),
        ('select = [1]', "select: it cannot be [1]"),
        ('select = ["G9"]', "select: no rule is 'G9'. The rules are G101, G102"),
        ('select = ["g101"]', "Did you mean 'G101'"),
        ('ignore = ["unequal-chanel-width"]', "ignore: no rule is 'unequal-chanel-width'. Did you mean 'unequal-ch"),
        ('ignore = [""]', "ignore: no rule is ''"),
        ('select = ["all"]', "Did you mean 'ALL'"),
        ('min-severity = "warn"', "min-severity: no severity is 'warn'. Did you mean 'warning'? It is one of info"),
        ('min-severity = 2', "no severity is 2."),
        ('min-severity = ["info"]', "no severity is ['info']."),
        ('exit-zero = 1', "exit-zero: it cannot be 1; write true or false"),
        ('baseline = ""', "baseline: it cannot be ''; write a text"),
        ('baseline = 1979-05-27', "baseline: it cannot be"),
        ('platform = ["a"]', "platform: it cannot be ['a']"),
        ('limits = 3', "limits: it cannot be 3; write a table"),
        ('limits = {G1 = 3}', "limits: no rule is 'G1'. Did you mean"),
        ('limits = {G101 = "3"}', "limits: the limit of G101 cannot be '3'; write a number, 0 or more"),
        ('limits = {G101 = true}', "cannot be True"),
        ('limits = {G101 = nan}', "cannot be nan"),
        ('limits = {G101 = inf}', "cannot be inf"),
        ('limits = {G101 = -1}', "cannot be -1"),
        ('limits = {G101 = 1, unequal-channel-width = 2}', "G101 is there twice"),
        ('budget = "flops=3"', "budget: it cannot be 'flops=3'; write a table"),
        ('budget = {flop = 3}', "budget: no figure named 'flop'. Did you mean 'flops'"),
        ('budget = {flops = "3m"}', "budget: flops: '3m' is no amount"),
        ('budget = {flops = 1.5}', "budget: flops: '1.5' is no whole number"),
        ('budget = {flops = true}', "budget: flops: 'True' is no amount"),
        ('per-module-ignore = ["G1"]', "per-module-ignore: it cannot be ['G1']; write a table"),
        ('per-module-ignore = {"a.*" = "G1"}', "per-module-ignore: 'a.*': it cannot be 'G1'"),
        ('per-module-ignore = {"a.*" = ["G7"]}', "per-module-ignore: 'a.*': no rule is 'G7'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_key(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refused(tmp_path, table(text))
    assert reason in refused(tmp_path, text, "macprof.toml")


# ------------------------------------------------------------------------------------------------------------ selection


def chosen(settings: AuditSettings) -> set[str]:
    return {code for code in KNOWN if selects(code, settings)}


@pytest.mark.parametrize(
    ("select", "ignore", "codes"),
    [
        ((), (), set(KNOWN)),
        (("G1",), (), {"G101", "G102"}),
        (("G101",), (), {"G101"}),
        (("G1",), ("G102",), {"G101"}),
        (("G101",), ("G1",), {"G101"}),
        (("G101",), ("G101",), set()),
        (("ALL",), ("G",), {"M001"}),
        ((), ("ALL",), set()),
        (("M",), ("ALL",), {"M001"}),
        (("G10", "G2"), ("G1", "G20"), {"G101", "G102"}),
        ((), ("G10", "G20"), {"G301", "M001"}),
    ],
)
def test_the_more_specific_wins(select: tuple[str, ...], ignore: tuple[str, ...], codes: set[str]) -> None:
    assert chosen(AuditSettings(select, ignore)) == codes


def test_a_file_that_selects_nothing(tmp_path: Path) -> None:
    nothing = read(tmp_path, table("select = []"))
    assert chosen(nothing) == set()
    assert chosen(merged(nothing, KNOWN, extend_select=["G2"])) == {"G201", "G205"}


def test_codes_and_names() -> None:
    assert check_codes(["G1, many-groups", "G201", "ALL"], KNOWN) == ("G1", "G201", "ALL")
    assert check_codes(["G", "M001"], list(KNOWN)) == ("G", "M001")
    assert check_codes([], KNOWN) == ()
    with pytest.raises(InvalidInput, match="no rule is 'many-groups'"):
        check_codes(["many-groups"], list(KNOWN))
    with pytest.raises(InvalidInput, match="no rule is ''"):
        check_codes(["G1,"], KNOWN)


SELECTORS = st.lists(st.sampled_from(["ALL", *sorted({code[:n] for code in KNOWN for n in (1, 2, 3, 4)})]), max_size=4)


def as_ruff_does(file: tuple[list[str], list[str]], line: tuple[list[str], list[str], list[str]]) -> set[str]:
    """Slowly, layer by layer, from the least specific to the most; what is not told remains as it was."""
    state = dict.fromkeys(KNOWN, False)
    select, extend, ignore = line
    layers = [([*select, *extend], ignore)] if select else [(file[0] or ["ALL"], file[1]), (extend, ignore)]
    for wanted, unwanted in layers:
        for length in range(5):
            for selectors, value in ((wanted, True), (unwanted, False)):
                for selector in ("" if each == "ALL" else each for each in selectors):
                    if len(selector) == length:
                        state.update({code: value for code in KNOWN if code.startswith(selector)})
    return {code for code, value in state.items() if value}


@given(SELECTORS, SELECTORS, SELECTORS, SELECTORS, SELECTORS)
def test_files_and_command_lines_are_resolved_as_ruff_does(
    select: list[str], ignore: list[str], over: list[str], extend: list[str], drop: list[str]
) -> None:
    settings = AuditSettings(tuple(select), tuple(ignore))
    assert chosen(settings) == as_ruff_does((select, ignore), ([], [], []))
    given_both = merged(settings, KNOWN, select=over, extend_select=extend, ignore=drop)
    assert chosen(given_both) == as_ruff_does((select, ignore), (over, extend, drop))


@given(SELECTORS, SELECTORS, SELECTORS)
def test_more_ignored_is_never_more_selected(select: list[str], ignore: list[str], more: list[str]) -> None:
    few, many = AuditSettings(tuple(select), tuple(ignore)), AuditSettings(tuple(select), (*ignore, *more))
    assert chosen(many) <= chosen(few)
    assert chosen(merged(few, KNOWN, ignore=more)) <= chosen(few) <= chosen(merged(few, KNOWN, extend_select=more))


# ----------------------------------------------------------------------------------------------------- the command line


def test_nothing_given_changes_nothing(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)
    assert merged(settings, KNOWN) == settings
    assert merged(settings, KNOWN, select=[], ignore=None, limits=None, exit_zero=None, budget=None) == settings


def test_the_command_line_outweighs_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)
    over = merged(
        settings, KNOWN, select=["G2,G3"], min_severity="error", limits={"many-groups": 8}, budget={"flops": 1},
        baseline="other.json", exit_zero=False,
    )  # fmt: skip
    assert (over.select, over.ignore) == (("G2", "G3"), ()), "what the file ignores is of what the file selects"
    assert (over.min_severity, over.baseline, over.exit_zero) == ("error", "other.json", False)
    assert over.limits == {"G101": 2.5, "G201": 8.0}
    assert over.budget == {"flops": 1}
    assert (over.platform, over.per_module_ignore) == (settings.platform, settings.per_module_ignore)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"select": ["G9"]}, "--select: no rule is 'G9'"),
        ({"ignore": ["G1", "G9"]}, "--ignore: no rule is 'G9'"),
        ({"extend_select": ["many-group"]}, "--extend-select: no rule is 'many-group'. Did you mean 'many-groups'"),
        ({"min_severity": "errors"}, "--min-severity: no severity is 'errors'. Did you mean 'error'"),
        ({"limits": {"G1": 2}}, "--limit: no rule is 'G1'"),
        ({"limits": {"G101": -2}}, "--limit: the limit of G101 cannot be -2"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        merged(AuditSettings(), KNOWN, **given)
    assert reason in str(caught.value)


# ----------------------------------------------------------------------------------------------------- module by module


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("features.*", ["features.0", "features.0.conv"], ["features", "", "my.features.0"]),
        ("features", ["features"], ["features.0", ""]),
        ("", [""], ["a"]),
        ("*", ["", "a", "a.b"], []),
        ("*.conv?", ["a.conv1", "a.b.conv2"], ["conv1", "a.conv", "A.CONV1"]),
        ("layer[12].*", ["layer1.0"], ["layer3.0"]),
        ("!head*", ["", "body"], ["head", "head.fc"]),
    ],
)
def test_rules_that_are_not_wanted_in_some_modules(pattern: str, inside: list[str], outside: list[str]) -> None:
    settings = AuditSettings(per_module_ignore={pattern: ("G1",), "no.such": ("ALL",)})
    assert [path for path in inside + outside if ignored_at("G101", path, settings)] == inside
    assert not any(ignored_at("G201", path, settings) for path in inside + outside)
    assert ignored_at("G201", "no.such", settings)


@given(st.text("ab.*?", max_size=5), st.text("ab.", max_size=5))
def test_a_pattern_and_its_negation_share_the_modules(pattern: str, path: str) -> None:
    plain, negated = (AuditSettings(per_module_ignore={each: ("ALL",)}) for each in (pattern, f"!{pattern}"))
    assert ignored_at("G101", path, plain) == fnmatchcase(path, pattern)
    assert ignored_at("G101", path, plain) != ignored_at("G101", path, negated)
