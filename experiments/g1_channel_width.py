"""Guideline 1 of ShuffleNet V2, measured here beside the paper's Table 1.

Question: Do equal channel widths make 1x1 convolutions fastest at given multiply-adds (guideline 1)?
Expectation: time grows with c1:c2 from 1:1 to 1:12, and memory access explains it.
Source: Ma et al., arXiv 1807.11164v1, section 2 and Table 1; the cases are those of `macprof bench g1`.

    python -m experiments.g1_channel_width [--smoke] [--device cpu|cuda] [--output DIR]
"""

from __future__ import annotations

from experiments.guidelines.report import run
from experiments.reporting.options import read_options
from mac_profiler import devices

if __name__ == "__main__":
    run("g1", read_options("g1_channel_width", __doc__, devices.names()))
