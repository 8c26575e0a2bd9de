"""Guideline 3 of ShuffleNet V2, measured here beside the paper's Table 3.

Question: Does fragmentation cost time at given multiply-adds (guideline 3)?
Expectation: on one thread of a CPU little, as on the paper's ARM; parallel fragments cost more than those in series.
Source: Ma et al., arXiv 1807.11164v1, section 2 and Table 3; the cases are those of `macprof bench g3`.

    python -m experiments.g3_fragmentation [--smoke] [--device cpu|cuda] [--output DIR]
"""

from __future__ import annotations

from experiments.guidelines.report import run
from experiments.reporting.options import read_options
from mac_profiler import devices

if __name__ == "__main__":
    run("g3", read_options("g3_fragmentation", __doc__, devices.names()))
