"""Networks as networks are, but nobody's: pyramids of one kind of block, narrow and wide.

In a network an operator finds other caches than in a loop of its own: its weights were last used an image ago, its
code too, and its result lies in memory that the system may have to clear first. What that costs is told by these.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mac_profiler.measurement import Case, Settings
from mac_profiler.probes import NETWORK, probe

if TYPE_CHECKING:
    from torch import Tensor, nn

# Multiples of what processors work on at once, as in most networks; crooked widths would add what is not their place's.
WIDTHS: dict[str, tuple[int, ...]] = {
    "basic": (16, 48, 80),
    "bottleneck": (64, 128, 192),
    "inverted": (8, 12, 16, 24),
    "grouped": (40, 72, 120),
    "separable": (16, 32, 48),
    "dense": (32, 64),
    "tokens": (96, 224, 320),
}
BLOCKS = (2, 3, 3, 2)
# As small networks do, these have no pooling behind the first convolution, and begin with maps of 112x112, for which
# the system hands out new memory.
FINE, FINE_BLOCKS = ("inverted", "separable"), (1, 2, 3, 3, 2)
SIZE = 224


def cases(settings: Settings) -> list[Case]:
    """Each kind of block, at each of its widths."""
    return [
        probe(NETWORK, f"{kind} {width}", partial(_build, kind, width), width=width)
        for kind, widths in WIDTHS.items()
        for width in widths
    ]


def _build(kind: str, width: int) -> tuple[Any, tuple[Any, ...]]:
    import torch
    from torch import nn

    from mac_profiler.stacks import images

    if kind == "tokens":
        blocks = [_Tokens.build(width) for _ in range(6)]
        return nn.Sequential(*blocks, nn.LayerNorm(width), nn.Linear(width, 500)), (torch.randn(1, 196, width),)
    layers: list[nn.Module] = [_unit(3, width, 3, stride=2)]
    if kind not in FINE:
        layers.append(nn.MaxPool2d(3, 2, 1))
    channels = width
    for stage, blocks_of_stage in enumerate(FINE_BLOCKS if kind in FINE else BLOCKS):
        wide = width * 2**stage
        for number in range(blocks_of_stage):
            layers.append(_block(kind, channels, wide, 2 if stage and not number else 1))
            channels = wide
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 500)]
    return nn.Sequential(*layers), (images(1, 3, SIZE),)


def _unit(
    channels: int, wide: int, kernel: int = 1, *, stride: int = 1, groups: int = 1, active: bool = True
) -> nn.Module:
    """Convolution, batch-norm and ReLU."""
    from torch import nn

    layers: list[nn.Module] = [
        nn.Conv2d(channels, wide, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(wide),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


def _block(kind: str, channels: int, wide: int, stride: int) -> nn.Module:
    from torch import nn

    if kind == "basic":
        body = [_unit(channels, wide, 3, stride=stride), _unit(wide, wide, 3, active=False)]
    elif kind == "bottleneck":
        body = [
            _unit(channels, wide // 4), _unit(wide // 4, wide // 4, 3, stride=stride),
            _unit(wide // 4, wide, active=False),
        ]  # fmt: skip
    elif kind == "inverted":
        hidden = 6 * channels
        body = [
            _unit(channels, hidden), _unit(hidden, hidden, 3, stride=stride, groups=hidden),
            _unit(hidden, wide, active=False),
        ]  # fmt: skip
    elif kind == "grouped":
        body = [
            _unit(channels, wide),
            _unit(wide, wide, 3, stride=stride, groups=wide // 8),
            _unit(wide, wide, active=False),
        ]
    elif kind == "separable":
        return nn.Sequential(_unit(channels, channels, 3, stride=stride, groups=channels), _unit(channels, wide))
    else:
        body = [_unit(channels, wide // 2, 3, stride=stride), _unit(wide // 2, wide // 2, 3)]
        return _Joined.build(body, wide)
    return _Residual.build(body, shortcut=stride == 1 and channels == wide)


class _Residual:
    """Block whose input is added, where the sizes allow it."""

    @staticmethod
    def build(body: list[nn.Module], *, shortcut: bool) -> nn.Module:
        from torch import nn

        class Residual(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body = nn.Sequential(*body)

            def forward(self, x: Tensor) -> Tensor:
                found: Tensor = self.body(x)
                return nn.functional.relu(found + x) if shortcut else found

        return Residual()


class _Joined:
    """Block whose layers' results are joined, channels behind channels."""

    @staticmethod
    def build(body: list[nn.Module], wide: int) -> nn.Module:
        import torch
        from torch import nn

        class Joined(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body = nn.ModuleList(body)

            def forward(self, x: Tensor) -> Tensor:
                found = []
                for layer in self.body:
                    x = layer(x)
                    found.append(x)
                joined = torch.cat(found, 1)
                # The shuffle behind a concat.
                return joined.view(1, 2, wide // 2, *joined.shape[2:]).transpose(1, 2).reshape(joined.shape)

        return Joined()


class _Tokens:
    """Block of a transformer, its products written out."""

    @staticmethod
    def build(width: int) -> nn.Module:
        from torch import nn

        heads = width // 32

        class Tokens(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
                self.all, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
                self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

            def forward(self, x: Tensor) -> Tensor:
                batch, tokens, _ = x.shape
                every = self.all(self.first(x)).reshape(batch, tokens, 3, heads, width // heads)
                queries, keys, values = every.permute(2, 0, 3, 1, 4)
                scores = (queries @ keys.transpose(-2, -1) * (width // heads) ** -0.5).softmax(-1)
                found = (scores @ values).transpose(1, 2).reshape(batch, tokens, width)
                x = x + self.out(found)
                return x + self.mlp(self.second(x))  # type: ignore[no-any-return]

        return Tokens()
