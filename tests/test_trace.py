"""The graph says what was executed: paths, source lines, arguments, shapes, roles, edges, for any kind of call."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import subprocess
import sys
import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mac_profiler
from mac_profiler.errors import InvalidInput, MacprofError, TraceFailed
from mac_profiler.graph import Graph, Op, Value
from tests.building import Net, analyze


def graph_of(model: Any, *args: Any, **kwargs: Any) -> Graph:
    found: Graph = analyze(model, *args, **kwargs).graph
    return found


def targets(graph: Graph) -> list[str]:
    return [op.target for op in graph.ops]


def only(graph: Graph, target: str) -> Op:
    (found,) = [op for op in graph.ops if op.target == target]
    return found


def here(offset: int = 0) -> str:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"test_trace.py:{frame.f_back.f_lineno + offset}"


def x28() -> Tensor:
    return torch.randn(2, 8)


# -------------------------------------------------------------------------------------------------- the parts of one op


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return F.relu(y) + x


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.stage = nn.Sequential(Block(), Block())
        self.head = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage(self.stem(x))
        return self.head(x.mean((2, 3)))


def test_every_op_of_a_small_network() -> None:
    graph = graph_of(Small().eval(), torch.randn(2, 3, 9, 9))
    body = ["aten.convolution", "aten.batch_norm", "aten.relu", "aten.add"]
    assert targets(graph) == ["aten.convolution", *body, *body, "aten.mean", "aten.linear"]
    assert [op.path for op in graph.ops] == [
        "stem", "stage.0.conv", "stage.0.norm", "stage.0", "stage.0",
        "stage.1.conv", "stage.1.norm", "stage.1", "stage.1", "", "head",
    ]  # fmt: skip
    assert (graph.model, graph.mode, graph.notes) == ("Small", "shapes", ())
    stem = graph.ops[0]
    assert {name: value for name, value in stem.args.items() if not isinstance(value, Value)} == {
        "stride": [2, 2], "padding": [1, 1], "dilation": [1, 1], "transposed": False, "output_padding": [0, 0],
        "groups": 1,
    }  # fmt: skip
    assert (stem.args["input"].shape, stem.args["weight"].shape, stem.args["bias"].shape) == (
        (2, 3, 9, 9),
        (4, 3, 3, 3),
        (4,),
    )
    assert [value.role for value in stem.inputs] == ["input", "weight", "weight"]
    assert [value.role for value in graph.ops[2].inputs] == ["activation", "weight", "weight", "buffer", "buffer"]
    assert stem.outputs[0].shape == (2, 4, 5, 5)
    assert stem.outputs[0].role == "activation"
    assert graph.ops[1].args["bias"] is None
    assert not any(op.view or op.writes for op in graph.ops)
    shortcuts = [(0, 4), (4, 8)]
    assert graph.edges() == sorted([(i, i + 1) for i in range(10)] + shortcuts)
    assert graph.inputs == (stem.inputs[0],)
    assert graph.outputs == graph.ops[-1].outputs
    assert {path: (module.type, module.parameters) for path, module in graph.modules.items()} == {
        "": ("Small", 0), "stem": ("Conv2d", 112), "stage": ("Sequential", 0),
        "stage.0": ("Block", 0), "stage.0.conv": ("Conv2d", 144), "stage.0.norm": ("BatchNorm2d", 8),
        "stage.1": ("Block", 0), "stage.1.conv": ("Conv2d", 144), "stage.1.norm": ("BatchNorm2d", 8),
        "head": ("Linear", 50),
    }  # fmt: skip


def test_source_is_the_users_line() -> None:
    lines = {}

    def inner(x: Tensor) -> Tensor:
        lines["aten.sigmoid"] = here(1)
        return torch.sigmoid(x)

    def run(self: Any, x: Tensor) -> Tensor:
        lines["aten.linear"] = here(1)
        y = self.linear(x)
        lines["aten.mul"] = here(1)
        y = y * 2
        y = inner(y)
        lines["aten.softmax"] = here(1)
        return F.softmax(y, -1)

    graph = graph_of(Net(run, linear=nn.Linear(8, 8)), x28())
    assert len(graph.ops) == 4
    for op in graph.ops:
        assert op.source.endswith(lines[op.target]), op


def test_source_names_the_nearest_user_frame_not_torch() -> None:
    lines = []

    def run(self: Any, x: Tensor) -> Tensor:
        lines.append(here(1))
        y, _ = self.attention(x, x, x)
        result: Tensor = y
        return result

    graph = graph_of(Net(run, attention=nn.MultiheadAttention(8, 2)), torch.randn(3, 2, 8))
    assert {Path(op.source).name for op in graph.ops} == {lines[0]}


def test_arguments_have_the_schemas_names_and_defaults() -> None:
    graph = graph_of(lambda x: torch.add(F.softmax(x, dim=1), x, alpha=3), x28())
    assert dict(only(graph, "aten.softmax").args)["dim"] == 1
    add = only(graph, "aten.add").args
    assert (add["alpha"], add["self"].shape, add["other"].shape) == (3, (2, 8), (2, 8))
    concatenation = graph_of(lambda x: torch.cat([x, x], 1), x28()).ops[0]
    assert [value.shape for value in concatenation.args["tensors"]] == [(2, 8), (2, 8)]
    assert concatenation.args["dim"] == 1
    assert concatenation.inputs[0] is concatenation.inputs[1]


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "int32", "int64", "uint8", "bool"]
)
def test_dtypes(dtype: str) -> None:
    graph = graph_of(lambda x: x.clone(), torch.zeros(2, 2, dtype=getattr(torch, dtype)))
    assert graph.inputs[0].dtype == graph.outputs[0].dtype == dtype


def test_type_promotion() -> None:
    x, i = torch.randn(2), torch.arange(2)
    graph = graph_of(
        lambda x, i: (x + i, i / 2, i + 1, i > 0, x.half() + x, i + 1.5, torch.tensor(1.0).double() * x), x, i
    )
    assert [value.dtype for value in graph.outputs] == [
        "float32", "float32", "int64", "bool", "float32", "float32", "float32",
    ]  # fmt: skip


def test_true_and_one_and_one_point_zero_are_different_arguments() -> None:
    i = torch.arange(3)
    graph = graph_of(lambda i: (i * 1, i * 1.0, i * True, i * 1), i)
    assert [value.dtype for value in graph.outputs] == ["int64", "float32", "int64", "int64"]


# ----------------------------------------------------------------------------------------------------- memory and edges


def test_views_move_no_data() -> None:
    def run(x: Tensor) -> Tensor:
        a, b = x.chunk(2, 1)
        a.unflatten(1, (2, 2)).transpose(1, 2).permute(2, 0, 1).unsqueeze(0).squeeze(0)[..., 0].expand(3, 2, 2)
        d = x.reshape(4, 4).t().narrow(0, 0, 2).unfold(1, 2, 2).diagonal().detach()
        e = b.split([1, 3], 1)[1].unbind(0)[0].as_strided((2,), (1,)).real
        return d.sum() + e.sum()

    profile = analyze(run, x28())
    moved = [op for op in profile.graph.ops if not op.view]
    assert [op.target for op in moved] == ["aten.sum", "aten.sum", "aten.add"]
    for op, cost in zip(profile.graph.ops, profile.costs, strict=True):
        if op.view:
            assert cost is not None
            assert (cost.accesses, cost.flops) == (0, 0)
            assert all(value.owner is profile.graph.inputs[0] for value in op.outputs)


def test_a_reshape_that_must_copy_is_a_copy() -> None:
    profile = analyze(lambda x: x.t().reshape(-1), x28())
    assert len([op for op in profile.graph.ops if not op.view]) == 1
    assert profile.total.accesses == 32
    assert profile.graph.outputs[0].owner is not profile.graph.inputs[0]


def test_contiguous_copies_only_where_it_must() -> None:
    assert graph_of(lambda x: x.contiguous(), x28()).ops == ()
    copied = analyze(lambda x: x.t().contiguous(), x28())
    assert len([op for op in copied.graph.ops if not op.view]) == 1
    assert copied.total.accesses == 32
    assert graph_of(lambda x: x.to(torch.float32).float().cpu().type_as(x).requires_grad_(False), x28()).ops == ()


def test_a_view_of_a_weight_is_a_weight() -> None:
    net = Net(
        lambda self, x: x @ self.w.t()[:, :4] + self.b[None, :4], w=nn.Parameter(torch.zeros(6, 8)), b=torch.zeros(6)
    )
    graph = graph_of(net, x28())
    assert {value.role for op in graph.ops if op.view for value in op.outputs} == {"weight", "buffer"}
    product = next(op for op in graph.ops if op.target in ("aten.mm", "aten.matmul"))
    assert [value.role for value in product.inputs] == ["input", "weight"]


def test_in_place_makes_a_new_version_of_the_same_memory() -> None:
    def run(x: Tensor) -> Tensor:
        y = x * 2
        y.relu_()
        y[:, 0] = 1
        y[:, 1:3] += 5
        return y + 1

    graph = graph_of(run, x28())
    first = graph.ops[0].outputs[0]
    written = [op for op in graph.ops if op.writes]
    assert {op.target for op in written} >= {"aten.relu_", "aten.add_"}
    assert all(value.owner is first for op in written for value in op.outputs)
    last = graph.ops[-1]
    assert last.inputs[0].owner is first
    edges = graph.edges()
    assert (graph.ops.index(written[-1]), len(graph.ops) - 1) in edges


def test_out_argument_is_written() -> None:
    def run(x: Tensor) -> Tensor:
        y = torch.empty(2, 8)
        torch.add(x, 1, out=y)
        return y * 2

    graph = graph_of(run, x28())
    add = only(graph, "aten.add")
    assert add.writes
    assert (graph.ops.index(add), len(graph.ops) - 1) in graph.edges()


def test_a_write_through_a_view_reaches_the_reader_of_the_whole() -> None:
    def run(x: Tensor) -> Tensor:
        y = x * 2
        part = y[0]
        part.zero_()
        return y.sum()

    graph = graph_of(run, x28())
    index = {op.target: i for i, op in enumerate(graph.ops)}
    assert (index["aten.zero_"], index["aten.sum"]) in graph.edges()


def test_inputs_that_share_a_tensor_are_one_value() -> None:
    x = x28()
    graph = graph_of(lambda a, b, c: a + b + c, x, x, x28())
    assert len(graph.inputs) == 2
    assert graph.ops[0].inputs[0] is graph.ops[0].inputs[1]


def test_a_parameter_handed_in_is_a_weight() -> None:
    linear = nn.Linear(8, 8)
    graph = graph_of(Net(lambda self, w: w * 2, linear=linear), linear.weight)
    assert graph.ops[0].inputs[0].role == "weight"


# --------------------------------------------------------------------------------------------------------- module paths


def test_a_module_called_twice_has_two_ops_at_one_path() -> None:
    profile = analyze(Net(lambda self, x: self.a(self.a(x)), a=nn.Linear(8, 8)), x28())
    assert [op.path for op in profile.graph.ops] == ["a", "a"]
    assert (profile.total.mult_adds, profile.parameters) == (256, 72)


def test_a_shared_module_has_the_name_by_which_it_was_called() -> None:
    shared = nn.Linear(8, 8)

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = shared

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.layer(x)
            return result

    model = nn.Sequential(OrderedDict(first=Half(), second=Half()))
    profile = analyze(model, x28())
    assert [op.path for op in profile.graph.ops] == ["first.layer", "second.layer"]
    assert profile.parameters == 72
    assert sum(row.parameters for path, row in profile.by_module().items() if path == "") == 72


def test_a_shared_parameter_counts_once() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
    model[1].weight = model[0].weight
    profile = analyze(model, x28())
    assert profile.parameters == 64
    assert profile.graph.ops[0].inputs[1].owner is profile.graph.ops[1].inputs[1].owner


def test_forward_called_directly() -> None:
    profile = analyze(Net(lambda self, x: self.a.forward(x), a=nn.Sequential(nn.Linear(8, 4))), x28())
    assert profile.graph.ops[0].path == "a.0"


def test_functional_calls_belong_to_the_module_whose_code_calls() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.zeros(4, 8))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x, self.w)

    graph = graph_of(nn.Sequential(nn.Identity(), Inner()), x28())
    assert [(op.path, op.target) for op in graph.ops] == [("1", "aten.linear")]


def test_other_methods_and_properties_belong_to_their_module() -> None:
    class Inner(nn.Module):
        def encode(self, x: Tensor) -> Tensor:
            return x * 2

        @property
        def table(self) -> Tensor:
            return torch.ones(8)

        @staticmethod
        def free(x: Tensor) -> Tensor:
            return x - 1

    graph = graph_of(Net(lambda self, x: self.a.free(self.a.encode(x) + self.a.table), a=Inner()), x28())
    assert {op.target: op.path for op in graph.ops} == {
        "aten.mul": "a", "aten.ones": "a", "aten.add": "", "aten.sub": "",
    }  # fmt: skip


def test_modules_in_lists_and_dictionaries() -> None:
    net = Net(
        lambda self, x: self.d["b"](self.l[1](x)),
        l=nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)]),
        d=nn.ModuleDict({"b": nn.Linear(8, 2)}),
    )
    assert [op.path for op in graph_of(net, x28()).ops] == ["l.1", "d.b"]


def test_a_module_not_registered_belongs_to_its_caller() -> None:
    net = Net(lambda self, x: self.hidden[0](x))
    net.__dict__["hidden"] = [nn.Linear(8, 4)]
    profile = analyze(net, x28())
    assert [op.path for op in profile.graph.ops] == [""]
    assert profile.graph.ops[0].inputs[1].role == "weight"
    made = Net(lambda self, x: nn.Linear(8, 4)(x))
    assert analyze(made, x28()).total.mult_adds == 64


def test_a_module_replaced_in_forward_hooks_and_pre_hooks_are_seen() -> None:
    linear = nn.Linear(8, 8)
    linear.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    linear.register_forward_hook(lambda module, args, out: out.relu())
    assert targets(graph_of(nn.Sequential(linear), x28())) == ["aten.mul", "aten.linear", "aten.relu"]


# --------------------------------------------------------------------------------------------------- what can be called


def test_plain_callables() -> None:
    w = torch.randn(8, 4)
    linear = nn.Linear(8, 4)

    class Called:
        def __call__(self, x: Tensor) -> Tensor:
            return x @ w

        def method(self, x: Tensor) -> Tensor:
            return x @ w

    def function(x: Tensor, scale: float) -> Tensor:
        return linear(x) * scale

    for call in (
        lambda x: x @ w,
        Called(),
        Called().method,
        functools.partial(function, scale=2.0),
        linear.forward,
        linear.__call__,
        functools.partial(linear),
        torch.nn.functional.normalize,
        F.gelu,
    ):
        profile = analyze(call, x28())
        assert profile.graph.mode == "shapes"
        assert profile.graph.ops
        assert profile.total.mult_adds == (0 if call in (torch.nn.functional.normalize, F.gelu) else 64)
    assert analyze(linear.forward, x28()).parameters == 36
    assert analyze(functools.partial(linear), x28()).parameters == 36
    assert analyze(functools.partial(function, scale=2.0), x28()).parameters == 36


def test_a_closures_modules_are_rows() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
    profile = analyze(lambda x: net(x), x28())
    assert [op.path.split(".")[-1] for op in profile.graph.ops] == ["0", "1"]
    assert profile.parameters == 72 + 36


def test_two_modules_in_one_closure_do_not_collide() -> None:
    a, b = nn.Sequential(nn.Linear(8, 8)), nn.Sequential(nn.Linear(8, 4))
    profile = analyze(lambda x: b(a(x)), x28())
    assert profile.parameters == 72 + 36
    assert len({op.path for op in profile.graph.ops}) == 2
    assert sum(row.cost.mult_adds for row in profile.by_module(0).values()) == profile.total.mult_adds


def test_operator_overloads_and_einsum() -> None:
    w = nn.Parameter(torch.zeros(8, 4))
    b = torch.zeros(3, 8, 5)
    for call in (
        lambda x: x @ w,
        lambda x: torch.matmul(x, w),
        lambda x: torch.mm(x, w),
        lambda x: x.mm(w),
        lambda x: torch.einsum("ij,jk->ik", x, w),
        lambda x: torch.einsum("ij,jk", x, w),
        lambda x: torch.tensordot(x, w, 1),
        lambda x: torch.addmm(w[:2, :1], x, w),
        lambda x: torch.inner(x, w.t()),
        lambda x: torch.linalg.multi_dot([x, w]),
        lambda x: x.__matmul__(w),
        lambda x: F.linear(x, w.t()),
        lambda x: torch.chain_matmul(x, w),
    ):
        assert analyze(call, x28()).total.mult_adds == 64
    assert analyze(lambda x: torch.einsum("ij,bjk->bik", x, b), x28()).total.mult_adds == 3 * 2 * 8 * 5
    assert analyze(lambda x: x @ b, x28()).total.mult_adds == 3 * 2 * 8 * 5
    assert analyze(lambda x: torch.einsum("ij,ij->", x, x), x28()).total.mult_adds in (0, 16)


class Pair(NamedTuple):
    a: Tensor
    b: Tensor


@dataclasses.dataclass
class Batch:
    x: Tensor
    scale: float = 2.0
    more: list[Tensor] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: Tensor


@dataclasses.dataclass
class WithInitial:
    x: Tensor
    twice: Tensor = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.twice = self.x * 2


class Batches(dict[str, Any]):
    """A dictionary whose items are attributes, as transformers' BatchEncoding."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def test_nested_inputs() -> None:
    old = namedtuple("old", "a b")
    linear = nn.Linear(8, 4)
    x = x28()
    for build, read in (
        (lambda: {"a": {"b": [x]}}, lambda given: given["a"]["b"][0]),
        (lambda: OrderedDict(a=x), lambda given: given["a"]),
        (lambda: Pair(x, x), lambda given: given.b),
        (lambda: old(x, 1), lambda given: given.a),
        (lambda: Batch(x, more=[x]), lambda given: given.more[0] * given.scale),
        (lambda: Frozen(x), lambda given: given.x),
        (lambda: WithInitial(x), lambda given: given.twice),
        (lambda: Batches(x=x), lambda given: given.x),
        (lambda: (1, [None, ("a", x)]), lambda given: given[1][1][1]),
        (lambda: {"deep": Batch(x, more=[Pair(x, x)])}, lambda given: given["deep"].more[0].a),  # type: ignore[list-item]
    ):  # fmt: skip
        given = build()
        net = Net(lambda self, given, read=read: linear(read(given)), linear=linear)
        graph = graph_of(net, given)
        assert graph.mode == "shapes"
        assert only(graph, "aten.linear").inputs[0].shape == (2, 8)
        assert graph.inputs[0].role == "input"
        assert type(given) is type(build())
        # By keyword as well.
        by_keyword = graph_of(Net(lambda self, *, batch, read=read: linear(read(batch)), linear=linear), batch=given)
        assert targets(by_keyword) == targets(graph)


def test_nested_outputs() -> None:
    x = x28()
    graph = graph_of(lambda x: {"a": [x + 1, (x * 2,)], "b": Batch(x - 1), "c": None, "d": 3}, x)
    assert len(graph.outputs) == 3
    assert {id(value) for value in graph.outputs} == {id(op.outputs[0]) for op in graph.ops}
    assert graph_of(lambda x: None, x).outputs == ()
    identity = graph_of(lambda x: x, x)
    assert identity.outputs == identity.inputs


def test_arguments_that_are_no_tensors() -> None:
    def run(
        self: Any,
        x: Tensor,
        times: int,
        *,
        flag: bool,
        name: str,
        dtype: Any = torch.float64,
        fn: Any = None,
        shape: Any = None,
    ) -> Any:
        for _ in range(times):
            x = self.linear(x)
        x = fn(x) if flag else x
        return x.view(shape).to(dtype), name

    graph = graph_of(
        Net(run, linear=nn.Linear(8, 8)), x28(), 3, flag=True, name="a", fn=torch.tanh, shape=torch.Size([4, 4])
    )
    assert targets(graph)[:4] == ["aten.linear"] * 3 + ["aten.tanh"]
    assert graph.outputs[0].dtype == "float64"


def test_no_inputs_at_all() -> None:
    net = Net(lambda self: self.linear(self.queries), linear=nn.Linear(8, 4), queries=nn.Parameter(torch.zeros(5, 8)))
    assert analyze(net).total.mult_adds == 160


# ----------------------------------------------------------------------------------------------- what torch puts around


def test_scripted_and_traced_modules() -> None:
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted, traced = torch.jit.script(model), torch.jit.trace(model, x28())
        frozen = torch.jit.freeze(torch.jit.script(model.eval()))
    for module in (scripted, traced):
        profile = analyze(module, x28())
        assert targets(profile.graph) == ["aten.linear", "aten.relu"]
        assert (profile.total.mult_adds, profile.parameters) == (64, 36)
        inside = analyze(nn.Sequential(nn.Linear(8, 8), module), x28())
        assert inside.total.mult_adds == 192
        assert next(op.path for op in inside.graph.ops) == "0"
        assert all(op.path.startswith("1") for op in inside.graph.ops[1:])
        assert analyze(module, x28(), backward=True).total.mult_adds == 128
    assert analyze(frozen, x28()).total.mult_adds == 64


def test_compiled_modules() -> None:
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
    compiled_in_place = nn.Linear(8, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(model)
        compiled_in_place.compile()
    profile = analyze(compiled, x28())
    assert targets(profile.graph) == ["aten.linear", "aten.relu"]
    assert [op.path for op in profile.graph.ops] == ["0", "1"]
    inside = analyze(nn.Sequential(nn.Linear(8, 8), compiled), x28())  # type: ignore[call-overload]
    assert inside.total.mult_adds == 192
    assert analyze(compiled_in_place, x28()).total.mult_adds == 64


def test_parametrizations() -> None:
    weight_norm = analyze(nn.utils.parametrizations.weight_norm(nn.Linear(8, 4)), x28())
    assert weight_norm.total.mult_adds == 64
    assert weight_norm.parameters == 32 + 4 + 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normed_by_hook = nn.utils.weight_norm(nn.Linear(8, 4))
        by_hook = nn.utils.spectral_norm(nn.Linear(8, 4))
    assert analyze(normed_by_hook, x28()).total.mult_adds == 64
    # Power iteration in training: u = W v, v = Wt u; always sigma = u . (W v): 32 + 32 + 32 + 4.
    spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 4))
    assert analyze(spectral.train(), x28()).total.mult_adds == 64 + 3 * 32 + 4
    assert analyze(spectral.eval(), x28()).total.mult_adds == 64 + 32 + 4
    assert analyze(by_hook.train(), x28()).total.mult_adds == 64 + 3 * 32 + 4
    orthogonal = analyze(nn.utils.parametrizations.orthogonal(nn.Linear(8, 8)), x28())
    assert only(orthogonal.graph, "aten.linear").inputs[1].shape == (8, 8)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoint(reentrant: bool) -> None:
    def run(self: Any, x: Tensor) -> Any:
        return torch.utils.checkpoint.checkpoint(self.inner, x, use_reentrant=reentrant)

    net = Net(run, inner=nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.5)))
    profile = analyze(net, x28())
    assert [op.path for op in profile.graph.ops][:2] == ["inner.0", "inner.1"]
    assert profile.total.mult_adds == 128
    # Forward, again forward, and the gradients of input and weight.
    assert analyze(net, x28().requires_grad_(), backward=True).total.mult_adds == 4 * 128


def test_autocast() -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.b(self.a(x)).float()

    graph = graph_of(Net(run, a=nn.Linear(8, 8), b=nn.Linear(8, 4)), x28())
    products = [op for op in graph.ops if op.target == "aten.linear"]
    assert [op.outputs[0].dtype for op in products] == ["bfloat16", "bfloat16"]
    assert {value.dtype for op in products for value in op.inputs} == {"bfloat16"}
    assert graph.outputs[0].dtype == "float32"
    with torch.autocast("cpu", torch.bfloat16):
        around = graph_of(nn.Linear(8, 4), x28())
    assert around.outputs[0].dtype == "bfloat16"


def test_functorch() -> None:
    linear = nn.Linear(8, 4)
    batched = analyze(Net(lambda self, x: torch.vmap(self.linear)(x), linear=linear), x28())
    assert batched.total.mult_adds == 64
    assert batched.graph.outputs[0].shape == (2, 4)
    weights = torch.randn(3, 4, 8)
    ensemble = analyze(lambda x: torch.vmap(F.linear, (None, 0))(x, weights), x28())
    assert ensemble.total.mult_adds == 3 * 64
    gradient = analyze(Net(lambda self, x: torch.func.grad(lambda y: self.linear(y).sum())(x), linear=linear), x28())
    assert gradient.total.mult_adds == 128
    assert gradient.graph.outputs[0].shape == (2, 8)
    per_sample = torch.vmap(torch.func.grad(lambda w, x: F.linear(x, w).sum()), (None, 0))
    assert analyze(lambda x: per_sample(linear.weight, x), x28()).graph.outputs[0].shape == (2, 4, 8)
    called = analyze(
        Net(
            lambda self, x: torch.func.functional_call(self.linear, {"weight": self.w, "bias": self.linear.bias}, (x,)),
            linear=linear,
            w=nn.Parameter(torch.zeros(4, 8)),
        ),
        x28(),
    )
    assert called.graph.ops[0].path == "linear"
    jacobian = analyze(lambda x: torch.func.jacrev(linear)(x), torch.randn(8))
    assert jacobian.graph.outputs[0].shape == (4, 8)


def test_models_that_differentiate_inside() -> None:
    def energy(self: Any, x: Tensor) -> Any:
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.linear(x).sum(), x, create_graph=True)[0]

    profile = analyze(Net(energy, linear=nn.Linear(8, 4)), x28())
    assert profile.total.mult_adds == 128
    assert profile.graph.outputs[0].shape == (2, 8)
    with torch.no_grad():
        assert analyze(Net(energy, linear=nn.Linear(8, 4)), x28()).total.mult_adds == 128


def test_a_model_that_catches_every_error_does_not_hide_a_fallback() -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        try:
            times = int(self.linear(x).abs().sum().item() > -1) + 1
        except Exception:  # noqa: BLE001 - as careless code does
            times = 7
        for _ in range(times):
            x = self.linear(x)
        return x

    profile = analyze(Net(run, linear=nn.Linear(80, 80)), torch.randn(80, 80))
    assert profile.graph.mode == "run"
    assert targets(profile.graph).count("aten.linear") == 3


def test_custom_autograd_function() -> None:
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(x, w)
            return x @ w

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            x, w = ctx.saved_tensors
            return grad @ w.t(), x.t() @ grad

    net = Net(lambda self, x: Product.apply(x, self.w), w=nn.Parameter(torch.zeros(8, 4)))
    assert analyze(net, x28()).total.mult_adds == 64
    both = analyze(net, x28().requires_grad_(), backward=True)
    assert both.total.mult_adds == 3 * 64
    assert [op.phase for op in both.graph.ops if op.target == "aten.mm"] == ["forward", "backward", "backward"]


LIBRARY = torch.library.Library("macprof_tests", "DEF")


def test_custom_operators() -> None:
    LIBRARY.define("with_fake(Tensor x, Tensor w) -> Tensor")
    LIBRARY.define("without_fake(Tensor x) -> Tensor")
    LIBRARY.define("composite(Tensor x, Tensor w) -> Tensor")
    LIBRARY.impl("with_fake", lambda x, w: x @ w, "CPU")
    LIBRARY.impl("without_fake", lambda x: x * 2, "CPU")
    LIBRARY.impl("composite", lambda x, w: (x @ w).relu(), "CompositeImplicitAutograd")
    torch.library.register_fake(
        "macprof_tests::with_fake", lambda x, w: x.new_empty(x.shape[0], w.shape[1]), lib=LIBRARY
    )
    w = torch.zeros(8, 4)

    def with_fake(x: Tensor) -> Tensor:
        return torch.ops.macprof_tests.with_fake(x, w) + 1

    profile = analyze(with_fake, x28())
    assert profile.graph.mode == "shapes"
    assert profile.graph.ops[0].target == "macprof_tests.with_fake"
    assert profile.graph.ops[0].outputs[0].shape == (2, 4)
    assert profile.costs[0] is None
    assert profile.uncounted == {"macprof_tests.with_fake": 1}
    assert not profile.complete

    @mac_profiler.formula("macprof_tests.with_fake")
    def product(op: Op) -> mac_profiler.Cost:
        return mac_profiler.Cost(mult_adds=op.args["x"].shape[0] * op.args["w"].elements)

    counted = analyze(with_fake, x28())
    assert counted.complete
    assert counted.total.mult_adds == 64

    plain = analyze(lambda x: torch.ops.macprof_tests.without_fake(x), x28())
    assert plain.graph.mode in ("values", "run")
    assert plain.graph.notes
    assert plain.graph.ops[0].outputs[0].shape == (2, 8)

    followed = analyze(lambda x: torch.ops.macprof_tests.composite(x, w), x28())
    assert targets(followed.graph)[-1] == "aten.relu"
    assert followed.total.mult_adds == 64

    @mac_profiler.formula("macprof_tests.composite")
    def whole(op: Op) -> mac_profiler.Cost:
        return mac_profiler.Cost(mult_adds=1)

    kept = analyze(lambda x: torch.ops.macprof_tests.composite(x, w), x28())
    assert targets(kept.graph) == ["macprof_tests.composite"]
    assert kept.total.mult_adds == 1


def test_decorated_custom_operator() -> None:
    @torch.library.custom_op("macprof_tests::decorated", mutates_args=("y",))
    def decorated(x: Tensor, y: Tensor) -> Tensor:
        y.add_(1)
        return x + y

    decorated.register_fake(lambda x, y: torch.empty_like(x))
    graph = graph_of(lambda x: decorated(x, x * 2) * 3, x28())
    op = only(graph, "macprof_tests.decorated")
    assert op.writes
    assert graph.mode == "shapes"


def test_tensor_subclasses_and_modes_around() -> None:
    class Tagged(torch.Tensor):
        pass

    tagged = torch.randn(2, 8).as_subclass(Tagged)
    assert analyze(nn.Linear(8, 4), tagged).total.mult_adds == 64
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False):
        assert analyze(nn.Linear(8, 4), x28()).total.mult_adds == 64


def test_functions_that_return_no_tensor() -> None:
    same = graph_of(lambda x: x + 1 if x.is_same_size(x.clone()) else x.abs(), x28())
    assert targets(same)[-1] == "aten.add"
    assert graph_of(lambda x: x + 1 if x.is_set_to(x) else x.abs(), x28()).ops[-1].target == "aten.add"
    assert targets(graph_of(lambda x: x + 1 if x.is_pinned() else x.abs(), x28()))[-1] == "aten.abs"
    profile = analyze(lambda x: torch.utils.dlpack.from_dlpack(x * 2), x28())
    assert profile.complete


def test_forward_mode_differentiation() -> None:
    linear = nn.Linear(8, 4)
    tangent = graph_of(lambda x: torch.func.jvp(linear, (x,), (x,))[1], x28())
    assert tangent.outputs[0].shape == (2, 4)
    linearized = graph_of(lambda x: torch.func.linearize(torch.sin, x)[1](x), x28())
    assert linearized.outputs[0].shape == (2, 8)


def test_hooks_on_tensors() -> None:
    """A model that hooks its activations (Grad-CAM) works although nothing is differentiated."""
    seen: list[Any] = []

    def run(self: Any, x: Tensor) -> Any:
        y = self.linear(x)
        y.retain_grad()
        y.register_hook(seen.append)
        return y * 2

    assert analyze(Net(run, linear=nn.Linear(8, 4)), x28()).total.mult_adds == 64
    assert analyze(Net(run, linear=nn.Linear(8, 4)), x28(), backward=True).total.mult_adds == 128


def test_tensors_made_of_tensors() -> None:
    profile = analyze(lambda x: torch.tensor([x.mean(), x.sum()]) * 2, torch.randn(100, 100))
    assert profile.graph.outputs[0].shape == (2,)


def test_other_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def run(x: Tensor) -> Tensor:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: x * 2).result()

    try:
        said = targets(graph_of(run, x28()))
    except TraceFailed as error:
        said = ["thread"] if "thread" in str(error) else [str(error)]
    assert said in (["aten.mul"], ["thread"])


COMPILED = """
import torch, mac_profiler
compiled = torch.compile(lambda x: x.relu() @ x.t())
linear = torch.nn.Linear(8, 8)
alone = mac_profiler.analyze(compiled, torch.randn(2, 8))
inside = mac_profiler.analyze(lambda x: compiled(linear(x)), torch.randn(2, 8))
print(alone.total.mult_adds, inside.total.mult_adds, [op.target for op in alone.graph.ops])
"""


def test_a_compiled_function() -> None:
    """In a process of its own: a compiler that is started on stand-ins may never come back."""
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=40, check=True)
    assert done.stdout.split("\n")[0] == "32 160 ['aten.relu', 'aten.t', 'aten.mm']"


def test_higher_order_operators() -> None:
    from torch.nn.attention.flex_attention import flex_attention

    q = torch.randn(1, 2, 16, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        profile = analyze(lambda q: flex_attention(q, q, q), q)
        assert profile.total.mult_adds == 2 * 2 * 16 * 16 * 8
        double, half = nn.Linear(8, 16), nn.Linear(8, 4)
        branch = analyze(
            lambda x: torch.cond(x.sum() > 0, lambda y: double(y).sum(1), lambda y: half(y).sum(1), (x,)),
            torch.ones(2, 8),
        )
        assert branch.total.mult_adds == 256


# ------------------------------------------------------------------------------------- attention, recurrence, fast path


def test_attention_is_one_op_whatever_is_asked_for() -> None:
    for device in ("cpu", "meta"):
        q = torch.randn(2, 4, 16, 8, device=device)
        mask = torch.zeros(16, 16, device=device)
        for kwargs in (
            {}, {"is_causal": True}, {"attn_mask": mask}, {"attn_mask": mask > 0}, {"dropout_p": 0.1}, {"scale": 0.3},
        ):  # fmt: skip
            for grad in (False, True):
                with torch.set_grad_enabled(grad):
                    profile = analyze(lambda q, kwargs=kwargs: F.scaled_dot_product_attention(q, q, q, **kwargs), q)
                (op,) = profile.graph.ops
                assert op.target == "aten.scaled_dot_product_attention"
                assert profile.total.mult_adds == 2 * 4 * 2 * 16 * 16 * 8
                assert op.outputs[0].shape == (2, 4, 16, 8)
    grouped = analyze(
        lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True),
        torch.randn(2, 4, 16, 8),
        torch.randn(2, 2, 16, 8),
    )
    assert targets(grouped.graph) == ["aten.scaled_dot_product_attention"]


def test_attention_refuses_what_torch_refuses() -> None:
    for shapes in (((1, 2, 4, 8), (1, 2, 4, 6), (1, 2, 4, 8)), ((1, 2, 4, 8), (1, 3, 4, 8), (1, 2, 4, 8))):
        with pytest.raises(TraceFailed):
            analyze(F.scaled_dot_product_attention, *(torch.randn(shape) for shape in shapes))


def encoder(training: bool) -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.TransformerEncoder(layer, 2).train(training)


def test_the_transformer_fast_path_gives_the_same_answer() -> None:
    x = torch.randn(2, 5, 16)
    answers = set()
    for training in (False, True):
        for grad in (False, True):
            with torch.set_grad_enabled(grad):
                profile = analyze(encoder(training), x)
            assert profile.complete
            assert targets(profile.graph).count("aten.scaled_dot_product_attention") == 2
            answers.add(profile.total.mult_adds)
    # qkv, output and the two feed-forward layers on 10 positions; attention in two products of 5 x 5 x 16 a sample.
    assert answers == {2 * (10 * (16 * 48 + 16 * 16 + 2 * 16 * 32) + 2 * 2 * 25 * 16)}
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[0, 3:] = True
    masked = analyze(encoder(False), x, src_key_padding_mask=padding)
    assert masked.total.mult_adds in answers


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_are_one_op(kind: type[nn.Module]) -> None:
    gates = {nn.LSTM: 4, nn.GRU: 3, nn.RNN: 1}[kind]
    for batch_first in (False, True):
        layer = kind(8, 6, 2, bidirectional=True, batch_first=batch_first)
        graph = graph_of(Net(lambda self, x: self.layer(x)[0], layer=layer), torch.randn(5, 3, 8))
        whole = [op for op in graph.ops if not op.view and op.target.rpartition(".")[2] in ("lstm", "gru", "rnn_tanh")]
        assert len(whole) == 1
        assert graph.outputs[0].shape == (5, 3, 12)
        profile = analyze(Net(lambda self, x: self.layer(x)[0], layer=layer), torch.randn(5, 3, 8))
        assert profile.total.mult_adds == 15 * 2 * gates * (6 * (8 + 6) + 6 * (12 + 6))


# -------------------------------------------------------------------------------------------------------- refused input


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(error.value)
    assert text
    assert "\n" not in text
    assert "mac_profiler" not in text
    assert " object at 0x" not in text
    return text


def test_nested_tensors_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strided = torch.nested.nested_tensor([torch.randn(2, 8), torch.randn(3, 8)])
        jagged = torch.nested.nested_tensor([torch.randn(2, 8), torch.randn(3, 8)], layout=torch.jagged)
    for tensor in (strided, jagged):
        with pytest.raises(InvalidInput, match="nested") as raised:
            analyze(nn.Linear(8, 4), tensor)
        one_line(raised)
        with pytest.raises(InvalidInput, match="nested"):
            analyze(Net(lambda self, given: given["a"][0] * 2), {"a": [tensor]})


def test_nested_tensors_made_inside_are_refused() -> None:
    def run(self: Any, x: Tensor) -> Any:
        nested = torch.nested.nested_tensor([x[0], x[1]])
        return self.linear(nested)

    with pytest.raises(MacprofError) as raised:
        analyze(Net(run, linear=nn.Linear(8, 4)), torch.randn(2, 3, 8))
    one_line(raised)


def test_sparse_tensors_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensors = (torch.eye(8).to_sparse(), torch.eye(8).to_sparse_csr())
    for sparse in tensors:
        with pytest.raises(InvalidInput, match=r"layout.*to_dense") as raised:
            analyze(lambda x: x @ torch.ones(8, 2), sparse)
        one_line(raised)


def test_sparse_tensors_of_the_model() -> None:
    """A sparse buffer (a graph's adjacency) has no place in the trace: one clear line, no crash."""
    net = Net(lambda self, x: torch.sparse.mm(self.adjacency, x), adjacency=torch.eye(8).to_sparse())
    with pytest.raises(MacprofError) as raised:
        analyze(net, torch.randn(8, 4))
    assert "sparse" in one_line(raised).lower()


def test_lazy_modules_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for lazy in (nn.LazyLinear(4), nn.Sequential(nn.LazyConv2d(4, 3)), nn.LazyBatchNorm1d()):
            with pytest.raises(InvalidInput, match="lazy") as raised:
                analyze(lazy, x28())
            one_line(raised)


def test_what_cannot_be_called_is_refused() -> None:
    for thing in (3, None, torch.zeros(2), [nn.Linear(2, 2)]):
        with pytest.raises(InvalidInput, match="call") as raised:
            analyze(thing, x28())
        one_line(raised)


def test_a_forward_that_raises_is_told_with_its_line() -> None:
    lines = []

    def run(self: Any, x: Tensor) -> Tensor:
        if x.shape[0] == 2:
            lines.append(here(1))
            raise ValueError("two samples\nare not enough")
        return x

    with pytest.raises(TraceFailed, match="two samples are not enough") as raised:
        analyze(Net(run), x28())
    assert "ValueError" in one_line(raised)
    assert lines[0] in str(raised.value)
    assert isinstance(raised.value.__cause__, ValueError)


def test_shapes_and_dtypes_that_do_not_fit_raise_what_torch_raises() -> None:
    cases: list[tuple[Any, tuple[Any, ...]]] = [
        (nn.Linear(8, 4), (torch.randn(2, 7),)),
        (nn.Linear(8, 4), (torch.zeros(2, 8, dtype=torch.long),)),
        (nn.Linear(8, 4), (torch.zeros(2, 8, dtype=torch.float64),)),
        (nn.Conv2d(3, 4, 3), (torch.randn(1, 4, 8, 8),)),
        (nn.Conv2d(3, 4, 3), (torch.randn(1, 3, 2, 2),)),
        (nn.Conv2d(3, 4, 3), (torch.randn(1, 3, 8),)),
        (nn.Conv2d(3, 4, 3), (torch.zeros(1, 3, 8, 8, dtype=torch.uint8),)),
        (nn.BatchNorm2d(3), (torch.randn(1, 4, 8, 8),)),
        (nn.BatchNorm2d(3), (torch.randn(3, 8),)),
        (nn.BatchNorm1d(3).train(), (torch.randn(1, 3),)),
        (nn.LayerNorm(8), (torch.randn(2, 7),)),
        (nn.GroupNorm(2, 4), (torch.randn(2, 6, 3),)),
        (nn.Embedding(4, 8), (torch.randn(2),)),
        (nn.MaxPool2d(5), (torch.randn(1, 1, 3, 3),)),
        (lambda x: x @ x, (x28(),)),
        (lambda x: x + torch.zeros(3), (x28(),)),
        (lambda x: x.view(3, 5), (x28(),)),
        (lambda x: torch.cat([x, torch.zeros(3, 3)], 1), (x28(),)),
        (lambda x: x[:, 9], (x28(),)),
        (lambda x: x.log_softmax(5), (x28(),)),
        (lambda x: F.linear(x, torch.zeros(4, 8), torch.zeros(3)), (x28(),)),
        (lambda x: F.linear(x, torch.zeros(4, 8), torch.zeros(4, dtype=torch.float64)), (x28(),)),
        (lambda x: F.conv2d(x, torch.zeros(2, 1, 2, 2), torch.zeros(3)), (torch.randn(1, 1, 4, 4),)),
        (lambda x: F.conv2d(x, torch.zeros(3, 2, 2, 2), groups=2), (torch.randn(1, 4, 4, 4),)),
        (lambda x: F.conv_transpose2d(x, torch.zeros(1, 1, 2, 2), output_padding=1), (torch.randn(1, 1, 4, 4),)),
        (lambda x: F.batch_norm(x, None, None), (x28(),)),
        (lambda x: x.int().div_(2), (x28(),)),
        (lambda x: x.add_(1j), (x28(),)),
        (lambda x: torch.bmm(x, x), (x28(),)),
        (lambda x: x.t().view(-1), (x28(),)),
        (lambda x: x.add_(torch.zeros(5, 2, 8)), (x28(),)),
        (lambda x: x.long().add_(0.5), (x28(),)),
        (lambda x: nn.LSTM(7, 3)(x)[0], (torch.randn(4, 2, 8),)),
        (lambda x: F.cross_entropy(x, torch.zeros(3, dtype=torch.long)), (x28(),)),
        (lambda x: F.interpolate(x, 4), (x28(),)),
        (lambda x: torch.einsum("ij,kl->il", x, x, x), (x28(),)),
        (lambda x: x.permute(0, 0), (x28(),)),
        (lambda x: x.squeeze(7), (x28(),)),
        (lambda x: x.mean(), (torch.arange(3),)),
        (lambda x: ~x, (x28(),)),
        (lambda x: x.softmax(5), (x28(),)),
        (lambda x: x.index_select(0, torch.zeros(1)), (x28(),)),
        (lambda x: x.index_select(0, torch.zeros(1, 1, dtype=torch.long)), (x28(),)),
        *((getattr(F, name), (torch.arange(3),)) for name in ("gelu", "silu", "hardswish", "celu", "softplus", "mish")),
        (lambda x: x.chunk(0), (x28(),)),
        (lambda x: torch.stack([x, x[:, :1]]), (x28(),)),
        (lambda x: x[torch.tensor([0.5])], (x28(),)),
        (lambda x: F.layer_norm(x, (8,), torch.zeros(7)), (x28(),)),
        (lambda x: nn.GRU(8, 4)(x[:, None], torch.zeros(2, 1, 4)), (x28(),)),
        (lambda x: F.bilinear(x, x, torch.zeros(3, 8, 7)), (x28(),)),
        (lambda x: F.mse_loss(x, torch.zeros(3)), (x28(),)),
        (lambda x: x.topk(9), (x28(),)),
        (lambda x: x.expand(3, 3, 8), (x28(),)),
        (lambda x: x.relu().unflatten(1, (3, 3)), (x28(),)),
        (lambda x: F.pixel_shuffle(x, 3), (torch.randn(1, 4, 2, 2),)),
        (lambda x: x.masked_fill(x, 0.0), (x28(),)),
        (lambda x: torch.where(x, x, x), (x28(),)),
        (lambda x: x.T @ x.T, (x28(),)),
        (lambda x: x[0].dot(x[0].double()), (x28(),)),
        (lambda x: torch.stack([]), (x28(),)),
    ]
    wrong = []
    for model, args in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model(*args)
            except Exception as error:  # noqa: BLE001 - whatever torch raises
                real = type(error).__name__
            else:
                pytest.fail(f"torch takes it: {model} {[arg.shape for arg in args]}")
        try:
            graph = graph_of(model, *args)
        except TraceFailed as error:
            if real not in str(error) or "\n" in str(error):
                wrong.append((real, str(error)))
        else:
            wrong.append((real, f"traced: {[(op.target, op.outputs[0].shape) for op in graph.ops]} of {model}"))
    assert wrong == []


# ---------------------------------------------------------------------------------------------------------- determinism


def test_the_second_trace_of_a_process_is_the_first() -> None:
    model, x = Small(), torch.randn(1, 3, 16, 16)
    first, second = analyze(model, x), analyze(model, x)
    assert first.records() == second.records()
    assert first.graph.edges() == second.graph.edges()


def test_what_is_remembered_depends_on_everything_that_counts() -> None:
    """The same operator with another shape, stride, dtype, scalar or keyword is another answer."""
    calls: Mapping[str, Callable[[Tensor], Tensor]] = {
        "shape": lambda x: x.reshape(-1),
        "keepdim": lambda x: x.sum(1, keepdim=True),
        "sum": lambda x: x.sum(1),
        "dtype": lambda x: x.sum(1, dtype=torch.float64),
        "nan": lambda x: x.nan_to_num(math.nan),
        "slice": lambda x: x[:, ::2],
        "slice 3": lambda x: x[:, ::3],
        "negative": lambda x: x.roll(-1, 1),
        "float": lambda x: x.clamp(0.0, 1.0),
        "out of": lambda x: x.new_zeros(x.shape[::-1], dtype=torch.int32),
    }
    for given in (x28(), torch.randn(8, 2).t(), torch.randn(3, 8), x28().double()):
        for name, call in calls.items():
            (value,) = graph_of(call, given).outputs
            real = call(given)
            assert value.shape == tuple(real.shape), name
            assert value.dtype == str(real.dtype).removeprefix("torch."), name


def test_one_hundred_layers_deep_and_recursive() -> None:
    model: nn.Module = nn.Identity()
    for _ in range(100):
        model = nn.Sequential(nn.ReLU(), model)
    graph = graph_of(model, x28())
    assert len(graph.ops) == 100
    assert graph.ops[-1].path.count(".") == 99
