"""Work: what an operator gives a machine to do, in the few amounts that its time is told from.

Kinds of work are those that machines do at rates of their own. A dense convolution and a depthwise one use the same
units of a processor, but not at the same rate; a ReLU and a GELU move the same bytes, but not in the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from mac_profiler.bounds import product_of
from mac_profiler.cost import Cost
from mac_profiler.fusion import fuse
from mac_profiler.graph import Op
from mac_profiler.kinds import kind_of, linear_in_weight, normalises_by_batch
from mac_profiler.profile import Profile

# Every kind, and what it is; those of the first group are counted in multiply-adds.
PRODUCTS: Mapping[str, str] = {
    "dense_conv": "convolutions of one group with kernels above 1x1",
    "pointwise_conv": "1x1 convolutions of one group",
    "grouped_conv": "convolutions of several groups that are not depthwise",
    "depthwise_conv": "convolutions with one input channel a group",
    "linear": "linear layers, and products with a weight",
    "matmul": "products of two activations",
    "attention": "scaled dot-product attention",
    "recurrent": "recurrent cells",
}
KINDS: Mapping[str, str] = {
    **PRODUCTS,
    "elementwise": "arithmetic, comparisons and piecewise linear activations",
    "transcendental": "activations and functions that take an exponential",
    "batch_norm": "batch-norm with fixed statistics",
    "normalisation": "norms by the statistics of the input",
    "softmax": "softmax",
    "max_pool": "max-pooling over windows",
    "avg_pool": "average-pooling over windows",
    "reduction": "sums, means and global pooling",
    "movement": "concatenation, copies, padding, rolls: data moved unchanged",
    "other": "whatever is none of the others",
}
_EXPONENTIALS = """
    gelu silu sigmoid tanh exp mish elu selu celu softplus log_sigmoid logsigmoid erf log pow sin cos logit
"""
_TRANSCENDENTAL = frozenset(_EXPONENTIALS.split())
_WINDOWS = {"max_pool": "max_pool", "avg_pool": "avg_pool"}


@dataclass(frozen=True, slots=True)
class Work:
    """What one operator, or several that run as one kernel, give a machine to do.

    Attributes:
        kind: one of `KINDS`.
        operations: multiply-adds of products, FLOPs of the others.
        read_bytes: of inputs.
        write_bytes: of outputs.
        weight_bytes: of parameters and buffers.
        calls: how many times something is launched.
    """

    kind: str
    operations: float = 0.0
    read_bytes: float = 0.0
    write_bytes: float = 0.0
    weight_bytes: float = 0.0
    calls: float = 1.0

    @property
    def bytes_moved(self) -> float:
        """Of everything that is read and written."""
        return self.read_bytes + self.write_bytes + self.weight_bytes


@dataclass(frozen=True, slots=True)
class Task:
    """Work and where it comes from.

    Attributes:
        ops: positions in the graph of the operators that run as one; the first is the one that the work is named after.
        work: what they do.
    """

    ops: tuple[int, ...]
    work: Work


def tasks(profile: Profile, *, fused: bool = False) -> tuple[Task, ...]:
    """The work of a model, in order; views are none, and operators without a cost cannot be told.

    Args:
        profile: counted operators.
        fused: as an ideal fusing engine would run them, see `mac_profiler.fusion`; else each operator by itself.
    """
    ops, costs = profile.graph.ops, profile.costs
    if not fused:
        return tuple(
            Task((i,), work_of(op, cost))
            for i, (op, cost) in enumerate(zip(ops, costs, strict=True))
            if cost is not None and not op.view
        )
    found = []
    for kernel in fuse(profile.graph, costs):
        if kernel.cost is None:
            continue
        main = max(kernel.ops, key=lambda i: _weight(ops[i], costs[i]))
        others = tuple(i for i in kernel.ops if i != main)
        found.append(Task((main, *others), _amounts(kind_of_work(ops[main]), ops[main], kernel.cost)))
    return tuple(found)


def tally(works: Iterable[Work]) -> dict[str, Work]:
    """Sums by kind, in the order of `KINDS`."""
    sums: dict[str, list[float]] = {}
    for work in works:
        entry = sums.setdefault(work.kind, [0.0] * 5)
        for i, amount in enumerate((work.operations, work.read_bytes, work.write_bytes, work.weight_bytes, work.calls)):
            entry[i] += amount
    return {kind: Work(kind, *sums[kind]) for kind in KINDS if kind in sums}


def work_of(op: Op, cost: Cost) -> Work:
    """What one operator does."""
    return _amounts(kind_of_work(op), op, cost)


def _amounts(kind: str, op: Op, cost: Cost) -> Work:
    # Operands may differ in size; the bytes are dealt out by elements, so that they add up to those that are counted.
    size = cost.bytes_moved / cost.accesses if cost.accesses else 0.0
    return Work(
        kind,
        float(cost.mult_adds if kind in PRODUCTS else cost.flops),
        cost.input_reads * size,
        cost.output_writes * size,
        cost.weight_reads * size,
    )


def _weight(op: Op, cost: Cost | None) -> tuple[int, int, int]:
    """How much an operator shapes the kernel that it runs in: products first, then what is more than element-wise."""
    if cost is None:
        return (0, 0, 0)
    return (cost.mult_adds, kind_of(op) in ("anchor", "reduction"), cost.accesses)


def kind_of_work(op: Op) -> str:
    """The kind of work that an operator is."""
    product = product_of(op)
    if product is not None:
        if op.target == "aten.linear" or "weight" not in op.args:
            return "linear" if _has_weight(op) else "matmul"
        if product.groups == 1:
            return "pointwise_conv" if product.kernel_area == 1 else "dense_conv"
        return "depthwise_conv" if product.groups == product.channels_in else "grouped_conv"
    if normalises_by_batch(op):
        return "normalisation" if op.args.get("training") else "batch_norm"
    return _by_target(op.target) or {
        "elementwise": "elementwise", "reduction": "reduction", "movement": "movement"
    }.get(kind_of(op), "linear" if linear_in_weight(op) else "other")  # fmt: skip


def _has_weight(op: Op) -> bool:
    return any(value.role == "weight" for value in op.inputs)


@cache
def _by_target(target: str) -> str:
    """The kind where the name of the operator tells it; "" where it does not."""
    name = target.rpartition(".")[2].removesuffix("_")
    if "attention" in name:
        return "attention"
    if name.startswith(("lstm", "gru", "rnn")) or "_rnn" in name or "lstm" in name:
        return "recurrent"
    if "softmax" in name:
        return "softmax"
    if name.endswith(("layer_norm", "group_norm", "rms_norm", "instance_norm")):
        return "normalisation"
    if "adaptive" not in name:
        for part, kind in _WINDOWS.items():
            if part in name:
                return kind
    else:
        return "reduction"
    if name in ("matmul", "einsum", "addbmm", "mv", "dot", "vdot", "addmv", "linalg_vecdot"):
        return "matmul"
    return "transcendental" if name in _TRANSCENDENTAL else ""
