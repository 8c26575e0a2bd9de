"""Fork-join blocks: graphs made by hand, closed forms, laws, and a second way of counting."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import mac_profiler
from mac_profiler.blocks import Block, all_blocks, find_blocks
from mac_profiler.cost import Cost
from mac_profiler.graph import Graph, Op, Value


class Drawing:
    """A graph drawn by hand: each operator by the names of those that it reads; "x" is the input."""

    def __init__(self, **paths: str) -> None:
        self.values: dict[str, Value] = {"x": Value((1, 4, 2, 2), role="input")}
        self.names: list[str] = []
        self.ops: list[Op] = []
        self.paths = paths

    def op(self, name: str, *reads: str, target: str = "conv", view: bool = False) -> Drawing:
        kinds = {"conv": "aten.convolution", "add": "aten.add", "cat": "aten.cat", "relu": "aten.relu"}
        kinds |= {"pool": "aten.avg_pool2d", "split": "aten.chunk"}
        operands = [self.values[read] for read in reads]
        made = self.values[name] = Value((1, 4, 2, 2))
        args: dict[str, Any] = dict(
            zip(("input", "other", "third", "fourth", "fifth", "sixth"), operands, strict=False)
        )
        if target == "conv":
            args["weight"] = Value((4, 4, 1, 1), role="weight")
        self.ops.append(Op(kinds[target], self.paths.get(name, ""), "", args, (made,), view=view))
        self.names.append(name)
        return self

    def graph(self, *outputs: str) -> Graph:
        last = outputs or (self.names[-1],)
        return Graph("net", tuple(self.ops), {}, (self.values["x"],), tuple(self.values[name] for name in last))

    def blocks(self, *outputs: str) -> list[Block]:
        costs = [Cost(flops=1, input_reads=1) for _ in self.ops]
        return all_blocks(find_blocks(self.graph(*outputs), costs))

    def named(self, positions: Sequence[int]) -> list[str]:
        return [self.names[i] for i in positions]

    def branches(self, block: Block) -> list[list[str]]:
        return [self.named(branch) for branch in block.branches]


def test_a_chain_has_no_block() -> None:
    assert Drawing().op("a", "x").op("b", "a").op("c", "b", target="relu").blocks() == []


def test_a_residual_block_forks_where_its_shortcut_begins() -> None:
    drawn = (
        Drawing().op("stem", "x").op("a", "stem").op("b", "a").op("sum", "b", "stem", target="add").op("head", "sum")
    )
    (block,) = drawn.blocks()
    assert (block.fork, block.join) == (0, 3)
    assert drawn.named(block.ops) == ["a", "b", "sum"]
    assert drawn.branches(block) == [["a", "b"], []]
    assert (len(block.fragments), block.width, block.depth) == (2, 1, 2)
    # Of an addition and two convolutions in a row nothing runs beside the others.
    assert (block.work, block.span, block.parallelism) == (3, 3, 1.0)


def test_an_inception_block_has_its_branches() -> None:
    drawn = Drawing().op("stem", "x").op("a", "stem").op("b1", "stem").op("b2", "b1").op("c1", "stem").op("c2", "c1")
    drawn.op("d1", "stem", target="pool").op("d2", "d1").op("join", "a", "b2", "c2", "d2", target="cat")
    (block,) = drawn.blocks()
    assert drawn.branches(block) == [["a"], ["b1", "b2"], ["c1", "c2"], ["d1", "d2"]]
    assert (len(block.fragments), block.width, block.depth) == (7, 4, 2)
    assert (block.work, block.span) == (8, 3)


def test_split_shuffle_and_concatenation() -> None:
    drawn = Drawing().op("stem", "x").op("half", "stem", target="split", view=True)
    drawn.op("a", "half").op("b", "a").op("c", "b").op("join", "half", "c", target="cat").op(
        "shuffle", "join", target="relu"
    )
    (block,) = drawn.blocks()
    assert drawn.branches(block) == [["a", "b", "c"], []]
    assert (len(block.fragments), drawn.named(block.ops)) == (3, ["a", "b", "c", "join"])


def test_views_alone_are_an_identity() -> None:
    drawn = Drawing().op("stem", "x").op("half", "stem", target="split", view=True).op("a", "stem")
    drawn.op("join", "half", "a", target="cat")
    (block,) = drawn.blocks()
    assert drawn.branches(block) == [[], ["a"]]


def test_blocks_are_nested() -> None:
    drawn = Drawing().op("stem", "x").op("a", "stem").op("b", "a").op("inner", "b", "a", target="add")
    drawn.op("outer", "inner", "stem", target="add")
    outer, inner = drawn.blocks()
    assert drawn.named(outer.ops) == ["a", "b", "inner", "outer"]
    assert drawn.named(inner.ops) == ["b", "inner"]
    assert outer.inner == (inner,)


def test_a_nested_block_that_forks_with_the_outer_one_is_found() -> None:
    # Inception-ResNet: three branches and the shortcut read the same.
    drawn = Drawing().op("stem", "x").op("a", "stem").op("b", "stem").op("c", "stem")
    drawn.op("join", "a", "b", "c", target="cat").op("up", "join").op("sum", "up", "stem", target="add")
    outer, inner = drawn.blocks()
    assert drawn.branches(outer) == [["a", "b", "c", "join", "up"], []]
    assert drawn.branches(inner) == [["a"], ["b"], ["c"]]
    assert (outer.width, len(outer.fragments)) == (3, 4)


def test_cells_with_two_inputs_are_blocks_of_their_modules() -> None:
    names = [f"{part}{cell}" for cell in range(4) for part in ("p", "q", "r", "join")]
    drawn = Drawing(**{name: f"cells.{name[-1]}" for name in names})
    drawn.op("stem", "x").op("second", "stem")
    before, last = "stem", "second"
    for cell in range(4):
        drawn.op(f"p{cell}", before).op(f"q{cell}", last).op(f"r{cell}", last, target="pool")
        drawn.op(f"join{cell}", f"p{cell}", f"q{cell}", f"r{cell}", target="cat")
        before, last = last, f"join{cell}"
    drawn.op("head", last)
    found = {block.path: block for block in drawn.blocks()}
    assert {"cells.0", "cells.1", "cells.2", "cells.3"} <= set(found)
    for cell in range(4):
        assert drawn.branches(found[f"cells.{cell}"]) == [[f"p{cell}"], [f"q{cell}"], [f"r{cell}"]]
        assert found[f"cells.{cell}"].width == 3


def test_a_dense_block_cannot_be_cut() -> None:
    drawn = Drawing().op("stem", "x").op("a", "stem").op("ab", "stem", "a", target="cat").op("b", "ab")
    drawn.op("abc", "stem", "a", "b", target="cat").op("c", "abc").op("all", "stem", "a", "b", "c", target="cat")
    (block,) = drawn.blocks()
    assert drawn.branches(block) == [["a", "ab", "b", "abc", "c"], []]
    assert (len(block.fragments), block.width, block.depth) == (3, 1, 3)


def test_heads_fork_for_good() -> None:
    drawn = Drawing().op("stem", "x").op("boxes", "stem").op("box", "boxes").op("classes", "stem")
    (block,) = drawn.blocks("box", "classes")
    assert (block.fork, block.join) == (0, None)
    assert drawn.branches(block) == [["boxes", "box"], ["classes"]]
    assert block.width == 2


def test_what_leads_nowhere_and_what_no_input_reaches_is_in_no_block() -> None:
    drawn = (
        Drawing()
        .op("stem", "x")
        .op("a", "stem")
        .op("idle", "stem")
        .op("sum", "a", "stem", target="add")
        .op("end", "sum")
    )
    (block,) = drawn.blocks()
    assert drawn.named(block.ops) == ["a", "sum"]


def test_in_place_operators_make_no_branch() -> None:
    class Unit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.b(torch.relu_(self.a(x)))
            y += x
            return torch.relu_(y)

    profile = mac_profiler.analyze(
        nn.Sequential(nn.Conv2d(4, 4, 1), Unit(), nn.Conv2d(4, 4, 1)), torch.zeros(1, 4, 8, 8)
    )
    (block,) = all_blocks(find_blocks(profile.graph, profile.costs))
    assert (block.path, len(block.branches), len(block.fragments)) == ("1", 2, 2)


@pytest.mark.parametrize(
    ("model", "fragments"),
    [("torchvision:resnet18", {2, 3}), ("torchvision:resnet50", {3, 4}), ("shufflenet_v2", {3, 5})],
)
def test_fragments_of_a_building_block(model: str, fragments: set[int]) -> None:
    # Section 2, G3: 2 (basic) or 3 (bottleneck) in ResNet; one more where a convolution is in the shortcut.
    profile = mac_profiler.analyze(model)
    assert {len(block.fragments) for block in all_blocks(find_blocks(profile.graph, profile.costs))} == fragments


def test_nasnet_has_thirteen_fragments_a_separable_convolution_being_one() -> None:
    # Section 2, G3, counts 13 fragments in a block of NASNet-A: five separable convolutions, each done
    # twice, and three poolings. The two 1x1 convolutions that fit a cell's inputs are no part of the cell's design.
    profile = mac_profiler.analyze("nasnet_mobile")
    blocks = all_blocks(find_blocks(profile.graph, profile.costs))
    cell = next(block for block in blocks if block.path == "cells.3")
    ops = [profile.graph.ops[i] for i in cell.fragments]
    depthwise = sum(op.target == "aten.convolution" and op.args["groups"] > 1 for op in ops)
    pools = sum("pool" in op.target for op in ops)
    assert depthwise + pools == 13
    assert len(ops) == 2 * depthwise + pools + 2


edges = st.integers(2, 9).flatmap(
    lambda size: st.tuples(
        st.just(size), st.lists(st.tuples(st.integers(0, size - 2), st.integers(1, size - 1)), max_size=20)
    )
)


def drawn_by(size: int, pairs: Sequence[tuple[int, int]]) -> Drawing:
    """A graph whose first operator reads the input, and each later one the one that is drawn for it, at least."""
    drawn = Drawing().op("0", "x")
    for j in range(1, size):
        reads = sorted({i for i, k in pairs if k == j and i < j} or {max(0, j - 2)})[:6]
        drawn.op(str(j), *map(str, reads), target="conv" if len(reads) == 1 else "cat")
    return drawn


@given(edges)
def test_laws_of_blocks(drawing: tuple[int, list[tuple[int, int]]]) -> None:
    drawn = drawn_by(*drawing)
    blocks = drawn.blocks()
    for block in blocks:
        assert block.span <= block.work
        assert block.width <= max(len(block.units), 0)
        assert block.depth * block.width >= len(block.units)
        between = [i for i in block.ops if i != block.join]
        assert sorted(i for branch in block.branches for i in branch) == between
        for inner in block.inner:
            assert set(inner.ops) < set(block.ops)
    for one, other in combinations(blocks, 2):
        shared = set(one.ops) & set(other.ops)
        assert shared in (set(), set(one.ops), set(other.ops))


@given(edges)
def test_width_is_the_largest_antichain(drawing: tuple[int, list[tuple[int, int]]]) -> None:
    drawn = drawn_by(*drawing)
    after: dict[int, set[int]] = {}
    for i, j in drawn.graph().edges():
        after.setdefault(j, set()).update({i} | after.get(i, set()))
    for block in drawn.blocks():
        units = [unit[0] for unit in block.units]
        largest = max(
            (
                len(chosen)
                for number in range(len(units) + 1)
                for chosen in combinations(units, number)
                if not any(a in after.get(b, set()) for a, b in combinations(sorted(chosen), 2))
            ),
            default=0,
        )
        assert block.width == largest


@given(edges)
def test_every_way_leads_through_the_join(drawing: tuple[int, list[tuple[int, int]]]) -> None:
    # By search, not by dominators: without the join, nothing of the outermost blocks reaches what lies behind it.
    drawn = drawn_by(*drawing)
    graph = drawn.graph()
    pairs = graph.edges()
    outermost = find_blocks(graph, [Cost(flops=1)] * len(graph.ops))
    for block in outermost:
        if block.join is None:
            continue
        reached = {i for i in block.ops if i != block.join}
        for i, j in pairs:
            if i in reached and j != block.join:
                reached.add(j)
        used = {len(graph.ops) - 1}
        for i, j in reversed(pairs):
            if j in used:
                used.add(i)
        assert not {i for i in reached & used if i > block.join}
