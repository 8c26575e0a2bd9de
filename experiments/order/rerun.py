"""Presets, counted and measured here: what `macprof compare` says of each, as data, as text and as figures."""

from __future__ import annotations

import tempfile
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from experiments.guidelines.report import SMOKE
from experiments.reporting.options import Options
from mac_profiler.agreements import ARM, MEASURED, MULT_ADDS, orders_of
from mac_profiler.api import calibrate, compare
from mac_profiler.calibrate import SETTINGS
from mac_profiler.comparison import LEVELS, Comparison
from mac_profiler.comparison_figures import draw_all
from mac_profiler.document import Screen
from mac_profiler.league import describe_comparison
from mac_profiler.measurement import Settings
from mac_profiler.nominal import NOMINAL
from mac_profiler.report import render


def rerun(names: list[str], options: Options) -> dict[str, Any]:
    """Every preset on the machine's own platform, calibrated anew; by name.

    Args:
        names: of presets.
        options: where to, and how thoroughly.
    """
    chosen = SMOKE if options.smoke else Settings()
    settings = replace(chosen, device=options.device, seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        platform, store = NOMINAL, Path(folder) / "results.sqlite"
        # A calibration of a smoke run would be most of it.
        if not options.smoke:
            platform = str(Path(folder) / "here.json")
            calibrate(replace(SETTINGS, device=options.device, seed=options.seed), name="here", output=platform)
        found = {}
        for name in names:
            comparison = compare(preset=name, platform=platform, device=options.device, measure=settings, store=store)
            keep(comparison, options.output / name)
            found[name] = as_data(comparison)
            print(f"{name}: {len(comparison.contenders)} rows", flush=True)
    return found


def keep(comparison: Comparison, folder: Path) -> None:
    """Write table and figures of one comparison."""
    drawn = [path.name for path in draw_all(comparison, folder) if path.suffix == ".svg"]
    text = render(describe_comparison(replace(comparison, run="", store="")), "markdown", Screen())
    pictures = "".join(f"\n![{name.removesuffix('.svg').replace('_', ' ')}]({name})\n" for name in drawn)
    (folder / "table.md").write_text(f"{text}{pictures}", encoding="utf-8")


def as_data(comparison: Comparison) -> dict[str, Any]:
    """What the command's JSON holds, with every sample: process, round, seconds of a call, calls."""
    found = describe_comparison(comparison).data()
    samples = {
        each.built_as: [astuple(sample) for sample in each.measurement.samples]
        for each in comparison.contenders
        if each.measurement is not None
    }
    return {**found, "run": "", "samples": samples, "same_pairs": same_pairs(comparison)}


def same_pairs(comparison: Comparison) -> dict[str, int]:
    """Of the pairs of one complexity that we, the papers' ARM and multiply-adds decide, how many are as on ARM."""
    networks, orders = comparison.networks, orders_of(comparison)
    arm, ours, usual = (orders[name] for name in (ARM, MEASURED, MULT_ADDS))
    levels = any(each.level in LEVELS for each in networks)
    decided = [
        pair
        for pair, side in arm.items()
        if side
        and ours.get(pair)
        and usual.get(pair)
        and (not levels or networks[pair[0]].level == networks[pair[1]].level in LEVELS)
    ]
    return {
        "pairs": len(decided),
        MEASURED: sum(ours[pair] == arm[pair] for pair in decided),
        MULT_ADDS: sum(usual[pair] == arm[pair] for pair in decided),
    }
