"""table.md of count_conformance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from experiments.conformance.judge import OUTCOMES, Outcome
from experiments.conformance.outcomes import Results, ranked
from experiments.reporting.files import environment_table, markdown_table

_SIGNS: dict[Outcome, str] = {"right": "✓", "disclosed": "said", "silently wrong": "✗", "crashed": "!"}

_PROTOCOL = """\
Each profiler is asked about each case in a process of its own, a copy of one that has imported it; 30 s at most.
torchlens works in no such copy: it is imported in each, and asked about 16 cases one after the other. Where a profiler
takes fewer kinds of arguments than the case has, a module around the model hands them on.

- **right**: the number derived by hand. macprof must give exactly that. Every other profiler may also be above it by as
  much as the operations that belong to a product without being multiply-adds: one for each element that a bias is added
  to, the gates of recurrent cells, softmax and scaling inside attention modules. A profiler that counts normalisation,
  pooling or activation modules in the same number is told by its own options to leave them out, or its own list is
  summed without them. One that counts two for a multiply-add is halved.
- **disclosed**: too small a number, and it names something that it left out and that may hold multiply-adds, in a
  list, in a warning, or when it is made verbose; a container that it has no rule for counts as named.
- **silently wrong**: any other number. What was left out explains no number that is too large.
- **crashed**: it raised, hung, or gave no number."""


def write(results: Results) -> str:
    """The whole file."""
    found = ranked(results)
    return "\n\n".join(
        [
            "# Multiply-adds derived by hand, and what profilers say",
            _verdict(results, found),
            _summary(results, found),
            "![outcomes of every profiler](figure.svg)",
            "## Protocol",
            _PROTOCOL,
            environment_table(results["environment"]),
            "## Case by case",
            "✓ right, said: wrong and disclosed, ✗ silently wrong, ! crashed",
            _by_case(results, found),
            "## What the wrong ones answered",
            _wrong(results, found),
        ]
    )


def _verdict(results: Results, found: list[tuple[Mapping[str, Any], dict[str, Outcome]]]) -> str:
    total = len(results["cases"])
    counts = {peer["name"]: Counter(each.values()) for peer, each in found}
    own = counts.pop("macprof")
    best = max(counts, key=lambda name: counts[name]["right"])
    met = "met" if own["right"] == total else "not met"
    return (
        f"Of {total} cases macprof has {own['right']} right, {own['silently wrong']} silently wrong, "
        f"{own['disclosed']} disclosed, {own['crashed']} crashed: the expectation that all are right is **{met}**. "
        f"The best other profiler, {best}, has {counts[best]['right']} right and "
        f"{counts[best]['silently wrong']} silently wrong."
    )


def _summary(results: Results, found: list[tuple[Mapping[str, Any], dict[str, Outcome]]]) -> str:
    rows = []
    for peer, each in found:
        counts = Counter(each.values())
        too_many = sum(_excess(results, peer, name) > 0 for name, result in each.items() if result == "silently wrong")
        rows.append(
            [
                peer["name"],
                peer["version"],
                *(counts[outcome] for outcome in OUTCOMES),
                f"{too_many} / {counts['silently wrong'] - too_many}",
                peer["convention"] + (f", {peer['factor']} for a multiply-add" if peer["factor"] != 1 else ""),
            ]
        )
    return markdown_table(
        ["profiler", "version", *OUTCOMES, "of the silent: too many / too few", "what its number counts"], rows, 2
    )


def _by_case(results: Results, found: list[tuple[Mapping[str, Any], dict[str, Outcome]]]) -> str:
    rows = [
        [case["family"], case["name"], f"{case['mult_adds']:,}", *(_SIGNS[each[case["name"]]] for _, each in found)]
        for case in results["cases"]
    ]
    return markdown_table(["family", "case", "multiply-adds", *(peer["name"] for peer, _ in found)], rows, 2)


def _wrong(results: Results, found: list[tuple[Mapping[str, Any], dict[str, Outcome]]]) -> str:
    rows = []
    for peer, each in found:
        for case in results["cases"]:
            outcome = each[case["name"]]
            answer = peer["answers"][case["name"]]
            if outcome == "crashed":
                rows.append([peer["name"], case["name"], outcome, f"{case['mult_adds']:,}", answer["error"]])
            elif outcome != "right":
                said = f"{answer['count'] / peer['factor']:,.0f}"
                left_out = ", ".join(answer["left_out"][:4])
                tail = f"; names {left_out}" if left_out else ""
                rows.append([peer["name"], case["name"], outcome, f"{case['mult_adds']:,}", said + tail])
    return markdown_table(["profiler", "case", "outcome", "by hand", "answer"], rows, 5)


def _excess(results: Results, peer: Mapping[str, Any], name: str) -> float:
    expected = next(case["mult_adds"] for case in results["cases"] if case["name"] == name)
    return float(peer["answers"][name]["count"] / peer["factor"] - expected)
