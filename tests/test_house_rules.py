"""The rules that the code keeps to and that no linter knows."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mac_profiler"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "experiments").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
ROOMS = sorted(folder for folder in PACKAGE.iterdir() if folder.is_dir() and any(folder.glob("*.py")))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def shipped_files() -> list[Path]:
    """Files under version control, or about to be; in a source archive, all files."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is where PATH says
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        found = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not path.relative_to(ROOT).parts[0].startswith(".")]
    return [path for path in found if path.is_file()]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_at_most_300_lines(path: Path) -> None:
    assert lines_of(path) <= 300


def test_half_of_the_modules_have_at_most_100_lines() -> None:
    # An __init__.py that only names its room would flatter the median.
    assert statistics.median(lines_of(path) for path in MODULES if path.name != "__init__.py") <= 100


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_is_named_after_what_it_holds(path: Path) -> None:
    says_nothing = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc"}
    parts = path.relative_to(ROOT).with_suffix("").parts
    assert not says_nothing & {word for part in parts for word in part.split("_")}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.split()) >= 3


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module defines or uses, with its line; modules that it imports left out."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node.lineno


def words(identifier: str) -> list[str]:
    """Words of snake_case and CamelCase: "GMacs_of_MACs" -> ["g", "macs", "of", "macs"]."""
    return [word.lower() for word in re.findall(r"[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+|\d+", identifier)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_multiply_adds_have_one_name(path: Path) -> None:
    # "MAC" is multiply-accumulate to some and memory access cost to others; macprof means neither by it.
    ambiguous = {"mac", "macs", "gmac", "gmacs", "mmac", "mmacs", "madd", "madds", "fma", "fmas"}
    found = [
        f"{name_of(path)}:{line}: {name}"
        for name, line in identifiers(ast.parse(path.read_text(encoding="utf-8")))
        if name != "mac_profiler" and ambiguous & set(words(name))
    ]
    assert found == []


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    # A path of a person's or a machine's own; one inside a web address or a relative path is none.
    own = re.compile(rb"(?<![\w.:/~\-])(?:/(?:home|Users|root|work|tmp|mnt|opt)/[\w.]|[A-Z]:\\Users\\)")
    found = []
    for path in shipped_files():
        data = path.read_bytes()
        if b"\0" not in data:
            found += [f"{name_of(path)}: {hit.group().decode()}" for hit in own.finditer(data)]
    assert found == []


@pytest.mark.parametrize("module", ["mac_profiler", "mac_profiler.cli"])
def test_importing_the_package_is_light(module: str) -> None:
    heavy = ["torch", "torchvision", "timm", "transformers", "fvcore", "pandas", "matplotlib", "numpy"]
    script = f"import sys, {module}; print(*(name for name in {heavy} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_is_documented(room: Path) -> None:
    sign = room / "__init__.py"
    assert sign.is_file(), f"{name_of(room)} has no __init__.py that says what belongs in it"
    assert f"{room.name}/" in (ROOT / "README.md").read_text(encoding="utf-8"), "the README's map leaves it out"
