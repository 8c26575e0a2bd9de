"""G202 grouped-pointwise: a 1x1 convolution works in groups.

## What it does

Checks 1x1 convolutions of several groups against the memory access of a dense one of equal widths with the same
multiply-adds and map sizes.

## Why is this bad?

Guideline G2 of ShuffleNet V2: excessive group convolution increases memory access cost; section 3 finds ShuffleNet V1
to depend on it heavily. A 1x1 convolution has few multiply-adds for each element that it reads, so that here groups
cost most: at given multiply-adds and input its access is hw c1 + B g / c1 + B / hw, and grows with g. In Table 2 of
the paper 8 groups run at 26 % of the speed of one on a GPU, and at 70 % on an ARM core. And groups need a shuffle,
which is one more pass over the maps.

## Example

```python
model = nn.Sequential(nn.Conv2d(3, 240, 1), nn.Conv2d(240, 240, 1, groups=8), nn.Conv2d(240, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## Use instead

```python
model = nn.Sequential(nn.Conv2d(3, 88, 1), nn.Conv2d(88, 88, 1), nn.Conv2d(88, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G2, eq. 2, Table 2, and section 3
- Zhang et al., ShuffleNet, arXiv 1707.01083
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.grouping import grouped
from mac_profiler.subject import Subject


@rule(
    "G202",
    "grouped-pointwise",
    limit=1.15,
    metric="memory access by that of a dense convolution",
    remedy="use fewer channels without groups; this changes the network",
    confidence="high",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Kernels of 1x1."""
    yield from grouped(subject, limit, lambda product: product.kernel_area == 1)
