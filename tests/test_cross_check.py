"""What the peers say of the same model, and why it differs."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mac_profiler import api
from mac_profiler.cross_check import Answer, Comparison, compare


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(16, 48)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.project(x).chunk(3, -1)
        return F.scaled_dot_product_attention(query, key, value)


class Mixed(nn.Module):
    """Convolution and normalisation, attention used twice under two names, and a recurrent cell."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.attend = Attention()
        self.again = self.attend
        self.recur = nn.LSTM(16, 16, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.stem(x).flatten(2).transpose(1, 2)
        output: torch.Tensor = self.recur(self.again(self.attend(tokens)))[0]
        return output


def check(model: nn.Module, *args: Any, **kwargs: Any) -> Comparison:
    return compare(api.analyze(model.eval(), *args, **kwargs), model, args, kwargs)


def answer(comparison: Comparison, peer: str) -> Answer:
    return next(found for found in comparison.answers if found.peer == peer)


CONV = 16 * 3 * 9 * 4 * 4
ATTENTION = 2 * 2 * 16 * 16 * 16
LSTM = 16 * 2 * 4 * 16 * 16
IMAGE = torch.zeros(1, 3, 6, 6)


def test_fvcores_differences_name_the_operators_and_sum_up() -> None:
    comparison = check(Mixed(), IMAGE)
    fvcore = answer(comparison, "fvcore")
    found = {(part.ours, part.theirs): (part.amount, part.places, part.reason) for part in fvcore.differences}
    assert found.pop((("aten.lstm",), ())) == (-LSTM, 1, "it has no formula for aten::lstm")
    assert found.pop((("aten.scaled_dot_product_attention",), ())) == (
        -ATTENTION, 1, "it has no formula for aten::scaled_dot_product_attention",
    )  # fmt: skip
    ((theirs, (amount, _, reason)),) = [(key[1], value) for key, value in found.items()]
    assert theirs == ("batch_norm",)
    assert amount > 0
    assert "besides" in reason
    assert fvcore.mult_adds is not None
    assert sum(part.amount for part in fvcore.differences) == fvcore.mult_adds - comparison.mult_adds
    sizes = [abs(part.amount) for part in fvcore.differences]
    assert sizes == sorted(sizes, reverse=True)


def test_flop_counter_modes_differences_sum_up_too() -> None:
    comparison = check(Mixed(), IMAGE)
    counter = answer(comparison, "FlopCounterMode")
    assert counter.mult_adds is not None
    assert sum(part.amount for part in counter.differences) == counter.mult_adds - comparison.mult_adds
    assert {part.ours for part in counter.differences} <= {("aten.lstm",), ("aten.scaled_dot_product_attention",)}


class Product(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(16, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = (x @ self.weight)[:, None]
        return F.scaled_dot_product_attention(y, y, y)[:, 0]


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Product()])
        self.again = self.layers[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.again(self.again(x))
        return output


def test_a_module_with_two_names_is_one_module() -> None:
    # FlopCounterMode calls it again, and macprof layers.0.
    comparison = check(Shared(), torch.zeros(1, 4, 16))
    fvcore, counter = answer(comparison, "fvcore"), answer(comparison, "FlopCounterMode")
    assert {part.ours for part in fvcore.differences} == {("aten.scaled_dot_product_attention",)}
    assert {part.ours for part in counter.differences} <= {("aten.scaled_dot_product_attention",)}
    assert {part.theirs for part in (*fvcore.differences, *counter.differences)} == {()}


def test_where_all_agree_nothing_is_explained() -> None:
    comparison = check(nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)), IMAGE)
    assert comparison.mult_adds == CONV + 2560
    for found in comparison.answers:
        assert (found.mult_adds, found.differences, found.message) == (comparison.mult_adds, (), "")


def test_a_decomposition_with_the_same_count_is_no_difference() -> None:
    # torch runs addmm for what is a linear layer; macprof keeps the layer.
    found = answer(check(nn.Linear(8, 4), torch.zeros(2, 8)), "FlopCounterMode")
    assert (found.mult_adds, found.differences) == (64, ())


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.missing()  # type: ignore[attr-defined]


def test_a_peer_that_crashes_answers_with_its_message() -> None:
    profile = api.analyze(nn.Linear(8, 4), torch.zeros(2, 8))
    for found in compare(profile, Raises(), (torch.zeros(2, 8),), {}).answers:
        assert found.mult_adds is None
        assert found.message.startswith("failed: AttributeError: 'Tensor' object has no attribute 'missing'")
        assert "\n" not in found.message


class Keyword(nn.Module):
    def forward(self, *, x: torch.Tensor) -> torch.Tensor:
        return x @ x


def test_fvcore_says_that_it_takes_no_keyword_inputs() -> None:
    comparison = check(Keyword(), x=torch.zeros(4, 4))
    assert "positional inputs only" in answer(comparison, "fvcore").message
    assert answer(comparison, "FlopCounterMode").mult_adds == 64


def test_without_fvcore_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fvcore", None)
    monkeypatch.setitem(sys.modules, "fvcore.nn", None)
    comparison = check(nn.Linear(8, 4), torch.zeros(2, 8))
    assert "pip install fvcore" in answer(comparison, "fvcore").message
    assert answer(comparison, "FlopCounterMode").mult_adds == 64


def test_the_model_is_left_as_found() -> None:
    model = Mixed().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seed = torch.get_rng_state()
    compare(api.analyze(model, IMAGE), model, (IMAGE,), {})
    assert model.training
    assert torch.equal(torch.get_rng_state(), seed)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())


def test_a_callable_can_be_compared() -> None:
    def product(x: torch.Tensor) -> torch.Tensor:
        return x @ x

    profile = api.analyze(product, torch.zeros(4, 4))
    comparison = compare(profile, product, (torch.zeros(4, 4),), {})
    assert answer(comparison, "FlopCounterMode").mult_adds == comparison.mult_adds == 64
