"""What each report says of how right macprof is, in one line: asked, expected, found, met or not."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from experiments.conformance.outcomes import ranked
from experiments.libraries.agreement import as_printed, as_torch, by_regions, parameters_as_printed, tested
from experiments.order.table import AGREES, share
from experiments.prediction.here_table import MEDIAN_AT_MOST
from experiments.prediction.predictors import FULL
from experiments.speed.derived import OWN, lines, targets
from experiments.trust.derived import percent, rates
from mac_profiler.agreements import MULT_ADDS

REPORTS = Path(__file__).resolve().parents[2] / "reports"
Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger.

    Attributes:
        asked: what was asked.
        expected: what the experiment says that it expects; "" where nothing.
        found: the answer, with its figures.
        met: whether what was expected was found; None where nothing was.
    """

    asked: str
    expected: str
    found: str
    met: bool | None


@cache
def results_of(report: str) -> Any:
    """The report's results.json; None where the report is not there."""
    path = REPORTS / report / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def conformance(results: Results) -> Iterator[Line]:
    """Counts beside counts derived by hand."""
    found = [(peer["name"], Counter(each.values())) for peer, each in ranked(results)]
    own = next(counts for name, counts in found if name == OWN)
    others = [each for each in found if each[0] != OWN]
    total, (name, best) = len(results["cases"]), others[0]
    yield Line(
        "Multiply-adds of cases derived by hand",
        "all",
        f"{own['right']} of {total} right; the best other, {name}: {best['right']} right, "
        f"{best['silently wrong']} silently wrong, {best['crashed']} crashed",
        own["right"] == total,
    )


def libraries(results: Results) -> Iterator[Line]:
    """Counts of torchvision and timm."""
    weights = results["torchvision"]
    right, parameters = sum(map(as_printed, weights)), sum(map(parameters_as_printed, weights))
    excused = sum(by_regions(line) for line in weights if not as_printed(line))
    yield Line(
        "torchvision: multiply-adds as every set of weights prints them",
        "all but detectors of two stages",
        f"{right} of {len(weights)}; {excused} of the others are detectors of two stages",
        right + excused == len(weights),
    )
    frozen = sum(line["kind"] == "detection" for line in weights if not parameters_as_printed(line))
    yield Line(
        "torchvision: parameters as every set of weights prints them",
        "all",
        f"{parameters} of {len(weights)}; the others are {frozen} detectors, whose "
        "batch-norm is frozen where weights are given",
        parameters == len(weights),
    )
    counted = [line for line in results["timm"] if tested(line)]
    equal = sum(map(as_torch, counted))
    yield Line(
        "timm: the first network of every file as torch's FlopCounterMode counts it when it runs",
        "all",
        f"{equal} of {len(counted)} equal to the last multiply-add"
        + (f"; {len(results['timm']) - len(counted)} not run" if len(counted) < len(results["timm"]) else ""),
        equal == len(counted),
    )


def published(results: Results) -> Iterator[Line]:
    """Complexities that papers print."""
    told = [line for line in results["lines"] if line["ratio"] is not None]
    apart = [line for line in told if line["apart"]]
    silent = sum(not line["reason"] for line in apart)
    yield Line(
        "Complexities printed in the papers' tables",
        "within 2 %, or a reason for the difference",
        f"{len(told) - len(apart)} of {len(told)} within 2 %, the digits of {sum(line['follows'] for line in told)} "
        f"follow; {len(apart)} further apart, {silent} of them without a reason",
        silent == 0,
    )


def prediction(results: Results) -> Iterator[Line]:
    """Times told from a calibration."""
    for part in ("never looked at", "all"):
        found = results["errors"][part]
        yield Line(
            f"Time of a network, told from a calibration without running it ({part})",
            f"median error at most {MEDIAN_AT_MOST:.0%}".replace("%", " %"),
            f"median {_share(found['median'])} over {found['networks']} networks, nine in ten within "
            f"{_share(found['nine_in_ten'])}, Spearman {found['rank']:.3f}",
            found["median"] <= MEDIAN_AT_MOST,
        )


def tables(results: Results) -> Iterator[Line]:
    """Times of published tables, told by ten numbers."""
    for name, table in results["tables"].items():
        laws, adds = table["errors"][FULL], table["errors"]["multiply-adds"]
        yield Line(
            f"Measured times of others ({_device(name)}), told by ten numbers",
            "median error at most 10 %",
            f"median {_share(laws['median'])} over {table['networks']} networks; by multiply-adds alone "
            f"{_share(adds['median'])}",
            laws["median"] <= 0.10,
        )


def trust(results: Results) -> Iterator[Line]:
    """Verdicts on nets of which one is slower by a known part."""
    found = {(each.rule, each.percent): each for each in rates(results)}
    others = [rule for rule in results["rules"] if rule != OWN]
    false, seen = found[OWN, 0].different, found[OWN, 3].found
    yield Line(
        "Timing: the same net twice is called different",
        "at most 5 %",
        f"{percent(false)}; " + ", ".join(f"{rule} {_share(found[rule, 0].different.value)}" for rule in others),
        false.value <= 0.05,
    )
    yield Line(
        "Timing: a net that is 3 % slower is called slower",
        "at least 95 %",
        f"{percent(seen)}; " + ", ".join(f"{rule} {_share(found[rule, 3].found.value)}" for rule in others),
        seen.value >= 0.95,
    )


def score(results: Results) -> Iterator[Line]:
    """The audit's score beside measured slowness."""
    for name, table in results["tables"].items():
        nominal, *learned = table["spearman"]
        mean = sum(learned) / len(learned)
        yield Line(
            f"The score ranks networks by measured time for their multiply-adds ({_device(name)})",
            "Spearman at least 0.9",
            f"{mean:.3f} learned from {results['protocol']['trained_on']} others, {nominal:.3f} from data sheets alone",
            mean >= 0.9 and nominal >= 0.9,
        )


def verdicts(results: Results) -> Iterator[Line]:
    """What an audit says beside what the paper says."""
    paper = [each for each in results["judged"] if each["by_paper"]]
    right = [not each["missing"] and not each["besides"] for each in results["judged"]]
    agreeing = sum(not each["missing"] and not each["besides"] for each in paper)
    yield Line(
        "An audit says of networks what ShuffleNet V2 says of them in words",
        "all, and nothing loud besides",
        f"{agreeing} of {len(paper)} that the paper judges; "
        f"{sum(right)} of {len(right)} together with those that were judged beforehand by us",
        all(right),
    )


def order(results: Results) -> Iterator[Line]:
    """Networks of one complexity put in order by their times."""
    for name, found in results["presets"].items():
        told, pairs = share(found, "measured", "predicted")
        here, others = share(found, "measured", "ARM")
        usual, _ = share(found, "measured", MULT_ADDS)
        if told is None or here is None or usual is None or found["baseline"]:
            continue
        yield Line(
            f"Networks of {name}, in pairs of one complexity: the faster one is told without running it",
            f"{AGREES:.0%} of the pairs".replace("%", " %"),
            f"{_share(told)} of {pairs}; by multiply-adds {_share(usual)}; the paper's ARM core has {_share(here)} of "
            f"{others} as they are here",
            told >= AGREES,
        )


def speed(results: Results) -> Iterator[Line]:
    """How long an analysis takes."""
    names = [*results["peers"]]
    for samples in results["models"]:
        every = lines(samples, names)
        own = next(line for line in every if line.peer == OWN)
        other = next(line for line in every if line.peer != OWN and line.slower)
        fvcore = next((line for line in every if line.peer == "fvcore" and line.slower), None)
        if own.warm is None or other.slower is None:
            continue
        more = f", fvcore {fvcore.slower.value:.1f}" if fvcore and fvcore.slower else ""
        yield Line(
            f"Time of an analysis of {samples['model']}, warm",
            "the fastest other takes at least 3 times as long",
            f"{1e3 * own.warm.value:.1f} ms; {results['peers'][other.peer]['name']} {other.slower.value:.1f} times as "
            f"long{more}",
            other.slower.value >= 3,
        )
    *each_model, whole = targets(results)
    first = [target.verdict for target in each_model if target.claim.startswith("first call: ")]
    met = sum(verdict.startswith("met") for verdict in first)
    yield Line(
        "Time of the first analysis in a process, import left out",
        "no slower than the fastest other",
        f"on {met} of {len(first)} networks; on {sum('interval' in verdict for verdict in first)} the interval is too "
        "wide to tell",
        met == len(first),
    )
    yield Line("The whole command, beside `import torch`", "at most 1.25 times", f"{whole.found.value:.2f} times",
               whole.found.value <= 1.25)  # fmt: skip


def guideline(results: Results, table: str) -> Iterator[Line]:
    """A guideline's experiment beside the paper's rows."""
    sides = [tuple(map(int, found)) for found in re.findall(r"(\d+) of (\d+) rows are on the paper's side", table)]
    if not sides:
        raise ValueError("the table of a guideline's report no longer says how many rows are on the paper's side")
    near = sum(map(int, re.findall(r"the paper's side of the first, (\d+) within", table)))
    yield Line(
        table.partition("\n")[0].removeprefix("# ").partition(":")[2].strip(),
        "",
        f"{sum(a for a, _ in sides)} of {sum(b for _, b in sides)} rows are slower or faster as in the paper, "
        f"{near} within 10 % of its ratio",
        None,
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _device(table: str) -> str:
    """What timm's file names say that a table was measured on."""
    return table.rpartition("-cu")[2].partition("-")[2] if "-cu1" in table else table.partition("-cpu-")[2]


# Reports in the order of the ledger.
EVIDENCE: Mapping[str, Callable[[Any], Iterator[Line]]] = {
    "count_conformance": conformance,
    "library_counts": libraries,
    "published_complexity": published,
    "prediction_on_this_machine": prediction,
    "flops_are_not_speed": tables,
    "timer_trust": trust,
    "score_ranks_slowness": score,
    "audit_paper_verdicts": verdicts,
    "published_order": order,
    "analysis_speed": speed,
}
# Surveys and questions of structure, whose answers are no figure of how right macprof is.
OTHERS = ("feature_reuse", "peer_features")
GUIDELINES = ("g1_channel_width", "g2_group_count", "g3_fragmentation", "g4_elementwise")
