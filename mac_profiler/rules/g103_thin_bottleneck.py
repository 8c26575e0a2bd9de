"""G103 thin-bottleneck: a block goes from thick maps to thin ones and back.

## What it does

Checks rows of convolutions or linear layers whose outer widths are at least twice the width between them, as in the
bottleneck of ResNet and in the unit of ShuffleNet V1: memory access of these against that of equal widths at the same
multiply-adds, map sizes, kernels and groups. Depthwise convolutions between are left out.

## Why is this bad?

Guideline G1 of ShuffleNet V2: equal channel width minimizes memory access cost. Section 3 finds the bottleneck-like
blocks of ShuffleNet V1 against it: their 1x1 convolutions of widths 4 : 1 have 1.25 times the access of equal ones.
Where weights are most of the access, on small maps, a bottleneck costs little, and is not found.

## Example

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = nn.Conv2d(240, 60, 1)
        self.spatial = nn.Conv2d(60, 60, 3, padding=1, groups=60)
        self.restore = nn.Conv2d(60, 240, 1)

    def forward(self, x):
        return x + self.restore(self.spatial(self.reduce(x)))


model = nn.Sequential(nn.Conv2d(3, 240, 1), Unit(), nn.Conv2d(240, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## Use instead

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(120, 120, 1)
        self.spatial = nn.Conv2d(120, 120, 3, padding=1, groups=120)
        self.last = nn.Conv2d(120, 120, 1)

    def forward(self, x):
        return x + self.last(self.spatial(self.first(x)))


model = nn.Sequential(nn.Conv2d(3, 120, 1), Unit(), nn.Conv2d(120, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G1, Table 1, and section 3
- Zhang et al., ShuffleNet, arXiv 1707.01083, section 3.2
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.widths import bottlenecks
from mac_profiler.subject import Subject


@rule(
    "G103",
    "thin-bottleneck",
    limit=1.15,
    metric="memory access by that of equal widths",
    confidence="high",
    remedy="use one width throughout the block; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Rows that go thin and back."""
    yield from bottlenecks(subject, limit, "thin")
