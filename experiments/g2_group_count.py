"""Guideline 2 of ShuffleNet V2, measured here beside the paper's Table 2.

Question: Do more groups make 1x1 convolutions slower at given multiply-adds (guideline 2)?
Expectation: time grows with the groups from 1 to 8, and memory access explains it.
Source: Ma et al., arXiv 1807.11164v1, section 2 and Table 2; the cases are those of `macprof bench g2`.

    python -m experiments.g2_group_count [--smoke] [--device cpu|cuda] [--output DIR]
"""

from __future__ import annotations

from experiments.guidelines.report import run
from experiments.reporting.options import read_options
from mac_profiler import devices

if __name__ == "__main__":
    run("g2", read_options("g2_group_count", __doc__, devices.names()))
