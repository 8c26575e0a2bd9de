"""Convolution of every dimension and kind, as modules, as functions, and with weights that are computed."""

from __future__ import annotations

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, randn

from .case import Call, Function, case


@case(2 * 8 * (3 * 3 * 5) * (4 * 6), parameters=8 * 3 * 3 * 5 + 8)
def strided_2d() -> Call:
    """Output 2 x 8 x 4 x 6 (stride 2, kernel 3 x 5, padding 1 x 2 on 8 x 12), 3 * 3 * 5 products each."""
    return Call(nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2)), (randn(2, 3, 8, 12),))


@case(2 * 6 * 10 * 35, parameters=60, accesses=2 * 35 * (6 + 10) + 6 * 10)
def pointwise() -> Call:
    """A 1 x 1 convolution: hw c1 c2; it moves hw (c1 + c2) an image and c1 c2 (ShuffleNet V2, equation 1)."""
    return Call(nn.Conv2d(6, 10, 1, bias=False), (randn(2, 6, 5, 7),))


@case(12 * (24 // 3) * 35, parameters=96, accesses=35 * (24 + 12) + 24 * 12 // 3)
def pointwise_in_groups() -> Call:
    """With 3 groups a third: hw c1 c2 / 3; it moves hw (c1 + c2) + c1 c2 / 3 (ShuffleNet V2, equation 2)."""
    return Call(nn.Conv2d(24, 12, 1, groups=3, bias=False), (randn(1, 24, 5, 7),))


@case(6 * 9 * 8 * 8, accesses=6 * 64 + 6 * 9 + 6 * 64)
def depthwise() -> Call:
    """Every channel alone: 6 * 3 * 3 products at 8 * 8 places."""
    return Call(nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), (randn(1, 6, 8, 8),))


@case(12 * 9 * 6 * 6)
def depthwise_with_multiplier() -> Call:
    """Two filters a channel: 12 outputs of 3 * 3 products at 6 * 6 places."""
    return Call(nn.Conv2d(6, 12, 3, groups=6), (randn(1, 6, 8, 8),))


@case(3 * 8 * (4 * 3) * 12)
def dilated_1d() -> Call:
    """Kernel 3 spread over 9 (dilation 4): 20 - 8 = 12 places, 8 outputs, 4 * 3 products, 3 sequences."""
    return Call(nn.Conv1d(4, 8, 3, dilation=4), (randn(3, 4, 20),))


@case(8 * (3 * 2 * 3 * 4) * (3 * 5 * 5))
def volume_3d() -> Call:
    """Kernel 2 x 3 x 4 on 4 x 7 x 8: 3 * 5 * 5 places, 8 outputs, 3 * 24 products."""
    return Call(nn.Conv3d(3, 8, (2, 3, 4)), (randn(1, 3, 4, 7, 8),))


@case(8 * (3 * 4 * 4) * (7 * 9))
def padding_same_of_an_even_kernel() -> Call:
    """As many places as pixels, 7 * 9, though the padding is lopsided; 3 * 4 * 4 products, 8 outputs."""
    return Call(nn.Conv2d(3, 8, 4, padding="same"), (randn(1, 3, 7, 9),))


@case(8 * (3 * 5) * (20 - 4))
def padding_valid_by_name() -> Call:
    """Kernel 5 on 20: 16 places, 3 * 5 products, 8 outputs."""
    return Call(nn.Conv1d(3, 8, 5, padding="valid"), (randn(1, 3, 20),))


@case(8 * (3 * 9) * 64 + 8 * (8 * 9) * 64)
def circular_and_reflected_padding() -> Call:
    """Padding of any mode is a copy: two convolutions at 8 * 8 places."""
    return Call(
        nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"),
            nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        ),
        (randn(1, 3, 8, 8),),
    )


@case(2 * 6 * 5 * 7 * (4 * 9), parameters=6 * 4 * 9)
def transposed_2d() -> Call:
    """Every input element is spread by 4 * 3 * 3 weights: 2 * 6 * 5 * 7 of them, stride and output do not matter."""
    return Call(nn.ConvTranspose2d(6, 4, 3, stride=2, bias=False), (randn(2, 6, 5, 7),))


@case(6 * 5 * 7 * (8 // 2) * 9)
def transposed_in_groups_with_output_padding() -> Call:
    """Each of 6 * 5 * 7 input elements is spread by the 8 / 2 * 3 * 3 weights of its group."""
    model = nn.ConvTranspose2d(6, 8, 3, stride=2, padding=1, output_padding=1, groups=2)
    return Call(model, (randn(1, 6, 5, 7),))


@case(6 * 10 * 4 * 5 + 4 * 3 * 3 * 3 * 2 * 8)
def transposed_1d_and_3d() -> Call:
    """Spread by 4 * 5 weights each of 6 * 10, and by 2 * 2 * 2 * 2 weights each of 4 * 3 * 3 * 3."""

    def forward(self: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.line(x), self.volume(y)

    model = Function(forward, line=nn.ConvTranspose1d(6, 4, 5, dilation=2), volume=nn.ConvTranspose3d(4, 2, 2))
    return Call(model, (randn(1, 6, 10), randn(1, 4, 3, 3, 3)))


@case(4 * (3 * 9) * 36)
def without_batch_dimension() -> Call:
    """One image without a batch dimension: 6 * 6 places."""
    return Call(nn.Conv2d(3, 4, 3), (randn(3, 8, 8),))


@case(0)
def without_images() -> Call:
    """A batch of nothing."""
    return Call(nn.Conv2d(3, 4, 3), (randn(0, 3, 8, 8),))


@case(2 * 4 * (3 * 9) * 36)
def computed_weight() -> Call:
    """The weight is a masked product of others, which are element-wise; called as a function on 2 images."""

    def forward(_: Any, x: Tensor, w: Tensor, mask: Tensor) -> Tensor:
        return F.conv2d(x, w * mask)

    return Call(Function(forward), (randn(2, 3, 8, 8), randn(4, 3, 3, 3), torch.ones(4, 3, 3, 3)))


@case(2 * 3 * 4 * (2 * 9) * 36)
def weight_for_each_sample() -> Call:
    """Dynamic filters: the batch of 3 becomes 3 groups, whose filters are made from the input (0): 3 * 4 * 18 * 36."""

    def forward(_: Any, x: Tensor, w: Tensor) -> Tensor:
        n, c, height, width = x.shape
        first = F.conv2d(x.reshape(1, n * c, height, width), w.flatten(0, 1), groups=n)
        return first + F.conv2d(x.reshape(1, n * c, height, width), w.flatten(0, 1), groups=n)

    return Call(Function(forward), (randn(3, 2, 8, 8), randn(3, 4, 2, 3, 3)))


@case(4 * (3 * 9) * 36, parameters=4 * 27 + 4 + 4)
def weight_norm_by_hook() -> Call:
    """The older weight_norm makes the weight before every forward, element by element."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = torch.nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    return Call(model, (randn(1, 3, 8, 8),))


@case(4 * (3 * 9) * 36, parameters=4 * 27 + 4 + 4)
def weight_norm_by_parametrization() -> Call:
    """The newer weight_norm makes it when the attribute is read."""
    return Call(torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), (randn(1, 3, 8, 8),))


@case(4 * (3 * 9) * 36 + 4 * 27 + 4, parameters=4 * 27 + 4)
def spectral_norm_in_evaluation() -> Call:
    """The norm is u (W v): a 4 x 27 matrix with a vector, and 4 products; then the convolution."""
    return Call(torch.nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)).eval(), (randn(1, 3, 8, 8),))


@case(3 * 4 * 9 * 64 + 12 * 16 * 64 + 16 * (12 * 9) * 16)
def separable_then_strided() -> Call:
    """Depthwise 12 * 9 and pointwise 12 * 16 at 64 places, then 16 outputs of 12 * 9 at 16 from a slice of channels."""

    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.pointwise(self.depthwise(x))
        return self.strided(y[:, 2:14])  # type: ignore[no-any-return]

    model = Function(
        forward,
        depthwise=nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),
        pointwise=nn.Conv2d(12, 16, 1, bias=False),
        strided=nn.Conv2d(12, 16, 3, stride=2, padding=1, bias=False),
    )
    return Call(model, (randn(1, 12, 8, 8),))


@case(2 * 8 * (3 * 9) * 64)
def batch_norm_and_activation_add_nothing() -> Call:
    """Batch-norm, bias and activation are no multiply-adds: 2 * 8 * 27 * 64."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Hardswish())
    return Call(model, (randn(2, 3, 8, 8),))


@case(5 * 2 * 7 * (3 * 4))
def time_first() -> Call:
    """Convolution of time, batch, channels: kernel 3 on 7 with padding 1, so 7 places; 2 sequences, 4 in, 5 out."""
    return Call(Function(lambda _, x, w, b: torch.conv_tbc(x, w, b, pad=1)), (randn(7, 2, 4), randn(3, 4, 5), randn(5)))


@case(4 * (2 * 9) * 36)
def channels_last() -> Call:
    """The memory format changes nothing: 4 outputs of 2 * 9 at 36 places."""
    model = nn.Conv2d(2, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Call(model, (randn(1, 2, 8, 8).to(memory_format=torch.channels_last),))
