"""Can the verdicts faster, slower and same be trusted, and those of other harnesses in the same time?

Question: how often does macprof call the same net, built twice, different from itself, and how often does it find one
that is 1, 2, 3 or 5 % slower? How often do torch.utils.benchmark and pyperf, given the same time for a pair?
Expectation: macprof calls the same net different in at most 5 % of 200 pairs, finds 3 % in at least 95 % of 100 pairs,
and is better than either of the others: nearer to the truth in one of these, and no farther in the other.
Source: measured here, and simulated on synthetic clocks, whose noise is known.

    python -m experiments.timer_trust [--smoke] [--output DIR] [--seed N]

What was measured is kept pair by pair beside the report until that is written: after a kill it goes on from there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options, read_options
from experiments.trust import macprof, nets, pyperf, torch_timer
from experiments.trust.figure import draw
from experiments.trust.simulate import ROUNDS, location_errors, simulate
from experiments.trust.table import write
from mac_profiler.harness.processors import choose, pinned
from mac_profiler.intervals import ratio
from mac_profiler.measurement import Settings

HARNESSES = (macprof, torch_timer, pyperf)
PLANTED = (1, 2, 3, 5)
# 600 pairs, three harnesses, 1.5 s each and what starting processes takes: an hour. The rest takes ten minutes more.
SAME_PAIRS, PLANTED_PAIRS, SECONDS = 200, 100, 1.5
REFERENCE = Settings(processes=8, precision=0.0, max_seconds=60.0)
SIMULATED = 200


def main() -> None:
    """Judge all pairs and write the report."""
    options = read_options("timer_trust", __doc__)
    # In this process nothing is computed: the harnesses' processes are copies of it.
    import torch

    torch.set_num_threads(1)
    kept = options.output / "pairs.jsonl"
    # One core for all: macprof would keep to one by itself, the others would not, and differ by that too.
    with pinned(choose(1)):
        results = collect(options, kept)
    write_report(options.output, results, write(results), draw(results))
    kept.unlink()
    print(options.output / "table.md")


def collect(options: Options, kept: Path) -> dict[str, Any]:
    """What every harness said of every pair, and the true effects."""
    seconds = 0.2 if options.smoke else SECONDS
    reference = Settings(processes=2, precision=0.0, max_seconds=0.1, min_rounds=5) if options.smoke else REFERENCE
    simulated = 2 if options.smoke else SIMULATED
    return {
        "environment": describe(("pyperf", "numpy")),
        "seed": options.seed,
        "protocol": {
            "repetitions": nets.REPETITIONS,
            "planted": PLANTED,
            "seconds": seconds,
            "processes": reference.processes,
            "own_processes": macprof.PROCESSES,
        },
        "rules": [rule for harness in HARNESSES for rule in harness.RULES],
        "pairs": list(judge_pairs(options, seconds, kept)),
        "reference": measure_reference(reference),
        "synthetic": {
            "rounds": ROUNDS,
            "verdicts": simulate(simulated, options.seed),
            "location_errors": location_errors(simulated, options.seed),
        },
    }


def judge_pairs(options: Options, seconds: float, kept: Path) -> Iterator[dict[str, Any]]:
    """Every harness on every pair, in an order drawn by chance; those that are kept already are not judged again."""
    generator = random.Random(options.seed)  # noqa: S311 - an order, no secret
    percents = [0] * (2 if options.smoke else SAME_PAIRS) + [*PLANTED] * (1 if options.smoke else PLANTED_PAIRS)
    generator.shuffle(percents)
    heading = {"seed": options.seed, "seconds": seconds, "pairs": len(percents)}
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = read_kept(kept, heading)
    with kept.open("a", encoding="utf-8") as file:
        for number, percent in enumerate(percents):
            planted_first = generator.random() < 0.5
            order = generator.sample(HARNESSES, len(HARNESSES))
            if number < len(known):
                yield known[number]
                continue
            cases = nets.pair(percent, f"pair {number}", planted_first=planted_first)
            outcomes = {each.NAME: asdict(each.judge(cases, seconds, number)) for each in order}
            judged = {
                "percent": percent,
                "planted_first": planted_first,
                "outcomes": {each.NAME: outcomes[each.NAME] for each in HARNESSES},
            }
            file.write(json.dumps(judged) + "\n")
            file.flush()
            yield judged


def read_kept(kept: Path, heading: dict[str, Any]) -> list[dict[str, Any]]:
    """The pairs of an earlier run with the same heading; the file is cut to what is whole, or begun."""
    lines = kept.read_text(encoding="utf-8").split("\n")[:-1] if kept.exists() else []
    known = [json.loads(line) for line in lines]
    if not known or known[0] != heading:
        known = [heading]
    kept.write_text("".join(json.dumps(each) + "\n" for each in known), encoding="utf-8")
    return known[1:]


def measure_reference(settings: Settings) -> list[dict[str, Any]]:
    """How much slower the planted nets are, from a long run of all of them in turns."""
    cases = [nets.case(percent, "reference", f"{percent} %") for percent in (0, *PLANTED)]
    plain, *planted = macprof.measure_in_processes(cases, settings)
    found = []
    for percent, measured in zip(PLANTED, planted, strict=True):
        compared = ratio(plain, measured, settings)
        estimate = compared.ratio
        found.append(
            {
                "percent": percent,
                "ratio": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "rounds": compared.rounds,
            }
        )
    return found


if __name__ == "__main__":
    main()
