"""Side: what of one model a difference is made of, as plain data, read from the JSON of an analysis, an audit, or both.

A model that is built now and one that was saved are read alike, so that they can be compared with each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

from mac_profiler.budget import FIGURES
from mac_profiler.finding import SEVERITIES, Finding, Place
from mac_profiler.profile import ancestors

# No count is as large, and text and CSV show numbers of any size as numbers with a point.
MOST = 10**30
# Figures that add up: those of all modules are those of the model.
COUNTED = ("mult_adds", "flops", "accesses", "bytes_moved")
SUMMED = (*COUNTED, "parameters", "op_count")
# Figures that an audit tells of the whole model.
AUDITED = ("mult_adds", "accesses")


@dataclass(frozen=True, slots=True)
class Part:
    """One module, or one kind of operator: its own operators and parameters, without those of modules inside.

    Attributes:
        path: of the module, or the operator's target.
        type: class of the module; "" where it is none.
        figures: those of `SUMMED`.
        work: target, shapes and pass of each of a module's own operators, in order; () for a kind of operator.
        uncounted: operators without a formula among them.
    """

    path: str
    type: str
    figures: Mapping[str, int]
    work: tuple[object, ...] = ()
    uncounted: int = 0

    def emptied(self) -> Part:
        """The same without any operator or parameter of its own."""
        return Part(self.path, self.type, dict.fromkeys(SUMMED, 0))

    @property
    def content(self) -> tuple[object, ...]:
        """All but where it is: what two modules share that take the same, by operators of the same shapes."""
        return self.type, tuple(self.figures[name] for name in SUMMED), self.work, self.uncounted


@dataclass(frozen=True)
class Side:
    """One of two models.

    Attributes:
        name: what a reader calls it.
        inputs: shapes that it was called with.
        totals: figures of the whole model, as many as are known.
        uncounted: calls of every target that has no formula.
        backward: the backward pass is counted in it.
        modules: those that run an operator or hold a parameter of their own; None where it is not known.
        paths: of all modules.
        targets: kinds of operators; None where it is not known.
        findings: of its audit; None where there was none.
        rules: codes of the rules that were applied.
        score: of its audit.
        platform: what the audit priced it by.
    """

    name: str
    inputs: tuple[tuple[int, ...], ...]
    totals: Mapping[str, int]
    uncounted: Mapping[str, int]
    backward: bool = False
    modules: tuple[Part, ...] | None = None
    paths: frozenset[str] = frozenset()
    targets: tuple[Part, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    rules: frozenset[str] = frozenset()
    score: float | None = None
    platform: str = ""

    @cached_property
    def bare(self) -> frozenset[str]:
        """Paths of modules that run no operator and hold no parameter of their own."""
        return self.paths - {part.path for part in self.modules or ()}

    @property
    def complete(self) -> bool:
        """Whether every operator was counted."""
        return not self.uncounted


def side_of(name: str, analysis: Mapping[str, Any] | None, audit: Mapping[str, Any] | None) -> Side:
    """What the documents of a model say, one of them at least.

    Args:
        name: what a reader calls it.
        analysis: JSON of `macprof analyze`.
        audit: JSON of `macprof audit`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: they are not what these commands write.
    """
    known: dict[str, Any] = {}
    if audit is not None:
        findings = tuple(map(_finding, audit["findings"]))
        rules = frozenset(str(rule["code"]) for rule in audit["rules"])
        known = {"findings": findings, "rules": rules, "score": _finite(audit["score"])}
        known |= {"platform": _text(audit["platform"])}
        known["totals"] = {figure: _whole(audit["metrics"][figure]) for figure in AUDITED}
    if analysis is not None:
        known |= _counted(analysis)
    document: Mapping[str, Any] = analysis or audit or {}
    uncounted = {_text(target): _whole(calls) for target, calls in document["uncounted"].items()}
    return Side(name, tuple(map(_shape, document["inputs"])), uncounted=uncounted, **known)


def _counted(document: Mapping[str, Any]) -> dict[str, Any]:
    totals = {figure: _whole(document["totals"][figure]) for figure in FIGURES}
    types = {_text(module["path"]): _text(module["module"]) for module in document["modules"]}
    inclusive = {module["path"]: _whole(module["parameters"]) for module in document["modules"]}
    own: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    kinds: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for op in document["ops"]:
        types.setdefault(_text(op["path"]), _text(op["module"]))
        own[op["path"]].append(op)
        kinds[_text(op["target"])].append(op)
    parameters = _own_parameters(inclusive, totals["parameters"])
    paths = dict.fromkeys(["", *types])
    parts = [
        Part(
            path, types.get(path, ""), _sums(own[path], parameters.get(path, 0)), _work(own[path]), _missing(own[path])
        )
        for path in paths
        if own[path] or parameters.get(path, 0)
    ]
    if any(sum(part.figures[name] for part in parts) != totals[name] for name in SUMMED):
        raise ValueError("its modules do not add up to its totals")
    targets = [Part(target, "", _sums(ops, 0), (), _missing(ops)) for target, ops in kinds.items()]
    return {
        "totals": totals,
        "backward": any(op["phase"] != "forward" for op in document["ops"]),
        "modules": tuple(parts),
        "paths": frozenset(paths),
        "targets": tuple(targets),
    }


def _own_parameters(inclusive: Mapping[str, int], whole: int) -> dict[str, int]:
    """Parameters of each module, those of modules inside left out; "" is the model."""
    own = {"": whole, **inclusive}
    for path, parameters in inclusive.items():
        around = next((above for above in reversed(ancestors(path)[:-1]) if above in own), "")
        own[around] -= parameters
    if min(own.values()) < 0:
        raise ValueError("a module has fewer parameters than those inside")
    return own


def _sums(ops: Collection[Mapping[str, Any]], parameters: int) -> dict[str, int]:
    sums = {name: sum(_whole(op[name]) for op in ops if op[name] is not None) for name in COUNTED}
    return {**sums, "parameters": parameters, "op_count": len(ops)}


def _missing(ops: Iterable[Mapping[str, Any]]) -> int:
    return sum(op["mult_adds"] is None for op in ops)


def _work(ops: Iterable[Mapping[str, Any]]) -> tuple[object, ...]:
    return tuple(
        (op["target"], tuple(map(_shape, op["inputs"])), tuple(map(_shape, op["outputs"])), _text(op["phase"]))
        for op in ops
    )


def _finding(each: Mapping[str, Any]) -> Finding:
    if each["severity"] not in SEVERITIES:
        raise ValueError(f"no severity is {each['severity']!r}")
    if not each["places"]:
        raise ValueError("a finding has no place")
    return Finding(
        code=_text(each["code"]),
        name=_text(each["name"]),
        severity=each["severity"],
        confidence=each["confidence"],
        message=_text(each["message"]),
        measured=_number(each["measured"]),
        limit=_number(each["limit"]),
        metric=_text(each["metric"]),
        share=_number(each["share"]),
        seconds=_number(each["seconds"]),
        accesses=_whole(each["accesses"]),
        remedy=_text(each["remedy"]),
        safe=bool(each["safe"]),
        places=tuple(Place(_text(place["path"]), _text(place["source"])) for place in each["places"]),
    )


def _shape(sizes: Any) -> tuple[int, ...]:
    return tuple(map(_whole, sizes))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST:
        raise ValueError(f"{str(value)[:40]} is no count")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _finite(value: Any) -> float:
    if not isfinite(_number(value)):
        raise ValueError(f"{value!r} is no score")
    return float(value)
