"""Baseline: the findings of models that are known and accepted, in a file; only what is new or worse is left."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import inf, isfinite
from pathlib import Path
from typing import Any

from mac_profiler import __version__
from mac_profiler.errors import InvalidInput
from mac_profiler.finding import Finding, Place
from mac_profiler.output import write_file

# Of the file; one of another version is refused.
SCHEMA = 1
KIND = "macprof baseline"
# A known place is new again once it is worse by more than this; less comes of another resolution or batch.
TOLERANCE = 0.1
_REMEDY = "write it anew with 'macprof audit --write-baseline'"


@dataclass(frozen=True, slots=True)
class Known:
    """One place of one finding, as a baseline keeps it.

    Attributes:
        code: of the rule.
        path: of the module.
        measured: the finding's figure, to four digits; None where it was not finite, and nothing is worse.
    """

    code: str
    path: str
    measured: float | None

    @property
    def fingerprint(self) -> str:
        """What `fingerprint` gives of the finding and place that it was made of."""
        return f"{self.code} {self.path}"

    @property
    def bound(self) -> float:
        """The largest figure that is no worse."""
        return inf if self.measured is None else self.measured + TOLERANCE * abs(self.measured)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known of several models.

    Attributes:
        models: by the model's name, one entry a place; a module in which a rule finds several things has several.
    """

    models: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)

    def split(
        self, findings: Iterable[Finding], model: str
    ) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Known, ...]]:
        """The new findings, the known ones, and what is known but was not found.

        A finding of which only some places are known is cut in two, see `narrowed`. A place that got worse is new, not
        gone. What the baseline knows of rules that did not run counts as gone: the caller knows which ran.

        Args:
            findings: of an audit.
            model: the name that it was written under.
        """
        findings = tuple(findings)
        recorded: dict[str, list[Known]] = defaultdict(list)
        for each in self.models.get(model, ()):
            recorded[each.fingerprint].append(each)
        found: dict[str, list[tuple[float, int, int]]] = defaultdict(list)
        for index, finding in enumerate(findings):
            for number, place in enumerate(finding.places):
                found[fingerprint(finding, place)].append((finding.measured, index, number))
        known: dict[int, set[int]] = defaultdict(set)
        gone: list[Known] = []
        for mark, records in recorded.items():
            left = sorted(records, key=lambda each: each.bound)
            here = sorted(found.get(mark, ()))
            for measured, index, number in here:
                # The tightest that allows it; not the other way round, for a NaN is above nothing.
                match = next((each for each in left if not measured > each.bound), None)
                if match is not None:
                    left.remove(match)
                    known[index].add(number)
            gone += left[: max(0, len(records) - len(here))]
        new, old = [], []
        for index, finding in enumerate(findings):
            new += _part(finding, [i for i in range(finding.count) if i not in known[index]])
            old += _part(finding, sorted(known[index]))
        return tuple(new), tuple(old), tuple(sorted(gone, key=_order))


def fingerprint(finding: Finding, place: Place) -> str:
    """What a finding is known again by: rule and module, "G101 stages.0.conv", not line or figures."""
    return f"{finding.code} {place.path}"


def narrowed(finding: Finding, places: Sequence[Place]) -> Finding:
    """The finding with some of its places only.

    Rules tell the figures of all places together, so each place is taken for an equal part of them: they are alike, or
    they would be several findings. What was measured and the message stay those of the whole.

    Args:
        finding: with all places.
        places: some of them, at least one.
    """
    if len(places) == finding.count:
        return finding
    part = len(places) / finding.count
    return replace(
        finding,
        places=tuple(places),
        share=finding.share * part,
        seconds=finding.seconds * part,
        accesses=round(finding.accesses * part),
    )


def _part(finding: Finding, chosen: Sequence[int]) -> list[Finding]:
    return [narrowed(finding, [finding.places[index] for index in chosen])] if chosen else []


def _order(known: Known) -> tuple[Any, ...]:
    """By rule, then "blocks.2" before "blocks.10"."""
    pieces = re.split("([0-9]+)", known.path)
    return known.code, [(piece, 0) if i % 2 == 0 else ("", int(piece)) for i, piece in enumerate(pieces)], known.bound


def _kept(measured: float) -> float | None:
    # Four digits: the last ones hang on the machine, and a file that changes with them is no good to compare.
    rounded = float(f"{measured:.4g}")
    return rounded if isfinite(rounded) else None


def write_baseline(path: str, findings: Iterable[Finding], model: str) -> None:
    """Write what is known of a model; what the file knows of others is kept.

    Args:
        path: of the file, there or not.
        findings: of an audit by all rules.
        model: its name.

    Raises:
        InvalidInput: the file is there and is no baseline, or one of another version; it is left alone.
        OutputFailed: it cannot be written.
    """
    models = dict(read_baseline(path).models) if Path(path).is_file() else {}
    models[model] = tuple(
        Known(finding.code, place.path, _kept(finding.measured)) for finding in findings for place in finding.places
    )
    blocks = []
    for name, entries in sorted(models.items()):
        lines = ",\n".join(f"   {json.dumps(asdict(each))}" for each in sorted(entries, key=_order))
        blocks.append(f"  {json.dumps(name)}: [\n{lines}\n  ]" if lines else f"  {json.dumps(name)}: []")
    head = {"kind": KIND, "schema_version": SCHEMA, "macprof": __version__}
    fields = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    fields.append(' "models": {\n' + ",\n".join(blocks) + "\n }")
    write_file(path, "{\n" + ",\n".join(fields) + "\n}\n")


def read_baseline(path: str) -> Baseline:
    """What `write_baseline` wrote.

    Raises:
        InvalidInput: the file cannot be read, is no baseline, or one of another version.
    """
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read the baseline '{path}': {error.strerror or error}; {_REMEDY}") from error
    except (ValueError, RecursionError) as error:
        # A merge that was left half done is what happens to such files: the line helps.
        raise InvalidInput(f"'{path}' is no baseline ({error}); mend it, or delete it and {_REMEDY}") from error
    if not isinstance(read, dict) or read.get("kind") != KIND:
        raise InvalidInput(f"'{path}' is no baseline and is left alone; give another file")
    version = read.get("schema_version")
    if version != SCHEMA:
        raise InvalidInput(
            f"'{path}' is a baseline of version {version!r}, and this macprof reads version {SCHEMA}; "
            f"delete it and {_REMEDY}"
        )
    try:
        return Baseline({name: _all_known(entries) for name, entries in read["models"].items()})
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise InvalidInput(f"'{path}' is a damaged baseline ({error}); delete it and {_REMEDY}") from error


def _all_known(entries: Any) -> tuple[Known, ...]:
    if not isinstance(entries, list):
        raise TypeError("a model has a list")
    return tuple(map(_known, entries))


def _known(entry: Mapping[str, Any]) -> Known:
    code, path, measured = entry["code"], entry["path"], entry["measured"]
    if not (isinstance(code, str) and code and isinstance(path, str)):
        raise ValueError("code and path are texts")
    if measured is None:
        return Known(code, path, None)
    if isinstance(measured, bool) or not isinstance(measured, int | float) or not isfinite(measured):
        raise ValueError("what was measured is a number or null")
    return Known(code, path, float(measured))
