"""Peak activation memory of hand-made graphs: closed forms, and laws that hold for any graph."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mac_profiler.graph import Graph, Op, Value
from mac_profiler.liveness import activation_bytes, peak_activation_bytes


def tensor(elements: int, dtype: str = "float32", base: Value | None = None) -> Value:
    return Value((elements,), dtype, base=base)


def op(out: Value | tuple[Value, ...], *inputs: Any, view: bool = False, writes: bool = False) -> Op:
    args = {f"x{i}": value for i, value in enumerate(inputs)}
    return Op("aten.any_op", "", "", args, out if isinstance(out, tuple) else (out,), view=view, writes=writes)


def graph(inputs: list[Value], ops: list[Op], *outputs: Value) -> Graph:
    return Graph("net", tuple(ops), inputs=tuple(inputs), outputs=outputs)


WEIGHT = Value((1_000_000,), role="weight")


def test_input_and_output_of_an_operator_are_alive_together() -> None:
    # The largest pair of neighbours: how MCUNet counts a chain of layers.
    sizes = [10, 40, 60, 5]
    values = [tensor(size) for size in sizes]
    chain = [op(after, before, WEIGHT) for before, after in pairwise(values)]
    assert activation_bytes(graph(values[:1], chain, values[-1])) == (4 * 50, 4 * 100, 4 * 65)


def test_in_place_shares_memory_and_out_of_place_does_not() -> None:
    x, y, z = tensor(10), tensor(40), tensor(10)
    inplace = tensor(40, base=y)
    assert peak_activation_bytes(graph([x], [op(y, x), op(inplace, y, writes=True), op(z, inplace)], z)) == 4 * 50
    fresh = tensor(40)
    assert peak_activation_bytes(graph([x], [op(y, x), op(fresh, y), op(z, fresh)], z)) == 4 * 80


def test_a_shortcut_stays_alive_over_its_block() -> None:
    x, a, b, out = (tensor(16) for _ in range(4))
    residual = graph([x], [op(a, x, WEIGHT), op(b, a, WEIGHT), op(out, b, x)], out)
    assert activation_bytes(residual) == (4 * 32, 4 * 48, 4 * 48)
    summed = tensor(16, base=b)
    assert peak_activation_bytes(graph([x], [op(a, x), op(b, a), op(summed, b, x, writes=True)], summed)) == 4 * 48


def test_concatenation_holds_parts_and_whole() -> None:
    x, a, b, whole = tensor(4), tensor(8), tensor(8), tensor(16)
    assert activation_bytes(graph([x], [op(a, x), op(b, x), op(whole, (a, b))], whole)) == (48, 80, 128)


def test_shuffle_unit() -> None:
    # Both halves are views: the input lives until the concatenation reads the left one.
    x = tensor(32)
    left, right = tensor(16, base=x), tensor(16, base=x)
    a, b, joined, shuffled = tensor(16), tensor(16), tensor(32), tensor(32)
    unit = [
        op((left, right), x, view=True),
        op(a, right, WEIGHT),
        op(b, a, WEIGHT),
        op(joined, (left, b)),
        op(tensor(32, base=joined), joined, view=True),
        op(shuffled, tensor(32, base=joined)),
    ]
    assert activation_bytes(graph([x], unit, shuffled)) == (128, 192, 256, 320, 128, 256)


def test_element_sizes_count_and_an_expanded_tensor_is_stored_once() -> None:
    x, half = tensor(10), tensor(10, "float16")
    assert peak_activation_bytes(graph([x], [op(half, x)], half)) == 60
    wide = Value((100, 10), strides=(0, 1))
    assert peak_activation_bytes(graph([], [op(wide)], wide)) == 40


def test_weights_buffers_and_their_views_do_not_count() -> None:
    x, y = tensor(3), tensor(3)
    buffer = Value((50,), role="buffer")
    seen = Value((50,), role="weight", base=WEIGHT)
    updated = Value((50,), role="buffer", base=buffer)
    assert peak_activation_bytes(graph([x], [op(y, x, seen), op(updated, buffer, writes=True)], y, updated)) == 24


def test_inputs_live_until_their_last_reader_and_outputs_to_the_end() -> None:
    x, late, unread = tensor(1), tensor(100), tensor(1000)
    a, b = tensor(10), tensor(1)
    ops = [op(a, x), op(b, a), op(tensor(1), b, late)]
    assert activation_bytes(graph([x, late, unread], ops, a)) == (4 * 111, 4 * 111, 4 * 112)


def test_a_constant_lives_from_its_first_use() -> None:
    x, a, b, constant = tensor(1), tensor(1), tensor(1), tensor(100)
    assert activation_bytes(graph([x], [op(a, x), op(b, a, constant)], b)) == (8, 4 * 102)


def test_what_backward_reads_stays_alive() -> None:
    x, a, b, grad_b, grad_a = (tensor(8) for _ in range(5))
    forward = [op(a, x), op(b, a)]
    assert peak_activation_bytes(graph([x], forward, b)) == 4 * 16
    backward = [op(grad_b, b), op(grad_a, grad_b, a), op(tensor(8), grad_a, x)]
    assert peak_activation_bytes(graph([x], forward + backward, b)) == 4 * 8 * 5


def test_no_operator_at_all() -> None:
    x = tensor(5)
    assert activation_bytes(graph([x], [], x)) == (20,)
    assert peak_activation_bytes(graph([], [])) == 0


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    values = [tensor(draw(st.integers(0, 50))) for _ in range(draw(st.integers(1, 3)))]
    inputs, ops = list(values), []
    for _ in range(draw(st.integers(1, 15))):
        read = draw(st.lists(st.sampled_from(values), max_size=3))
        kind = draw(st.sampled_from(["fresh", "view", "in place"]))
        if kind == "fresh" or not read:
            out = tensor(draw(st.integers(0, 50)))
            ops.append(op(out, *read))
        else:
            out = tensor(read[0].elements, base=read[0].owner)
            ops.append(op(out, *read, view=kind == "view", writes=kind == "in place"))
        values.append(out)
    return graph(inputs, ops, *draw(st.lists(st.sampled_from(values), max_size=2)))


@given(graphs())
def test_laws(case: Graph) -> None:
    peak = peak_activation_bytes(case)
    timeline = activation_bytes(case)
    assert len(timeline) == len(case.ops)
    assert peak == max(timeline)
    everything = {v.owner for o in case.ops for v in (*o.inputs, *o.outputs)} | {v.owner for v in case.inputs}
    assert peak <= sum(4 * value.footprint for value in everything)
    for index, each in enumerate(case.ops):
        together = {value.owner for value in (*each.inputs, *each.outputs)}
        if not each.view:
            assert timeline[index] >= sum(4 * value.footprint for value in together)
    assert timeline[-1] >= sum(4 * value.footprint for value in {value.owner for value in case.outputs})


def test_a_hundred_thousand_operators_in_linear_time() -> None:
    def seconds(length: int) -> float:
        values = [tensor(8) for _ in range(length + 1)]
        ops = [op(after, before, values[0]) for before, after in pairwise(values)]
        chain = graph(values[:1], ops, values[-1])
        start = time.process_time()
        assert peak_activation_bytes(chain) == 4 * 8 * 3
        return time.process_time() - start

    seconds(1_000)
    assert seconds(100_000) < 30 * max(seconds(10_000), 0.01)
