"""Passes over maps: element-wise operators, norms, pooling, copies; each over maps from nothing to megabytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mac_profiler.measurement import Case, Settings
from mac_profiler.probes import probe

if TYPE_CHECKING:
    from torch import Tensor, nn

# Channels and size of the maps.
MAPS = ((16, 4), (24, 14), (96, 14), (96, 28), (64, 56), (128, 56))
FEW = ((24, 14), (96, 28), (64, 56))
LARGE = ((96, 28), (64, 56), (24, 112))
# Rows and their width: tokens of transformers, and scores of attention.
TOKENS = ((49, 96), (49, 768), (196, 384), (784, 192), (3136, 96))
SCORES = ((147, 49), (600, 197), (2400, 197))
# What reads two maps; given one twice, it would find the second in the nearest cache.
PAIRS = ("add", "mul", "cat")

# Kind of work, and the pass that tells it: over all maps, ...
EVERYWHERE = (
    ("elementwise", "add"), ("elementwise", "relu_"), ("batch_norm", "batch_norm"), ("transcendental", "silu"),
    ("reduction", "mean"), ("movement", "cat"),
)  # fmt: skip
# ... over some, ...
ELSEWHERE = (
    ("elementwise", "mul"), ("elementwise", "scale"), ("transcendental", "sigmoid"), ("normalisation", "group_norm"),
    ("movement", "shuffle"), ("transposition", "permute"), ("movement", "pad"), ("avg_pool", "avg_3_1"),
    ("avg_pool", "avg_2_2"),
)  # fmt: skip
# ... over maps so large that a processor does not learn by heart which comparisons come out how, ...
COMPARED = (("max_pool", "max_3_2"), ("max_pool", "max_3_1"), ("max_pool", "max_2_2"))
# ... and over tokens.
OF_TOKENS = (("normalisation", "layer_norm"), ("transcendental", "gelu"), ("transposition", "turn"))


def cases(settings: Settings) -> list[Case]:
    """Every kind of work that is no product."""
    found: list[Case] = []
    for names, maps in ((EVERYWHERE, MAPS), (ELSEWHERE, FEW), (COMPARED, LARGE)):
        for channels, size in maps:
            for kind, name in names:
                found.append(
                    probe(kind, f"{name} {channels} at {size}x{size}", partial(_build, name, (1, channels, size, size)))
                )
    for rows, width in TOKENS:
        for kind, name in OF_TOKENS:
            found.append(probe(kind, f"{name} {rows} of {width}", partial(_build, name, (1, rows, width))))
    for rows, width in SCORES:
        found.append(probe("softmax", f"{rows} of {width}", partial(_build, "softmax", (1, rows, width))))
    return found


def _build(name: str, shape: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
    import torch

    maps = torch.randn(shape)
    if name.startswith("max_"):
        # As behind a ReLU: half of it zeros, which comparisons notice.
        maps = maps.relu()
    return _passes(name, shape), (maps, torch.randn(shape)) if name in PAIRS else (maps,)


def _passes(name: str, shape: tuple[int, ...]) -> nn.Module:
    import torch
    from torch import nn

    channels = shape[-1] if name == "layer_norm" else shape[1]
    made: dict[str, Callable[[], nn.Module]] = {
        "relu_": lambda: nn.ReLU(inplace=True),
        "batch_norm": lambda: nn.BatchNorm2d(channels),
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "sigmoid": nn.Sigmoid,
        "layer_norm": lambda: nn.LayerNorm(channels),
        "group_norm": lambda: nn.GroupNorm(1, channels),
        "softmax": lambda: nn.Softmax(dim=-1),
        "mean": lambda: nn.AdaptiveAvgPool2d(1),
        "max_3_2": lambda: nn.MaxPool2d(3, 2, 1),
        "max_3_1": lambda: nn.MaxPool2d(3, 1, 1),
        "max_2_2": lambda: nn.MaxPool2d(2, 2),
        "avg_3_1": lambda: nn.AvgPool2d(3, 1, 1),
        "avg_2_2": lambda: nn.AvgPool2d(2, 2),
        "pad": lambda: nn.ZeroPad2d(1),
    }
    if name in made:
        return made[name]()

    functions: dict[str, Callable[..., Tensor]] = {
        "add": lambda x, y: x + y,
        "mul": lambda x, y: x * y,
        "scale": lambda x: x * x[:, :, :1, :1],
        "cat": lambda x, y: torch.cat((x, y), 1),
        "shuffle": lambda x: x.view(1, 2, channels // 2, *x.shape[2:]).transpose(1, 2).reshape(x.shape),
        "turn": lambda x: x.transpose(1, 2).contiguous(),
        "permute": lambda x: x.permute(0, 2, 3, 1).contiguous(),
    }

    class Pass(nn.Module):
        """One operator as a module."""

        def forward(self, *maps: Tensor) -> Tensor:
            return functions[name](*maps)

    return Pass()
