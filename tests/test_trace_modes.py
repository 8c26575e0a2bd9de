"""shapes, values, run, assume: which one answers, that the result says so, and that none is silently wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import mac_profiler
from mac_profiler.errors import TraceFailed
from mac_profiler.graph import Graph
from tests.building import Net, analyze


def graph_of(model: Any, *args: Any, **kwargs: Any) -> Graph:
    found: Graph = analyze(model, *args, **kwargs).graph
    return found


def targets(graph: Graph) -> list[str]:
    return [op.target for op in graph.ops]


def out_shape(graph: Graph) -> tuple[int, ...]:
    return graph.outputs[0].shape


def image() -> Tensor:
    """More numbers than any mode keeps."""
    return torch.linspace(-1, 1, 128 * 128).reshape(128, 128)


# --------------------------------------------------------------------------------------------- shapes: nothing computed


def test_a_model_no_machine_could_run() -> None:
    """Petabytes of activations and of weights; only the meta device can hold them, and nothing can compute them."""
    layer = nn.Linear(2**20, 2**20, device="meta")
    graph = graph_of(nn.Sequential(layer, nn.ReLU(), layer), torch.empty(2**30, 2**20, device="meta"))
    assert graph.mode == "shapes"
    assert out_shape(graph) == (2**30, 2**20)


def test_real_weights_and_an_activation_that_does_not_fit() -> None:
    """The tensors of the user are real here: only the first product would take 4 TiB."""
    model = nn.Sequential(nn.Conv2d(3, 2**20, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    profile = mac_profiler.analyze(model, torch.zeros(1, 3, 1024, 1024))
    assert profile.graph.mode == "shapes"
    assert profile.total.mult_adds == 3 * 2**20 * 2**20
    assert profile.peak_activation_bytes >= 2 * 4 * 2**40


def test_backward_computes_nothing_either() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2**18, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1)).train()
    profile = mac_profiler.analyze(model, torch.zeros(1, 3, 1024, 1024), backward=True)
    assert profile.total.mult_adds == 2 * 3 * 2**18 * 2**20


def test_functions_of_the_users_run_once() -> None:
    """Python code of the model runs, once for the mode that answers."""
    calls = []

    def run(x: Tensor) -> Tensor:
        calls.append(1)
        return x * 2

    graph_of(run, image())
    assert len(calls) == 1


def test_random_and_time_do_not_enter() -> None:
    model = Net(lambda self, x: F.dropout(x, 0.5, True) + torch.rand(8) + torch.randperm(8))
    first, second = graph_of(model, torch.zeros(2, 8)), graph_of(model, torch.zeros(2, 8))
    assert targets(first) == targets(second)


# -------------------------------------------------------------------------------------------- contents that are at hand


def test_literals_and_shapes_are_known() -> None:
    def run(x: Tensor) -> Tensor:
        steps = torch.tensor([1, 2, 3])
        times = int(steps.sum()) + len(steps) + torch.arange(4).max().item()
        for _ in range(int(times)):
            x = x + 1
        return x[torch.tensor([0, 0, 1])]

    graph = graph_of(run, image())
    assert targets(graph).count("aten.add") == 12
    assert out_shape(graph) == (3, 128)


def test_buffers_are_known() -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        for _ in range(int(self.steps)):
            x = self.linear(x)
        return x[:, self.mask]

    model = Net(run, linear=nn.Linear(8, 8), steps=torch.tensor(3), mask=torch.arange(8) % 2 == 0)
    graph = graph_of(model, torch.zeros(5, 8))
    assert graph.mode in ("shapes", "values")
    assert targets(graph).count("aten.linear") == 3
    assert out_shape(graph) == (5, 4)


def test_ids_given_are_known() -> None:
    """The class token is where the id is largest (CLIP's text encoder)."""

    def run(self: Any, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        return x[torch.arange(x.shape[0]), ids.argmax(-1)]

    graph = graph_of(Net(run, embedding=nn.Embedding(100, 8)), torch.randint(0, 100, (3, 7)))
    assert graph.mode == "shapes"
    assert out_shape(graph) == (3, 8)


VALUES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...]]] = {
    "item": (lambda ids: torch.zeros(int(ids.sum().item())), (torch.tensor([2, 3]),), (5,)),
    "int": (lambda ids: torch.zeros(int(ids.max()) + 1), (torch.tensor([2, 3]),), (4,)),
    "bool": (lambda ids: ids[:1] if (ids > 2).any() else ids, (torch.tensor([2, 3]),), (1,)),
    "all": (lambda ids: ids[:1] if bool((ids > 2).all()) else ids, (torch.tensor([2, 3]),), (2,)),
    "mask": (lambda ids: ids[ids > 2], (torch.tensor([2, 3, 4]),), (2,)),
    "rows": (lambda ids: torch.zeros(3, 4)[ids > 2], (torch.tensor([2, 3, 4]),), (2, 4)),
    "tolist": (lambda ids: torch.zeros(ids.cumsum(0).tolist()), (torch.tensor([2, 3]),), (2, 5)),
    "nonzero": (lambda ids: (ids - 2).nonzero(), (torch.tensor([2, 3, 2]),), (1, 1)),
    "nonzero tuple": (lambda ids: (ids - 2).nonzero(as_tuple=True)[0], (torch.tensor([2, 3, 2]),), (1,)),
    "where": (lambda ids: torch.where(ids > 2)[0], (torch.tensor([2, 3, 2]),), (1,)),
    "argwhere": (lambda ids: torch.argwhere(ids * 1), (torch.tensor([0, 3, 2]),), (2, 1)),
    "unique": (lambda ids: torch.unique(ids), (torch.tensor([2, 3, 2]),), (2,)),
    "unique rows": (lambda ids: torch.unique(ids, dim=0), (torch.tensor([[2, 3], [2, 3]]),), (1, 2)),
    "unique consecutive": (lambda ids: torch.unique_consecutive(ids), (torch.tensor([2, 2, 3, 2]),), (3,)),
    "consecutive rows": (
        lambda ids: torch.unique_consecutive(ids, dim=0),
        (torch.tensor([[2, 3], [2, 3], [1, 1]]),),
        (2, 2),
    ),
    "masked_select": (lambda ids: torch.masked_select(ids, ids > 2), (torch.tensor([2, 3, 2]),), (1,)),
    "repeat_interleave": (lambda ids: torch.repeat_interleave(ids, ids), (torch.tensor([2, 3]),), (5,)),
    "repeat_interleave 2": (lambda ids: torch.zeros(2, 4).repeat_interleave(ids, 0), (torch.tensor([2, 3]),), (5, 4)),
    "one_hot": (lambda ids: F.one_hot(ids), (torch.tensor([2, 3]),), (2, 4)),
    "one_hot known": (lambda ids: F.one_hot(ids, 9), (torch.tensor([2, 3]),), (2, 9)),
    "bincount": (lambda ids: torch.bincount(ids), (torch.tensor([2, 3]),), (4,)),
    "numpy": (lambda ids: torch.zeros(*ids.numpy()), (torch.tensor([2, 3]),), (2, 3)),
    "slices": (lambda ids: torch.zeros(9)[ids[0] : ids[1]], (torch.tensor([2, 5]),), (3,)),
    "split": (lambda ids: torch.zeros(5).split(ids.tolist())[1], (torch.tensor([2, 3]),), (3,)),
    "arange": (lambda ids: torch.arange(ids[0], ids[1]), (torch.tensor([2, 5]),), (3,)),
    "range": (lambda ids: sum(torch.ones(i) for i in range(1, int(ids[0]), 9)), (torch.tensor([5]),), (1,)),
    "index": (lambda ids: torch.zeros(7)[ids.long()], (torch.tensor([2, 5]),), (2,)),
    "float": (lambda t: torch.zeros(round(float(t) * 4)), (torch.tensor(0.75),), (3,)),
    "format": (lambda ids: torch.zeros(len(f"{ids.sum().item()}")), (torch.tensor([60, 55]),), (3,)),
    "comparison": (lambda ids: ids if torch.equal(ids, ids.clone()) else ids[:1], (torch.tensor([2, 3]),), (2,)),
    "in": (lambda ids: ids if 3 in ids else ids[:1], (torch.tensor([2, 3]),), (2,)),
    "linspace": (lambda ids: torch.linspace(0, 1, int(ids[0])), (torch.tensor([4]),), (4,)),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_follow_from_the_inputs(name: str) -> None:
    """Small given integers decide: the answer is the real one, and the mode says how it was found."""
    call, args, shape = VALUES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert tuple(call(*args).shape) == shape
    graph = graph_of(call, *args)
    assert out_shape(graph) == shape
    assert graph.mode in ("shapes", "values")
    # That contents were handed to numpy is said in every mode.
    asked = tuple(note for note in graph.notes if "numpy" not in note)
    assert (graph.mode == "shapes") == (asked == ())
    if graph.mode == "values":
        assert any("shapes asked for data" in note for note in graph.notes)


@pytest.mark.parametrize("name", VALUES)
def test_values_follow_inside_a_network(name: str) -> None:
    """The same where a network stands around it that is not computed."""
    call, args, shape = VALUES[name]

    def run(self: Any, x: Tensor, *given: Tensor) -> Any:
        x = self.net(x)
        found = call(*given)
        return x.sum() + found

    net = nn.Sequential(nn.Linear(128, 128), nn.ReLU())
    graph = graph_of(Net(run, net=net), image(), *args)
    assert out_shape(graph) == shape
    assert graph.mode in ("shapes", "values")


# ------------------------------------------------------------------------------------------------------------------ run


RUN: dict[str, Callable[[Tensor], Any]] = {
    "mask": lambda y: y[y > 0.5],
    "item": lambda y: torch.zeros(int((y > 0.5).sum())),
    "branch": lambda y: y[:1] if y.sum() > 10 else y[:2],
    "nonzero": lambda y: y.relu().nonzero(),
    "unique": lambda y: torch.unique(y.round()),
    "unique rows": lambda y: torch.unique(y.round(), dim=0),
    "tolist": lambda y: torch.zeros(len([v for v in y.flatten().tolist() if v > 0])),
    "numpy": lambda y: torch.from_numpy(y.detach().numpy()[:3]),
    "array": lambda y: torch.zeros(__import__("numpy").asarray(y.detach()).shape[0]),
    "masked_select": lambda y: y.masked_select(y > 0.3),
    "while": lambda y: halve(y),
    "argmax": lambda y: torch.zeros(int(y.flatten().argmax()) + 1),
    "one_hot": lambda y: F.one_hot(y[0].argsort()),
    "topk item": lambda y: y[: y.flatten().topk(3).indices[0].item() % 5 + 1],
    "made of tensors": lambda y: torch.tensor([y.mean(), y.sum(), y.max()]),
    "pickle": lambda y: __import__("pickle").loads(__import__("pickle").dumps(y)) * 2,
    "bincount": lambda y: torch.bincount((y.flatten() * 10).int().clamp_(0)),
    "repeat_interleave": lambda y: y[0].repeat_interleave((y[0] > 0).long() + 1),
    "histogram": lambda y: torch.zeros(int(torch.histc(y, 5)[2])),
    "in place, then asked": lambda y: torch.zeros(int(y.clone().fill_(2).sum())),
    "quantize": lambda y: torch.quantize_per_tensor(y, 0.1, 0, torch.quint8).dequantize(),
}


def halve(y: Tensor) -> Tensor:
    while y.abs().max() > 0.1:
        y = y / 2
    return y


@pytest.mark.parametrize("name", RUN)
def test_run_where_only_a_run_can_tell(name: str) -> None:
    """Computed data decide: the graph is that of a real run."""
    linear = nn.Linear(128, 128)
    with torch.no_grad():
        linear.weight.copy_(torch.eye(128))
        linear.bias.zero_()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            real = RUN[name](linear(image()))

    def run(self: Any, x: Tensor) -> Any:
        return RUN[name](self.linear(x))

    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            graph = graph_of(Net(run, linear=linear), image())
        assert out_shape(graph) == tuple(real.shape)
        assert graph.ops[0].target == "aten.linear"
        assert graph.ops[0].path == "linear"
        assert graph.ops[0].inputs[1].role == "weight"
        # What the shapes alone decide needs no run.
        if graph.mode == "run":
            assert any("shapes asked for data" in note for note in graph.notes)
            assert any("test_trace_modes.py:" in note for note in graph.notes)
        else:
            assert name in ("array", "made of tensors")


def test_the_run_records_what_shapes_records() -> None:
    """The same model traced both ways has the same graph."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 5)
    )
    x = torch.randn(40, 3, 8, 8)

    def asking(self: Any, x: Tensor) -> Tensor:
        y = self.inner(x)
        assert y.sum().item() < 1e9
        result: Tensor = y
        return result

    for training in (False, True):
        model.train(training)
        shapes, run = mac_profiler.analyze(model, x), mac_profiler.analyze(Net(asking, inner=model), x)
        assert (shapes.graph.mode, run.graph.mode) == ("shapes", "run")
        count = len(shapes.graph.ops)

        def facts(graph: Graph, count: int = count) -> list[Any]:
            return [
                (op.target, op.view, op.writes, [(v.shape, v.dtype, v.role) for v in (*op.inputs, *op.outputs)])
                for op in graph.ops[:count]
            ]

        assert facts(run.graph) == facts(shapes.graph)
        assert run.total.mult_adds == shapes.total.mult_adds
        assert [edge for edge in run.graph.edges() if max(edge) < count] == shapes.graph.edges()
        assert run.costs[:count] == shapes.costs


def test_the_run_keeps_attention_whole() -> None:
    def run(q: Tensor) -> Tensor:
        y = F.scaled_dot_product_attention(q, q, q)
        return y[y > 0]

    graph = graph_of(run, torch.randn(2, 4, 32, 32))
    assert graph.mode == "run"
    assert targets(graph)[0] == "aten.scaled_dot_product_attention"


# --------------------------------------------------------------------------------------------------------------- assume


ASSUME: dict[str, Callable[[Tensor], Any]] = {
    "mask": lambda y: y[y > 0.5],
    "item": lambda y: y * y.sum().item(),
    "branch": lambda y: y[:1] if y.sum() > 10 else y[:2],
    "nonzero": lambda y: y.nonzero(),
    "unique": lambda y: torch.unique(y),
    "masked_select": lambda y: y.masked_select(y > 0.3),
    "checks": lambda y: checked(y),
    "checks false": lambda y: checked_false(y),
    "where": lambda y: torch.where(y > 0)[0],
    "masked assignment": lambda y: masked(y),
    "unique rows": lambda y: torch.unique(y, dim=0),
    "argmax": lambda y: y[int(y.argmax(0)[0].item())],
}


def checked(y: Tensor) -> Tensor:
    if not torch.isfinite(y).all():
        raise ValueError("not finite")
    return y


def checked_false(y: Tensor) -> Tensor:
    if torch.isnan(y).any():
        raise ValueError("not a number")
    return y


def masked(y: Tensor) -> Tensor:
    y[y > 0] = y[y > 0] * 2
    return y


@pytest.mark.parametrize("name", ASSUME)
def test_assume_says_what_it_assumed(name: str) -> None:
    model = Net(lambda self, x: ASSUME[name](self.linear(x)), linear=nn.Linear(128, 128, device="meta"))
    profile = mac_profiler.analyze(model, image().to("meta"))
    assert profile.graph.mode == "assume"
    assert any(note.startswith("assumed:") for note in profile.graph.notes)
    assert any("shapes asked for data" in note for note in profile.graph.notes)
    assert profile.total.mult_adds == 128**3
    # An upper bound: everything is selected.
    if name in ("mask", "masked_select", "unique", "where"):
        assert profile.graph.outputs[0].elements == 128 * 128


def test_a_model_that_no_assumption_satisfies_is_an_error() -> None:
    def run(x: Tensor) -> Tensor:
        assert (x > 0).all()
        assert not (x > 0).any()
        return x

    with pytest.raises(TraceFailed) as raised:
        graph_of(run, image().to("meta"))
    assert "\n" not in str(raised.value)


def test_an_assumption_does_not_loop_for_ever() -> None:
    """A loop until convergence ends on one of the two assumptions, or in an error; never in silence."""

    def run(x: Tensor) -> Tensor:
        while (x > 0).any():
            x = x - 1
        return x

    graph = graph_of(run, image().to("meta"))
    assert graph.mode == "assume"


# -------------------------------------------------------------------------------------------------- contents gone stale


def stale_models() -> dict[str, Any]:  # noqa: C901 - many models, none of them complex
    def add_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps += 1
        return torch.zeros(int(self.steps))

    def add_data_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps.data.add_(1)
        return torch.zeros(int(self.steps))

    def add_then_list(self: Any, x: Tensor) -> Tensor:
        self.steps.add_(1)
        return torch.zeros(self.steps.tolist())

    def add_then_numpy(self: Any, x: Tensor) -> Tensor:
        self.steps.add_(1)
        return torch.zeros(int(self.steps.numpy()))

    def view_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps.view(1)[0] = 7
        return torch.zeros(int(self.steps))

    def whole_then_view(self: Any, x: Tensor) -> Tensor:
        part = self.many[1:]
        self.many.fill_(5)
        return torch.zeros(int(part[0]))

    def detached_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps.detach().fill_(6)
        return torch.zeros(int(self.steps))

    def copy_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps.copy_(x.shape[0] * torch.ones((), dtype=torch.int64))
        return torch.zeros(int(self.steps))

    def unknown_then_read(self: Any, x: Tensor) -> Tensor:
        self.steps.copy_(self.linear(x).sum().abs().long() * 0 + 4)
        return torch.zeros(int(self.steps))

    def unknown_then_list(self: Any, x: Tensor) -> Any:
        ids = torch.arange(3)
        ids.copy_(self.linear(x)[0, :3].abs().long() * 0 + 4)
        return torch.zeros(ids.tolist())

    def unknown_then_numpy(self: Any, x: Tensor) -> Any:
        ids = torch.arange(3)
        ids[1:].add_(self.linear(x)[0, :2].abs().long() * 0 + 4)
        return torch.zeros(*ids.numpy().tolist())

    def out_then_read(self: Any, x: Tensor) -> Tensor:
        torch.add(self.steps, 5, out=self.steps)
        return torch.zeros(int(self.steps))

    def shared_then_read(self: Any, x: Tensor) -> Tensor:
        self.alias.add_(3)
        return torch.zeros(int(self.many[1]))

    def input_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.arange(3)
        ids[1] = 9
        ids += 1
        return torch.zeros(int(ids.max()))

    def random_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.ones(3, dtype=torch.int64)
        ids.random_(5, 6)
        return torch.zeros(int(ids.sum()))

    def empty_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.empty(3, dtype=torch.int64)
        ids.fill_(4)
        return torch.zeros(int(ids.sum()))

    def index_put_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.zeros(4, dtype=torch.int64)
        ids.scatter_(0, torch.tensor([1, 2]), 3)
        ids.index_add_(0, torch.tensor([1]), torch.tensor([2]))
        return torch.zeros(int(ids.sum()))

    def set_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.zeros(4, dtype=torch.int64)
        ids.set_(torch.ones(6, dtype=torch.int64))  # type: ignore[call-overload]
        return torch.zeros(int(ids.sum()))

    def resized_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.ones(4, dtype=torch.int64)
        ids.unsqueeze_(0).t_()
        ids += 1
        return torch.zeros(ids.shape[0], int(ids.sum()))

    def data_then_read(self: Any, x: Tensor) -> Tensor:
        ids = torch.ones(4, dtype=torch.int64)
        ids.data = torch.full((2,), 3)
        return torch.zeros(int(ids.sum()))

    def foreach_then_read(self: Any, x: Tensor) -> Tensor:
        ids = [torch.ones(2, dtype=torch.int64), torch.ones(3, dtype=torch.int64)]
        torch._foreach_add_(ids, 2)
        return torch.zeros(int(ids[0].sum()), int(ids[1].sum()))

    def expanded_then_read(self: Any, x: Tensor) -> Tensor:
        row = torch.ones(1, dtype=torch.int64)
        wide = row.expand(4)
        row += 1
        return torch.zeros(int(wide.sum()))

    def norm_then_read(self: Any, x: Tensor) -> Tensor:
        self.norm(x)
        return torch.zeros(int(self.norm.num_batches_tracked))

    def list_of_tensor_after_write(self: Any, x: Tensor) -> Tensor:
        ids = torch.arange(3)
        ids += 1
        return torch.zeros(ids.tolist())

    def numpy_shares(self: Any, x: Tensor) -> Tensor:
        ids = torch.arange(1, 3)
        array = ids.numpy()
        array[0] = 6
        return torch.zeros(ids.tolist())

    def parameter_then_read(self: Any, x: Tensor) -> Tensor:
        self.scale.data.fill_(3.0)
        return torch.zeros(int(self.scale))

    return {name: call for name, call in locals().items() if callable(call)}


STALE = stale_models()


@pytest.mark.parametrize("large", [False, True], ids=["small input", "large input"])
@pytest.mark.parametrize("name", STALE)
def test_contents_that_went_stale_are_not_used(name: str, large: bool) -> None:
    """Whatever was written since it was known is computed, run or assumed; the old contents are never the answer."""

    def build() -> Net:
        many = torch.tensor([1, 2, 3])
        return Net(
            STALE[name],
            steps=torch.tensor(2),
            many=many,
            alias=many[1:],
            linear=nn.Linear(8, 8),
            norm=nn.BatchNorm1d(8).train(),
            scale=nn.Parameter(torch.tensor(2.0)),
        )

    x = torch.ones(1000 if large else 3, 8)
    real = build()(x)
    model = build()
    graph = graph_of(model, x)
    if graph.mode == "assume":
        pytest.fail("there was data")
    assert out_shape(graph) == tuple(real.shape)
    # Once more: nothing of the first trace stayed in the model.
    assert out_shape(graph_of(model, x)) == tuple(real.shape)
    assert out_shape(graph_of(model, x)) == tuple(build()(x).shape)


def test_a_remembered_answer_is_not_used_for_other_contents() -> None:
    """The same operator on the same shapes with other ids has another answer."""
    call = VALUES["mask"][0]
    for ids, rows in (([2, 3, 4], 2), ([0, 0, 0], 0), ([5, 5, 5], 3)):
        assert out_shape(graph_of(call, torch.tensor(ids))) == (rows,)


def test_the_users_contents_are_not_written() -> None:
    def run(ids: Tensor) -> Tensor:
        ids += 5
        ids[0] = 1
        return torch.zeros(int(ids.sum()))

    ids = torch.tensor([1, 2])
    assert out_shape(graph_of(run, ids)) == (8,)
    assert ids.tolist() == [1, 2]


# ----------------------------------------------------------------------------------------------------- packed sequences


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_sequences(device: str, batch_first: bool) -> None:
    """Lengths that are given decide: 4 + 2 + 1 steps are computed, not 3 x 4."""

    def run(self: Any, x: Tensor, lengths: Tensor) -> Any:
        packed = pack_padded_sequence(x, lengths, batch_first=batch_first)
        out, _ = self.lstm(packed)
        return pad_packed_sequence(out, batch_first=batch_first)[0]

    model = Net(run, lstm=nn.LSTM(8, 6, batch_first=batch_first).to(device))
    x = torch.zeros(3, 4, 8, device=device) if batch_first else torch.zeros(4, 3, 8, device=device)
    profile = mac_profiler.analyze(model, x, torch.tensor([4, 2, 1]))
    assert profile.total.mult_adds == 7 * 4 * 6 * (8 + 6)
    assert out_shape(profile.graph) == (*tuple(x.shape[:2]), 6)


def test_packed_sequences_in_any_order() -> None:
    def run(self: Any, x: Tensor, lengths: Tensor) -> Any:
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        out, h = self.gru(packed)
        return pad_packed_sequence(out, total_length=9)[0], h

    profile = mac_profiler.analyze(Net(run, gru=nn.GRU(8, 6)), torch.zeros(4, 3, 8), torch.tensor([1, 4, 2]))
    assert profile.total.mult_adds == 7 * 3 * 6 * (8 + 6)
    assert out_shape(profile.graph) == (9, 3, 6)


# --------------------------------------------------------------------------------------------------- mixture of experts


def experts(self: Any, x: Tensor) -> Tensor:
    """Each expert works on the rows that the router gives it (Mixtral)."""
    chosen = self.router(x).argmax(-1)
    out = torch.zeros_like(x)
    for i, expert in enumerate(self.experts):
        rows = torch.where(chosen == i)[0]
        out.index_add_(0, rows, expert(x[rows]))
    return out


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_experts(device: str) -> None:
    model = Net(
        experts, router=nn.Linear(128, 3), experts=nn.ModuleList(nn.Linear(128, 128, bias=False) for _ in range(3))
    ).to(device)
    profile = mac_profiler.analyze(model, image().to(device))
    router = 128 * 128 * 3
    if device == "cpu":
        # Every row goes to one expert.
        assert profile.graph.mode == "run"
        assert profile.total.mult_adds == router + 128**3
    else:
        assert profile.graph.mode == "assume"
        assert profile.total.mult_adds == router + 3 * 128**3
        assert any(note.startswith("assumed:") for note in profile.graph.notes)
