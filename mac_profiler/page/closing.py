"""Closing: what the page says of all models together: comparison, conventions, platforms and environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mac_profiler import units
from mac_profiler.audited import Audited
from mac_profiler.columns import COLUMNS, Column
from mac_profiler.document import Line
from mac_profiler.explain import LEGEND as OF_TIMES
from mac_profiler.measurement import Scalar
from mac_profiler.overview import EXPLAINED
from mac_profiler.page.markup import Html, tag
from mac_profiler.page.tables import described, predicted_time, table
from mac_profiler.platform import Platform
from mac_profiler.profile import totals
from mac_profiler.roofline import roofs
from mac_profiler.score import GUIDELINES
from mac_profiler.verdict import LEGEND as OF_AUDITS
from mac_profiler.verdict import NAMES

COMPARED = (
    "mult_adds", "flops", "accesses", "fused_accesses", "bytes_moved", "parameters", "peak_activation_bytes",
    "op_count",
)  # fmt: skip


def comparison(audits: Sequence[Audited], names: Sequence[str]) -> Html:
    """The models side by side, a column each: a page is not wide enough for a column a figure."""
    figures = [totals(each.prediction.profile) for each in audits]
    inputs = [each.prediction.profile.graph.inputs for each in audits]
    rows: list[tuple[str, list[str]]] = [("input", [units.shape(given[0].shape) if given else "" for given in inputs])]
    rows += [
        (COLUMNS[key].title, [_least(units.text(COLUMNS[key].unit, found[key]), found, key) for found in figures])
        for key in COMPARED
    ]
    rows.append(("predicted time", [predicted_time(each.prediction) for each in audits]))
    rows.append(("score", [units.number(each.score.score) for each in audits]))
    rows += [
        (f"points of {guideline}", [units.number(each.score.points[guideline]) for each in audits])
        for guideline in GUIDELINES
    ]
    rows.append(("findings", [_told(each) for each in audits]))
    columns = [Column("figure", "figure")]
    columns += [Column(f"model-{i}", name) for i, name in enumerate(names)]
    lines = [Line(dict(zip([column.key for column in columns], [title, *told], strict=True))) for title, told in rows]
    return tag(
        "section",
        tag("h2", "Comparison", id="comparison-name"),
        table(columns, lines, "The models side by side", kind="compared"),
        id="comparison",
        aria_labelledby="comparison-name",
    )


def _least(text: str, figures: Mapping[str, int | bool], key: str) -> str:
    """The figure, with a sign where operators were not counted; all parameters and operators are known of any model."""
    return text if figures["complete"] or key in ("parameters", "op_count") else f"≥ {text}"


def _told(audited: Audited) -> str:
    counts = [f"{found} {NAMES[severity]}{'s' if found > 1 else ''}" for severity, found in audited.counts.items()]
    return ", ".join(counts) or "none"


def conventions() -> Html:
    """What the words of the page mean."""
    terms = [(COLUMNS[key].title, COLUMNS[key].source) for key in (*EXPLAINED, "bytes_moved", "parameters")]
    return tag(
        "section",
        tag("h2", "Conventions", id="conventions-name"),
        described([*terms, *OF_TIMES, *OF_AUDITS], "legend"),
        id="conventions",
        aria_labelledby="conventions-name",
    )


def environments(audits: Sequence[Audited], environment: Mapping[str, Scalar]) -> Html:
    """The platforms that times and findings are priced by, and the machine that made the page."""
    platforms = {each.prediction.platform.name: each.prediction.platform for each in audits}
    found = [_platform(platform) for platform in platforms.values()]
    made = [(key.replace("_", " "), str(value)) for key, value in environment.items()]
    return tag(
        "section",
        tag("h2", "Environment", id="environment-name"),
        found,
        tag("h3", "The machine that made this page"),
        described(made, "facts"),
        id="environment",
        aria_labelledby="environment-name",
    )


def _platform(platform: Platform) -> list[Html]:
    peak, bandwidths = roofs(platform)
    facts = [
        ("device", platform.device),
        ("dtype", platform.dtype),
        ("runs", "as a fusing engine" if platform.fused else "operators one by one"),
        ("best rate", f"{units.count(peak)}FLOP/s"),
        *((f"bandwidth, {name}", f"{units.count(value)}B/s") for name, value in bandwidths.items()),
        ("error", units.percent(platform.error) if platform.error else "not known: stated, not measured"),
        *_flat(platform.provenance),
    ]
    return [tag("h3", f"Times are priced by: {platform.name}"), described(facts, "facts")]


def _flat(provenance: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in provenance.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}, ")
        else:
            found.append((name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))
    return found
