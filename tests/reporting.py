"""What the tests of the report share: audits of little models, one of them with names that are no names."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

import mac_profiler
from mac_profiler import api
from mac_profiler.audited import Audited

SCRIPT = "<script>alert(1)</script>"
END = '</script><img src=x onerror="alert(2)">'


class Hostile(nn.Module):
    """Modules may be called almost anything."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module(SCRIPT, nn.Conv2d(4, 48, 1))
        self.add_module(END, nn.Sequential(nn.Conv2d(48, 48, 3, padding=1, groups=48), nn.BatchNorm2d(48)))
        self.add_module("a/b & c", nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.children():
            x = part(x)
        return x.flatten(1)


@cache
def hostile() -> Audited:
    """An audit of a model whose modules' names are markup."""
    settings = api.audit_settings(platform="nominal")
    return mac_profiler.audit_model(Hostile().eval(), torch.zeros(1, 4, 16, 16), settings=settings)


@cache
def audits(*names: str) -> tuple[Audited, ...]:
    """Audits of networks of the zoo, priced by the paper's GPU."""
    return api.audits_named(names, api.audit_settings(platform="nominal"))
