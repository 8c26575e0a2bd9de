"""Guideline 4 of ShuffleNet V2, measured here beside the paper's Table 4.

Question: What do the element-wise operators of a bottleneck cost (guideline 4)?
Expectation: without ReLU and shortcut it is faster, by some 20 % on the paper's platforms.
Source: Ma et al., arXiv 1807.11164v1, section 2 and Table 4; the cases are those of `macprof bench g4`.

    python -m experiments.g4_elementwise [--smoke] [--device cpu|cuda] [--output DIR]
"""

from __future__ import annotations

from experiments.guidelines.report import run
from experiments.reporting.options import read_options
from mac_profiler import devices

if __name__ == "__main__":
    run("g4", read_options("g4_elementwise", __doc__, devices.names()))
