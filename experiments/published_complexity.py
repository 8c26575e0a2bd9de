"""Do the papers' complexities follow from their networks?

Question: for every row of ShuffleNet V1's Tables 1 to 6 and V2's Tables 5, 6 and 8, which multiply-adds and parameters
are published, which are ours, and where they are more than 2 % apart, why?
Expectation: networks that a paper or its authors' code describes in full agree to the printed digits; where a paper
leaves a network open, or counts otherwise, there is a reason for every difference.
Source: Zhang et al., arXiv 1707.01083v2; Ma et al., arXiv 1807.11164v1; the tables in mac_profiler/published/.

    python -m experiments.published_complexity [--smoke] [--output DIR]
"""

from __future__ import annotations

from experiments.complexity.figure import draw
from experiments.complexity.rows import TABLES, collect
from experiments.complexity.table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options


def main() -> None:
    """Analyze every network of the tables and write the report."""
    options = read_options("published_complexity", __doc__)
    names = ("v1_table4", "v2_table5") if options.smoke else TABLES
    results = {"environment": describe(("torchvision", "timm")), "lines": collect(names)}
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


if __name__ == "__main__":
    main()
