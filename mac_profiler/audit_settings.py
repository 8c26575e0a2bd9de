"""Audit settings: which rules speak, how loud, and against what limits; from `[tool.macprof]` and the command line.

What is selected is resolved as ruff resolves it (https://docs.astral.sh/ruff/linter/#rule-selection):

- Between `select` and `ignore` the more specific one wins, of equal ones `ignore`: "ALL", then "G", "G1", "G101".
- `--select` replaces what the file selects *and* what it ignores.
- Without it, `--ignore` and `--extend-select` change what the file selects, however specific the file is.
- `per-module-ignore` holds in any case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from math import inf
from os.path import isfile
from pathlib import Path
from typing import Any, TypeVar

from mac_profiler.amounts import parse_amount
from mac_profiler.budget import check_figure
from mac_profiler.errors import InvalidInput
from mac_profiler.finding import SEVERITIES, Severity
from mac_profiler.registry import did_you_mean

T = TypeVar("T")
# Codes of the rules, with their names where they have some.
Rules = Collection[str] | Mapping[str, str]
ALL = "ALL"
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What an audit is asked for.

    Attributes:
        select: codes and prefixes of codes that are selected; empty selects all.
        ignore: codes and prefixes that are not.
        min_severity: findings below it are not shown.
        limits: limit of a rule, by its code, in place of its own.
        budget: limit of a figure, see `mac_profiler.budget`.
        baseline: file of the findings that are known; a relative path in a file is relative to the file's folder.
        platform: what predicts the times; a name, or a file like `baseline`.
        exit_zero: findings fail nothing.
        per_module_ignore: codes and prefixes not wanted in some modules, by a pattern of their paths.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    min_severity: Severity = "info"
    limits: Mapping[str, float] = field(default_factory=dict)
    budget: Mapping[str, int] = field(default_factory=dict)
    baseline: str | None = None
    platform: str | None = None
    exit_zero: bool = False
    per_module_ignore: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _prefix(selector: str) -> str:
    return "" if selector == ALL else selector


def selects(code: str, settings: AuditSettings) -> bool:
    """Whether a rule is selected; the most specific of what is selected and ignored decides."""
    chosen, dropped = (
        max((len(prefix) for prefix in map(_prefix, selectors) if code.startswith(prefix)), default=-1)
        for selectors in (settings.select or (ALL,), settings.ignore)
    )
    return chosen > dropped


def ignored_at(code: str, path: str, settings: AuditSettings) -> bool:
    """Whether a rule is not wanted in a module.

    A pattern is of the whole path: "features.*" is everything inside, however deep, "features" the module itself and
    "" the model. One that begins with "!" holds for all modules that do not match the rest.

    Args:
        code: of the rule.
        path: of the module.
        settings: with the patterns.
    """
    return any(
        fnmatchcase(path, pattern.removeprefix("!")) != pattern.startswith("!")
        for pattern, selectors in settings.per_module_ignore.items()
        if any(code.startswith(_prefix(selector)) for selector in selectors)
    )


def check_codes(codes: Iterable[str], known: Rules) -> tuple[str, ...]:
    """Codes and prefixes of codes, a name replaced by its code, each once.

    Args:
        codes: "ALL", codes, prefixes of codes, names; several in one text have commas between them.
        known: codes of the rules, or a mapping from them to names.

    Raises:
        InvalidInput: no rule is meant by one of them.
    """
    named = {known[code]: code for code in known} if isinstance(known, Mapping) else {}
    found = []
    for code in (part.strip() for text in codes for part in text.split(",")):
        if not code or not (code == ALL or code in named or any(each.startswith(code) for each in known)):
            rules = f" The rules are {', '.join(sorted(known))}."
            raise InvalidInput(f"no rule is {code!r}.{did_you_mean(code, [*known, *named, ALL]) or rules}")
        found.append(named.get(code, code))
    return tuple(dict.fromkeys(found))


def merged(
    settings: AuditSettings,
    known: Rules,
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    extend_select: Iterable[str] | None = None,
    **given: Any,
) -> AuditSettings:
    """Settings of a file, changed by what the command line gives; what is None or empty is left.

    Args:
        settings: of the file.
        known: codes of the rules, or a mapping from them to names.
        select: replaces what is selected and what is ignored.
        ignore: not wanted, however specific the file selects it.
        extend_select: wanted beside, however specific the file ignores it.
        given: other settings by name; each replaces that of the file, a budget as a whole, limits rule by rule.

    Raises:
        InvalidInput: an option cannot be read; the message names it.
    """
    chosen, added, dropped = (
        _read(option, partial(check_codes, codes or (), known))
        for option, codes in (("--select", select), ("--extend-select", extend_select), ("--ignore", ignore))
    )
    if chosen:
        settings = _selecting(settings, (*chosen, *added), dropped)
    elif added or dropped:
        # What the command line says of a rule outweighs all that the file says of it.
        above = tuple(map(_prefix, (*added, *dropped)))
        kept, left = (
            tuple(each for each in selectors if not _prefix(each).startswith(above))
            for selectors in (settings.select or (ALL,), settings.ignore)
        )
        settings = _selecting(settings, (*kept, *added), (*left, *dropped))
    given = {name: value for name, value in given.items() if value is not None}
    if "min_severity" in given:
        _read("--min-severity", partial(_severity, given["min_severity"], known))
    if "limits" in given:
        given["limits"] = {**settings.limits, **_read("--limit", partial(_limits, given["limits"], known))}
    return replace(settings, **given)


def _selecting(settings: AuditSettings, select: Iterable[str], ignore: Iterable[str]) -> AuditSettings:
    chosen, dropped = tuple(dict.fromkeys(select)), tuple(dict.fromkeys(ignore))
    # Nothing to select by is all; that nothing was selected is said by ignoring all.
    return replace(settings, select=chosen, ignore=dropped if chosen else (ALL,))


def read_settings(
    known: Rules, *, folder: Path | None = None, file: Path | None = None
) -> tuple[AuditSettings, Path | None]:
    """Settings of a file, and which it was; without one the defaults, and None.

    Args:
        known: codes of the rules, or a mapping from them to names.
        folder: where the search begins for the nearest pyproject.toml that has a table [tool.macprof]; None begins in
            the current folder.
        file: a pyproject.toml, or a file of another name whose top level is the table; nothing is searched for.

    Raises:
        InvalidInput: a file cannot be read, or something in it is wrong; the message names the file and the key.
    """
    if file is not None:
        table = _table(file)
        if table is None:
            raise InvalidInput(f"'{file}' has no table [tool.macprof]; add one, or give another file")
        return _settings(table, file, known), file
    start = (folder or Path()).resolve()
    for place in (start, *start.parents):
        found = place / PYPROJECT
        # Path.is_file fails in a folder above that may not be looked into.
        if isfile(found) and (table := _table(found)) is not None:  # noqa: PTH113
            return _settings(table, found, known), found
    return AuditSettings(), None


def _table(file: Path) -> Any:
    """What stands for the settings in a file; None where nothing does."""
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidInput(f"cannot read '{file}': {reason}; mend it, or give another file") from error
    except (ValueError, RecursionError) as error:
        # Not only tomllib's own error: Python itself refuses a number of thousands of digits.
        raise InvalidInput(f"cannot read '{file}': {' '.join(str(error).split())}; mend the TOML") from error
    tool = read.get("tool")
    own = tool.get("macprof") if isinstance(tool, dict) else None
    return own if own is not None or file.name == PYPROJECT else read


def _settings(table: Any, file: Path, known: Rules) -> AuditSettings:
    where = f"'{file}'"
    given = {}
    for key, value in _read(f"{where}: tool.macprof", partial(_mapping, table)).items():
        reader = _READERS.get(key)
        if reader is None:
            near = did_you_mean(key, [*_READERS]) or f" The settings are {', '.join(_READERS)}."
            raise InvalidInput(f"{where}: no setting is named {key!r}.{near}")
        given[key.replace("-", "_")] = _read(f"{where}: {key}", partial(reader, value, known))
    for key in ("baseline", "platform"):
        path = given.get(key)
        # A platform is named by its name or, with a folder or an ending in it, by its file.
        if path and (key == "baseline" or "/" in path or "\\" in path or path.endswith(".json")):
            given[key] = str(file.parent / path)
    settings = AuditSettings(**given)
    return settings if settings.select or "select" not in given else _selecting(settings, (), ())


def _read(where: str, reader: Callable[[], T]) -> T:
    try:
        return reader()
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"it cannot be {value!r}; write a table")
    return value


def _text(value: Any, known: Rules) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"it cannot be {value!r}; write a text")
    return value


def _severity(value: Any, known: Rules) -> str:
    if value not in SEVERITIES:
        near = did_you_mean(str(value), list(SEVERITIES))
        raise InvalidInput(f"no severity is {value!r}.{near} It is one of {', '.join(SEVERITIES)}.")
    return str(value)


def _flag(value: Any, known: Rules) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"it cannot be {value!r}; write true or false")
    return value


def _selectors(value: Any, known: Rules) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(f'it cannot be {value!r}; write a list of texts: ["G1", "G205"]')
    return check_codes(value, known)


def _limits(value: Any, known: Rules) -> dict[str, float]:
    limits: dict[str, float] = {}
    named = {known[code]: code for code in known} if isinstance(known, Mapping) else {}
    for name, limit in _mapping(value).items():
        code = named.get(name, name)
        if code not in known:
            near = did_you_mean(name, [*known, *named])
            raise InvalidInput(f"no rule is {name!r}.{near} A limit is of one rule, by its code.")
        if code in limits:
            raise InvalidInput(f"{code} is there twice, by its code and by its name; leave one out")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not (0 <= limit < inf):
            raise InvalidInput(f"the limit of {name} cannot be {limit!r}; write a number, 0 or more")
        limits[code] = float(limit)
    return limits


def _budget(value: Any, known: Rules) -> dict[str, int]:
    given = _mapping(value).items()
    return {check_figure(figure): _read(figure, partial(parse_amount, amount)) for figure, amount in given}


def _per_module(value: Any, known: Rules) -> dict[str, tuple[str, ...]]:
    given = _mapping(value).items()
    return {pattern: _read(repr(pattern), partial(_selectors, codes, known)) for pattern, codes in given}


_READERS: Mapping[str, Callable[[Any, Rules], Any]] = {
    "select": _selectors,
    "ignore": _selectors,
    "min-severity": _severity,
    "limits": _limits,
    "budget": _budget,
    "baseline": _text,
    "platform": _text,
    "exit-zero": _flag,
    "per-module-ignore": _per_module,
}
