"""Difference: what one model costs more or less than another, in all, by module and by operator, and what is found.

Differences are after less before. What adds up in a profile adds up here: the differences of all modules are those of
the model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mac_profiler.baseline import Baseline, Known, fingerprint, narrowed
from mac_profiler.budget import FIGURES, Item
from mac_profiler.difference.growth import Allowance, check_allowances, parse_allowances
from mac_profiler.difference.pairing import Pair, pair_parts, renamed, renames
from mac_profiler.difference.side import COUNTED, SUMMED, Part, Side, side_of
from mac_profiler.errors import InvalidInput
from mac_profiler.finding import Finding, Place

__all__ = [
    "COUNTED", "SUMMED", "Allowance", "Change", "Difference", "Kind", "Part", "Shift", "Side", "Turn",
    "differ", "parse_allowances", "side_of",
]  # fmt: skip

Kind = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class Shift:
    """One figure of the whole model: before, and after."""

    figure: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """How much it grew."""
        return self.after - self.before

    @property
    def share(self) -> float | None:
        """The same of what it was before; None where that was nothing."""
        return self.difference / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Change:
    """One module, or one kind of operator, that is not the same in both; at least one of both is there."""

    before: Part | None
    after: Part | None

    @property
    def kind(self) -> Kind:
        """What happened to it; a moved one has another path and is the same otherwise."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "moved" if self.before.content == self.after.content else "changed"

    @property
    def part(self) -> Part:
        """It as it is now, or else as it was."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - one of both is there
        return found

    @property
    def figures(self) -> Mapping[str, int]:
        """How much each figure grew."""
        before = self.before.figures if self.before else {}
        after = self.after.figures if self.after else {}
        return {name: after.get(name, 0) - before.get(name, 0) for name in SUMMED}


@dataclass(frozen=True, slots=True)
class Turn:
    """A finding that is not the same in both, with those of its places of which this is true.

    Attributes:
        kind: "worse" and "better" by more than a baseline takes for the same, see `mac_profiler.baseline`.
        finding: as it is now; one that is gone or better, as it was.
    """

    kind: Literal["new", "worse", "gone", "better"]
    finding: Finding


@dataclass(frozen=True, slots=True)
class Difference:
    """Two models, compared.

    Attributes:
        before: one.
        after: the other.
        totals: figures that both tell, equal ones too.
        modules: those that are not the same; None where one side does not tell them.
        targets: kinds of operators that are not the same; None likewise.
        findings: those that are not the same; None where one side was not audited.
        budget: figures that were given a limit.
    """

    before: Side
    after: Side
    totals: tuple[Shift, ...]
    modules: tuple[Change, ...] | None
    targets: tuple[Change, ...] | None
    findings: tuple[Turn, ...] | None
    budget: tuple[Item, ...] = ()

    @property
    def score(self) -> tuple[float, float] | None:
        """Both scores; None where one side was not audited."""
        if self.findings is None or self.before.score is None or self.after.score is None:
            return None
        return self.before.score, self.after.score

    @property
    def same(self) -> bool:
        """Whether nothing differs that both sides tell."""
        scores = self.score or (0.0, 0.0)
        changed = any(shift.difference for shift in self.totals) or scores[0] != scores[1]
        others = self.modules or self.targets or self.findings or self.before.uncounted != self.after.uncounted
        return not changed and not others

    @property
    def new(self) -> tuple[Finding, ...]:
        """Findings that are new or worse."""
        return tuple(turn.finding for turn in self.findings or () if turn.kind in ("new", "worse"))

    def fails(self, *, on_new: bool = False) -> bool:
        """Whether a budget is exceeded or, if that counts, a finding that is more than a note is new or worse."""
        found = on_new and any(finding.severity != "info" for finding in self.new)
        return found or any(item.exceeded for item in self.budget)


def differ(before: Side, after: Side, allowances: Sequence[Allowance] = ()) -> Difference:
    """What changed between two models.

    Raises:
        InvalidInput: their audits were priced by different platforms, or a budget is of a figure that is not known.
    """
    both = [figure for figure in FIGURES if figure in before.totals and figure in after.totals]
    totals = tuple(Shift(figure, before.totals[figure], after.totals[figure]) for figure in both)
    modules = targets = None
    moved: dict[str, str] = {}
    if before.modules is not None and after.modules is not None:
        pairs = [_both_there(pair, before, after) for pair in pair_parts(before.modules, after.modules)]
        modules = tuple(Change(one, two) for one, two in pairs if one != two)
        moved = renames([(one.path, two.path) for one, two in pairs if one and two and one.content == two.content])
    if before.targets is not None and after.targets is not None:
        targets = tuple(Change(one, two) for one, two in pair_parts(before.targets, after.targets) if one != two)
    findings = None
    if before.findings is not None and after.findings is not None:
        findings = _turns(before, after, moved)
    return Difference(before, after, totals, modules, targets, findings, check_allowances(allowances, before, after))


def _both_there(pair: Pair, before: Side, after: Side) -> Pair:
    """The pair; a module that one side has, too, but with nothing of its own in it, is not added or removed."""
    one, two = pair
    if one is None and two is not None and two.path in before.bare:
        return two.emptied(), two
    if two is None and one is not None and one.path in after.bare:
        return one, one.emptied()
    return pair


def _turns(before: Side, after: Side, moved: Mapping[str, str]) -> tuple[Turn, ...]:
    if before.platform != after.platform:
        raise InvalidInput(
            f"{before.name} was priced by the platform '{before.platform}' and {after.name} by '{after.platform}': "
            f"findings and scores cannot be compared; audit both with the same --platform"
        )
    # A rule that one audit left out has found nothing there, and that says nothing.
    rules = before.rules & after.rules
    moved = {old: new for old, new in moved.items() if old not in after.paths and new not in before.paths}
    back = {new: old for old, new in moved.items()}
    was = [each for each in before.findings or () if each.code in rules]
    now = [each for each in after.findings or () if each.code in rules]
    appeared = _beyond(now, [_at(each, moved) for each in was])
    vanished = _beyond(was, [_at(each, back) for each in now])
    turns = [Turn("worse" if there else "new", each) for each, there in appeared]
    return (*turns, *(Turn("better" if there else "gone", each) for each, there in vanished))


def _at(finding: Finding, moved: Mapping[str, str]) -> Finding:
    return replace(finding, places=tuple(Place(renamed(at.path, moved), at.source) for at in finding.places))


def _beyond(findings: Iterable[Finding], known: Iterable[Finding]) -> list[tuple[Finding, bool]]:
    """What a baseline of the known findings takes for new, and whether it is known and only worse."""
    entries = [Known(each.code, place.path, each.measured) for each in known for place in each.places]
    new, _, _ = Baseline({"": tuple(entries)}).split(findings, "")
    marks = {entry.fingerprint for entry in entries}
    found = []
    for each in new:
        places: dict[bool, list[Place]] = defaultdict(list)
        for place in each.places:
            places[fingerprint(each, place) in marks].append(place)
        found += [(narrowed(each, some), there) for there, some in sorted(places.items())]
    return found
