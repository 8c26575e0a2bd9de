"""Feature reuse: closed forms, hand-made graphs, and what survives when the network is really run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import mac_profiler
from experiments.reuse.derived import Pair
from experiments.reuse.networks import NETWORKS
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Graph, Op, Value
from mac_profiler.provenance import Provenance
from mac_profiler.reuse import Reuse, find_reuse

# ------------------------------------------------------------------------------------------------ graphs made by hand


def tensor(channels: int, base: Value | None = None, **kept: Any) -> Value:
    return Value((1, channels, 2, 2), base=base, **kept)


def op(target: str, path: str, args: dict[str, Any], *outputs: Value, **kept: Any) -> Op:
    return Op(f"aten.{target}", path, "", args, outputs, **kept)


def part(of: Value, start: int, channels: int, path: str = "") -> tuple[Value, Op]:
    view = tensor(channels, of.owner)
    return view, op("slice", path, {"self": of, "dim": 1, "start": start}, view, view=True)


def read_by(block: str, *values: Value) -> list[Op]:
    return [op("relu", block, {"self": value}, Value(value.shape)) for value in values]


def reuse_of(ops: Sequence[Op], *blocks: str, **options: Any) -> Reuse:
    return find_reuse(Graph("net", tuple(ops)), blocks, **options)


def test_what_is_concatenated_is_untouched_and_what_is_rectified_is_not() -> None:
    x, y, both = tensor(4), tensor(4), tensor(8)
    ops = [
        op("relu", "a", {"self": x}, y),
        op("cat", "", {"tensors": (y, x), "dim": 1}, both),
        *read_by("b", both),
        *read_by("c", y),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert found.between("a", "b").untouched == 4
    assert found.between("b", "c").fraction == Fraction(4, 8)
    assert found.between("a", "c").untouched == 0
    assert found.not_understood == {}


def test_relu_in_place_on_a_view_touches_what_it_sees_and_no_more() -> None:
    x = tensor(8)
    right, cut = part(x, 2, 6, "a")
    rectified = tensor(6, x)
    early, early_cut = part(x, 1, 4)
    ops = [
        *read_by("a", x),
        early_cut,
        cut,
        op("relu_", "a", {"self": right}, rectified, writes=True),
        *read_by("b", x),
        # A view that was taken before shows what was written since.
        *read_by("c", early),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert found.between("a", "b").untouched == 2
    assert found.between("a", "c").untouched == 1


def test_a_copy_taken_before_is_not_touched_by_what_is_written_later() -> None:
    x, copy = tensor(4), tensor(4)
    ops = [
        *read_by("a", x),
        op("clone", "", {"self": x}, copy),
        op("mul_", "", {"self": x, "other": 2}, tensor(4, x), writes=True),
        *read_by("b", copy),
        *read_by("c", x),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert (found.between("a", "b").untouched, found.between("a", "c").untouched) == (4, 0)


def test_a_target_that_is_not_understood_is_reported_and_never_taken_for_none() -> None:
    x, picked, both, index = tensor(4), tensor(3), tensor(7), Value((3,), "int64", "buffer")
    ops = [
        *read_by("a", x),
        op("index_select", "", {"self": x, "dim": 1, "index": index}, picked),
        op("cat", "", {"tensors": (picked, x), "dim": 1}, both),
        *read_by("b", both),
        *read_by("c", x),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert found.not_understood == {"aten.index_select": 1}
    assert (found.between("a", "b").untouched, found.between("a", "b").unknown) == (4, 3)
    assert (found.between("a", "c").untouched, found.between("a", "c").unknown) == (4, 0)


def test_a_custom_operator_may_have_moved_anything() -> None:
    x, y = tensor(4), tensor(4)
    ops = [*read_by("a", x), Op("my.clone", "", "", {"x": x}, (y,)), *read_by("b", y)]
    found = reuse_of(ops, "a", "b")
    assert (found.between("a", "b").untouched, found.between("a", "b").unknown) == (0, 4)
    assert found.not_understood == {"my.clone": 1}


def test_what_computes_other_types_than_it_reads_moves_nothing() -> None:
    indices, y, both = Value((1, 4, 2, 2), "int64", "input"), tensor(4), tensor(4)
    table = Value((9, 1), role="weight")
    ops = [
        op("embedding", "", {"weight": table, "indices": indices}, y),
        op("_to_copy", "", {"self": Value((1, 4, 2, 2), "float16")}, both),
        *read_by("a", y),
        *read_by("b", both),
    ]
    found = reuse_of(ops, "a", "b")
    assert found.between("a", "b").unknown == 0
    assert found.not_understood == {}


def test_what_was_converted_and_back_is_touched() -> None:
    x, half, back = tensor(4), tensor(4, dtype="float16"), tensor(4)
    ops = [
        *read_by("a", x),
        op("to", "", {"self": x}, half),
        op("to", "", {"self": half}, back),
        *read_by("b", half, back),
    ]
    found = reuse_of(ops, "a", "b")
    assert (found.between("a", "b").untouched, found.not_understood) == (0, {})


def test_what_two_inputs_of_the_caller_share_is_not_known_after_one_is_written() -> None:
    x = Value((1, 4, 2, 2), role="input")
    half = Value((1, 2, 2, 2), role="input", base=x)
    write = op("mul_", "", {"self": x, "other": 2}, tensor(4, x), writes=True)
    connection = reuse_of([*read_by("a", half), write, *read_by("b", half)], "a", "b").between("a", "b")
    assert (connection.untouched, connection.unknown) == (0, 2)


def test_whoever_writes_through_an_unknown_view_may_have_written_anywhere() -> None:
    x, somewhere = tensor(4), tensor(2)
    view = tensor(2, x)
    ops = [
        *read_by("a", x),
        op("as_strided", "", {"self": x, "size": view.shape, "storage_offset": 8}, view, view=True),
        *read_by("b", x),
        op("copy_", "", {"self": view, "src": somewhere}, tensor(2, x), writes=True),
        *read_by("c", x),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert (found.between("a", "b").untouched, found.between("a", "b").unknown) == (4, 0)
    assert (found.between("a", "c").untouched, found.between("a", "c").unknown) == (0, 4)


def test_whoever_writes_and_does_not_say_what_may_have_written_any_argument() -> None:
    x, y, other = tensor(4), tensor(4), tensor(4)
    ops = [
        *read_by("a", x, y, other),
        Op("my.swap", "", "", {"x": x, "y": y}, (), writes=True),
        *read_by("b", x, y, other),
    ]
    connection = reuse_of(ops, "a", "b").between("a", "b")
    assert (connection.channels, connection.untouched, connection.unknown) == (12, 4, 8)


def test_batch_norm_writes_its_statistics_and_not_its_input() -> None:
    x, y, mean = tensor(4), tensor(4), Value((4,), role="buffer")
    args = {"input": x, "running_mean": mean, "training": True}
    ops = [*read_by("a", x), op("_native_batch_norm_legit", "", args, y, writes=True), *read_by("b", x, y)]
    connection = reuse_of(ops, "a", "b").between("a", "b")
    assert (connection.untouched, connection.unknown) == (4, 0)


def test_what_is_written_under_another_shape_may_be_anywhere() -> None:
    x = tensor(4)
    ops = [
        *read_by("a", x),
        op("resize_", "", {"self": x, "size": (1, 3, 2, 2)}, tensor(3, x), writes=True),
        *read_by("b", x),
    ]
    connection = reuse_of(ops, "a", "b").between("a", "b")
    assert (connection.untouched, connection.unknown) == (0, 4)


def test_an_operator_that_is_no_view_and_shares_memory_is_not_understood() -> None:
    x = tensor(4)
    shared = tensor(4, x)
    ops = [*read_by("a", x), op("mul", "", {"self": x}, shared), *read_by("b", shared), *read_by("c", x)]
    found = reuse_of(ops, "a", "b", "c")
    assert (found.between("a", "b").unknown, found.between("a", "c").untouched) == (4, 4)
    assert found.not_understood == {"aten.mul": 1}


def test_what_is_given_as_out_is_written() -> None:
    x = tensor(4)
    (first, cut_first), (last, cut_last) = part(x, 0, 2), part(x, 2, 2)
    ops = [
        *read_by("a", x),
        cut_first,
        cut_last,
        op("mul", "", {"self": first, "other": first, "out": last}, tensor(2, x), writes=True),
        *read_by("b", first),
        *read_by("c", last),
    ]
    found = reuse_of(ops, "a", "b", "c")
    assert (found.between("a", "b").untouched, found.between("a", "c").untouched) == (2, 0)


def test_a_view_of_other_type_is_not_understood() -> None:
    x, bits = tensor(4), tensor(4, dtype="float16")
    view = tensor(4, x, dtype="float16")
    ops = [*read_by("a", x), op("view", "", {"self": x}, view, view=True), *read_by("b", view), *read_by("c", bits)]
    assert reuse_of(ops, "a", "b", "c").between("a", "b").unknown == 4


def test_strides_that_lead_out_of_the_memory_are_refused() -> None:
    x = tensor(4)
    beyond = Value((1, 4, 2, 2), base=x, strides=(16, 5, 2, 1))
    ops = [*read_by("a", x), op("permute", "", {"self": x}, beyond, view=True), *read_by("b", beyond)]
    with pytest.raises(ValueError, match="ends beyond the memory"):
        reuse_of(ops, "a", "b")


def test_a_block_reads_what_is_there_when_it_first_looks() -> None:
    x = tensor(4)
    write = op("mul_", "b", {"self": x, "other": 2}, tensor(4, x), writes=True)
    found = reuse_of([*read_by("a", x), *read_by("b", x), write, *read_by("b", x), *read_by("c", x)], "a", "b", "c")
    assert (found.between("a", "b").untouched, found.between("a", "c").untouched) == (4, 0)


def test_a_channel_that_is_read_twice_counts_once() -> None:
    x = tensor(4)
    half, cut = part(x, 0, 2)
    connection = reuse_of([cut, *read_by("a", x, half), *read_by("b", x)], "a", "b").between("a", "b")
    assert (connection.channels, connection.untouched) == (4, 4)


@pytest.mark.parametrize(
    ("other", "alpha", "carried"),
    [("y", 1, (4, 4)), ("y", 2, (4, 0)), (3.0, 1, (4, 0)), ("row", 1, (4, 0)), ("half", 1, (4, 0))],
)
def test_a_summand_is_carried_where_it_is_added_whole_and_unscaled(
    other: Any, alpha: int, carried: tuple[int, int]
) -> None:
    x, y, added = tensor(4), tensor(4), tensor(4)
    others = {"y": y, "row": Value((1, 4, 1, 1)), "half": Value((1, 4, 2, 2), "float16")}
    args = {"self": x, "other": others.get(other, other), "alpha": alpha}
    ops = [*read_by("a", x), *read_by("b", y), op("add", "", args, added), *read_by("c", added)]
    found = reuse_of(ops, "a", "b", "c")
    assert (found.between("a", "c").carried, found.between("b", "c").carried) == carried
    assert found.between("a", "c").untouched == found.between("b", "c").untouched == 0


def test_the_unknown_among_the_summands_is_said() -> None:
    x, picked, added = tensor(4), tensor(4), tensor(4)
    ops = [
        *read_by("a", x),
        op("sort", "", {"self": x}, picked),
        op("add", "", {"self": x, "other": picked}, added),
        *read_by("b", added),
    ]
    connection = reuse_of(ops, "a", "b").between("a", "b")
    assert (connection.untouched, connection.carried, connection.unknown) == (0, 4, 4)


def test_sums_of_sums_are_followed_in_time() -> None:
    # Each sum doubles the number of ways down to x; there are 2**60 of them.
    x = total = tensor(4)
    ops = read_by("a", x)
    for _ in range(60):
        before, total = total, tensor(4)
        ops.append(op("add", "", {"self": before, "other": before}, total))
    assert reuse_of([*ops, *read_by("b", total)], "a", "b").between("a", "b").carried == 4


def test_blocks_are_named_by_path_and_have_channels() -> None:
    x, ids = tensor(4), Value((1, 4, 2, 2), "int64", "input")
    ops = [*read_by("stage1.10", x), *read_by("stage1.1", ids), *read_by("stage1.2", x)]
    with pytest.raises(InvalidInput, match=r"no operator of a block 'stage1\.0' ran"):
        reuse_of(ops, "stage1.10", "stage1.0")
    with pytest.raises(InvalidInput, match=r"'stage1\.1' reads no floating-point tensor"):
        reuse_of(ops, "stage1.10", "stage1.1")
    with pytest.raises(InvalidInput, match=r"'stage1\.2' hands on no floating-point tensor"):
        reuse_of(ops, "stage1.2", side="output")
    # In the order in which they ran, whatever the order in which they are named.
    found = reuse_of(ops, "stage1.2", "stage1.10")
    assert found.blocks == ("stage1.10", "stage1.2")
    with pytest.raises(InvalidInput, match=r"no block 'stage1\.10' runs after a block 'stage1\.2'"):
        found.between("stage1.2", "stage1.10")


# ------------------------------------------------------------------------------------------------------ small networks


class Unit(nn.Module):
    """A unit of ShuffleNet V2 of any split: the first `kept` channels pass by; shuffle in so many groups, if any."""

    def __init__(self, channels: int, kept: int, groups: int, inplace: bool = True) -> None:
        super().__init__()
        self.sizes, self.groups = (kept, channels - kept), groups
        self.work = nn.Sequential(nn.ReLU(inplace), nn.Conv2d(channels - kept, channels - kept, 1), nn.ReLU(inplace))

    def forward(self, x: Tensor) -> Tensor:
        kept, worked = x.split(self.sizes, 1)
        return F.channel_shuffle(torch.cat([kept, self.work(worked)], 1), self.groups)


class Layer(nn.Module):
    """A layer of DenseNet."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(channels), nn.Conv2d(channels, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(self.norm(x).relu_())], 1)


class Residual(nn.Module):
    """A block of ResNet, with ReLU behind the sum or before the convolution."""

    def __init__(self, channels: int, pre_activation: bool) -> None:
        super().__init__()
        self.conv, self.pre = nn.Conv2d(channels, channels, 1), pre_activation

    def forward(self, x: Tensor) -> Tensor:
        if self.pre:
            return x + self.conv(x.relu())
        out = self.conv(x)
        out += x
        return out.relu_()


def follow(blocks: Sequence[nn.Module], channels: int, **options: Any) -> dict[tuple[int, int], Any]:
    """Connections of the blocks, by position."""
    graph = mac_profiler.analyze(nn.Sequential(*blocks), torch.empty(1, channels, 2, 2, device="meta")).graph
    found = find_reuse(graph, [str(i) for i in range(len(blocks))], **options)
    assert found.not_understood == {}
    return {(int(each.source), int(each.target)): each for each in found.connections}


@pytest.mark.parametrize(
    ("channels", "kept", "groups"), [(16, 8, 2), (64, 16, 4), (64, 48, 4), (81, 27, 3), (81, 54, 3)]
)
def test_a_split_lets_r_to_the_j_by(channels: int, kept: int, groups: int) -> None:
    # r is a multiple of 1/groups and the channels are a power of the groups, so that all numbers are whole.
    ratio = Fraction(kept, channels)
    found = follow([Unit(channels, kept, groups) for _ in range(4)], channels)
    assert {pair: each.fraction for pair, each in found.items()} == {(i, k): ratio ** (k - i) for i, k in found}
    assert all(each.distance == k - i for (i, k), each in found.items())


def test_from_the_output_it_is_one_power_less() -> None:
    found = follow([Unit(16, 8, 2) for _ in range(4)], 16, side="output")
    assert {pair: each.fraction for pair, each in found.items()} == {
        (i, k): Fraction(1, 2) ** (k - i - 1) for i, k in found
    }


def test_without_shuffle_the_same_channels_pass_by_for_ever() -> None:
    found = follow([Unit(16, 12, 1) for _ in range(4)], 16)
    assert {each.untouched for each in found.values()} == {12}


def test_what_works_in_place_on_its_input_gives_the_same() -> None:
    apart, in_place = (follow([Unit(16, 8, 2, inplace) for _ in range(4)], 16) for inplace in (False, True))
    assert apart == in_place


def test_a_dense_layer_reads_all_that_was_made_before() -> None:
    layers = [Layer(8 + 4 * i, 4) for i in range(4)]
    assert {each.fraction for each in follow(layers, 8).values()} == {1}
    outputs = follow(layers, 8, side="output")
    assert {each.fraction for each in outputs.values()} == {1}
    assert outputs[0, 3].channels == 12


def test_a_sum_carries_and_touches() -> None:
    found = follow([Residual(8, pre_activation=True) for _ in range(4)], 8)
    assert {(each.fraction, each.carried_fraction) for each in found.values()} == {(0, 1)}


def test_relu_behind_the_sum_touches_unless_it_is_disregarded() -> None:
    blocks = [Residual(8, pre_activation=False) for _ in range(4)]
    assert {(each.untouched, each.carried) for each in follow(blocks, 8).values()} == {(0, 0)}
    disregarded = follow(blocks, 8, disregarded=["aten.relu"])
    assert {(each.untouched, each.carried) for each in disregarded.values()} == {(0, 8)}


def test_channels_may_be_the_last_dimension() -> None:
    class Token(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x[..., 2:], self.linear(x)], -1)

    graph = mac_profiler.analyze(nn.Sequential(Token(), Token()), torch.empty(1, 5, 6, device="meta")).graph
    assert find_reuse(graph, ["0", "1"], dim=-1).between("0", "1").fraction == Fraction(4, 6)


def test_the_backward_pass_is_left_out() -> None:
    net = nn.Sequential(Unit(4, 2, 2, inplace=False), Unit(4, 2, 2, inplace=False))
    graph = mac_profiler.analyze(net, torch.empty(1, 4, 2, 2, device="meta"), backward=True).graph
    assert any(each.phase == "backward" for each in graph.ops)
    found = find_reuse(graph, ["0", "1"])
    assert (found.between("0", "1").untouched, found.not_understood) == (2, {})


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "shufflenet_v2_x1_0"])
def test_shufflenet_v2_has_the_closed_form_of_the_paper(name: str) -> None:
    blocks = [f"stage{stage}.{unit}" for stage, units in ((2, 4), (3, 8), (4, 4)) for unit in range(units)]
    graph = mac_profiler.analyze(name, torch.empty(1, 3, 64, 64, device="meta")).graph
    found = find_reuse(graph, blocks)
    assert found.not_understood == {}
    for each in found.connections:
        i, k = blocks.index(each.source), blocks.index(each.target)
        passes = not any(block.endswith(".0") for block in blocks[i:k])
        assert each.untouched == ceil(Fraction(each.channels * passes, 2**each.distance)), each


# ------------------------------------------------------------------------------------------- beside what is really run

MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "view, transpose": lambda x: x.view(2, 2, 3, 4, 4).transpose(1, 2).reshape(2, 6, 4, 4),
    "permute": lambda x: x.permute(0, 2, 3, 1),
    "movedim": lambda x: x[:, 1:4].movedim(1, 3).contiguous(),
    "mT": lambda x: x[:, 1:4].mT.clone(),
    "flatten, unflatten": lambda x: x.flatten(1).unflatten(1, (16, 6)).flatten(0, 1),
    "squeeze": lambda x: x.unsqueeze(0).transpose(0, 2).squeeze(2),
    "expand": lambda x: x[:, :1].expand(-1, 3, -1, -1),
    "unfold": lambda x: x[:, 1:4].unfold(2, 2, 1),
    "slice": lambda x: x[:, 1:6:2],
    "slice from the end": lambda x: x[:, -3:-1],
    "slice beyond the end": lambda x: x[:, -99:99],
    "select": lambda x: x[:, -2],
    "narrow": lambda x: x.narrow(1, -4, 3),
    "split": lambda x: torch.cat(x.split(4, 1)[::-1], 1),
    "split with sizes": lambda x: torch.cat(x.split([1, 2, 3], 1)[::-1], -3),
    "chunk": lambda x: torch.cat(x.chunk(4, -1)[::-1], 1),
    "tensor_split": lambda x: torch.cat(x.tensor_split([1, 3], 1)[::-1], 1),
    "unbind": lambda x: torch.stack(x.unbind(1)[::-1], 1),
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "diagonal below": lambda x: x.diagonal(-1, 1, 2),
    "cat": lambda x: torch.cat([x, torch.empty(0), x[:, :1]], 1),
    "stack": lambda x: torch.stack([x, x.flip(1)], -1),
    "flip": lambda x: x.flip((1, 3)),
    "roll": lambda x: x.roll((1, -1), (1, 2)),
    "roll all": lambda x: x.roll(5),
    "rot90": lambda x: x.rot90(1, (2, 3)),
    "repeat": lambda x: x.repeat(2, 1, 2, 1, 1),
    "pad": lambda x: F.pad(x, (1, 0, 0, 2, 1, 3), value=-1.0),
    "crop": lambda x: F.pad(x, (-1, 2, 0, -2), value=-1.0),
    "channel_shuffle": lambda x: F.channel_shuffle(x, 3),
    "native_channel_shuffle": lambda x: torch.native_channel_shuffle(x, 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x.view(2, 12, 4, 2), 2),
    "nearest": lambda x: F.interpolate(x, scale_factor=(2, 4)),
    "channels last": lambda x: x.to(memory_format=torch.channels_last)[:, 2:].contiguous(),
    "written part": lambda x: _written(x),
    "written over itself": lambda x: _moved_on(x.clone()),
    "written into a given tensor": lambda x: torch.cat([x, x], 1, out=torch.full((2, 12, 4, 4), -1.0)),
    "transposed in place": lambda x: x.clone().transpose_(1, 2),
    "negated in part": lambda x: _negated(x.clone()),
}


def _written(x: Tensor) -> Tensor:
    y = torch.full_like(x, -1)
    y[:, 1:3] = x[:, 4:]
    y[:, 5] = x[:, 0]
    return y


def _moved_on(x: Tensor) -> Tensor:
    x[:, :2] = x[:, 2:4]
    x[:, 2:4] = x[:, :2]
    return x


def _negated(x: Tensor) -> Tensor:
    x[:, 1::2, 1].neg_()
    return x


@pytest.mark.parametrize("name", MOVES)
def test_every_element_is_where_the_real_run_has_it(name: str) -> None:
    x = torch.arange(1.0, 2 * 6 * 4 * 4 + 1).view(2, 6, 4, 4)
    positions = {value: i for i, value in enumerate(x.flatten().tolist())}
    real = [positions.get(value) for value in MOVES[name](x).flatten().tolist()]
    graph = mac_profiler.analyze(MOVES[name], x).graph
    provenance = Provenance()
    source = provenance.identities(graph.inputs[0]).flatten().tolist()
    for each in graph.ops:
        provenance.run(each)
    found = {identity: i for i, identity in enumerate(source)}
    result = provenance.identities(graph.outputs[0]).flatten().tolist()
    assert [found.get(identity) for identity in result] == real
    assert provenance.not_understood == {}


Step = Callable[[Tensor], Tensor]


class Block(nn.Module):
    """Runs some steps one after the other."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)
        return x


def _cut(x: Tensor, share: float) -> int:
    return round(share * (x.shape[1] - 1)) + 1 if x.shape[1] > 1 else 1


def _changed(x: Tensor) -> Tensor:
    # By other numbers each time: computing the same from two copies of a channel would make them alike again.
    return x * (torch.rand_like(x) + 1)


def _touch(share: float) -> Step:
    """Computes the channels from a cut on."""
    return lambda x: torch.cat([x[:, : _cut(x, share)], _changed(x[:, _cut(x, share) :])], 1)


def _touch_in_place(share: float) -> Step:
    def step(x: Tensor) -> Tensor:
        x = x.clone()
        seen = x[:, _cut(x, share) - 1 :: 2]
        seen.mul_(torch.rand_like(seen) + 1)
        return x

    return step


def _swap(share: float) -> Step:
    return lambda x: torch.cat([x[:, _cut(x, share) :], x[:, : _cut(x, share)]], 1)


def _shuffle(groups: int) -> Step:
    def step(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        used = c - c % groups
        mixed = x[:, :used].reshape(n, groups, used // groups, h, w).transpose(1, 2).contiguous().view(n, used, h, w)
        return torch.cat((mixed, x[:, used:]), 1)

    return step


def _permute(turn: int) -> Step:
    return lambda x: x.permute(2, 3, 0, 1).roll(turn, 3).flip(3).permute(2, 3, 0, 1)


def _drop(share: float) -> Step:
    return lambda x: x.split([_cut(x, share), x.shape[1] - _cut(x, share)], 1)[0]


def _widen() -> Step:
    def step(x: Tensor) -> Tensor:
        # A plane of zeros would be like any other, turned or not.
        wider = F.pad(x, (0, 0, 0, 0, 2, 0))
        return torch.cat([torch.rand_like(x[:, :1]), wider[:, 2:]], 1)

    return step


def _turn_planes(shift: int) -> Step:
    """Moves elements to other places in their planes: the channels are not what they were."""
    return lambda x: x.roll(shift, 3)


def _repeat_first(share: float) -> Step:
    return lambda x: torch.cat([x, x[:, : _cut(x, share)]], 1) if x.shape[1] < 24 else x


SHARES = st.floats(0, 1)
STEPS = st.one_of(
    st.builds(_touch, SHARES),
    st.builds(_touch_in_place, SHARES),
    st.builds(_swap, SHARES),
    st.builds(_shuffle, st.integers(1, 4)),
    st.builds(_permute, st.integers(0, 5)),
    st.builds(_drop, st.floats(0.5, 1)),
    st.builds(_widen),
    st.builds(_turn_planes, st.integers(0, 2)),
    st.builds(_repeat_first, SHARES),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=2, max_size=5), st.integers(1, 12))
def test_what_survives_the_real_run_is_untouched(pipeline: list[list[Step]], channels: int) -> None:
    # An identity at the beginning of each block, so that it reads its input whole even where it cuts nothing off.
    net = nn.Sequential(*(Block([torch.clone, *steps]) for steps in pipeline))
    read: list[set[bytes]] = []

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        read.append({plane.numpy().tobytes() for plane in args[0].unbind(1)})

    hooks = [block.register_forward_pre_hook(note) for block in net]
    # All numbers are drawn by chance: two channels are alike only if they are copies of one.
    x = torch.rand(1, channels, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    net(x)
    for hook in hooks:
        hook.remove()
    blocks = [str(i) for i in range(len(pipeline))]
    found = find_reuse(mac_profiler.analyze(net, x).graph, blocks)
    for each in found.connections:
        source, target = read[int(each.source)], read[int(each.target)]
        assert (each.channels, each.untouched, each.unknown) == (len(source), len(source & target), 0)


# ------------------------------------------------------------------------------------------------------ the experiment


def test_the_closed_form_stops_at_what_touches() -> None:
    shuffle = next(network for network in NETWORKS if network.model == "shufflenet_v2_x1_0")
    first = shuffle.blocks.index("stage3.1")
    assert shuffle.expected(first, first + 7) == Fraction(1, 128)
    assert shuffle.expected(first, first + 8) == 0
    assert shuffle.expected(first - 1, first) == 0


def test_the_closed_form_is_met_by_the_next_whole_number_where_all_is_known() -> None:
    half = Fraction(1, 2)
    assert [Pair(0, 1, 5, arrived, 0, half).met for arrived in (2, 3, 4)] == [False, True, False]
    assert not Pair(0, 1, 5, 3, 1, half).met
    assert [Pair(0, 1, channels, 3, 0, half).exact for channels in (5, 6)] == [False, True]
