"""Fused memory access of hand-made graphs: closed forms, and laws that hold for any graph."""

from __future__ import annotations

import time
from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mac_profiler.cost import ZERO, Cost, traffic
from mac_profiler.fusion import Kernel, fuse, fused_accesses
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.kinds import kind_of

X = (1, 8, 4, 4)
N = 128  # elements of X
W = 8 * 8  # of a 1x1 convolution over it


class Net:
    """A graph under construction; every method gives the Value that the operator made."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.inputs: list[Value] = []

    def input(self, shape: Sequence[int] = X) -> Value:
        self.inputs.append(Value(tuple(shape), role="input"))
        return self.inputs[-1]

    def run(self, target: str, *inputs: Any, shape: Sequence[int] | None = None, **args: Any) -> Value:
        tensors = {("self", "other", "third")[i]: value for i, value in enumerate(inputs)}
        out = Value(tuple(shape if shape is not None else inputs[0].shape))
        self.ops.append(Op(f"aten.{target}", "", "", tensors | args, (out,)))
        return out

    def conv(self, x: Value) -> Value:
        return self.run(
            "convolution", shape=x.shape, input=x, weight=Value((x.shape[1], x.shape[1], 1, 1), role="weight")
        )

    def bn(self, x: Value, training: bool = False) -> Value:
        names = ("weight", "bias", "running_mean", "running_var")
        vectors = {name: Value((x.shape[1],), role="weight" if i < 2 else "buffer") for i, name in enumerate(names)}
        return self.run("batch_norm", shape=x.shape, input=x, **vectors, training=training)

    def in_place(self, target: str, x: Value, **args: Any) -> Value:
        out = Value(x.shape, strides=x.strides, base=x.owner)
        self.ops.append(Op(f"aten.{target}", "", "", {"self": x} | args, (out,), writes=True))
        return out

    def view(self, x: Value, shape: Sequence[int], strides: tuple[int, ...] | None = None) -> Value:
        out = Value(tuple(shape), strides=strides, base=x.owner)
        self.ops.append(Op("aten.view", "", "", {"self": x}, (out,), view=True))
        return out

    def halves(self, x: Value) -> tuple[Value, Value]:
        n, c, h, w = x.shape
        strides = (c * h * w, h * w, w, 1)
        return self.view(x, (n, c // 2, h, w), strides), self.view(x, (n, c // 2, h, w), strides)

    def cat(self, *parts: Value) -> Value:
        n, _, h, w = parts[0].shape
        return self.run("cat", shape=(n, sum(part.shape[1] for part in parts), h, w), tensors=tuple(parts))

    def graph(self, *outputs: Value) -> Graph:
        return Graph("net", tuple(self.ops), inputs=tuple(self.inputs), outputs=outputs)


def costs(graph: Graph) -> list[Cost | None]:
    return [ZERO if op.view else None if op.target == "aten.unknown" else traffic(op, flops=1) for op in graph.ops]


def fused(net: Net, *outputs: Value) -> int:
    graph = net.graph(*outputs)
    return fused_accesses(graph, costs(graph))


def kernels(net: Net, *outputs: Value) -> list[tuple[int, ...]]:
    graph = net.graph(*outputs)
    return [kernel.ops for kernel in fuse(graph, costs(graph))]


def test_batch_norm_and_activation_vanish_into_the_convolution() -> None:
    net = Net()
    out = net.run("relu", net.bn(net.conv(net.input())))
    assert fused(net, out) == N + W + N
    graph = net.graph(out)
    assert fuse(graph, costs(graph)) == (Kernel((0, 1, 2), Cost(0, 2, W, N, N, 4 * (N + W + N))),)


@pytest.mark.parametrize("case", ["training", "read by another", "behind an activation", "computed weight"])
def test_batch_norm_that_cannot_be_folded_reads_its_vectors(case: str) -> None:
    net = Net()
    x = net.input()
    if case == "computed weight":
        weight = net.input((8, 8, 1, 1))
        y = net.run("convolution", shape=X, input=x, weight=weight)
    else:
        y = net.conv(x)
    outputs = [y] if case == "read by another" else []
    if case == "behind an activation":
        y = net.run("relu", y)
    out = net.bn(y, training=case == "training")
    # A norm by the batch's statistics cannot run behind the convolution: written once, read once.
    extra = {"training": 2 * N, "read by another": N}.get(case, 0)
    assert fused(net, *outputs, out) == N + W + 4 * 8 + N + extra


def test_a_residual_add_joins_the_last_branch_and_reads_the_other_operand() -> None:
    net = Net()
    x = net.input()
    y = net.conv(net.conv(x))
    out = net.run("relu", net.run("add", y, x))
    assert fused(net, out) == (N + W + N) + (N + W + N + N)
    assert kernels(net, out) == [(0,), (1, 2, 3)]


def test_an_add_of_two_branches_stores_one_of_them() -> None:
    net = Net()
    x = net.input()
    out = net.run("add", net.conv(x), net.conv(x))
    assert fused(net, out) == (N + W + N) + (N + W + N + N)


def test_an_add_of_the_kernels_own_input_reads_nothing_more() -> None:
    net = Net()
    x = net.input()
    assert fused(net, net.run("add", net.conv(x), x)) == N + W + N


def test_what_somebody_else_reads_is_written_once() -> None:
    net = Net()
    y = net.conv(net.input())
    z = net.run("relu", y)
    other = net.conv(y)
    assert fused(net, z, other) == (N + W + N + N) + (N + W + N)


def test_an_element_wise_dag_is_one_pass() -> None:
    net = Net()
    x, y = net.input(), net.input()
    a, b = net.run("sigmoid", x), net.run("tanh", y)
    out = net.run("add", net.run("mul", a, x), net.run("mul", b, a))
    assert fused(net, out) == 3 * N
    assert kernels(net, out) == [(0, 1, 2, 3, 4)]


def test_an_element_wise_branch_with_another_reader_is_not_moved_behind_that_reader() -> None:
    net = Net()
    x = net.input()
    a = net.run("sigmoid", x)
    out = net.run("add", net.conv(a), a)
    # [x -> a] [a -> convolution, add]: merged they would need each other.
    assert kernels(net, out) == [(0,), (1, 2)]
    assert fused(net, out) == 2 * N + (N + W + N)


def test_in_place_operators_count_as_their_out_of_place_forms() -> None:
    net = Net()
    out = net.in_place("relu_", net.in_place("add_", net.conv(net.input()), other=net.input()))
    assert fused(net, out) == N + W + N + N


def test_squeeze_and_excitation_multiplies_in_a_pass_of_its_own() -> None:
    net = Net()
    x = net.run("relu", net.conv(net.input()))
    pooled = net.run("mean", x, shape=(1, 8, 1, 1))
    gate = net.run("sigmoid", net.conv(pooled))
    out = net.run("mul", x, gate)
    assert kernels(net, out) == [(0, 1), (2,), (3, 4), (5,)]
    assert fused(net, out) == (N + W + N) + (N + 8) + (8 + W + 8) + (N + 8 + N)


def test_a_small_element_wise_factor_is_computed_where_it_is_used() -> None:
    net = Net()
    gate = net.run("sigmoid", net.input((8, 1, 1)))
    out = net.run("mul", net.conv(net.input()), gate)
    assert fused(net, out) == 8 + N + W + N


def test_a_hand_written_rms_norm_is_one_pass() -> None:
    net = Net()
    hidden, weight = (4, 16), Value((16,), role="weight")
    x = net.run("addmm", net.input((16,)), net.input(hidden), shape=hidden, mat2=Value((16, 16), role="weight"))
    mean = net.run("mean", net.run("pow", x), shape=(4, 1))
    scaled = net.run("mul", x, net.run("rsqrt", net.run("add", mean)))
    out = net.run("mul", scaled, weight)
    assert kernels(net, x, out) == [(0,), (1, 2, 3, 4, 5, 6)]
    assert fused(net, x, out) == (16 + 64 + 256 + 64) + (64 + 16 + 64)


def test_cat_of_fresh_results_costs_nothing() -> None:
    net = Net()
    x = net.input()
    out = net.run("relu", net.cat(net.conv(x), net.conv(x), net.conv(x)))
    assert fused(net, out) == 3 * (N + W + N)


def test_cat_passes_other_operands_once() -> None:
    net = Net()
    x = net.input()
    y = net.conv(x)
    assert fused(net, net.cat(x, y), y) == (N + W + N) + (2 * N + 2 * N)
    net = Net()
    x = net.input()
    assert fused(net, net.cat(net.conv(x), x)) == N + W + N + N  # x is at hand in the convolution's kernel


def test_dense_block_reads_every_feature_once_and_normalises_on_the_way() -> None:
    net = Net()
    x = net.input()
    a = net.conv(x)
    dense = net.run("relu", net.bn(net.cat(x, a)))
    assert fused(net, net.conv(dense), a) == (N + W + N) + (2 * N + 4 * 16 + 2 * N) + (2 * N + 16 * 16 + 2 * N)


def test_a_part_written_in_place_cannot_need_an_operand_that_is_made_of_it() -> None:
    net = Net()
    x = net.input()
    y = net.conv(x)
    a = net.run("relu", y)
    late = net.run("unknown", y, shape=(1, 16, 4, 4))
    out = net.run("add", net.cat(a, net.conv(net.conv(net.conv(x)))), late)
    assert all(len(kernel) < 6 for kernel in kernels(net, out))
    assert_runnable(net.graph(out))


def test_shuffle_unit_moves_each_passed_element_once_in_once_out() -> None:
    net = Net()
    # ShuffleNet V2, figure 3c: split, branch, concat, shuffle; between two units of which the next only splits.
    x = net.conv(net.input())
    left, right = net.halves(x)
    branch = net.run("relu", net.bn(net.conv(right)))
    joined = net.cat(left, branch)
    shuffled = net.run("clone", net.view(joined, (1, 4, 2, 4, 4), (128, 16, 64, 4, 1)))
    half, weights = N // 2, 4 * 4
    assert fused(net, shuffled) == (N + W + N) + (half + weights + half) + 2 * half
    assert kernels(net, shuffled) == [(0,), (3, 4, 5, 6, 8)]


def test_a_gated_linear_unit_of_two_views_is_an_epilogue() -> None:
    net = Net()
    left, right = net.halves(net.conv(net.input()))
    assert fused(net, net.run("mul", left, net.run("sigmoid", right))) == N + W + N // 2


def test_unknown_operators_keep_everything_around_them_in_memory() -> None:
    net = Net()
    y = net.run("relu", net.conv(net.input()))
    out = net.run("relu", net.run("unknown", y))
    assert fused(net, out) == (N + W + N) + 2 * N
    graph = net.graph(out)
    assert [kernel.cost is None for kernel in fuse(graph, costs(graph))] == [False, True, False]


def test_slices_written_one_by_one_are_all_written() -> None:
    net = Net()
    buffer = net.run("zeros", shape=X)
    x = net.input((1, 4, 4, 4))
    for part in net.halves(buffer):
        net.in_place("copy_", part, src=net.run("relu", x))
    out = net.run("relu", buffer)
    moved = sum(cost.accesses for cost in costs(net.graph(out)) if cost is not None)
    # Zeros; each half through relu straight into its slice; relu of the whole, which only memory holds.
    graph = net.graph(out)
    copies = [
        ZERO if op.view else traffic(op, reads={op.args["self"]: 0} if op.target == "aten.copy_" else None)
        for op in graph.ops
    ]
    assert fused_accesses(graph, copies) == N + 2 * (N // 2 + N // 2) + 2 * N
    assert fused_accesses(graph, copies) < moved


def test_side_results_that_nobody_reads_are_not_written() -> None:
    x, out, indices = Value(X, role="input"), Value((1, 8, 2, 2)), Value((1, 8, 2, 2), "int64")
    pool = Op("aten.max_pool2d_with_indices", "", "", {"self": x}, (out, indices))
    graph = Graph("net", (pool,), inputs=(x,), outputs=(out,))
    assert fused_accesses(graph, [traffic(pool)]) == N + 32
    both = Graph("net", (pool,), inputs=(x,), outputs=(out, indices))
    assert fused_accesses(both, [traffic(pool)]) == N + 64


def test_a_mutated_input_is_written() -> None:
    net = Net()
    x = net.input()
    net.in_place("add_", x, other=net.conv(x))
    assert fused(net) == N + W + N


def test_a_gather_is_charged_as_its_formula_says() -> None:
    net = Net()
    table = Value((1000, 16), role="weight")
    out = net.run("relu", net.run("embedding", shape=(4, 16), weight=table, indices=net.input((4,))))
    graph = net.graph(out)
    gather = traffic(graph.ops[0], reads={table: 64})
    assert fused_accesses(graph, [gather, traffic(graph.ops[1])]) == 64 + 4 + 64


STEPS = ("relu", "sigmoid", "add", "conv", "bn", "mean", "gate", "cat", "clone", "halves", "relu_", "slice", "unknown")


@st.composite
def nets(draw: st.DrawFn) -> tuple[Net, Value]:
    """Any mix of operators over tensors of one shape, read any number of times, in any order."""
    net = Net()
    values = [net.input(), net.input()]
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=25)):
        x, y = draw(st.sampled_from(values)), draw(st.sampled_from(values))
        match step:
            case "relu" | "sigmoid" | "clone" | "unknown":
                values.append(net.run(step, x))
            case "add":
                values.append(net.run("add", x, y))
            case "conv":
                values.append(net.conv(x))
            case "bn":
                values.append(net.bn(x, draw(st.booleans())))
            case "mean":
                values.append(net.run("sub", x, net.run("mean", x, shape=(1, 8, 1, 1))))
            case "gate":
                values.append(net.run("mul", y, net.conv(net.run("mean", x, shape=(1, 8, 1, 1)))))
            case "cat" | "halves":
                values.append(net.cat(net.halves(x)[0], net.halves(y)[1]))
            case "relu_":
                values.append(net.in_place("relu_", x))
            case "slice":
                net.in_place("mul_", net.halves(x)[0], other=net.halves(y)[1])
    return net, draw(st.sampled_from(values))


def assert_runnable(graph: Graph) -> None:
    """Every operator is in one kernel, and the kernels can run one after the other."""
    found = fuse(graph, costs(graph))
    assert sorted(i for kernel in found for i in kernel.ops) == [i for i, op in enumerate(graph.ops) if not op.view]
    kernel_of = {i: k for k, kernel in enumerate(found) for i in kernel.ops}
    order: TopologicalSorter[int] = TopologicalSorter()
    version: dict[Value, int] = {}
    for j, op in enumerate(graph.ops):
        if op.view:
            continue
        for value in op.inputs:
            i = version.get(value.owner)
            if i is not None and kernel_of[i] != kernel_of[j]:
                order.add(kernel_of[j], kernel_of[i])
        for value in op.outputs:
            version[value.owner] = j
    order.prepare()  # raises on a cycle


@given(nets())
@settings(max_examples=300, deadline=None)
def test_laws(case: tuple[Net, Value]) -> None:
    net, out = case
    graph = net.graph(out)
    each = costs(graph)
    found = fuse(graph, each)
    total = fused_accesses(graph, each)
    assert total <= sum(cost.accesses for cost in each if cost is not None)
    known = [kernel.cost for kernel in found if kernel.cost is not None]
    assert sum(cost.bytes_moved for cost in known) == 4 * total
    assert all(min(cost.weight_reads, cost.input_reads, cost.output_writes) >= 0 for cost in known)
    counted = [op for op, cost in zip(graph.ops, each, strict=True) if cost is not None and not op.view]
    read = {value.owner for op in counted for value in op.inputs}
    used = {value for value in read if value.role == "weight" and len(value.shape) == 4}
    makers = [op for op in counted if any(value.owner is out.owner for value in op.outputs)]
    split = {v.owner for op in graph.ops if op.view for v in op.inputs}
    least = sum(v.elements if v not in split else v.elements // 2 for v in read & set(graph.inputs))
    assert total >= least + sum(value.elements for value in used) + (out.elements // 2 if makers else 0)
    assert_runnable(graph)


def test_the_kind_of_every_pointwise_operator_of_torch() -> None:
    import torch

    missing = []
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, name = schema.name.partition("::")
        # Two kinds by their arguments; copies that torch calls pointwise; scalars and Python numbers.
        if namespace != "aten" or name in ("clone", "equal", "max", "min"):
            continue
        packet = getattr(torch.ops.aten, name, None)
        overload = getattr(packet, schema.overload_name or "default", None)
        if overload is None or torch.Tag.pointwise not in overload.tags:
            continue
        if kind_of(Op(f"aten.{name}", "", "", {}, ())) != "elementwise":
            missing.append(name)
    assert not missing


def test_kinds_that_depend_on_the_arguments() -> None:
    x = Value(X)
    assert kind_of(Op("aten.max", "", "", {"self": x, "other": x}, ())) == "elementwise"
    assert kind_of(Op("aten.max", "", "", {"self": x, "dim": 1}, ())) == "reduction"
    assert kind_of(Op("aten.batch_norm", "", "", {"training": True}, ())) == "reduction"
    assert kind_of(Op("aten.relu_", "", "", {}, ())) == "elementwise"
    assert kind_of(Op("mine.relu", "", "", {}, ())) == "anchor"


def test_a_hundred_thousand_operators_in_linear_time() -> None:
    def seconds(length: int) -> float:
        net = Net()
        x = first = net.input()
        for i in range(length // 4):
            x = net.run("add", net.run("relu", net.conv(x)), first if i % 2 else x)
            x = net.in_place("relu_", x)
        graph = net.graph(x)
        each = costs(graph)
        start = time.process_time()
        fuse(graph, each)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(100_000) < 30 * max(seconds(10_000), 0.01)


def test_a_long_element_wise_chain_needs_no_recursion() -> None:
    net = Net()
    x = net.input()
    for _ in range(20_000):
        x = net.run("relu", x)
    assert fused(net, x) == 2 * N
