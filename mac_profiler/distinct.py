"""Distinct: names by which several things that may be called the same are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def distinct(names: Iterable[str]) -> list[str]:
    """The names in their order; of those that are equal, the second and later ones are numbered: "a", "a (2)"."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        given = name if seen[name] == 1 else f"{name} ({seen[name]})"
        while given in found:
            seen[name] += 1
            given = f"{name} ({seen[name]})"
        found.append(given)
    return found
