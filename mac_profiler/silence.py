"""Silence: findings that somebody does not want to hear of, by a comment, by configuration or by a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from mac_profiler.audit import Found
from mac_profiler.audit_settings import AuditSettings, ignored_at, selects
from mac_profiler.baseline import narrowed, read_baseline
from mac_profiler.finding import SEVERITIES, Finding, Place
from mac_profiler.suppression import Ignore, find_ignore, malformed, unused

BY_COMMENT = "by a comment"
BY_SETTINGS = "by per-module-ignore"
BY_SEVERITY = "below the least severity"
BY_BASELINE = "in the baseline"


@dataclass
class Silence:
    """What is left of an audit's findings, and what was not.

    Attributes:
        settings: what is ignored.
        model: the name that a baseline knows it by.
        counts: places left out, by reason.
        used: comments that silenced something.
        unsilenced: the findings before the baseline was looked at: what a new one is written of.
        gone: places that the baseline knows, and where nothing is found any more.
    """

    settings: AuditSettings
    model: str
    counts: Counter[str] = field(default_factory=Counter)
    used: set[Ignore] = field(default_factory=set)
    unsilenced: tuple[Finding, ...] = ()
    gone: int = 0
    _looked_up: dict[tuple[tuple[str, ...], str], Ignore | None] = field(default_factory=dict)

    def apply(self, found: Sequence[Found]) -> tuple[Found, ...]:
        """The findings that are left, of places that are left.

        Raises:
            InvalidInput: the baseline cannot be read.
        """
        least = SEVERITIES.index(self.settings.min_severity)
        kept = self._narrow(found, BY_COMMENT, self._commented)
        kept = self._narrow(kept, BY_SETTINGS, lambda code, place: ignored_at(code, place.path, self.settings))
        loud = [each for each in kept if SEVERITIES.index(each.finding.severity) >= least]
        self.counts[BY_SEVERITY] += sum(each.finding.count for each in kept if each not in loud)
        self.unsilenced = tuple(each.finding for each in loud)
        return tuple(loud) if self.settings.baseline is None else self._new(loud, self.settings.baseline)

    def notes(self, known: Collection[str], files: Iterable[str]) -> list[str]:
        """What the user should know: comments that say nothing or silence nothing, what the baseline need not know.

        Args:
            known: codes of all rules.
            files: that the model is written in.
        """
        own = sorted(set(files))
        found = [f"{each.file}:{each.line}: {each.problem}" for each in malformed(own, known)]
        # An ignore of a rule that did not run has had no chance to be of use.
        ran = [code for code in known if selects(code, self.settings)]
        found += [
            f"{each.file}:{each.line}: this comment silences nothing; remove it"
            for each in unused(own, self.used)
            if any(each.silences(code) for code in ran)
        ]
        if self.gone:
            found.append(f"{self.gone} places of the baseline are gone; write it anew to forget them")
        return found

    def _commented(self, code: str, place: Place) -> bool:
        # Layers that one line builds, thousands in a large model, ask for the same comment.
        asked = place.lines, code
        if asked not in self._looked_up:
            self._looked_up[asked] = find_ignore(place.lines, code)
        ignore = self._looked_up[asked]
        if ignore is not None:
            self.used.add(ignore)
        return ignore is not None

    def _narrow(self, found: Sequence[Found], reason: str, silenced: Callable[[str, Place], bool]) -> list[Found]:
        kept = []
        for each in found:
            places = [place for place in each.finding.places if not silenced(each.finding.code, place)]
            self.counts[reason] += each.finding.count - len(places)
            if places:
                kept.append(replace(each, finding=narrowed(each.finding, places)))
        return kept

    def _new(self, found: Sequence[Found], baseline: str) -> tuple[Found, ...]:
        new, known, gone = read_baseline(baseline).split([each.finding for each in found], self.model)
        self.counts[BY_BASELINE] += sum(each.count for each in known)
        self.gone = sum(selects(each.code, self.settings) for each in gone)
        hits = {_mark(each.finding): each.hits for each in found}
        return tuple(Found(finding, hits[_mark(finding)]) for finding in new)


def _mark(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.message, finding.remedy
