"""What a harness says of a pair of nets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One harness on one pair.

    Attributes:
        ratio: the planted net's seconds as a multiple of the plain one's.
        verdicts: "faster", "slower" or "not different", and where a harness knows them "same" and "ambiguous"; by the
            name of the rule, as some harnesses can be read in more than one way.
        samples: of each net.
        seconds: spent on the pair in all, imports left out.
    """

    ratio: float
    verdicts: dict[str, str]
    samples: int
    seconds: float


def direction(ratio: float, *, different: bool) -> str:
    """The verdict of a rule that knows two answers."""
    if not different:
        return "not different"
    return "slower" if ratio > 1 else "faster"
