"""What the documentation shows is what the program does, and the site is whole without a network."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from mac_profiler.audit import RULES
from mac_profiler.cli import app
from mac_profiler.cost import FORMULAS
from website import mathematics, pages, terminal
from website.excerpts import ROOT
from website.shown import DOCS, commands, fences, refreshed, tutorials, write_files

PAGES = sorted(DOCS.rglob("*.md"))
WITH_CODE = [path for path in PAGES if any(each.language == "python" for each in fences(path.read_text("utf-8")))]


def name_of(path: Path) -> str:
    return path.relative_to(DOCS).as_posix()


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_the_python_of_a_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [each for each in fences(path.read_text(encoding="utf-8")) if each.language == "python"]
    write_files(blocks, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    len(FORMULAS), len(RULES)  # the rooms are read before, so that the copies have them
    formulas, rules = dict(FORMULAS._things), dict(RULES._things)
    own = {each.title.removesuffix(".py") for each in blocks if each.title}
    # Another test may have imported files of the same names.
    others = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    names: dict[str, Any] = {"__name__": "page"}
    try:
        for block in blocks:
            if block.title.startswith("test_"):
                run_tests(tmp_path)
            elif block.title:
                __import__(block.title.removesuffix(".py"))
            else:
                exec(compile(block.code, str(path), "exec"), names)  # noqa: S102 - the documentation's own code
    finally:
        for registry, before in ((FORMULAS, formulas), (RULES, rules)):
            registry._things.clear()
            registry._things.update(before)  # type: ignore[arg-type]
        for module in own:
            sys.modules.pop(module, None)
        sys.modules.update(others)


def run_tests(folder: Path) -> None:
    # Where macprof is installed with its entry point, the plugin would come a second time.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "mac_profiler.pytest_plugin", "--strict-markers", "-q"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@cache
def options() -> dict[str, set[str]]:
    """The options of every verb."""
    group: Any = typer.main.get_command(app())
    return {
        verb: {"--help", *(name for each in command.params for name in (*each.opts, *each.secondary_opts))}
        for verb, command in group.commands.items()
    }


def commands_of(path: Path) -> list[str]:
    return [line for each in fences(path.read_text(encoding="utf-8")) if each.language == "console"
            for line in commands(each) if line.startswith("macprof ")]  # fmt: skip


@pytest.mark.parametrize("path", [path for path in PAGES if commands_of(path)], ids=name_of)
def test_every_command_of_a_page_has_options_that_exist(path: Path) -> None:
    for line in commands_of(path):
        verb, *words = shlex.split(line.partition("|")[0], comments=True)[1:]
        assert {word for word in words if word.startswith("-")} <= options()[verb], line


@pytest.mark.slow
@pytest.mark.parametrize("path", tutorials(), ids=name_of)
def test_a_tutorial_shows_what_is_printed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert refreshed(text) == text, "write it anew: make ledger"


@pytest.mark.slow
def test_the_picture_of_the_terminal_shows_what_is_printed() -> None:
    assert terminal.PICTURE.read_text(encoding="utf-8") == terminal.picture(), "draw it anew: make ledger"


def test_every_verb_and_every_rule_has_a_page() -> None:
    made = dict(pages.pages())
    assert {f"reference/commands/{verb}.md" for verb in options()} <= set(made)
    assert len([path for path in made if re.match(r"reference/rules/g\d", path)]) == len(RULES)
    for verb, known in options().items():
        page = made[f"reference/commands/{verb}.md"]
        assert all(option in page for option in known if option.startswith("--") and option != "--no-help"), verb


def test_a_formula_becomes_mathml() -> None:
    html = mathematics.drawn(r'<p><span class="arithmatex">\(a \ge \sqrt{b}\)</span></p>')
    assert html.startswith('<p><span class="formula"><math')
    assert "<msqrt" in html
    assert "arithmatex" not in html


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="the extra 'docs' is not installed")
def test_the_site_builds_and_fetches_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    fetched = re.compile(r"""(?:\bsrc=|<link[^>]*\bhref=|\bsrcset=|url\()["']?((?:https?:)?//[^"')\s>]+)""")
    for file in (*(tmp_path / "site").rglob("*.html"), *(tmp_path / "site").rglob("*.css")):
        assert fetched.findall(file.read_text(encoding="utf-8")) == [], file
    guidelines = (tmp_path / "site" / "explained" / "guidelines.html").read_text(encoding="utf-8")
    assert guidelines.count("<math") > 20
    assert "\\sqrt" not in guidelines.replace('alttext="', "")
