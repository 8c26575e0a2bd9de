"""Finding: one thing in an architecture that a guideline speaks against; plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]
Confidence = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Gain:
    """What a remedy was measured to bring on this machine.

    Attributes:
        verdict: "faster" where it surely is, "same", "slower", or "ambiguous" where more samples would tell.
        ratio: time of the remedy by the time as found.
        low: end of its interval.
        high: the other end.
        seconds: median of one call as found.
        remedy_seconds: median of one call of the remedy.
        subject: what was built and measured, in words.
    """

    verdict: str
    ratio: float
    low: float
    high: float
    seconds: float
    remedy_seconds: float
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of the equal findings is.

    Attributes:
        path: module path; "" for the model itself.
        source: "file.py:41", the line that builds the layer, or else the line that calls the operator; "" if unknown.
        lines: all lines of the user that led there, innermost first: a factory's line, then the line that called it.
    """

    path: str
    source: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found, once for all places where it is the same.

    Attributes:
        code: of the rule: "G101".
        name: of the rule: "unequal-channel-width".
        severity: "info" is a note and fails nothing.
        confidence: how sure it is that this costs time.
        message: what is wrong, with the figures, in one line.
        measured: the figure that the rule looks at, at its worst place.
        limit: what it should not exceed.
        metric: what the figure is: "accesses by the least".
        share: of the model's predicted time, that what was found takes, in all places together.
        seconds: predicted to be lost in all places together.
        accesses: elements read or written too many, in all places together.
        remedy: what to do.
        safe: the remedy keeps the function; otherwise it changes the network, which is to be trained anew.
        places: where, in execution order; never empty.
        gain: what the remedy was measured to bring; None where nothing was measured.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    measured: float
    limit: float
    metric: str
    share: float
    seconds: float
    accesses: int
    remedy: str
    safe: bool
    places: tuple[Place, ...] = field(default_factory=tuple)
    gain: Gain | None = None

    @property
    def guideline(self) -> str:
        """Its first two characters, "G1" of "G101"."""
        return self.code[:2]

    @property
    def path(self) -> str:
        """Module path of the first place."""
        return self.places[0].path

    @property
    def source(self) -> str:
        """File and line of the first place."""
        return self.places[0].source

    @property
    def count(self) -> int:
        """How often it was found."""
        return len(self.places)

    def as_json(self) -> Mapping[str, Any]:
        """The fields of the JSON contract."""
        return {
            "code": self.code,
            "name": self.name,
            "guideline": self.guideline,
            "severity": self.severity,
            "confidence": self.confidence,
            "path": self.path,
            "source": self.source,
            "message": self.message,
            "measured": self.measured,
            "limit": self.limit,
            "metric": self.metric,
            "share": self.share,
            "seconds": self.seconds,
            "accesses": self.accesses,
            "remedy": self.remedy,
            "safe": self.safe,
            "count": self.count,
            "places": [
                {"path": place.path, "source": place.source, "lines": list(place.lines)} for place in self.places
            ],
            "gain": None if self.gain is None else asdict(self.gain),
        }
