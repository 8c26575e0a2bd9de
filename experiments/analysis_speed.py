"""How long does an analysis take, beside those of other profilers?

Question: on five torchvision models, what do macprof and every other profiler take for the first call in a process and
for a warm one, how much memory, and what do they answer? How does macprof's time grow with the number of operators, and
what does the whole command cost beside `python -c "import torch"`?
Expectation: warm, macprof is at least 3 times faster than the fastest other profiler that answers and 10 times faster
than fvcore, on each model; its first call is no slower than the fastest other's; time grows linearly to 100,000
operators; the command takes at most 1.25 times `import torch`.
Source: measured here, all profilers in one run.

    python -m experiments.analysis_speed [--smoke] [--output DIR] [--seed N]
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments import peers
from experiments.reporting.environment import ONE_THREAD, describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options, read_options
from experiments.speed.figure import draw
from experiments.speed.table import write

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("shufflenet_v2_x1_0", "mobilenet_v2", "resnet50", "densenet121", "vit_b_16")
ENVIRONMENT = {**os.environ, **ONE_THREAD}


def main() -> None:
    """Take all samples and write the report."""
    options = read_options("analysis_speed", __doc__)
    results = collect(options)
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def collect(options: Options) -> dict[str, Any]:
    """Every sample as it was taken; medians and ratios are derived from them."""
    smoke = options.smoke
    models = MODELS[:1] if smoke else MODELS
    effort = ("1", "2", "0.1") if smoke else ("3", "25", "0.7")
    lengths = ("100", "1000") if smoke else ("1000", "10000", "100000")
    found = {name: peers.find(name) for name in peers.names()}
    return {
        "environment": describe(("torchvision",)),
        "seed": options.seed,
        "peers": {
            name: {
                "name": peer.NAME,
                "version": peers.installed(peer),
                "convention": peer.CONVENTION,
                "factor": peer.FACTOR,
            }
            for name, peer in found.items()
        },
        "models": [in_process("experiments.speed.interleaved", model, str(options.seed), *effort) for model in models],
        "chains": in_process("experiments.speed.chains", "1" if smoke else "3", *lengths),
        "commands": time_commands(1 if smoke else 10, options.seed),
    }


def in_process(module: str, *arguments: str) -> Any:
    """What a process of its own writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "samples.json"
        subprocess.run([sys.executable, "-m", module, str(target), *arguments], cwd=ROOT, env=ENVIRONMENT, check=True)
        return json.loads(target.read_text(encoding="utf-8"))


def time_commands(pairs: int, seed: int) -> list[dict[str, float]]:
    """Seconds of the whole command and of importing torch, in pairs whose order is drawn by chance."""
    commands = {
        "analyze": ["-m", "mac_profiler", "analyze", "--model", "shufflenet_v2"],
        "import_torch": ["-c", "import torch"],
    }
    generator = random.Random(seed)  # noqa: S311 - an order, no secret
    samples = []
    # The first pair reads files that the later ones find in memory: it is not kept.
    for _ in range(pairs + 1):
        pair = {}
        for name in generator.sample([*commands], len(commands)):
            start = time.perf_counter()
            subprocess.run([sys.executable, *commands[name]], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
            pair[name] = time.perf_counter() - start
        samples.append(pair)
    return samples[1:]


if __name__ == "__main__":
    main()
