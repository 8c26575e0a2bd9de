"""The text of docs/compared.md: macprof beside other counters, from what they answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from experiments.conformance.judge import OUTCOMES
from experiments.conformance.outcomes import outcomes
from experiments.ledger.evidence import results_of
from experiments.reporting.files import markdown_table
from experiments.speed.derived import lines

# Profiler, as the page names it -> its name in count_conformance, and its file in analysis_speed.
PEERS = {
    "macprof": ("macprof", "macprof"),
    "fvcore": ("fvcore", "fvcore"),
    "torchinfo": ("torchinfo", "torchinfo"),
    "ptflops": ("ptflops pytorch", "ptflops_pytorch"),
    "thop": ("thop", "thop"),
    "calflops": ("calflops", "calflops"),
    "torchprofile": ("torchprofile", "torchprofile"),
    "torchscan": ("torchscan", "torchscan"),
    "TorchLens": ("torchlens", "torchlens"),
    "FlopCounterMode": ("FlopCounterMode", "flop_counter_mode"),
    "DeepSpeed": ("DeepSpeed", "deepspeed"),
}
# Other ways to call two of them.
VARIANTS = {
    "ptflops, of its operators": ("ptflops aten", "ptflops_aten"),
    "FlopCounterMode on meta": ("FlopCounterMode on meta", "flop_counter_mode_meta"),
    "FlopCounterMode, fake": ("FlopCounterMode, fake", "flop_counter_mode_fake"),
}
# Cases of count_conformance that a reader may ask for by name.
_CASES = {
    "transposed_2d": "transposed convolution",
    "fused": "fused attention",
    "written_by_hand": "attention written by hand",
    "computed_weight": "convolution with a weight that is computed",
}
_INTRODUCTION = """\
# Beside other counters

Yes and no are what the installed package did when a program tried it, or what it offers
([peer_features](../reports/peer_features/table.md) names what each answer rests on), and whether it counted a case
derived by hand ([count_conformance](../reports/count_conformance/table.md)). `make ledger` writes
this page from those reports."""
_BETTER = """\
## What others do better

- **FlopCounterMode** is part of torch: nothing is installed, and it counts any part of a program as it runs, a training
  step with its data among it. macprof takes a model and its inputs.
- **DeepSpeed's** profiler measures the time of every module, and a training run from within where DeepSpeed trains (the
  latter by its documentation; not tried).
- **torchinfo** and **torchscan** print a summary of a model as Keras does, by layer, which many people know how to
  read; torchscan states receptive fields.
- **TorchLens** keeps the tensors of every step, draws the graph, and lets a step be changed. It is a tool to look into
  a network; macprof looks at no value.
- **fvcore**, **thop** and **ptflops** have been used for years, and the numbers in many papers are theirs. To set a
  network beside such a number, count it as it was counted: `macprof analyze --cross-check` says what fvcore and
  FlopCounterMode say, and why it differs.
- All of them are older than macprof, and have been tried by more people."""


def compared() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    features, conformance, speed = (
        results_of(name) for name in ("peer_features", "count_conformance", "analysis_speed")
    )
    if features is not None:
        parts += ["## What they do", _features(features, conformance)]
    parts += ["## How right, and how fast", _figures(conformance, speed), _NOTES, _BETTER]
    return "\n\n".join(parts) + "\n"


_NOTES = """\
Right, disclosed, silently wrong and crashed are of the same cases; *disclosed* is a number that is too small, and a
list of what was left out. Warm is one later call on one thread; the range is over five networks. Most run the network,
so that their time grows with it; macprof and those on meta or fake tensors do not."""


def _features(features: Any, conformance: Any) -> str:
    answers = features["answers"]
    rows = [
        [said, *(_mark(answers[name][question]["answer"]) for name in PEERS)]
        for question, said in features["questions"].items()
    ]
    found = {peer["name"]: outcomes(conformance, peer) for peer in conformance["peers"]}
    for case, said in _CASES.items():
        right = [_mark(found[name][case] == "right") for name, _ in PEERS.values()]
        rows.append([f"counts right: {said}", *right])
    says = [_mark(all(value != "silently wrong" for value in found[name].values())) for name, _ in PEERS.values()]
    rows.append(["is never silently wrong on these cases", *says])
    return markdown_table(["", *PEERS], rows)


def _mark(answer: bool) -> str:
    return "yes" if answer else "no"


def _figures(conformance: Any, speed: Any) -> str:
    peers = {peer["name"]: peer for peer in conformance["peers"]}
    rows: list[Sequence[object]] = []
    for title, (name, file) in {**PEERS, **VARIANTS}.items():
        counts = Counter(outcomes(conformance, peers[name]).values())
        rows.append(
            [title, peers[name]["version"], *(counts[each] for each in OUTCOMES), *_speeds(speed, file),
             peers[name]["convention"]]
        )  # fmt: skip
    header = ["", "version", *OUTCOMES, "warm, ms", "times macprof", "what its number counts"]
    return markdown_table(header, rows, 2)


def _speeds(speed: Any, file: str) -> tuple[str, str]:
    found = [line for samples in speed["models"] for line in lines(samples, [*speed["peers"]]) if line.peer == file]
    warm = sorted(1e3 * line.warm.value for line in found if line.warm)
    times = sorted(line.slower.value for line in found if line.slower)
    if not warm or not times:
        return "–", "–"
    return _range(warm), "1" if file == "macprof" else _range(times)


def _range(values: Sequence[float]) -> str:
    return f"{values[0]:,.1f} to {values[-1]:,.1f}"
