"""Finding cards: what the audit found, one article each, with the lines that build it."""

from __future__ import annotations

from mac_profiler import units
from mac_profiler.audited import Audited
from mac_profiler.finding import Finding, Place
from mac_profiler.page.markup import Html, tag
from mac_profiler.page.tables import described
from mac_profiler.verdict import NAMES, gained

# Places that are shown at once; the others can be opened.
SHOWN = 3


def findings(audited: Audited) -> Html | None:
    """All findings, in the order of the audit."""
    if not audited.findings:
        return None
    total = audited.prediction.total.total
    return tag("div", [_card(each, total, audited.measured) for each in audited.findings], class_="findings")


def _card(finding: Finding, total: float, measured: bool) -> Html:
    lost = units.percent(finding.seconds / total if total else 0.0)
    figures = [
        ("lost", f"{lost} of the time, {units.seconds(finding.seconds)}"),
        ("lost access", units.count(finding.accesses)),
        (finding.metric, f"{units.count(finding.measured)}, limit {units.count(finding.limit)}"),
        ("confidence", finding.confidence),
    ]
    return tag(
        "article",
        tag(
            "h4",
            tag("span", NAMES[finding.severity], class_=f"severity {finding.severity}"),
            " ",
            tag("span", finding.code, class_="code"),
            f" {finding.name}",
        ),
        tag("p", finding.message),
        tag("p", tag("strong", "Safe remedy: " if finding.safe else "Remedy: "), finding.remedy),
        tag("p", gained(finding)) if measured else None,
        described(figures, "facts"),
        _places(finding),
        class_=f"finding {finding.severity}",
    )


def _places(finding: Finding) -> list[Html]:
    shown, more = finding.places[:SHOWN], finding.places[SHOWN:]
    found = [tag("ul", map(_place, shown), class_="places")]
    if more:
        word = "place" if len(more) == 1 else "places"
        found.append(
            tag("details", tag("summary", f"{len(more)} more {word}"), tag("ul", map(_place, more), class_="places"))
        )
    return found


def _place(place: Place) -> Html:
    source = tag("code", place.source) if place.source else None
    return tag("li", tag("code", place.path or "(model)"), " at " if source else None, source)
