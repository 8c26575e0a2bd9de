"""Do multiply-adds tell how fast a network is, and what does?

Question: from a table of measured speeds of hundreds of networks, how well are times told by multiply-adds alone, by
parameters, by memory access, by both, and by macprof's laws for each kind of work?
Expectation: multiply-adds alone are off by a fifth and more in the median; the laws, learned from 60 networks, tell the
time of the others to within 10 % in the median, half of them within 10 %, in the right order (Spearman 0.98), and which
network is slow for its multiply-adds (0.93).
Source: ShuffleNet V2, arXiv 1807.11164v1, section 1 ("FLOPs is an indirect metric"); the tables are given as arguments,
in the layout of timm's results (model, infer_img_size, infer_batch_size, infer_samples_per_sec).

    python -m experiments.flops_are_not_speed TABLE.csv ... [--smoke] [--output DIR] [--seed N]

Nothing is measured here: times are the tables', counts are macprof's. A network is in the training part or in the test
part, never in both; which is drawn by chance, five times, and the figures are means of the five.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from experiments.prediction.errors import judge, mean
from experiments.prediction.made_up import make_up
from experiments.prediction.predictors import FULL, PREDICTORS, seconds
from experiments.prediction.thesis_figure import Points, draw
from experiments.prediction.thesis_table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options, read_options
from mac_profiler.api import count_row
from mac_profiler.fitting import FEWEST, Counted, count_rows, fit
from mac_profiler.kinds_of_work import PRODUCTS
from mac_profiler.speed_tables import read_table

TRAINED_ON, SEEDS = 60, 5
# Families with fewer networks than this stand under "others".
FEWEST_OF_FAMILY = 8
WORST = 12


def main() -> None:
    """Judge every table and write the report."""
    options = read_options("flops_are_not_speed", __doc__, tables=True)
    tables = {path.stem: list(read_table(path)) for path in options.tables}
    if options.smoke and not tables:
        tables = {"made_up": make_up()}
    if not tables:
        raise SystemExit("flops_are_not_speed: name at least one table of speeds")
    judged, points = {}, {}
    for name, rows in tables.items():
        counted, left_out = count_rows(rows[:40] if options.smoke else rows, count_row)
        judged[name] = {"left_out": left_out, **judge_table(counted, options)}
        points[name] = _points(counted)
    results = {
        "environment": describe(("timm", "scipy")),
        "seed": options.seed,
        "protocol": {"trained_on": TRAINED_ON, "seeds": SEEDS},
        "tables": judged,
    }
    write_report(options.output, results, write(results), draw(points))
    print(options.output / "table.md")


def judge_table(counted: Sequence[Counted], options: Options) -> dict[str, Any]:
    """Every predictor on one table."""
    import numpy as np

    times = [each.row.seconds for each in counted]
    work = [mult_adds(each) for each in counted]
    trained_on = min(TRAINED_ON, max(FEWEST, len(counted) // 2))
    errors: dict[str, list[Any]] = {name: [] for name in PREDICTORS}
    off: dict[str, dict[str, list[float]]] = {name: {} for name in PREDICTORS}
    for seed in range(1 if options.smoke else SEEDS):
        order = np.random.default_rng((options.seed, seed)).permutation(len(counted))
        known, asked = order[:trained_on], order[trained_on:]
        for name, predictor in PREDICTORS.items():
            told = predictor([counted[i] for i in known])([counted[i] for i in asked])
            errors[name].append(judge(told, [times[i] for i in asked], [work[i] for i in asked]))
            for i, predicted in zip(asked, told, strict=True):
                off[name].setdefault(counted[i].row.model, []).append(predicted / times[i] - 1)
    known_best = fit("all", counted, device="", dtype="", table="")
    return {
        "networks": len(counted),
        "trained_on": trained_on,
        "errors": {name: asdict(mean(each)) for name, each in errors.items()},
        "fused": known_best.fused,
        "numbers": known_best.provenance["numbers"],
        "families": _families(off),
        "worst": _worst(off[FULL]),
    }


def mult_adds(each: Counted) -> float:
    """Of one network and batch."""
    return sum(work.operations for kind, work in each.eager.works.items() if kind in PRODUCTS)


def family(model: str) -> str:
    """What a network's name begins with: "resnet" of "resnetv2_50x1_bit"."""
    name = model.removeprefix("tf_").removeprefix("test_")
    found = re.match(r"[a-z]+", name)
    return found[0] if found else name


def _families(off: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    import numpy as np

    sizes = Counter(family(model) for model in off[FULL])

    def label(model: str) -> str:
        own = family(model)
        return own if sizes[own] >= FEWEST_OF_FAMILY else "others"

    names = sorted({label(model) for model in off[FULL]}, key=lambda name: (name == "others", name))
    found = []
    for name in names:
        own = [model for model in off[FULL] if label(model) == name]
        medians = {
            predictor: float(np.median([abs(error) for model in own for error in off[predictor].get(model, [])]))
            for predictor in PREDICTORS
        }
        found.append({"family": name, "networks": len(own), "median": medians})
    return found


def _worst(off: dict[str, list[float]]) -> list[dict[str, Any]]:
    import numpy as np

    medians = {model: float(np.median(errors)) for model, errors in off.items()}
    ranked = sorted(medians.items(), key=lambda item: -abs(np.log1p(max(item[1], -0.99))))
    return [{"model": model, "error": error} for model, error in ranked[:WORST]]


def _points(counted: Sequence[Counted]) -> list[Points]:
    """Of every network what the figure shows; the laws are learned from all, as the picture is of them."""
    platform = fit("all", counted, device="", dtype="", table="")
    found = []
    for each in counted:
        images = each.row.batch
        found.append(Points(mult_adds(each) / images, seconds(each, platform) / images, each.row.seconds / images))
    return found


if __name__ == "__main__":
    main()
