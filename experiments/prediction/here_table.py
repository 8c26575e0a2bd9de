"""table.md of prediction_on_this_machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reporting.files import environment_table, markdown_table
from mac_profiler.units import count, seconds

MEDIAN_AT_MOST, FEWEST = 0.15, 40
_PROTOCOL = """\
- Calibration: `macprof calibrate` with its own settings, {processes} processes, one thread; no network of this table is
  among its probes, and nothing is fitted to a network.
- The networks that were never looked at were named when probes and laws were settled; these saw the others' errors.
- Measured: each network alone, one image, called again and again in {processes} processes on one core; medians with
  their intervals at 99 %. Eager, no batch-norm folded.
- The stated error is what nine in ten held-out probes, and nine in ten repetitions of a probe, are within, together.
- Causes: torch's profiler times every operator; the kinds of work with the largest sums of told less measured time."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    return "\n\n".join(
        [
            "# Times told from a calibration alone",
            _expected(results),
            "![told and measured time of every network](figure.svg)",
            _errors(results),
            "## Every network",
            _networks(results),
            "## The largest errors and their causes",
            _causes(results),
            "## Two calibrations",
            _agreement(results),
            "## Protocol",
            _PROTOCOL.format(processes=results["calibration"]["settings"]["processes"]),
            environment_table(results["environment"]),
        ]
    )


def _expected(results: Mapping[str, Any]) -> str:
    rows = []
    for part in ("never looked at", "all"):
        found = results["errors"].get(part)
        if found is None:
            continue
        met = found["median"] <= MEDIAN_AT_MOST and found["networks"] >= FEWEST
        claim = f"median error at most {MEDIAN_AT_MOST:.0%} over at least {FEWEST} networks ({part})"
        rows.append([claim, f"{100 * found['median']:.1f} % over {found['networks']}", "met" if met else "not met"])
    agreement = results["agreement"]
    networks = len(results["networks"])
    within = agreement["networks_within_interval"]
    stated = results["calibration"]["stated_error"]
    claim = f"two calibrations tell every network alike, within the stated {stated:.1%}"
    rows.append([claim, f"{within} of {networks}", "met" if within == networks else "not met"])
    return markdown_table(["expected", "found", "verdict"], rows)


def _errors(results: Mapping[str, Any]) -> str:
    rows = [
        [
            part,
            each["networks"],
            f"{100 * each['median']:.1f} %",
            f"{100 * each['within']:.0f} %",
            f"{100 * each['nine_in_ten']:.1f} %",
            f"{each['rank']:.3f}",
            "–" if each["slowness"] is None else f"{each['slowness']:.3f}",
        ]
        for part, each in results["errors"].items()
    ]
    header = ["networks", "number", "median error", "within 10 %", "nine in ten within", "Spearman", "of slowness"]
    return markdown_table(header, rows)


def _networks(results: Mapping[str, Any]) -> str:
    rows = [
        [
            each["name"],
            count(each["mult_adds"]),
            seconds(each["predicted"]),
            seconds(each["compute"]),
            seconds(each["memory"]),
            seconds(each["launch"]),
            f"{seconds(each['measured'])} [{seconds(each['low'])}, {seconds(each['high'])}]",
            f"{100 * (each['predicted'] / each['measured'] - 1):+.1f} %",
        ]
        for each in results["networks"]
    ]
    header = ["network", "multiply-adds", "told", "compute", "memory", "launch", "measured", "off by"]
    return markdown_table(header, rows)


def _causes(results: Mapping[str, Any]) -> str:
    rows = []
    for each in results["causes"]:
        off = ", ".join(f"{kind} {'+' if own > 0 else '-'}{seconds(abs(own))}" for kind, own in each["off"].items())
        rows.append([each["name"], f"{100 * each['error']:+.0f} %", seconds(each["measured"]), off])
    return markdown_table(["network", "off by", "measured", "kinds of work that are off"], rows)


def _agreement(results: Mapping[str, Any]) -> str:
    agreement = results["agreement"]
    apart = f" (not: {', '.join(agreement['facts_apart'])})" if agreement["facts_apart"] else ""
    return (
        f"Of {agreement['facts']} measured rates and bandwidths, the intervals of {agreement['facts_overlapping']} "
        f"overlap{apart}. What the two tell of a network differs by {100 * agreement['median_ratio']:.1f} % in the "
        f"median, {100 * agreement['largest_ratio']:.1f} % at most."
    )
