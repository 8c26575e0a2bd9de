"""Suppression: the comments by which a user tells the audit to be silent, `# macprof: ignore[G201] reason`."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from mac_profiler.brackets import Brackets

_COMMENT = re.compile(r"#\s*macprof\b(?P<colon>\s*:)?\s*(?P<word>[\w-]*)(?P<rest>.*)", re.IGNORECASE)
_CODES = re.compile(r"\s*\[(?P<codes>[^\[\]]*)\]")
_CODE = re.compile(r"[A-Z]+[0-9]*")
# Another comment behind this one, as of another tool.
_NEXT = re.compile(r"\s#\s.*")
# How near a word must be to "ignore" to be taken for a slip of it.
_NEAR = 0.7
# What an unreadable file holds.
_BROKEN = (OSError, SyntaxError, UnicodeError, ValueError, RecursionError, MemoryError, tokenize.TokenError)


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences rules.

    Attributes:
        file: as it was asked for.
        line: where the comment stands.
        codes: of rules, or what their codes begin with: "G1"; none for all rules.
        reason: what the user wrote behind; may be empty.
    """

    file: str
    line: int
    codes: tuple[str, ...]
    reason: str

    def silences(self, code: str) -> bool:
        """Whether it names a rule."""
        return not self.codes or code.startswith(self.codes)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A comment that looks as if it should silence a rule, and does not.

    Attributes:
        file: as it was asked for.
        line: where the comment stands.
        problem: what is wrong with it.
    """

    file: str
    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class _Source:
    """What a file says.

    Attributes:
        ignores: line, codes and reason of each comment that silences rules.
        problems: line of each that does not, and why.
        brackets: the file's calls; None where there is no comment that would ask for them.
    """

    ignores: tuple[tuple[int, tuple[str, ...], str], ...] = ()
    problems: tuple[tuple[int, str], ...] = ()
    brackets: Brackets | None = None


def find_ignore(lines: Sequence[str], code: str) -> Ignore | None:
    """The comment that silences a rule at one place.

    It stands on a line of the call that makes the layer, or of a call that led there; or where a bracket around that
    call opens or closes.

    Args:
        lines: "file.py:41", where the layer's call begins, and after it those of the calls that led there.
        code: of the rule.
    """
    for place, text in enumerate(lines):
        file, _, number = text.rpartition(":")
        if file and number.isdecimal():
            source = _source(file)
            for ignore in _ignores(file, source):
                if (
                    ignore.silences(code)
                    and source.brackets is not None
                    and source.brackets.belongs(ignore.line, int(number), constructs=place == 0)
                ):
                    return ignore
    return None


def malformed(files: Iterable[str], known: Collection[str] = ()) -> list[Malformed]:
    """Comments that are nearly right, and those that name no rule.

    Args:
        files: source files, as in the lines of places.
        known: codes of all rules; without them no code is looked up.
    """
    found = []
    for file in dict.fromkeys(files):
        source = _source(file)
        problems = list(source.problems)
        for line, codes, _ in source.ignores if known else ():
            strangers = [code for code in codes if not any(rule.startswith(code) for rule in known)]
            problems += [(line, f"'{code}' names no rule") for code in strangers]
        found += [Malformed(file, line, problem) for line, problem in sorted(problems)]
    return found


def unused(files: Iterable[str], used: Collection[Ignore]) -> list[Ignore]:
    """Comments that silenced nothing.

    Args:
        files: source files, as in the lines of places.
        used: what `find_ignore` found.
    """
    return [ignore for file in dict.fromkeys(files) for ignore in _ignores(file, _source(file)) if ignore not in used]


def _ignores(file: str, source: _Source) -> Iterator[Ignore]:
    return (Ignore(file, *found) for found in source.ignores)


def _source(file: str) -> _Source:
    """What a file says, read anew when it changed; a relative path is one of the working directory or of sys.path."""
    for folder in ("", *sys.path):
        path = Path(folder) / file
        try:
            if path.is_file():
                stat = path.stat()
                return _read(str(path.resolve()), stat.st_mtime_ns, stat.st_size)
        except _BROKEN:
            return _Source()
    return _Source()


@lru_cache(maxsize=4096)
def _read(path: str, changed: int, size: int) -> _Source:
    del changed, size  # They only tell one state of the file from another.
    try:
        text = Path(path).read_bytes()
        if b"macprof" not in text.lower():
            return _Source()
        tokens = tokenize.tokenize(io.BytesIO(text).readline)
        # Only tokens: a string may hold the words, too.
        read = [(token.start[0], _parse(token.string)) for token in tokens if token.type == tokenize.COMMENT]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python has said it when it ran the file.
            tree = ast.parse(text)
    except _BROKEN:
        return _Source()
    ignores = tuple((line, *comment) for line, comment in read if isinstance(comment, tuple))
    problems = tuple((line, comment) for line, comment in read if isinstance(comment, str))
    return _Source(ignores, problems, Brackets(tree) if ignores else None)


def _parse(comment: str) -> tuple[tuple[str, ...], str] | str | None:
    """Codes and reason of a comment; a text that says what is wrong with it; None where it is meant for others."""
    found = _COMMENT.search(comment)
    if found is None or not _meant(found["word"].lower(), found["rest"], colon=found["colon"] is not None):
        return None
    word, rest = found["word"], found["rest"]
    if found["colon"] is None or word != "ignore":
        return "not understood; write '# macprof: ignore[CODE] reason'"
    bracket = _CODES.match(rest)
    codes: tuple[str, ...] = ()
    if bracket is not None:
        codes = tuple(bracket["codes"].replace(",", " ").split())
        strangers = [code for code in codes if not _CODE.fullmatch(code.upper())]
        if strangers or not codes:
            return f"'{strangers[0]}' is no code of a rule" if strangers else "names no rule between its brackets"
        rest = rest[bracket.end() :]
    reason = _NEXT.sub("", rest).strip(" \t:,;-–")
    if bracket is None and (re.match(r"\s*[\[({<]", rest) or re.match(r"[A-Z]+[0-9]+\b", reason)):
        return "not understood; codes stand in square brackets: '# macprof: ignore[CODE] reason'"
    return tuple(code.upper() for code in codes), reason


def _meant(word: str, rest: str, *, colon: bool) -> bool:
    """Whether a comment that names macprof is one of these, perhaps misspelt, and not prose."""
    bracketed = rest.lstrip().startswith(("[", "("))
    near = SequenceMatcher(None, word, "ignore").ratio() >= _NEAR
    return (colon and (near or bool(word and bracketed))) or (near and bracketed)
