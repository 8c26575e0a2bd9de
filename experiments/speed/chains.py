"""Time of macprof for chains of so many operators.

python -m experiments.speed.chains SAMPLES.json REPEATS OPERATORS ...
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

import mac_profiler


class Chain(nn.Module):
    """One operator after another: product, activation, addition, product, ..."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        """As many operators as the chain is long."""
        for i in range(self.length):
            x = self._step(i % 3, x)
        return x

    def _step(self, kind: int, x: Tensor) -> Tensor:
        if kind == 0:
            out: Tensor = self.fc(x)
            return out
        return torch.relu(x) if kind == 1 else x + 1


def main() -> None:
    """Write the samples to the file named on the command line."""
    target, repeats, *lengths = sys.argv[1:]
    torch.set_num_threads(1)
    image = torch.zeros(2, 8)
    mac_profiler.analyze(Chain(10), image)
    samples = []
    for _ in range(int(repeats)):
        for length in map(int, lengths):
            model = Chain(length)
            start = time.perf_counter()
            profile = mac_profiler.analyze(model, image)
            samples.append({"operators": length, "seconds": time.perf_counter() - start, "found": profile.op_count})
            del profile
    Path(target).write_text(json.dumps(samples), encoding="utf-8")


if __name__ == "__main__":
    main()
