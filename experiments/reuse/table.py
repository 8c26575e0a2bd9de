"""table.md of feature_reuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.reporting.files import environment_table, markdown_table
from experiments.reuse.derived import Pair, by_distance, pairs

_DISTANCES = range(1, 8)

_SPANS = """\
Part of the channels by distance, from the least to the most, over the pairs of blocks that something can connect: those
without down-sampling between them; all pairs, where nothing connects any."""

_CONVENTIONS = """\
- **Followed** are the channels of the tensors that a block reads from outside of it, its input; with "outputs" those
  that it hands on. They are looked for among the channels that a later block reads. The block that comes next is at
  distance j = 1. A unit of ShuffleNet V2 lets r of its input by, so that r^j of the input of unit i are in the input of
  unit i + j, as the paper has it. Counted from the output of unit i, which is the input of unit i + 1, it is r^(j-1).
- **Untouched**: every element of the channel is a bit-identical copy, at its place in the plane. Views, split,
  concatenation, permutation and shuffle move channels. All else touches them by what it is, whatever the numbers: ReLU,
  pooling and normalisation too.
- **Carried**: untouched, or a summand with factor 1 of something that is carried. "ReLU disregarded" takes ReLU to hand
  on what it reads; behind a sum that is negative it does not.
- **Structure, not strength**: no weight is looked at. DenseNet's own figure, which is Figure 4(a) of the paper, shows
  l1-norms of trained weights: all of a layer's predecessors are in its input, and it makes less of the distant ones. So
  the decay in Figure 4(a) is learnt, that in Figure 4(b) is built in; the graph of DenseNet itself shows none."""


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    networks = results["networks"]
    return "\n\n".join(
        [
            "# What part of a block's channels reaches a later block",
            _verdict(networks),
            _SPANS,
            _by_distance(networks),
            "![part of the channels by source and target](figure.svg)",
            "## ShuffleNet V2, channel by channel",
            _rounding(networks),
            _by_stage([network for network in networks if network["model"].startswith("shufflenet")]),
            "## Conventions",
            _CONVENTIONS,
            environment_table(results["environment"]),
        ]
    )


def _verdict(networks: list[Mapping[str, Any]]) -> str:
    every = [pair for network in networks for pair in pairs(network)]
    some = sum(pair.expected > 0 for pair in every)
    missed = [network["title"] for network in networks if not all(pair.met for pair in pairs(network))]
    unknown = sum(pair.unknown > 0 for pair in every)
    met = "met" if not missed else f"not met in {', '.join(missed)}"
    return (
        f"Of {len(every):,} pairs of blocks in {len(networks)} settings, {sum(pair.met for pair in every):,} have the "
        f"number of channels that the closed form gives, rounded up to whole channels; it is above none in {some:,} of "
        f"them. The expectation is **{met}**. "
        f"In {unknown} pairs it is not known of all channels where they come from."
    )


def _by_distance(networks: list[Mapping[str, Any]]) -> str:
    rows = []
    for network in networks:
        found = by_distance(network)
        behind = [pair for distance, group in found.items() if distance > _DISTANCES[-1] for pair in group]
        rows.append(
            [
                network["title"],
                sum(map(len, found.values())),
                *(_span(found.get(distance, [])) for distance in _DISTANCES),
                _span(behind),
            ]
        )
    header = ["network, channels followed", "pairs", *(f"j = {j}" for j in _DISTANCES), f"j > {_DISTANCES[-1]}"]
    form = ["r^j, r = 1/2", "", *(f"{0.5**j:.4f}" for j in _DISTANCES), ""]
    return markdown_table(header, [form, *rows])


def _span(group: list[Pair]) -> str:
    shown = sorted({f"{pair.fraction:.4f}" for pair in group})
    return "" if not shown else shown[0] if len(shown) == 1 else f"{shown[0]}–{shown[-1]}"


def _rounding(networks: list[Mapping[str, Any]]) -> str:
    inside = [
        pair
        for network in networks
        if network["model"].startswith("shufflenet")
        for pair in pairs(network)
        if pair.expected
    ]
    whole = [pair for pair in inside if pair.exact]
    above = [pair for pair in inside if not pair.exact]
    return (
        f"Of {len(inside)} pairs within a stage, {len(whole)} have a whole number c r^j; "
        f"{sum(pair.met for pair in whole)} of them have exactly that. In the other {len(above)}, "
        f"{sum(pair.met for pair in above)} have the next whole number above it: the halves of an odd number of "
        "channels that went by before are not alike. The first channel of a stage is never touched, so that the count "
        "does not fall below 1, which r^j does."
    )


def _by_stage(networks: list[Mapping[str, Any]]) -> str:
    rows = []
    for network in networks:
        groups: dict[tuple[int, int], list[Pair]] = {}
        for pair in pairs(network):
            if pair.expected:
                groups.setdefault((pair.channels, pair.distance), []).append(pair)
        for (channels, distance), group in sorted(groups.items()):
            form = channels * group[0].expected
            rows.append(
                [
                    network["title"],
                    channels,
                    distance,
                    f"{float(form):g}",
                    ", ".join(map(str, sorted({pair.arrived for pair in group}))),
                    len(group),
                    "="
                    if form.denominator == 1 and all(pair.met for pair in group)
                    else "rounded up"
                    if all(pair.met for pair in group)
                    else "differs",
                ]
            )
    return markdown_table(["network", "c", "j", "c r^j", "found", "pairs", ""], rows)
