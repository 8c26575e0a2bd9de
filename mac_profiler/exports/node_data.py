"""Node data: predicted microseconds of every operator, as a colour of its node in Google's Model Explorer.

The fields are those of `node_data_builder.py` of ai-edge-model-explorer. Nodes are found by the ids that the export
`model-explorer` gives them: that file is opened, and this one is added to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mac_profiler.audited import Audited, names_of
from mac_profiler.exports import steps
from mac_profiler.sound import sound

# From the least to the largest value, on the viewer's white; the text stays black.
GRADIENT = ({"stop": 0, "bgColor": "#ffffff"}, {"stop": 0.3, "bgColor": "#fde2b3"}, {"stop": 1, "bgColor": "#f08a4b"})


def render(audits: Sequence[Audited]) -> str:
    """What belongs to each graph, by its id."""
    file: dict[str, Any] = {}
    for audited, name in zip(audits, names_of(audits), strict=True):
        results = {
            str(step.position): {"value": float(f"{1e6 * step.timed.seconds.total:.6g}")}
            for step in steps(audited.prediction)
        }
        title = f"predicted µs on {audited.prediction.platform.name}"
        file[name] = {"name": title, "results": results, "gradient": list(GRADIENT)}
    return sound(json.dumps(file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n"
