"""Stand-ins that outlive their trace: none in an ordinary analysis, and evicted where code keeps them."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import nn

from mac_profiler import analyze
from mac_profiler.trace import call


def convolutional() -> tuple[nn.Module, torch.Tensor]:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True)), torch.zeros(2, 3, 8, 8)


def transformer() -> tuple[nn.Module, torch.Tensor]:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2), torch.zeros(2, 5, 16)


def recurrent() -> tuple[nn.Module, torch.Tensor]:
    return nn.LSTM(8, 4, 2, bidirectional=True), torch.zeros(5, 2, 8)


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("make", [convolutional, transformer, recurrent])
def test_an_ordinary_analysis_leaves_none_to_search_for(
    make: Any, backward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The search walks every object of the process: it would take longer than the analysis.
    searches: list[object] = []
    monkeypatch.setattr(call, "evict", searches.append)
    model, inputs = make()
    analyze(model, inputs, backward=backward)
    assert searches == []


KEPT: dict[str, Any] = {}


class Keeper(nn.Module):
    @functools.lru_cache(maxsize=4)  # noqa: B019  # that it outlives the model is what is tested
    def table(self, size: int) -> tuple[torch.Tensor, int]:
        return torch.arange(size).sin(), size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        KEPT.setdefault("doubled", x * 2)
        return x * self.table(x.shape[-1])[0]


def test_caches_and_dictionaries_keep_none() -> None:
    model = Keeper()
    counts = [analyze(model, torch.ones(3)).op_count for _ in range(2)]
    assert counts[0] == counts[1]
    assert KEPT == {}
    assert torch.equal(model(torch.ones(3)), torch.arange(3).sin())
    KEPT.clear()
    model.table.cache_clear()


def test_what_a_real_call_cached_before_stays() -> None:
    model = Keeper()
    real = model(torch.ones(3))
    hits = model.table.cache_info().currsize
    analyze(model, torch.ones(3))
    assert model.table.cache_info().currsize == hits
    assert torch.equal(model(torch.ones(3)), real)
    KEPT.clear()
    model.table.cache_clear()
