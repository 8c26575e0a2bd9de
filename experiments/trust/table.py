"""table.md of timer_trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reporting.files import environment_table, markdown_table
from experiments.trust.derived import percent, rates, verdicts

_PROTOCOL = """\
- A net is the same 3×3 convolution {repetitions} times over, with the same input each time; {percents} % are planted as
  so many repetitions more. What that is in truth is measured by a long run in turns, of {processes} processes; its
  interval has 99 %. The same net twice is two copies of it, each in memory of its own.
- Every harness has {seconds:g} s for a pair, warm-up included; imports, building the nets and starting processes are
  left out, for all. The column of seconds has everything but the imports. One thread, and all are kept to the same
  core. Pairs come in an order drawn by chance, and in each pair the harnesses, and which of the nets is first.
- macprof: nets in turns, order drawn anew each round, {own_processes} processes; stop rule off, so that it uses the
  same time. Different is "faster" or "slower"; "same" and "ambiguous" are not.
- torch.utils.benchmark: `blocked_autorange` of one net, then of the other. It has no rule for what is different, and is
  read in two ways: the quartile ranges that it prints do not overlap; the digits that `Compare` shows when trimmed to
  significant ones differ.
- pyperf: one net, then the other; its Runner's 20 processes of a warm-up and three values. A value is as long as the
  time allows, not its default 0.1 s; processes are copies of one that has imported torch, which its own would import
  anew. Different is what `compare_to` calls significant.
- Brackets hold the 95 % interval of a share (Wilson)."""

_SYNTHETIC = """\
No clock is read: samples are drawn by chance with noise of a known kind (`experiments/trust/synthetic.py`), {rounds}
rounds in all. The interval is asked to hold the ratio of the nets in 99 %. One process that is biased cannot, as it
does not know its bias, and three know little of theirs; the verdict allows for that."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    protocol = _PROTOCOL.format(
        **results["protocol"], percents=", ".join(str(p) for p in results["protocol"]["planted"])
    )
    synthetic = _SYNTHETIC.format(rounds=results["synthetic"]["rounds"])
    return "\n\n".join(
        [
            "# Can the verdicts be trusted?",
            "## What was expected, and what was found",
            markdown_table(["expected", "found", "verdict"], verdicts(results), 3),
            "![share of the pairs that each harness calls slower, by what was planted](figure.svg)",
            "## How often the planted net was called slower",
            _rates(results),
            "## What was planted, in truth",
            _reference(results),
            "## Protocol",
            protocol,
            environment_table(results["environment"]),
            "## On synthetic clocks",
            synthetic,
            _simulated(results),
            "Root of the mean squared error of the log ratio, × 10⁻⁴, by noise and way of estimating it:",
            _locations(results),
        ]
    )


def _rates(results: Mapping[str, Any]) -> str:
    header = ["rule", "planted", "called slower", "called faster", "typical error", "samples", "seconds"]
    rows = [
        [
            each.rule,
            f"{each.percent} %" if each.percent else "none",
            percent(each.found),
            f"{100 * each.reversed:.1f} %",
            f"{100 * each.error:.2f} %",
            f"{each.samples:.0f}",
            f"{each.seconds:.2f}",
        ]
        for each in rates(results)
    ]
    return markdown_table(header, rows, 2)


def _reference(results: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{each['percent']} %",
            f"{100 * (each['ratio'] - 1):.2f} % [{100 * (each['low'] - 1):.2f}, {100 * (each['high'] - 1):.2f}]",
            each["rounds"],
        ]
        for each in results["reference"]
    ]
    return markdown_table(["planted", "slower in truth", "rounds"], rows, 1)


def _simulated(results: Mapping[str, Any]) -> str:
    rows = []
    every = results["synthetic"]["verdicts"]
    for noise, processes in dict.fromkeys((each["noise"], each["processes"]) for each in every):
        group = [each for each in every if (each["noise"], each["processes"]) == (noise, processes)]
        same = next(each for each in group if not each["percent"])
        rows.append(
            [
                noise,
                processes,
                f"{100 * (same['faster'] + same['slower']) / same['pairs']:.1f} %",
                f"{100 * same['same'] / same['pairs']:.0f} %",
                *(f"{100 * each['slower'] / each['pairs']:.0f} %" for each in group if each["percent"]),
                f"{100 * sum(each['covered'] for each in group) / sum(each['pairs'] for each in group):.1f} %",
                f"±{100 * same['half_width']:.2f} %",
            ]
        )
    planted = sorted({each["percent"] for each in every if each["percent"]})
    header = ["noise", "processes", "none: different", "none: same", *(f"{each} % found" for each in planted)]
    return markdown_table([*header, "interval holds the ratio", "interval"], rows, 1)


def _locations(results: Mapping[str, Any]) -> str:
    found = results["synthetic"]["location_errors"]
    ways = list(next(iter(found.values())))
    return markdown_table(
        ["noise", *ways], [[noise, *(f"{1e4 * errors[way]:.1f}" for way in ways)] for noise, errors in found.items()]
    )
