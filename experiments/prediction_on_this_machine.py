"""Can a machine's times be told from a calibration alone, for networks that it never saw?

Question: after `macprof calibrate`, and no fit to any network, how far off are the told times of networks of the zoo,
torchvision and timm, at batch 1, operators one by one, one thread? And do two calibrations in a row say the same?
Expectation: the median error is at most 15 % over at least 40 networks, and two calibrations agree within the interval
that they state.
Source: measured here; ConvMeter (arXiv 2403.05188) states an average error under 20 % for a model of this kind.

    python -m experiments.prediction_on_this_machine [--smoke] [--output DIR] [--seed N]
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from math import log
from pathlib import Path
from typing import Any

from experiments.prediction import here
from experiments.prediction.errors import judge
from experiments.prediction.here_figure import draw
from experiments.prediction.here_table import write
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import Options, read_options
from mac_profiler.api import calibrate, predict_named
from mac_profiler.calibrate import SETTINGS
from mac_profiler.compiled_operators import prepare_torchvision
from mac_profiler.intervals import Estimate
from mac_profiler.platform import Platform
from mac_profiler.predict import Prediction

# The networks furthest off are looked into, operator by operator.
LOOKED_INTO = 10
SMOKE = replace(SETTINGS, processes=1, max_seconds=0.004, min_rounds=3, sample_seconds=0.0002, warmup_seconds=0.001)


def main() -> None:
    """Calibrate twice, predict, measure, and write the report."""
    options = read_options("prediction_on_this_machine", __doc__)
    import torch

    # The processes that measure are copies of this one, in which nothing is computed.
    torch.set_num_threads(1)
    prepare_torchvision()
    first = _calibrate(options, 1)
    second = first if options.smoke else _calibrate(options, 2)
    asked = here.names(smoke=options.smoke)
    told = {name: predict_named(name, first)[0] for name in asked}
    again = {name: predict_named(name, second)[0].total.total for name in asked}
    brief = replace(here.SETTINGS, processes=1, max_seconds=0.05, min_rounds=3)
    measured = here.measure(asked, brief if options.smoke else here.SETTINGS)
    results = {
        "environment": describe(("torchvision", "timm", "scipy")),
        "seed": options.seed,
        "calibration": {
            "settings": SETTINGS.as_json(),
            "stated_error": first.error,
            "stated_median_error": first.median_error,
            "laws": {kind: asdict(law) for kind, law in first.laws.items()},
        },
        "networks": [_row(name, told[name], again[name], measured[name]) for name in asked],
        "errors": _errors(asked, told, measured),
        "agreement": _agreement(first, second, told, again),
        "causes": _causes(asked, told, measured, first, 1 if options.smoke else LOOKED_INTO),
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def _calibrate(options: Options, number: int) -> Platform:
    settings = replace(SMOKE if options.smoke else SETTINGS, seed=options.seed + number)
    with tempfile.TemporaryDirectory() as folder:
        return calibrate(settings, name="here", output=str(Path(folder) / "here.json"))[0]


def _row(name: str, told: Prediction, again: float, measured: Estimate) -> dict[str, Any]:
    return {
        "name": name,
        "looked_at": here.looked_at(name),
        "mult_adds": told.profile.total.mult_adds,
        "predicted": told.total.total,
        **asdict(told.total),
        "predicted_again": again,
        "measured": measured.value,
        "low": measured.low,
        "high": measured.high,
    }


def _errors(
    asked: Sequence[str], told: Mapping[str, Prediction], measured: Mapping[str, Estimate]
) -> dict[str, dict[str, Any]]:
    """Of those that were never looked at, of the others, and of all."""
    parts = {
        "never looked at": [name for name in asked if not here.looked_at(name)],
        "looked at": [name for name in asked if here.looked_at(name)],
        "all": list(asked),
    }
    found = {}
    for part, names in parts.items():
        if names:
            work = [told[name].profile.total.mult_adds for name in names]
            errors = judge([told[name].total.total for name in names], [measured[name].value for name in names], work)
            found[part] = {"networks": len(names), **asdict(errors)}
    return found


def _agreement(
    first: Platform, second: Platform, told: Mapping[str, Prediction], again: Mapping[str, float]
) -> dict[str, Any]:
    """Two calibrations beside each other: their facts, and what they tell of every network."""
    later = {(fact.group, fact.name): fact for fact in second.facts}
    pairs = [(fact, later[fact.group, fact.name]) for fact in first.facts if (fact.group, fact.name) in later]
    overlapping = [one.low <= other.high and other.low <= one.high for one, other in pairs]
    ratios = sorted(abs(log(again[name] / each.total.total)) for name, each in told.items())
    return {
        "facts": len(pairs),
        "facts_overlapping": sum(overlapping),
        "facts_apart": [one.name for (one, _), near in zip(pairs, overlapping, strict=True) if not near],
        "networks_within_interval": sum(ratio <= log(1 + first.error) for ratio in ratios),
        "median_ratio": ratios[len(ratios) // 2],
        "largest_ratio": ratios[-1],
    }


def _causes(
    asked: Sequence[str],
    told: Mapping[str, Prediction],
    measured: Mapping[str, Estimate],
    platform: Platform,
    most: int,
) -> list[dict[str, Any]]:
    """Of the networks furthest off, the kinds of work whose operators are, by torch's profiler."""
    ranked = sorted(asked, key=lambda name: -abs(log(told[name].total.total / measured[name].value)))
    found = []
    for name in ranked[:most]:
        prediction, observed = predict_named(name, platform, observe=True)
        off: dict[str, float] = {}
        for each in prediction.tasks:
            seen = observed[each.task.ops[0]] if observed is not None else None
            if seen is not None:
                off[each.task.work.kind] = off.get(each.task.work.kind, 0.0) + each.seconds.total - seen
        largest = sorted(off.items(), key=lambda item: -abs(item[1]))[:3]
        error = told[name].total.total / measured[name].value - 1
        found.append({"name": name, "error": error, "measured": measured[name].value, "off": dict(largest)})
    return found


if __name__ == "__main__":
    main()
