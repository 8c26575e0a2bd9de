"""A trace leaves the model, its inputs and torch as it found them, whatever forward does and wherever it raises."""

from __future__ import annotations

import functools
import gc
import random
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch._dynamo  # replaces torch.manual_seed when it is imported: torch's own doing, so it is done before
import torch.nn.functional as F
from torch import Tensor, nn

import mac_profiler
from mac_profiler.errors import MacprofError
from tests.building import Net


class Holder:
    """An object of the user's own that a module keeps."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.last: Any = None


def analyze(model: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mac_profiler.analyze(model, *args, **kwargs)


# ---------------------------------------------------------------------------------------------------- what is looked at


def describe(value: Any, path: str = "") -> dict[str, Any]:
    """Everything of a value that a trace could change, by where it stands in it."""
    found: dict[str, Any] = {path: id(value)}
    if isinstance(value, Tensor):
        found |= {f"{path} {name}": fact for name, fact in tensor_facts(value).items()}
    elif isinstance(value, dict):
        found[f"{path} keys"] = list(map(str, value))
        for key, item in value.items():
            found |= describe(item, f"{path}[{key}]")
    elif isinstance(value, list | tuple | deque):
        for i, item in enumerate(value):
            found |= describe(item, f"{path}[{i}]")
        found[f"{path} length"] = len(value)
    elif isinstance(value, set | frozenset):
        found[f"{path} members"] = sorted(map(id, value))
    elif isinstance(value, nn.Module) or (hasattr(value, "__dict__") and not callable(value) and path.count("[") < 30):
        found |= describe(vars(value), f"{path} {type(value).__name__}")
    elif isinstance(value, int | float | str | bool | type(None)):
        found[path] = value
    return found


def tensor_facts(tensor: Tensor) -> dict[str, Any]:
    facts: dict[str, Any] = {"shape": tensor.shape, "strides": tensor.stride(), "dtype": tensor.dtype}
    facts["version"] = None if tensor.is_inference() else tensor._version
    facts["requires grad"] = tensor.requires_grad
    facts["gradient"] = id(tensor.grad) if tensor.is_leaf and tensor.grad is not None else None
    # A tensor whose memory was taken away would end the process here.
    gone = tensor.numel() > 0 and not tensor.data_ptr()
    facts["contents"] = "no memory" if gone else tensor.detach().clone().numpy().tobytes()
    return facts


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where two descriptions differ."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def surroundings() -> dict[str, Any]:
    """What torch and Python hold for the whole process."""
    return {
        "torch random": torch.get_rng_state().numpy().tobytes(),
        "python random": random.getstate(),
        "numpy random": repr(np.random.get_state(legacy=False)),  # noqa: NPY002 - the generator that models still use
        "numpy random position": np.random.get_state(legacy=False)["state"]["key"].tobytes(),  # noqa: NPY002
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "default dtype": torch.get_default_dtype(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "autocast": [torch.is_autocast_enabled(device) for device in ("cpu", "cuda")],
        "autocast cache": torch.is_autocast_cache_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "gc": gc.isenabled(),
        "dispatch modes": torch._C._len_torch_dispatch_stack(),
        "function modes": torch._C._len_torch_function_stack(),
        "include": torch._C._dispatch_tls_local_include_set().raw_repr(),
        "exclude": torch._C._dispatch_tls_local_exclude_set().raw_repr(),
        "torch": {name: id(value) for name, value in vars(torch).items() if callable(value)},
        "functional": {name: id(value) for name, value in vars(F).items() if callable(value)},
        "tensor": {name: id(value) for name, value in vars(Tensor).items()},
        "module": {name: id(value) for name, value in vars(nn.Module).items()},
        "hooks": [len(hooks) for name, hooks in vars(nn.modules.module).items() if name.startswith("_global_") and
                  hasattr(hooks, "__len__")],
    }  # fmt: skip


def changes(before: dict[str, Any]) -> list[str]:
    """What of the surroundings is no more as it was; names that a lazy import adds are no change."""
    found = []
    for name, now in surroundings().items():
        then = before[name]
        if isinstance(then, dict):
            found += [f"{name}.{key}" for key in then if now.get(key) != then[key]]
        elif now != then:
            found.append(name)
    return found


def foreign(root: Any) -> list[Any]:
    """Tensors made by the tracer that can be reached from a value."""
    found, seen, pending = [], set(), [root]
    while pending:
        value = pending.pop()
        if id(value) in seen or isinstance(value, type) or type(value).__name__ == "module":
            continue
        seen.add(id(value))
        if isinstance(value, Tensor) and type(value).__module__.startswith("mac_profiler"):
            found.append(value)
        if type(value).__name__ == "function":
            pending += [cell.cell_contents for cell in value.__closure__ or () if cell != type(cell)()]
            pending += [value.__defaults__, value.__dict__]
            continue
        if isinstance(value, Tensor):
            pending += [value.grad if value.is_leaf else None, value.__dict__]
        pending += gc.get_referents(value)
    return found


class Changed(Exception):
    """Raised by a model under test."""


# -------------------------------------------------------------------------------------------- models that change things


def x28() -> Tensor:
    return torch.randn(2, 8)


def image() -> Tensor:
    return torch.randn(2, 3, 8, 8)


def keep_attribute(self: Any, x: Tensor) -> Tensor:
    self.last = self.linear(x)
    self.linear.seen = x
    return self.last.relu()


def append(self: Any, x: Tensor) -> Tensor:
    self.list.append(self.linear(x))
    self.dict["new"] = self.list[-1]
    self.dict["old"] = x
    self.set.add(x)
    return self.list[-1]


def empty_containers(self: Any, x: Tensor) -> Tensor:
    self.list.clear()
    self.dict.clear()
    self.set.clear()
    return self.linear(x)


def nested_container(self: Any, x: Tensor) -> Tensor:
    self.dict["inner"].append(x)
    self.dict["deep"]["er"].append(self.linear(x))
    return self.dict["deep"]["er"][-1]


def remember_in_deque(self: Any, x: Tensor) -> Tensor:
    self.deque.append(x)
    return self.linear(x)


def remember_in_object(self: Any, x: Tensor) -> Tensor:
    self.holder.last = self.linear(x)
    self.holder.items.append(x)
    return self.holder.last


def remember_in_object_in_list(self: Any, x: Tensor) -> Tensor:
    self.holders[0].last = x
    return self.linear(x)


def replace_buffer(self: Any, x: Tensor) -> Tensor:
    self.running = self.running * 0.9 + x.mean(0) * 0.1
    return self.linear(x - self.running)


def write_buffer(self: Any, x: Tensor) -> Tensor:
    self.running.mul_(0.9).add_(x.detach().mean(0), alpha=0.1)
    self.running[0] = 7
    self.running.data.fill_(3)
    return self.linear(x)


def write_weight(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        self.linear.weight.clamp_(-0.01, 0.01)
        self.linear.weight.div_(self.linear.weight.norm(dim=1, keepdim=True))
    return self.linear(x)


def write_weight_data(self: Any, x: Tensor) -> Tensor:
    self.linear.weight.data.clamp_(-0.01, 0.01)
    return self.linear(x)


def replace_weight_data(self: Any, x: Tensor) -> Tensor:
    self.linear.weight.data = self.linear.weight.data * 2
    return self.linear(x)


def new_parameter(self: Any, x: Tensor) -> Tensor:
    if not hasattr(self, "added"):
        self.added = nn.Linear(8, 8)
        self.register_buffer("more", torch.zeros(8))
        self.register_parameter("scale", nn.Parameter(torch.ones(8)))
    return self.added(x) * self.scale + self.more


def replace_child(self: Any, x: Tensor) -> Tensor:
    self.linear = nn.Linear(8, 4)
    return self.linear(x)


def delete_attribute(self: Any, x: Tensor) -> Tensor:
    del self.note
    del self.linear.bias
    self.linear.bias = None
    return self.linear(x)


def switch_mode(self: Any, x: Tensor) -> Tensor:
    self.linear.eval() if self.training else self.linear.train()
    self.linear.weight.requires_grad_(False)
    return self.linear(x) * self.scale


def add_hook(self: Any, x: Tensor) -> Tensor:
    self.linear.register_forward_hook(lambda module, args, out: out * 2)
    self.linear.register_forward_pre_hook(lambda module, args: None)
    return self.linear(x)


def random_numbers(self: Any, x: Tensor) -> Tensor:
    if random.random() < 2 and np.random.rand() < 2:  # noqa: NPY002, S311
        x = F.dropout(x, 0.5, True) + torch.rand_like(x) + torch.randn(8)
    return self.linear(x)


def seed(self: Any, x: Tensor) -> Tensor:
    torch.manual_seed(12345)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    return self.linear(x + torch.randn(8))


def checkpointed(self: Any, x: Tensor) -> Tensor:
    from torch.utils.checkpoint import checkpoint

    return checkpoint(self.linear, checkpoint(self.first, x, use_reentrant=False), use_reentrant=False)


def differentiate_inside(self: Any, x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(self.linear(x).sum(), x, create_graph=True)
    return self.linear(gradient)


def backward_inside(self: Any, x: Tensor) -> Tensor:
    with torch.enable_grad():
        self.linear(x).sum().backward()
    return self.linear(x)


def autocast(self: Any, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return self.linear(self.first(x))


def grad_modes(self: Any, x: Tensor) -> Tensor:
    torch.set_grad_enabled(not torch.is_grad_enabled())
    return self.linear(x)


def write_input(self: Any, x: Tensor) -> Tensor:
    x.mul_(2)
    x[:, 0] = 1
    return self.linear(x)


def count_steps(self: Any, x: Tensor) -> Tensor:
    self.steps += 1
    for _ in range(int(self.steps)):
        x = self.linear(x)
    return x


def threshold(self: Any, x: Tensor) -> Tensor:
    # Its condition is in the data: only a run can tell.
    self.running.add_(1)
    self.last = x
    self.list.append(x)
    y = self.linear(x)
    return y if float(y.sum()) > -1e30 else x


def run_mode_with_norm(self: Any, x: Tensor) -> Tensor:
    y = F.dropout(self.norm(x), 0.5, True)
    self.cache = y
    return y[y > 0]


def eights() -> nn.Linear:
    return nn.Linear(8, 8)


def lists() -> dict[str, Any]:
    return {"list": [], "dict": {"old": 1}, "set": {1, 2}}


CASES: dict[str, Callable[[], tuple[nn.Module, tuple[Any, ...]]]] = {
    "attribute": lambda: (Net(keep_attribute, linear=eights()), (x28(),)),
    "containers": lambda: (Net(append, linear=eights(), **lists()), (x28(),)),
    "emptied containers": lambda: (Net(empty_containers, linear=eights(), **lists()), (x28(),)),
    "nested container": lambda: (
        Net(nested_container, linear=eights(), dict={"inner": [], "deep": {"er": []}}),
        (x28(),),
    ),
    "deque": lambda: (Net(remember_in_deque, linear=eights(), deque=deque(maxlen=3)), (x28(),)),
    "object": lambda: (Net(remember_in_object, linear=eights(), holder=Holder()), (x28(),)),
    "object in a list": lambda: (Net(remember_in_object_in_list, linear=eights(), holders=[Holder()]), (x28(),)),
    "replaced buffer": lambda: (Net(replace_buffer, linear=eights(), running=torch.rand(8)), (x28(),)),
    "written buffer": lambda: (Net(write_buffer, linear=eights(), running=torch.rand(8)), (x28(),)),
    "written weight": lambda: (Net(write_weight, linear=eights()), (x28(),)),
    "written weight.data": lambda: (Net(write_weight_data, linear=eights()), (x28(),)),
    "replaced weight.data": lambda: (Net(replace_weight_data, linear=eights()), (x28(),)),
    "new parameters": lambda: (Net(new_parameter), (x28().requires_grad_(),)),
    "replaced child": lambda: (Net(replace_child, linear=eights(), p=nn.Parameter(torch.ones(1))), (x28(),)),
    "deleted": lambda: (Net(delete_attribute, linear=eights(), note="a"), (x28(),)),
    "training flags": lambda: (Net(switch_mode, linear=eights(), scale=nn.Parameter(torch.ones(1))), (x28(),)),
    "hooks": lambda: (Net(add_hook, linear=eights()), (x28(),)),
    "random": lambda: (Net(random_numbers, linear=eights()), (x28(),)),
    "seeded": lambda: (Net(seed, linear=eights()), (x28(),)),
    "checkpoint": lambda: (Net(checkpointed, linear=eights(), first=eights()), (x28(),)),
    "differentiated inside": lambda: (Net(differentiate_inside, linear=eights()), (x28(),)),
    "backward inside": lambda: (Net(backward_inside, linear=eights()), (x28(),)),
    "autocast": lambda: (Net(autocast, linear=eights(), first=eights()), (x28(),)),
    "grad mode": lambda: (Net(grad_modes, linear=eights()), (x28().requires_grad_(),)),
    "written input": lambda: (Net(write_input, linear=eights()), (x28(),)),
    "counter": lambda: (Net(count_steps, linear=eights(), steps=torch.tensor(1)), (x28(),)),
    "run mode": lambda: (Net(threshold, linear=eights(), running=torch.rand(8), list=[]), (x28(),)),
    "run mode with norm": lambda: (Net(run_mode_with_norm, norm=nn.BatchNorm2d(3)), (image(),)),
    "batch norm": lambda: (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, momentum=None), nn.Dropout()),
        (image(),),
    ),
    "spectral norm": lambda: (nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8)), (x28(),)),
    "spectral norm by hook": lambda: (nn.utils.spectral_norm(nn.Linear(8, 8)), (x28(),)),
    "weight norm": lambda: (nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)), (x28(),)),
    "weight norm by hook": lambda: (nn.utils.weight_norm(nn.Linear(8, 8)), (x28(),)),
    "embedding with a norm": lambda: (
        nn.Sequential(nn.Embedding(9, 8, max_norm=0.1), nn.Linear(8, 2)),
        (torch.arange(4),),
    ),
    "attention": lambda: (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), 2, enable_nested_tensor=False),
        (torch.randn(2, 5, 8),),
    ),
    "lstm": lambda: (Net(lambda self, x: self.lstm(x)[0], lstm=nn.LSTM(8, 8, 2, dropout=0.5)), (torch.randn(3, 2, 8),)),
    "scripted": lambda: (torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))), (x28(),)),
}  # fmt: skip


def quiet(build: Callable[[], tuple[nn.Module, tuple[Any, ...]]]) -> tuple[nn.Module, tuple[Any, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build()


def check(model: nn.Module, args: tuple[Any, ...], backward: bool) -> None:
    # What an earlier test may have left differently would hide that it is left so here.
    torch.backends.mha.set_fastpath_enabled(True)
    gc.enable()
    before, around = describe((args, model)), surroundings()
    failure = ""
    try:
        analyze(model, *args, backward=backward)
    except Changed:
        pytest.fail("the model's own error reached the caller bare")
    except MacprofError as error:
        failure = str(error)
    # Whether it can be traced is the affair of other tests, but then it was to raise.
    assert not failure or "Changed" in failure or "nothing to differentiate" in failure
    assert changes(around) == []
    after = describe((args, model))
    # The pair itself is another one.
    assert [name for name in differences(before, after) if name] == []
    assert foreign((model, args)) == []


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", CASES)
def test_left_as_found(name: str, backward: bool, training: bool) -> None:
    model, args = quiet(CASES[name])
    model.train(training)
    check(model, args, backward)


@pytest.mark.parametrize("name", [name for name in CASES if name != "scripted"])
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_left_as_found_where_forward_raises(name: str, backward: bool) -> None:
    model, args = quiet(CASES[name])

    class Raising(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model
            self.kept: list[Any] = []

        def forward(self, *args: Any) -> Any:
            self.kept.append(self.inner(*args))
            self.more = self.kept[0]
            raise Changed("at the end")

    check(Raising(), args, backward)


def test_gradients_that_were_there_stay_the_same_objects() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    model(x28()).sum().backward()
    kept = {name: (parameter.grad, parameter.grad.clone()) for name, parameter in model.named_parameters()}  # type: ignore[union-attr]
    for reentrant in (True, False):

        def run(self: Any, x: Tensor, reentrant: bool = reentrant) -> Any:
            return torch.utils.checkpoint.checkpoint(self.inner, x, use_reentrant=reentrant)

        analyze(Net(run, inner=model), x28().requires_grad_(), backward=True)
        for name, parameter in model.named_parameters():
            assert parameter.grad is kept[name][0]
            assert parameter.grad is not None
            assert torch.equal(parameter.grad, kept[name][1])


def test_modules_in_a_closure_are_left_as_found_too() -> None:
    norm, linear = nn.BatchNorm1d(8), nn.Linear(8, 8)
    net: Any = Net(keep_attribute, linear=linear, list=[])

    def call(x: Tensor) -> Tensor:
        net.list.append(x)
        result: Tensor = norm(net(x))
        return result

    modules = [norm, net]
    before = describe(modules)
    analyze(call, x28())
    assert differences(before, describe(modules)) == []
    assert foreign([norm, net]) == []


def test_an_argument_that_is_an_object_is_left_as_found() -> None:
    class Cache:
        def __init__(self) -> None:
            self.keys = torch.randn(2, 3, 8)
            self.all: list[Any] = []

    def run(self: Any, x: Tensor, cache: Cache) -> Tensor:
        cache.keys = torch.cat([cache.keys, self.linear(x)], 1)
        cache.all.append(cache.keys)
        return cache.keys

    cache = Cache()
    before = describe(vars(cache))
    analyze(Net(run, linear=eights()), torch.randn(2, 1, 8), cache)
    assert differences(before, describe(vars(cache))) == []
    assert foreign(cache) == []


def test_argument_containers_are_left_as_found() -> None:
    def run(self: Any, given: dict[str, Any], more: list[Any]) -> Tensor:
        given["out"] = self.linear(given["x"])
        given.pop("x")
        more.append(given["out"])
        more[0] = None
        return given["out"]

    given, more = {"x": x28(), "same": [1]}, [x28()]
    both = (given, more)
    before = describe(both)
    analyze(Net(run, linear=eights()), given, more)
    assert differences(before, describe(both)) == []


def test_the_ambient_autocast_region_keeps_no_cast_of_the_trace() -> None:
    model = nn.Linear(8, 8)
    x = x28()
    with torch.autocast("cpu", torch.bfloat16):
        # First of all, so that no cast is kept from before.
        analyze(model, x)
        kept = model(x)
    assert foreign(kept) == []
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model(x), kept)


def test_a_generator_of_the_users_is_left_as_found() -> None:
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()

    def run(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x + torch.randn(8, generator=generator))
        return y[y > 0]

    profile = analyze(Net(run, linear=eights()), x28())
    assert profile.graph.mode == "run"
    assert torch.equal(generator.get_state(), before)


def test_collection_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        analyze(nn.Linear(8, 8), x28())
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_trace_in_a_trace_is_a_clear_error_or_works() -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        self.inner_profile = analyze(self.other, torch.zeros(2, 8))
        result: Tensor = self.linear(x)
        return result

    model, x = Net(run, linear=eights()), x28()
    model.__dict__["other"] = nn.Linear(8, 4)
    around = surroundings()
    assert analyze(model, x).total.mult_adds == 128
    assert changes(around) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, RecursionError, MemoryError, GeneratorExit])
def test_left_as_found_where_forward_is_interrupted(kind: type[BaseException]) -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        self.last = self.linear(x)
        raise kind

    model, x = Net(run, linear=eights()), x28()
    before, around = describe(model), surroundings()
    with pytest.raises((kind, MacprofError)):
        analyze(model, x)
    assert changes(around) == []
    assert differences(before, describe(model)) == []


def test_the_run_mode_writes_nothing_that_stays() -> None:
    """Inputs, views of them and shared memory are put back bit by bit, with their version counters."""
    whole = torch.randn(1024, 8)

    def run(self: Any, x: Tensor, part: Tensor) -> Tensor:
        part.zero_()
        x.view(-1)[3:7] = 5
        x.t_()
        y: Tensor = self.linear(x.t())
        return y[y > 0]

    model = Net(run, linear=eights())
    arguments = (whole, whole[1])
    before = describe(arguments)
    assert analyze(model, *arguments).graph.mode == "run"
    assert differences(before, describe(arguments)) == []


def states() -> Iterator[Any]:
    yield torch.no_grad()
    yield torch.inference_mode()
    yield torch.enable_grad()


def test_ambient_modes_are_put_back() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    for ambient in states():
        with ambient:
            check(model, (x28(),), False)
            check(model, (x28(),), True)


def test_hooks_that_keep_activations() -> None:
    """Feature extraction as everybody writes it: into a dictionary of the caller's, or onto the module."""
    kept: dict[str, Any] = {}
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    model[0].log = []  # type: ignore[assignment]

    def hook(module: Any, args: Any, out: Tensor) -> None:
        kept["first"] = out
        kept.setdefault("all", []).append(out.detach())
        module.log.append(out)
        module.out = out

    model[0].register_forward_hook(hook)
    before = describe(model)
    analyze(model, x28())
    assert differences(before, describe(model)) == []
    assert foreign((model, kept)) == []


def test_caches_of_functions_and_files() -> None:
    """A real call after the trace computes with real tensors."""
    tables: dict[int, Tensor] = {}

    @functools.lru_cache
    def positions(length: int) -> Tensor:
        return torch.arange(length) * 0.5

    def run(self: Any, x: Tensor) -> Tensor:
        if x.shape[0] not in tables:
            tables[x.shape[0]] = torch.ones(8) * x.shape[0]
        result: Tensor = self.linear(x) + positions(8) + tables[x.shape[0]]
        return result

    linear = eights()
    model, x = Net(run, linear=linear), x28()
    analyze(model, x)
    assert foreign((tables, positions(8))) == []
    found = model(x)
    assert type(found) is Tensor
    assert torch.equal(found, linear(x) + torch.arange(8) * 0.5 + 2)


def test_an_object_with_slots_is_left_as_found() -> None:
    class Slots:
        __slots__ = ("last", "never")
        last: Any
        never: Any

    def run(self: Any, x: Tensor) -> Tensor:
        self.slots.last = self.linear(x)
        self.slots.never = x
        result: Tensor = self.slots.last
        return result

    slots = Slots()
    slots.last = 3
    analyze(Net(run, linear=eights(), slots=slots), x28())
    assert slots.last == 3
    assert not hasattr(slots, "never")


def test_arrays_are_left_as_found() -> None:
    def run(self: Any, x: Tensor) -> Tensor:
        self.counts[0] += 1
        result: Tensor = self.linear(x)
        return result

    counts = np.zeros(3)
    analyze(Net(run, linear=eights(), counts=counts), x28())
    assert counts.tolist() == [0, 0, 0]
