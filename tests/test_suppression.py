"""A comment silences the rules that it names, for the layer that it stands beside, and no other; slips are told."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.building_lines import record_building_lines
from mac_profiler.models import find
from mac_profiler.suppression import Ignore, Malformed, find_ignore, malformed, unused

COMMENT = "  # macprof: ignore[G101] reason"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "net.py") -> str:
    Path(name).write_text(textwrap.dedent(text), encoding="utf-8")
    return name


def silenced(text: str) -> list[str]:
    """Which of the calls marked in a text are silent: "a" for one that is called `conv_a`."""
    lines = textwrap.dedent(text).splitlines()
    write(text)
    return [
        mark
        for number, line in enumerate(lines, 1)
        for mark in "abcdefg"
        if f"conv_{mark}(" in line and find_ignore([f"net.py:{number}"], "G101")
    ]


def ignore_at(*lines: int, code: str = "G101", file: str = "net.py") -> Ignore | None:
    return find_ignore([f"{file}:{line}" for line in lines], code)


# ------------------------------------------------------------------------------------------------ what is written


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# macprof: ignore[G201] needed for the heads", ("G201",), "needed for the heads"),
        ("# macprof: ignore[G201]", ("G201",), ""),
        ("# macprof: ignore[G201, G1] two", ("G201", "G1"), "two"),
        ("# macprof: ignore[g201,g1]", ("G201", "G1"), ""),
        ("#macprof:ignore[G201]: see #12", ("G201",), "see #12"),
        ("# macprof: ignore [G201] - spaced", ("G201",), "spaced"),
        ("# macprof: ignore everything here", (), "everything here"),
        ("# macprof: ignore", (), ""),
        # A comment that is read, not one that silences a linter here: other tools' comments may stand around macprof's.
        ("# noqa: E501  # macprof: ignore[G201] long  # type: ignore", ("G201",), "long"),
    ],
)
def test_comments_that_silence(comment: str, codes: tuple[str, ...], reason: str) -> None:
    write(f"layer = conv()  {comment}\n")
    assert ignore_at(1, code="G201") == Ignore("net.py", 1, codes, reason)
    assert malformed(["net.py"], ["G201", "G101"]) == []


def test_codes_are_prefixes() -> None:
    write("a = conv()  # macprof: ignore[G1]\nb = conv()  # macprof: ignore[G101]\nc = conv()  # macprof: ignore\n")
    silent = {code: [line for line in (1, 2, 3) if ignore_at(line, code=code)] for code in ("G101", "G102", "G201")}
    assert silent == {"G101": [1, 2, 3], "G102": [1, 3], "G201": [3]}


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("# macprof: ignore(G101)", "square brackets"),
        ("# macprof:ignore(G101) reason", "square brackets"),
        ("# macprof: ignore{G101}", "square brackets"),
        ("# macprof: ignore G101", "square brackets"),
        ("# macprof: ignore[G101", "square brackets"),
        ("# macprof: ignroe[G101] reason", "not understood"),
        ("# macprof: ignroe", "not understood"),
        ("# macprof: Ignore[G101]", "not understood"),
        ("# macprof ignore[G101]", "not understood"),
        ("# macprof: disable[G101]", "not understood"),
        ("# macprof: ignore-file[G101]", "not understood"),
        ("# macprof: ignore-file", "not understood"),
        ("# macprof: ignore[]", "names no rule"),
        ("# macprof: ignore[unequal-width]", "'unequal-width' is no code"),
        ("# macprof: ignore[G999] reason", "'G999' names no rule"),
        ("# macprof: ignore[G101, G999, X]", "'G999' names no rule"),
    ],
)
def test_comments_that_are_nearly_right(comment: str, problem: str) -> None:
    write(f"\nlayer = conv()  {comment}\n")
    first = malformed(["net.py", "net.py"], ["G101"])[0]
    assert (first.file, first.line) == ("net.py", 2)
    assert problem in first.problem
    if "G999" not in comment:
        assert ignore_at(2) is None
        assert unused(["net.py"], []) == []


def test_of_several_codes_the_known_ones_count() -> None:
    write("layer = conv()  # macprof: ignore[G101, G999, X]\n")
    assert ignore_at(1) is not None
    assert malformed(["net.py"], ["G101"]) == [
        Malformed("net.py", 1, "'G999' names no rule"),
        Malformed("net.py", 1, "'X' names no rule"),
    ]
    assert malformed(["net.py"]) == []


@pytest.mark.parametrize(
    "line",
    [
        "# macprof: the profiler says so",
        "# macprof ignores this layer",
        "# run macprof audit --model net.py:Net",
        "# see macprof (the tool)",
        "# type: ignore[G101]",
        "# not_macprof: ignored",
        'text = "# macprof: ignore[G101]"',
        '"""\n# macprof: ignore[G101]\n# macprof: ignroe[G101]\n"""',
        "f'{1} # macprof: ignore(G101)'",
    ],
)
def test_what_is_no_such_comment(line: str) -> None:
    write(f"{line}\n")
    assert malformed(["net.py"], ["G201"]) == []
    assert unused(["net.py"], []) == []
    assert all(ignore_at(number) is None for number in range(1, 5))


def test_comments_that_silenced_nothing_are_told() -> None:
    write("a = conv()  # macprof: ignore[G101] one\nb = conv()  # macprof: ignore two\n")
    used = ignore_at(1)
    assert used is not None
    assert unused(["net.py", "net.py"], [used]) == [Ignore("net.py", 2, (), "two")]
    assert unused(["net.py"], []) == [used, Ignore("net.py", 2, (), "two")]
    assert unused([], [used]) == []


# ------------------------------------------------------------------------------------------- which layer is meant


def test_one_layer_of_a_sequential() -> None:
    text = """
    net = Sequential(
        conv_a(3, 8),  # macprof: ignore[G101] reason
        conv_b(3, 8),
        Sequential(
            conv_c(3, 8),
            conv_d(3, 8),  # macprof: ignore[G101] reason
        ),
    )
    """
    assert silenced(text) == ["a", "d"]


@pytest.mark.parametrize("line", range(2, 8))
def test_any_line_of_the_layers_call(line: int) -> None:
    text = """
    net = Sequential(
        conv_a(3, 8),
        conv_b(
            3,
            width(
                8
            ),
            bias=False,
        ),
        conv_c(3, 8),
    )
    """
    lines = textwrap.dedent(text).splitlines()
    lines[line + 1] += COMMENT
    assert silenced("\n".join(lines)) == ["b"]


@pytest.mark.parametrize("line", [1, 5])
def test_where_a_bracket_opens_or_closes_is_of_all_that_is_in_it(line: int) -> None:
    text = """
    net = Sequential(
        conv_a(3, 8),
        conv_b(3, 8),
        act(),
    )
    other = conv_c(3, 8)
    """
    lines = textwrap.dedent(text).splitlines()
    lines[line] += COMMENT
    assert silenced("\n".join(lines)) == ["a", "b"]


def test_a_bracket_that_closes_behind_a_layer_is_that_layers_line() -> None:
    text = """
    net = Sequential(conv_a(3, 8),
        conv_b(3, 8),
        conv_c(3, 8))  # macprof: ignore[G101] reason
    """
    assert silenced(text) == ["c"]
    text = """
    net = Sequential(conv_a(3, 8),  # macprof: ignore[G101] reason
        conv_b(3, 8))
    """
    assert silenced(text) == ["a"]
    text = """
    net = Sequential(
        Sequential(
            conv_a(3, 8),
        ), conv_b(3, 8),  # macprof: ignore[G101] reason
    )
    """
    assert silenced(text) == ["b"]


def test_lists_dictionaries_and_comprehensions() -> None:
    text = """
    one = [
        conv_a(3, 8),
    ]  # macprof: ignore[G101] reason
    two = ModuleDict({
        "b": conv_b(3, 8),
        "c": conv_c(3, 8),  # macprof: ignore[G101] reason
    })
    three = ModuleList([
        conv_d(3, 8)
        for _ in range(3)
    ])  # macprof: ignore[G101] reason
    four = {
        "e": conv_e(3, 8),
        "f": conv_f(3, 8),
    }
    """
    assert silenced(text) == ["a", "c", "d"]


def test_a_line_of_its_own_silences_nothing_below_it() -> None:
    text = """
    # macprof: ignore[G101] reason
    one = conv_a(3, 8)
    net = Sequential(
        conv_b(3, 8),
        # macprof: ignore[G101] reason
        conv_c(3, 8),
    )
    """
    assert silenced(text) == []


def test_a_call_with_another_on_its_first_line() -> None:
    text = """
    one = conv_a(width(24),
        8,  # macprof: ignore[G101] reason
        3)
    two = conv_b(width(24), 8,
        3)  # macprof: ignore[G101] reason
    """
    assert silenced(text) == ["a", "b"]


def test_calls_of_methods_below_each_other() -> None:
    text = """
    net = (
        Builder()
        .conv_a(3)
        .conv_b(3)  # macprof: ignore[G101] reason
        .conv_c(3)
        .conv_d(
            8,  # macprof: ignore[G101] reason
        )
    )
    """
    assert silenced(text) == ["b", "d"]
    write("a = (\n    nn\n    .conv(\n        8,  # macprof: ignore[G101]\n    )\n)\n")
    assert [line for line in range(1, 7) if ignore_at(line)] == [2, 3, 4]


def test_a_loop_and_a_call_that_led_there() -> None:
    write(
        """\
        def block(width):
            return nn.Conv2d(3, width, 3)

        class Net:
            def __init__(self):
                for width in (3, 8):
                    layers.append(
                        block(
                            width,
                        )
                    )  # macprof: ignore[G101] reason
                self.other = block(8)
        """
    )
    assert ignore_at(2) is None
    assert ignore_at(2, 8) == Ignore("net.py", 11, ("G101",), "reason")
    assert ignore_at(2, 12) is None


def test_what_stands_within_a_call_that_led_there_is_of_others() -> None:
    write(
        """\
        net = stage(
            conv(3, 8),  # macprof: ignore[G101] reason
            8,
        )
        """
    )
    # A layer of line 9 that stage makes is not the one that it is given.
    assert ignore_at(9, 1) is None
    assert ignore_at(2) is not None


def test_the_innermost_line_with_a_comment_is_told() -> None:
    write("a = conv()  # macprof: ignore[G101] in\nb = a()  # macprof: ignore[G101] out\nc = b()  # macprof: ignore\n")
    assert [ignore_at(*lines) for lines in ((1, 2), (9, 2), (2, 1))] == [
        Ignore("net.py", 1, ("G101",), "in"),
        Ignore("net.py", 2, ("G101",), "out"),
        Ignore("net.py", 2, ("G101",), "out"),
    ]
    found = ignore_at(1, 2, 3, code="G2")
    assert found == Ignore("net.py", 3, (), "")


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=10))
def test_a_comment_within_a_sequential_is_of_one_layer(layers: list[tuple[bool, int, int]]) -> None:
    lines, starts, wanted = ["net = Sequential("], [], []
    for silent, height, place in layers:
        starts.append(len(lines) + 1)
        body = ["    conv(", *["        3,"] * (height - 1), "    ),"] if height > 1 else ["    conv(3),"]
        if silent:
            body[min(place, len(body) - 1)] += COMMENT
            wanted.append(starts[-1])
        lines += body
    write("\n".join([*lines, ")"]) + "\n")
    assert [start for start in starts if ignore_at(start)] == wanted


def test_with_the_lines_of_a_model_that_was_built() -> None:
    write(
        """\
        from torch import nn

        def conv(*sizes):
            return nn.Conv2d(
                *sizes,
                bias=False,
            )

        def inner():
            return nn.Conv2d(  # macprof: ignore[G1] in the factory
                3, 3, 1
            )

        class Builder:
            def __init__(self):
                self.layers = []

            def add(self, width):
                self.layers.append(nn.Conv2d(3, width, 1))
                return self

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.one = nn.Sequential(
                    nn.Conv2d(3, 3, 1),  # macprof: ignore[G101] this one
                    nn.Conv2d(3, 3, 1),
                    conv(3, 3,
                         1),  # macprof: ignore[G101] by its caller
                    conv(3, 3, 1),
                    inner(),
                )
                self.two = nn.Sequential(
                    *[nn.Conv2d(3, 3, 1) for _ in range(2)],
                    conv(*(3, 3, 1)),
                )  # macprof: ignore[G101] all of it
                self.three = nn.Sequential(*(
                    Builder()
                    .add(3)
                    .add(4)  # macprof: ignore[G101] the second
                    .add(5)
                    .layers
                ))
        """
    )
    with record_building_lines() as lines:
        model = find("net.py:Net", inputs=("1x3x8x8",)).module
    silent = {path for path, found in lines.lines_of(model).items() if "." in path and find_ignore(found, "G101")}
    assert silent == {"one.0", "one.2", "one.4", "two.0", "two.1", "two.2", "three.1"}


# ------------------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize(
    "content",
    [
        b"layer = conv()  # macprof: ignore[G101] \xff\xfe\n",
        b"layer = conv(  # macprof: ignore[G101]\n",
        b"layer = = conv()  # macprof: ignore[G101]\n",
        b"if 1:\n    a = 1\n  b = 2  # macprof: ignore[G101]\n",
        b"layer = '\0'  # macprof: ignore[G101]\n",
        b"# -*- coding: nonsense -*-\nlayer = conv()  # macprof: ignore[G101]\n",
        b"x = " + b"(" * 3000 + b")" * 3000 + b"  # macprof: ignore[G101]\n",
        b"x = " + b"-" * 100_000 + b"1  # macprof: ignore[G101]\n",
        b"",
    ],
)
def test_a_file_that_is_no_python_has_no_comments(content: bytes) -> None:
    Path("net.py").write_bytes(content)
    assert all(ignore_at(line) is None for line in range(1, 5))
    assert malformed(["net.py"], ["G201"]) == []
    assert unused(["net.py"], []) == []


@pytest.mark.parametrize("line", ["", "net.py", "net.py:", ":3", "gone.py:3", "net.py:x", ".:1", "<string>:1", "\0:1"])
def test_a_line_that_leads_nowhere(line: str) -> None:
    write("layer = conv()  # macprof: ignore\n")
    assert find_ignore([line], "G101") is None
    assert malformed([line.rpartition(":")[0]], ["G1"]) == []
    assert find_ignore([line, "net.py:1"], "G101") is not None
    assert find_ignore([], "G101") is None


def test_another_encoding_that_is_declared() -> None:
    Path("net.py").write_bytes("# coding: latin-1\nlayer = conv()  # macprof: ignore[G101] für\n".encode("latin-1"))
    found = ignore_at(2)
    assert found is not None
    assert found.reason == "für"


def test_paths_of_the_working_directory_of_sys_path_and_absolute_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    write("layer = conv()  # macprof: ignore[G101] one\n", "one/first.py")
    write("layer = conv()  # macprof: ignore[G101] two\n", "two/first.py")
    assert ignore_at(1, file="first.py") is None
    assert ignore_at(1, file="one/first.py") is not None
    absolute = str(tmp_path / "two" / "first.py")
    assert ignore_at(1, file=absolute) == Ignore(absolute, 1, ("G101",), "two")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "two"), str(tmp_path / "one")])
    assert ignore_at(1, file="first.py") == Ignore("first.py", 1, ("G101",), "two")


def test_a_file_that_changed_is_read_anew() -> None:
    write("layer = conv()  # macprof: ignore[G101] before\n")
    assert ignore_at(1) is not None
    write("layer = conv()\n")
    assert ignore_at(1) is None


def test_warnings_of_the_users_file_are_not_given_again() -> None:
    write("text = '\\d'  # macprof: ignore[G101]\n")
    script = "from mac_profiler.suppression import find_ignore; print(find_ignore(['net.py:1'], 'G101') is not None)"
    root = Path(__file__).resolve().parents[1]
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", f"import sys; sys.path.append({str(root)!r}); {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout.strip(), ran.stderr) == ("True", "")
