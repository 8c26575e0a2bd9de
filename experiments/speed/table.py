"""table.md of analysis_speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reporting.files import environment_table, markdown_table
from experiments.speed.derived import OWN, Line, chain_seconds, lines, targets
from mac_profiler.intervals import Estimate

_PROTOCOL = """\
- One thread (`torch.set_num_threads(1)`, `OMP_NUM_THREADS=1`); models of torchvision with random weights, on the CPU,
  in evaluation, under `no_grad`; input 1 × 3 × 224 × 224. Every profiler is called as its documentation says, on the
  same model and input.
- Every profiler has a process of its own, because some replace torch's functions or leave hooks in the model. It is a
  copy of one process that has imported torch and torchvision and built the model, and has computed nothing.
- First call: the first in such a copy, after the profiler's import; median of {processes},
  of 2 where it takes longer than 2 s. Import included: with it.
- Warm: one call of each profiler a round, one at a time, in an order drawn anew each round; one call before is not
  counted. A profiler that has used up its seconds sits out the later rounds; it has 3 samples at least, or fewer where
  one call takes seconds. The ratio to macprof is taken over the rounds that both took part in. Brackets hold the 95 %
  interval, with what drifts from round to round; of three samples and fewer it is wide.
- Peak memory: most resident memory until the end of the first call, over that before the profiler's import.
- Answer: as it is given, divided by 2 where a multiply-add counts as two. What else it counts stands below."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    names = {name: peer["name"] for name, peer in results["peers"].items()}
    first = results["models"][0]["first"]
    processes = sum(sample["peer"] == OWN for sample in first)
    parts = ["# Time of an analysis", "## What was expected, and what was found", _verdicts(results)]
    parts += ["![seconds of every profiler on every model](figure.svg)"]
    for samples in results["models"]:
        every = lines(samples, [*names])
        parts += [f"## {samples['model']}", _model(every, results["peers"])]
        failed = [f"- {names[line.peer]}: {line.error}" for line in every if line.error]
        if failed:
            parts += ["No answer:", "\n".join(failed)]
    parts += ["## Chains of operators", _chains(results)]
    parts += ["## Protocol", _PROTOCOL.format(processes=processes), environment_table(results["environment"])]
    parts += ["## What the numbers count", _conventions(results["peers"])]
    return "\n\n".join(parts)


def _verdicts(results: Mapping[str, Any]) -> str:
    rows = [[target.model, target.claim, _times(target.found), target.verdict] for target in targets(results)]
    return markdown_table(["model", "expected", "found", "verdict"], rows, 2)


def _model(every: list[Line], described: Mapping[str, Any]) -> str:
    own = next((line.count for line in every if line.peer == OWN), None)
    rows = []
    for line in every:
        if line.error or line.count is None or line.first is None or line.first_with_import is None:
            continue
        answer = line.count / described[line.peer]["factor"]
        difference = "" if own in (None, 0) or answer == own else f" ({100 * (answer / own - 1):+.1f} %)"
        rows.append(
            [
                described[line.peer]["name"],
                _milliseconds(line.warm),
                _times(line.slower) if line.peer != OWN else "1",
                f"{1e3 * line.first:,.0f}",
                f"{1e3 * line.first_with_import:,.0f}",
                "" if line.peak_bytes is None else f"{line.peak_bytes / 2**20:,.0f}",
                f"{answer:,.0f}{difference}",
            ]
        )
    header = ["profiler", "warm, ms", "times macprof", "first, ms", "first with import, ms", "peak, MiB"]
    return markdown_table([*header, "answer (against macprof's)"], rows)


def _chains(results: Mapping[str, Any]) -> str:
    found = chain_seconds(results)
    rows = [[f"{n:,}", f"{seconds:.3f}", f"{1e6 * seconds / n:.1f}"] for n, seconds in found.items()]
    per_operator = [seconds / n for n, seconds in found.items()]
    growth = per_operator[-1] / per_operator[0]
    text = f"From the shortest chain to the longest the time of an operator changes by the factor {growth:.2f}."
    return markdown_table(["operators", "seconds", "µs an operator"], rows, 0) + f"\n\n{text}"


def _conventions(described: Mapping[str, Any]) -> str:
    rows = [[peer["name"], peer["version"], peer["convention"], peer["factor"]] for peer in described.values()]
    return markdown_table(["profiler", "version", "its number counts", "a multiply-add is"], rows, 3)


def _times(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _milliseconds(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return " ".join((f"{1e3 * estimate.value:,.1f}", f"[{1e3 * estimate.low:,.1f}, {1e3 * estimate.high:,.1f}]"))
