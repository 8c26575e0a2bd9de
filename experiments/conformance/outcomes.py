"""Outcomes derived from the answers of results.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from experiments.conformance.judge import Outcome, judge

Results = Mapping[str, Any]


def outcomes(results: Results, peer: Mapping[str, Any]) -> dict[str, Outcome]:
    """The outcome of every case for one peer."""
    return {
        case["name"]: judge(
            peer["answers"][case["name"]],
            peer["factor"],
            case["mult_adds"],
            0 if peer["exact"] else case["allowance"],
        )
        for case in results["cases"]
    }


def ranked(results: Results) -> list[tuple[Mapping[str, Any], dict[str, Outcome]]]:
    """Peers with their outcomes: most right answers first, then fewest silent errors."""
    found = [(peer, outcomes(results, peer)) for peer in results["peers"]]

    def order(entry: tuple[Mapping[str, Any], dict[str, Outcome]]) -> tuple[int, int]:
        counts = Counter(entry[1].values())
        return (-counts["right"], counts["silently wrong"])

    return sorted(found, key=order)
