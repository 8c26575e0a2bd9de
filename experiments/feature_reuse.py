"""How much of a block's input arrives untouched in a later block, in ShuffleNet V2, DenseNet and ResNet?

Question: ShuffleNet V2 says that r^j of the c channels connect unit i directly with unit i + j, and that it reuses
features as DenseNet does. Does the graph of the network, as it is executed, bear the closed form out, pair by pair of
units, and what do the graphs of DenseNet and ResNet show when they are asked the same?
Expectation: ShuffleNet V2 has c r^j, rounded up where a channel would have to be halved, for r = 1/2 within a stage and
nothing beyond it. DenseNet has all channels within a dense block. ResNet has none untouched, as it adds to them; a
pre-activation one carries all of them on as summands within a stage, the original one none, because of the ReLU behind
the sum, and all of them where that ReLU is disregarded.
Source: arXiv 1807.11164, section 3 and Figure 4(b). Figure 4(a), from DenseNet
(arXiv 1608.06993, Figure 5), has l1-norms of trained weights; here it is structure in both, no weight is looked at.

    python -m experiments.feature_reuse [--smoke] [--output DIR]
"""

from __future__ import annotations

from typing import Any

import mac_profiler
from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options
from experiments.reuse.figure import draw
from experiments.reuse.networks import NETWORKS, Network
from experiments.reuse.table import write
from mac_profiler.reuse import find_reuse


def main() -> None:
    """Follow the channels of every network and write the report."""
    options = read_options("feature_reuse", __doc__)
    networks = [each for each in NETWORKS if ":" not in each.model] if options.smoke else NETWORKS
    results = {
        "environment": describe(("torchvision", "timm", "numpy")),
        "networks": [follow(network) for network in networks],
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def follow(network: Network) -> dict[str, Any]:
    """What was found in one network beside what was expected; connections of which nothing arrives are left out."""
    graph = mac_profiler.analyze(network.model).graph
    found = find_reuse(graph, network.blocks, side=network.side, disregarded=network.disregarded)
    if found.blocks != network.blocks:
        raise ValueError(f"{network.model} runs its blocks in another order: {', '.join(found.blocks)}")
    position = {block: index for index, block in enumerate(network.blocks)}
    channels = {each.source: each.channels for each in found.connections}
    expected = {
        (each.source, each.target): network.expected(position[each.source], position[each.target])
        for each in found.connections
    }
    return {
        "title": network.title,
        "model": network.model,
        "shown": network.shown,
        "side": network.side,
        "disregarded": list(network.disregarded),
        "drawn": network.drawn,
        "blocks": list(network.blocks),
        "channels": [channels.get(block) for block in network.blocks],
        "not_understood": dict(found.not_understood),
        "connections": [
            {
                "source": position[each.source],
                "target": position[each.target],
                "untouched": each.untouched,
                "carried": each.carried,
                "unknown": each.unknown,
                "expected": str(expected[each.source, each.target]),
            }
            for each in found.connections
            if each.carried or each.unknown or expected[each.source, each.target]
        ],
    }


if __name__ == "__main__":
    main()
