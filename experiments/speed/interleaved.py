"""First and warm calls of every profiler on one model, in rounds.

python -m experiments.speed.interleaved SAMPLES.json MODEL SEED PROCESSES ROUNDS SECONDS
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import torch

from experiments import peers
from experiments.speed.worker import Worker
from mac_profiler.compiled_operators import prepare_torchvision

# A profiler whose first call takes longer has two processes, the first and the last.
SLOW_SECONDS = 2.0


def main() -> None:
    """Write the samples to the file named on the command line."""
    target, name, *numbers = sys.argv[1:]
    seed, processes, rounds = map(int, numbers[:3])
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    prepare_torchvision()
    from torchvision.models import get_model

    model, image = get_model(name).eval(), torch.randn(1, 3, 224, 224)
    generator = random.Random(seed)  # noqa: S311 - the order of calls, no secret
    first: list[dict[str, Any]] = []
    workers: dict[str, Worker] = {}
    slow: set[str] = set()
    for last in [False] * (processes - 1) + [True]:
        for peer in _shuffled(peers.names(), generator):
            if peer in slow and not last:
                continue
            worker = Worker(peer, model, image)
            loaded = worker.tell("load")
            called = worker.tell("call") if "error" not in loaded else loaded
            first.append({"peer": peer, "load_seconds": loaded.get("seconds"), **called})
            if called.get("seconds", 0.0) > SLOW_SECONDS:
                slow.add(peer)
            if last and "error" not in called:
                workers[peer] = worker
            else:
                worker.end()
    try:
        warm = _rounds(workers, generator, rounds, float(numbers[3]))
    finally:
        for worker in workers.values():
            worker.end()
    Path(target).write_text(json.dumps({"model": name, "first": first, "warm": warm}), encoding="utf-8")


def _rounds(workers: dict[str, Worker], generator: random.Random, rounds: int, budget: float) -> list[dict[str, float]]:
    """Seconds of one call of each profiler, round by round; the order is drawn anew in each.

    A profiler sits out once it has used up its seconds and has three samples, or four times its seconds.
    """
    for worker in workers.values():
        worker.tell("call")
    samples: list[dict[str, float]] = []
    used, taken = dict.fromkeys(workers, 0.0), dict.fromkeys(workers, 0)
    for _ in range(rounds):
        round_: dict[str, float] = {}
        for peer in _shuffled([*workers], generator):
            if peer != "macprof" and (used[peer] > 4 * budget or (used[peer] > budget and taken[peer] >= 3)):
                continue
            reply = workers[peer].tell("call")
            if "error" not in reply:
                round_[peer] = reply["seconds"]
                used[peer] += reply["seconds"]
                taken[peer] += 1
        samples.append(round_)
    return samples


def _shuffled(names: list[str], generator: random.Random) -> list[str]:
    return generator.sample(names, len(names))


if __name__ == "__main__":
    main()
