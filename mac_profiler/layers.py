"""Layers that several families of the zoo are built of; what one family alone has stands in its file."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def shuffle_channels(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of the groups: channel k of group g of n becomes channel k * n + g.

    Source: ShuffleNet V1 (arXiv 1707.01083), section 3.1.

    Args:
        x: [batch, channels, height, width].
        groups: number of groups; it divides the channels.
    """
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).contiguous().view(batch, channels, height, width)


class SqueezeExcitation(nn.Module):
    """Scales every channel by what two fully connected layers make of all channels' means (Hu et al., 1709.01507).

    Args:
        channels: of the map.
        hidden: outputs of the first fully connected layer.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> the same shape."""
        scale = torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean([2, 3])))))
        return x * scale[:, :, None, None]
