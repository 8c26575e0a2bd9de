"""What computes without multiply-adds, however much it looks like a layer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, randn

from .case import Call, Function, case


@case(0, parameters=11 * 6)
def embedding() -> Call:
    """Rows are gathered, by 8 indices."""
    return Call(nn.Embedding(11, 6), (torch.zeros(2, 4, dtype=torch.long),))


@case(0, accesses=8 + 8 * 6 + 8 * 6, parameters=1000 * 6)
def embedding_of_a_large_table() -> Call:
    """Of 1000 rows 8 are read: indices, rows, result."""
    return Call(nn.Embedding(1000, 6), (torch.zeros(2, 4, dtype=torch.long),))


@case(0)
def embedding_bag() -> Call:
    """Rows are gathered and summed."""
    return Call(nn.EmbeddingBag(11, 6, mode="sum"), (torch.zeros(3, 4, dtype=torch.long),))


@case(0, parameters=2 * 6 * 3)
def normalisation() -> Call:
    """Batch, group and layer norm: scale and shift are no multiply-adds to the papers."""
    return Call(
        nn.Sequential(nn.BatchNorm2d(6), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6), _Last(6)), (randn(2, 6, 5, 7),)
    )


class _Last(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return out


@case(0)
def pooling() -> Call:
    """Maxima and means, of windows fixed and adaptive."""
    model = nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(3, 2, 1), nn.AdaptiveAvgPool2d((3, 2)), nn.AdaptiveMaxPool2d(1))
    return Call(model, (randn(1, 4, 17, 16),))


@case(0)
def resampling() -> Call:
    """Interpolation of every kind, and a sampled grid."""

    def forward(_: Any, x: Tensor, grid: Tensor) -> list[Tensor]:
        modes = ("nearest", "bilinear", "bicubic", "area", "nearest-exact")
        found = [F.interpolate(x, size=(9, 11), mode=mode) for mode in modes]
        found.append(F.interpolate(x, scale_factor=0.5, mode="bilinear", antialias=True))
        return [*found, F.grid_sample(x, grid, align_corners=False)]

    return Call(Function(forward), (randn(1, 3, 6, 7), randn(1, 4, 5, 2)))


@case(0)
def elementwise_products() -> Call:
    """Gates, squeeze-and-excitation factors, complex rotations: element with element."""

    def forward(_: Any, x: Tensor, y: Tensor) -> Tensor:
        gate = torch.sigmoid(x) * x + torch.addcmul(x, x, y)
        turned = torch.view_as_complex(gate.unflatten(-1, (-1, 2))) * torch.polar(torch.ones(3), torch.arange(3.0))
        return torch.view_as_real(turned).flatten(-2) * y.mean()

    return Call(Function(forward), (randn(2, 6), randn(2, 6)))


@case(0)
def outer_products() -> Call:
    """Every element with every other, and no sum: outer, kron, einsum, broadcasting."""

    def forward(_: Any, x: Tensor, y: Tensor) -> list[Tensor]:
        return [torch.outer(x, y), torch.kron(x, y), torch.einsum("i,j->ij", x, y), x[:, None] * y]

    return Call(Function(forward), (randn(4), randn(6)))


@case(0)
def einsum_without_contraction() -> Call:
    """A trace, a diagonal, a transpose, an element-wise product: nothing is multiplied and summed."""

    def forward(_: Any, x: Tensor) -> list[Tensor]:
        return [torch.einsum(rule, x) for rule in ("ii->", "ii->i", "ij->ji")] + [torch.einsum("ij,ij->ij", x, x)]

    return Call(Function(forward), (randn(5, 5),))


@case(0)
def distances() -> Call:
    """Distances, of few points and of many, for which torch takes another kernel; and the cosine of an angle."""

    def forward(_: Any, x: Tensor, y: Tensor) -> list[Tensor]:
        few, many = torch.cdist(x[:4], y[:4]), torch.cdist(x, y)
        return [few, many, F.cosine_similarity(x, y), F.pairwise_distance(x, y), F.pdist(x)]

    return Call(Function(forward), (randn(40, 6), randn(40, 6)))


@case(0)
def rearrangements() -> Call:
    """Shuffles, windows, shifts, joins, sorts."""

    def forward(_: Any, x: Tensor) -> list[Tensor]:
        n, c, h, w = x.shape
        shuffled = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        up = F.pixel_unshuffle(F.pixel_shuffle(shuffled, 2), 2)
        windows = F.fold(F.unfold(up, 2), (h, w), 2)
        return [torch.cat([windows, x.roll(1, 2), x.flip(3)], 1), x.sort(1)[0], x.topk(2, 1)[0], F.pad(x, (1, -1))]

    return Call(Function(forward), (randn(1, 8, 4, 6),))


@case(0)
def scans_and_transforms() -> Call:
    """Running sums, softmax, variance, Fourier transforms there and back."""

    def forward(_: Any, x: Tensor) -> list[Tensor]:
        spectrum = torch.fft.rfft2(x)
        return [x.cumsum(1), x.softmax(1), x.logsumexp(1), x.var(1), torch.fft.irfft2(spectrum), torch.fft.fft(x)]

    return Call(Function(forward), (randn(4, 8),))


@case(0)
def losses() -> Call:
    """Cross-entropy, mean squares, divergence."""

    def forward(_: Any, x: Tensor, y: Tensor, target: Tensor) -> Tensor:
        divergence = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        return F.cross_entropy(x, target) + F.mse_loss(x, y) + F.smooth_l1_loss(x, y) + divergence

    return Call(Function(forward), (randn(4, 6), randn(4, 6), torch.zeros(4, dtype=torch.long)))


@case(0)
def scatters() -> Call:
    """Elements laid and added where indices say."""

    def forward(_: Any, x: Tensor, index: Tensor) -> list[Tensor]:
        base = torch.zeros(9, 6)
        base[index] = x
        return [base.index_add(0, index, x), base.scatter_add(0, index[:, None].expand(-1, 6), x), F.one_hot(index, 9)]

    return Call(Function(forward), (randn(4, 6), torch.tensor([0, 2, 4, 8])))


@case(0)
def random_and_dropped() -> Call:
    """Random numbers, dropout, stochastic depth."""

    def forward(self: Any, x: Tensor) -> Any:
        keep = torch.empty(x.shape[0], 1).bernoulli_(0.5)
        return F.dropout(x * keep + torch.randn_like(x), 0.3, training=True) * self.scale

    return Call(Function(forward, scale=nn.Parameter(randn(6))), (randn(4, 6),))
