"""Every number that README, the changelog and the documentation take from a report is what the report says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from experiments.conformance.outcomes import ranked
from experiments.ledger.evidence import EVIDENCE, GUIDELINES, OTHERS, REPORTS, results_of
from experiments.ledger.pages import written
from experiments.libraries.agreement import as_printed, as_torch
from experiments.order.table import share
from experiments.prediction.predictors import FULL
from experiments.trust.derived import rates

ROOT = Path(__file__).resolve().parents[1]
MADE = set(written()) if REPORTS.is_dir() else set()
READ = [ROOT / "README.md", *sorted(set((ROOT / "docs").rglob("*.md")) - MADE)]
PROSE = [*READ, ROOT / "CHANGELOG.md"]
GPU, CPU = (
    "benchmark-infer-amp-nchw-pt240-cu124-rtx3090",
    "benchmark-infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo",
)

pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason="a source archive has no reports")


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with a number in it.

    Attributes:
        said: the statement, its numbers in groups; spaces stand for any white space.
        report: whose results.json has them; "" where they are worked out here.
        numbers: makes them, as they are written, from the report.
    """

    said: str
    report: str
    numbers: Callable[[Any], tuple[str, ...]]


def one(value: float) -> str:
    return f"{value:.1f}"


def percent(value: float) -> str:
    return one(100 * value)


def right(results: Any) -> dict[str, int]:
    """Right answers of every profiler."""
    return {peer["name"]: list(found.values()).count("right") for peer, found in ranked(results)}


def rate(results: Any, rule: str, planted: int) -> str:
    found = next(each for each in rates(results) if (each.rule, each.percent) == (rule, planted))
    return percent((found.found if planted else found.different).value)


def adds_apart(results: Any) -> float:
    """How much of the multiply-adds the widths of G1's groups differ by, at most; those that the paper has."""
    groups: dict[str, list[int]] = {}
    for case in results["cases"]:
        groups.setdefault(case["key"].rpartition("/")[0], []).append(case["mult_adds"])
    return max(1 - min(found) / max(found) for name, found in groups.items() if not name.endswith("aligned"))


def slowest_of_one_level(_: Any) -> tuple[str, ...]:
    from mac_profiler import published

    speeds = [
        row.figures["gpu_batches_per_second"].value
        for row in published.table("v2_table8").rows
        if 140e6 <= row.figures["mult_adds"].value < 160e6 and "gpu_batches_per_second" in row.figures
    ]
    return ({2: "two", 3: "three", 4: "four"}[round(max(speeds) / min(speeds))],)


def networks_by_name(_: Any) -> tuple[str, ...]:
    from mac_profiler import models

    return (f"{len(models.entries()) // 50 * 50}",)


def probes(_: Any) -> tuple[str, ...]:
    from mac_profiler.measurement import Settings
    from mac_profiler.probes import cases

    return (f"{round(len(cases(Settings())), -2)}",)


def tolerance(_: Any) -> tuple[str, ...]:
    from experiments.complexity.rows import TOLERANCE

    return (f"{100 * TOLERANCE:.0f}",)


CLAIMS = [
    Claim(
        r"faster on this CPU in ([\d.]+) % of the pairs, multiply-adds in ([\d.]+) %",
        "published_order",
        lambda found: tuple(
            percent(share(found["presets"]["v2-table8"], "measured", beside)[0] or 0)
            for beside in ("predicted", "multiply-adds")
        ),
    ),
    Claim(
        r"(\d+) of (\d+) cases derived by hand are right; the best other counter has (\d+)",
        "count_conformance",
        lambda found: (
            str(right(found)["macprof"]),
            str(len(found["cases"])),
            str(max(n for name, n in right(found).items() if name != "macprof")),
        ),
    ),
    Claim(
        r"(\d+) of (\d+) sets of torchvision's weights have the multiply-adds",
        "library_counts",
        lambda found: (str(sum(map(as_printed, found["torchvision"]))), str(len(found["torchvision"]))),
    ),
    Claim(
        r"(\d+) of (\d+) networks of timm",
        "library_counts",
        lambda found: (str(sum(map(as_torch, found["timm"]))), str(len(found["timm"]))),
    ),
    Claim(
        r"(\d+) of (\d+) complexities that the papers print are within (\d+) %",
        "published_complexity",
        lambda found: (
            str(sum(not line["apart"] for line in found["lines"] if line["ratio"] is not None)),
            str(sum(line["ratio"] is not None for line in found["lines"])),
            *tolerance(found),
        ),
    ),
    Claim(
        r"called different in (\d+\.\d) % of the pairs, and one that is 3 % slower is found in (\d+\.\d) %; "
        r"with pyperf in the same time it is (\d+\.\d) % and (\d+\.\d) %",
        "timer_trust",
        lambda found: (
            rate(found, "macprof", 0),
            rate(found, "macprof", 3),
            rate(found, "pyperf", 0),
            rate(found, "pyperf", 3),
        ),
    ),
    Claim(
        r"median error (\d+\.\d) % on (\d+) networks that were never looked at",
        "prediction_on_this_machine",
        lambda found: (
            percent(found["errors"]["never looked at"]["median"]),
            str(found["errors"]["never looked at"]["networks"]),
        ),
    ),
    Claim(
        r"From multiply-adds alone the times of (\d+) networks on a GPU are told with a median error of (\d+\.\d) %, "
        r"from ten numbers with (\d+\.\d) %",
        "flops_are_not_speed",
        lambda found: (
            str(found["tables"][GPU]["networks"]),
            percent(found["tables"][GPU]["errors"]["multiply-adds"]["median"]),
            percent(found["tables"][GPU]["errors"][FULL]["median"]),
        ),
    ),
    Claim(
        r"agrees with the paper on (\d+) of the (\d+) networks that it judges",
        "audit_paper_verdicts",
        lambda found: (
            str(sum(not each["missing"] and not each["besides"] for each in found["judged"] if each["by_paper"])),
            str(sum(each["by_paper"] for each in found["judged"])),
        ),
    ),
    Claim(
        r"tell times to (\d+) % from sixty models",
        "flops_are_not_speed",
        lambda found: (f"{100 * found['tables'][GPU]['errors'][FULL]['median']:.0f}",),
    ),
    Claim(
        r"over (1,\d{3}) measured times of two published tables",
        "flops_are_not_speed",
        lambda found: (f"{sum(each['networks'] for each in found['tables'].values()) // 100 * 100:,}",),
    ),
    Claim(
        r"widths of G1 differ by up to (\d+\.\d) % in multiply-adds",
        "g1_channel_width",
        lambda found: (percent(adds_apart(found)),),
    ),
    Claim(r"of about 140 MFLOPs differ nearly (\w+) times in speed", "", slowest_of_one_level),
    Claim(r"`macprof models` lists some (\d+) by name", "", networks_by_name),
    Claim(r"the numbers from some (\d+) probes", "", probes),
    Claim(r"each difference of more than (\d+) %", "", tolerance),
]
# Numbers of the prose that no report has: settings.
SETTLED = (
    r"median is known to 1 %",
    r"is 3 % slower",
)
_NUMBER = re.compile(r"\d+(?:\.\d+)? %|\b\d+ of (?:the )?\d+\b|(?<![\d,])\d{1,3},\d{3}\b")


def prose(path: Path) -> str:
    """A page without its blocks of code, its white space made single."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return " ".join(text.split())


def test_no_report_is_left_out_of_the_ledger() -> None:
    reports = {path.parent.name for path in REPORTS.glob("*/results.json")}
    assert reports == {*EVIDENCE, *GUIDELINES, *OTHERS}


def test_what_is_not_met_stands_in_the_ledger() -> None:
    said = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8").partition("## What was expected and is not met")[2]
    for table in REPORTS.glob("*/table.md"):
        rows = re.findall(r"^\|.*\| not met[^|]*\|", table.read_text(encoding="utf-8"), re.MULTILINE)
        assert said.count(f"/{table.parent.name}/table.md): not met") == len(rows), table


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.said[:40])
def test_a_number_is_that_of_its_report(claim: Claim) -> None:
    results = results_of(claim.report) if claim.report else None
    assert results is not None or not claim.report, f"reports/{claim.report} is not there"
    expected = claim.numbers(results)
    found = {path.name: match.groups() for path in PROSE for match in re.finditer(claim.said, prose(path))}
    assert found, "nobody says so any more: take the claim away"
    assert {name: numbers for name, numbers in found.items() if numbers != expected} == {}, expected


def unclaimed(path: Path) -> Iterator[str]:
    text = prose(path)
    known = [
        match.span() for said in (*(claim.said for claim in CLAIMS), *SETTLED) for match in re.finditer(said, text)
    ]
    for number in _NUMBER.finditer(text):
        if not any(start <= number.start() and number.end() <= end for start, end in known):
            yield text[max(0, number.start() - 50) : number.end() + 20]


# The changelog has what was seen once, too, while something was built.
@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_share_and_no_count_is_said_that_nothing_bears_out(path: Path) -> None:
    assert list(unclaimed(path)) == []


@pytest.mark.parametrize("path", sorted(MADE), ids=lambda path: path.name)
def test_a_page_made_from_reports_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written()[path], "write it anew: make ledger"
