"""G104 inverted-bottleneck: a block goes from thin maps to thick ones and back.

## What it does

Checks rows of convolutions or linear layers whose width between is at least twice the outer ones, as in MobileNet V2:
memory access of these against that of equal widths at the same multiply-adds, map sizes, kernels and groups.
Depthwise convolutions between are left out.

## Why is this bad?

Guideline G1 of ShuffleNet V2: equal channel width minimizes memory access cost. Section 3 finds the inverted
bottleneck of MobileNet V2 to violate it: with an expansion of 6 its 1x1 convolutions have 1.43 times the access of
equal ones, and the depthwise convolution between works on all the thick maps (G405). Where weights are most of the
access, on small maps and in the feed-forward part of a transformer with few tokens, it costs little, and is not
found.

## Example

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(24, 144, 1)
        self.spatial = nn.Conv2d(144, 144, 3, padding=1, groups=144)
        self.project = nn.Conv2d(144, 24, 1)

    def forward(self, x):
        return x + self.project(self.spatial(self.expand(x)))


model = nn.Sequential(nn.Conv2d(3, 24, 1), Unit(), nn.Conv2d(24, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(64, 64, 1)
        self.spatial = nn.Conv2d(64, 64, 3, padding=1, groups=64)
        self.last = nn.Conv2d(64, 64, 1)

    def forward(self, x):
        return x + self.last(self.spatial(self.first(x)))


model = nn.Sequential(nn.Conv2d(3, 64, 1), Unit(), nn.Conv2d(64, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G1, Table 1, and section 3
- Sandler et al., MobileNetV2, arXiv 1801.04381, section 3.2
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.widths import bottlenecks
from mac_profiler.subject import Subject


@rule(
    "G104",
    "inverted-bottleneck",
    limit=1.15,
    metric="memory access by that of equal widths",
    confidence="high",
    remedy="use one width throughout the block; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Rows that go thick and back."""
    yield from bottlenecks(subject, limit, "inverted")
