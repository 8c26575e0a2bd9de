"""In what order does this machine put the papers' networks, and who else puts them so?

Question: when the networks of ShuffleNet V2's Tables 6 and 8 and of its appendix, and of ShuffleNet V1's Tables 5, 6
and 8, are counted and timed here, do their complexities come out as printed, and in how many pairs is the order by
speed the one that the papers measured on ARM and GPU, and the one by multiply-adds?
Expectation: multiply-adds are within 2 % of the printed ones, or there is a reason; a CPU puts more pairs of one
complexity in the order of the papers' ARM core than multiply-adds do; times told from counts have the order that is
measured here in nine of ten pairs; and no network's actual speed-up over AlexNet reaches the theoretical one.
Source: Ma et al., arXiv 1807.11164v1, Tables 6 and 8 and appendix; Zhang et al., arXiv 1707.01083v2, Tables 5, 6 and 8.

    python -m experiments.published_order [--smoke] [--device cpu|cuda] [--output DIR]

It measures for twenty minutes, after a calibration. A folder for each preset keeps what
`macprof compare --preset NAME --measure --figures FOLDER` prints and draws.
"""

from __future__ import annotations

from experiments.order.figure import draw
from experiments.order.rerun import rerun
from experiments.order.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options
from mac_profiler import devices, presets

# The smallest networks that speeds are printed of.
SMOKE_PRESETS = ["v2-appendix-1b"]


def main() -> None:
    """Count and measure every preset and write the report."""
    options = read_options("published_order", __doc__, devices.names())
    found = rerun(SMOKE_PRESETS if options.smoke else presets.names(), options)
    measured_on = next(iter(found.values()))["environment"]
    environment = {
        **describe(("torchvision", "timm")),
        **{name: str(value) for name, value in measured_on.items() if name not in ("date", "torch")},
    }
    results = {"environment": environment, "presets": found}
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


if __name__ == "__main__":
    main()
