"""Columns: a column's title, source and unit, defined once; every output format reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mac_profiler.units import Unit

# Columns that are sums of costs: "?" where nothing is known, a lower bound where something is missing.
COSTS: Final = frozenset({"mult_adds", "flops", "accesses", "fused_accesses", "bytes_moved"})
NUMERIC: Final = frozenset(
    {"count", "bytes", "seconds", "share", "ratio", "number", "more", "more_bytes", "more_share"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, or one line of the totals.

    Attributes:
        key: name in CSV and JSON, and for --sort.
        title: what a reader sees above it; broken at spaces and hyphens where it is wider than its cells.
        unit: how a figure is written, see `mac_profiler.units`.
        priority: in a narrow terminal, columns of a higher number are dropped first; 0 is never dropped.
        source: what the figure is and where its definition comes from; "" needs no explanation.
        flexible: characters at which a text that may be cut in its middle is still easy to read; 0 is never cut.
        prose: sentences; in a terminal they stand below their row, in full.
    """

    key: str
    title: str
    unit: Unit = "text"
    priority: int = 0
    source: str = ""
    flexible: int = 0
    prose: bool = False

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers, and can be sorted by."""
        return self.unit in NUMERIC


_DEFINED = (
    Column("path", "module", flexible=20),
    Column("module", "type", priority=8, flexible=14),
    Column("target", "operator", flexible=22),
    Column("source", "source", priority=6, flexible=20),
    Column("inputs", "inputs", "shapes", priority=9, flexible=22),
    Column("outputs", "output", "shapes", priority=5, flexible=16),
    Column("output", "output", "shape", priority=6),
    Column("phase", "pass", priority=10),
    Column("calls", "calls", "count", priority=4),
    Column(
        "mult_adds", "multiply-adds", "count",
        source="multiply-accumulates of convolutions, matrix and vector products, attention and recurrent cells; bias "
        'and normalisation are not counted in them. Papers print this number as "FLOPs".',
    ),
    Column(
        "flops", "FLOPs", "count", priority=4,
        source="all floating-point operations, element-wise ones included; a multiply-add is 2.",
    ),
    Column(
        "accesses", "memory access", "count", priority=1,
        source="the memory access cost, in elements: weights and inputs read and outputs written, each tensor once per "
        'operator. ShuffleNet V2 (arXiv 1807.11164, G1) abbreviates it "MAC", a word that elsewhere means '
        "multiply-accumulate; here it never does.",
    ),
    Column(
        "fused_accesses", "fused access", "count",
        source="memory access cost on an ideal fusing engine: normalisation folded into its producer, element-wise "
        "chains and layout changes done in the pass that writes their input.",
    ),
    Column("bytes_moved", "bytes moved", "bytes", priority=7, source="memory access times the size of an element."),
    Column("parameters", "parameters", "count", priority=2, source="elements of the parameters, each counted once."),
    Column(
        "peak_activation_bytes", "peak activation memory", "bytes",
        source="most bytes of inputs and activations alive at once in the executed order; weights are not in it.",
    ),
    Column("op_count", "operators", "count", priority=10),
    Column("share", "share", "share", priority=3),
    Column("model", "model", flexible=24),
    Column("family", "family", priority=6, flexible=14),
    Column("input_shape", "input", "shape", priority=3),
    Column("published_mult_adds", "multiply-adds", priority=1, source="as the source prints them."),
    Column("published_parameters", "parameters", priority=2, source="as the source prints them."),
    Column("published_in", "published in", priority=4, flexible=20),
    Column("reading", "matches", prose=True),
    Column("peer", "counted by"),
    Column("convention", "what it says", prose=True),
    Column("theirs", "multiply-adds", "count"),
    Column("difference", "difference", "count"),
    Column("ours_ops", "macprof counts", flexible=16),
    Column("theirs_ops", "peer counts", flexible=14),
    Column("places", "places", "count", priority=2),
    Column("example", "example", priority=3, flexible=14),
    Column("reason", "why", prose=True),
    Column("run", "run"),
    Column("started", "started", priority=2),
    Column("benchmarks", "measured", priority=1, flexible=16),
    Column("device", "device", priority=5),
    Column("cases", "cases", "count", priority=3),
    Column("done", "done", "count", priority=6, source="cases of which no more samples will be taken."),
    Column("samples", "samples", "count", priority=4),
    Column("state", "state"),
    Column("case", "case", flexible=24),
    Column("median_seconds", "median", "seconds"),
    Column("low_seconds", "from", "seconds", priority=1),
    Column("high_seconds", "to", "seconds", priority=1),
    Column("peak_bytes", "peak memory", "bytes", priority=5),
    Column("stopped", "stopped", priority=2, flexible=10),
    Column("warnings", "warnings", prose=True),
    Column("first_seconds", "first run", "seconds", priority=2),
    Column("second_seconds", "second run", "seconds", priority=2),
    Column("ratio", "ratio", "ratio"),
    Column("low_ratio", "from", "ratio", priority=1),
    Column("high_ratio", "to", "ratio", priority=1),
    Column("verdict", "verdict"),
    Column(
        "least_accesses", "least access", "count", priority=4,
        source="the least memory access that the convolutions and products could have at their multiply-adds, map "
        "sizes and kernels, with any widths and groups: for 1x1 ones 2 sqrt(hwB) + B/hw (ShuffleNet V2, eq. 1).",
    ),
    Column(
        "ratio_per_mult_add", "per multiply-add", "ratio", priority=3,
        source="the ratio at equal multiply-adds: by as much larger as the case has fewer of them than the first.",
    ),
    Column("rate", "images/s", "count", priority=1, source="images of a call by its median time."),
    Column("p90_seconds", "90 %", "seconds", priority=3, source="nine calls of ten were no slower."),
    Column("p99_seconds", "99 %", "seconds", priority=4, source="99 calls of 100 were no slower."),
    Column("published_rate", "published rate", "count", priority=3, source="images or batches a second."),
    Column("published_ratio", "published ratio", "ratio", priority=2),
    Column("fact", "fact", flexible=20),
    Column("value", "value", flexible=40),
    Column("benchmark", "benchmark"),
    Column("group", "group"),
    Column("name", "name"),
    Column("axes", "axes"),
    Column("process", "process", "count"),
    Column("round", "round", "count"),
    Column("seconds", "seconds", "seconds"),
    Column("kind", "kind of work"),
    Column("predicted_seconds", "predicted", "seconds", source="by the law of each kind of work, see 'platform'."),
    Column("time_share", "share", "share", priority=1, source="of the predicted time of the whole model."),
    Column("compute_seconds", "compute", "seconds", priority=3, source="operations by their rate."),
    Column("memory_seconds", "memory", "seconds", priority=3, source="bytes by their bandwidth."),
    Column("launch_seconds", "launch", "seconds", priority=3, source="calls, however small."),
    Column("bound", "bound by", priority=2, source="the largest of the three parts."),
    Column("times_ideal", "times ideal", "ratio", priority=4,
           source="by the time of its multiply-adds alone, at the best rate of this platform."),
    Column("measured_seconds", "measured", "seconds", source="by torch's profiler, the median of some calls."),
    Column("residual", "off by", "share", priority=1, source="predicted by measured time, less 1."),
    Column("platform", "platform"),
    Column("error", "error", "share", source="nine in ten of the models that were held out were no further off."),
    Column("median_error", "median error", "share", priority=1, source="half of them were no further off."),
    Column("dtype", "dtype", priority=3),
    Column("engine", "runs", priority=4, source="operators one by one, or fused with those around them."),
    Column("origin", "from", priority=2, flexible=20),
    Column("working_set", "touches", "bytes"),
    Column("read_rate", "read", "bytes"),
    Column("write_rate", "write", "bytes"),
    Column("copy_rate", "copy", "bytes"),
    Column("best", "best rate", "count"),
    Column("low", "from", "count", priority=2),
    Column("high", "to", "count", priority=2),
    Column("unit", "in"),
    Column("subject", "on", priority=3, flexible=14),
    Column("number", "number"),
    Column("operations", "operations"),
    Column("read", "bytes read"),
    Column("write", "bytes written"),
    Column("weights", "bytes of weights"),
    Column("counted", "operations are", priority=4),
    Column("code", "rule"),
    Column("before", "instead of", flexible=20),
    Column("after", "stands", flexible=20),
    Column("severity", "severity"),
    Column("place", "where", flexible=44),
    Column("times", "times", "count", source="places where it is the same."),
    Column("lost_share", "lost", "share", source="of the model's predicted time."),
    Column("lost_seconds", "lost time", "seconds", priority=5),
    Column("lost_accesses", "lost access", "count", priority=6, source="elements read or written too many."),
    Column("message", "message", prose=True),
    Column("remedy", "remedy", prose=True),
    Column("gain", "measured", prose=True),
    Column("guideline", "guideline"),
    Column("points", "points", "number"),
    Column("branches", "branches", "count"),
    Column("fragments", "fragments", "count"),
    Column("width", "width", "count", priority=2, source="units that could run at once."),
    Column("depth", "depth", "count", priority=2, source="units in a row."),
    Column("parallelism", "work/span", "ratio", priority=1),
    Column("elementwise_share", "element-wise", "share", source="of the memory access."),
    Column("figure", "figure"),
    Column("limit", "limit", "count"),
    Column("found", "found", "count"),
    Column("kept", "verdict"),
    Column("summary", "what it finds", prose=True),
    Column("measured_share", "measured", "share"),
    Column("published_gpu", "published, GPU", "share"),
    Column("published_arm", "published, ARM", "share"),
    Column("row", "row", flexible=20),
    Column("level", "level", source="of complexity: the paper's, or else the nearest by multiply-adds."),
    Column("setting", "images", source="only networks with images of one size are put in an order."),
    Column("images", "batch", "count", priority=5, source="images of one call."),
    Column("block_fragments", "fragments", "number",
           source="convolutions, products and poolings of a fork-join block, the median of all blocks."),
    Column("score", "score", "number", source="of 100: the share of the predicted time that multiply-adds alone take."),
    Column("predicted_rate", "images/s predicted", "count", priority=4, source="images of a call by that time."),
    Column("low_rate", "from", "count", priority=3),
    Column("high_rate", "to", "count", priority=3),
    Column("apart", "off by", "share", priority=1, source="our multiply-adds of an image by the published, less 1."),
    Column("top1_error", "top-1 error, %", "number", source="of ImageNet, as published."),
    Column("published_gpu_rate", "GPU, batches/s", "count", priority=1, source="as published, of a batch of 8 or 1."),
    Column("published_arm_rate", "ARM, images/s", "number", priority=1, source="as published, one image at once."),
    Column("published_arm_seconds", "ARM, time", "seconds", source="as published, of one image."),
    Column("theoretical_speed_up", "fewer multiply-adds", "ratio", source="multiply-adds of the baseline by its own."),
    Column("access_speed_up", "less memory access", "ratio", priority=4),
    Column("predicted_speed_up", "predicted speed-up", "ratio"),
    Column("measured_speed_up", "measured speed-up", "ratio", source="of the rounds that both took part in."),
    Column("low_speed_up", "from", "ratio", priority=1),
    Column("high_speed_up", "to", "ratio", priority=1),
    Column("gpu_speed_up", "GPU speed-up", "ratio", priority=2, source="by the published speeds."),
    Column("arm_speed_up", "ARM speed-up", "ratio", priority=2, source="by the published speeds."),
    Column("order", "order"),
    Column("beside", "beside"),
    Column("scope", "pairs", source="of networks; n of them make n(n-1)/2."),
    Column("pairs", "number", "count"),
    Column("agree", "agree", "count"),
    Column("disagree", "disagree", "count"),
    Column("undecided", "undecided", "count", source="ties, and where rounds do not say who is faster."),
    Column("agree_share", "of decided", "share", source="of those that are decided."),
    Column("change", "change"),
    Column("was", "before", "count"),
    Column("became", "after", "count"),
    Column("shift", "change", "more"),
    Column("shift_share", "of before", "more_share", priority=1),
    Column("mult_adds_shift", "multiply-adds", "more"),
    Column("flops_shift", "FLOPs", "more", priority=3),
    Column("accesses_shift", "memory access", "more", priority=1),
    Column("bytes_shift", "bytes moved", "more_bytes", priority=5),
    Column("parameters_shift", "parameters", "more", priority=2),
    Column("calls_shift", "calls", "more", priority=4),
    Column("sizes", "output", priority=6, flexible=24),
)  # fmt: skip

COLUMNS: Mapping[str, Column] = {column.key: column for column in _DEFINED}
