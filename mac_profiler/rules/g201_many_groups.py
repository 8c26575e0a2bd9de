"""G201 many-groups: a convolution with a kernel above 1x1 works in groups.

## What it does

Checks convolutions of several groups, depthwise ones left out (see G405), against the memory access of a dense
convolution of equal widths with the same multiply-adds, map sizes and kernel.

## Why is this bad?

Guideline G2 of ShuffleNet V2: excessive group convolution increases memory access cost. At given multiply-adds g
groups have sqrt(g) times the channels, and so many times the access to maps. In its Table 2, at equal multiply-adds,
8 groups run at 26 % of the speed of one on a GPU (634 instead of 2451 batches a second), and at 70 % on an ARM core.
Two groups where weights are most of the access, as in AlexNet's last layers, cost nothing, and are not found.

## Example

```python
model = nn.Sequential(nn.Conv2d(3, 128, 1), nn.Conv2d(128, 128, 3, padding=1, groups=32), nn.Conv2d(128, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
model = nn.Sequential(nn.Conv2d(3, 24, 1), nn.Conv2d(24, 24, 3, padding=1), nn.Conv2d(24, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G2, eq. 2, Table 2
- Xie et al., ResNeXt, arXiv 1611.05431
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.grouping import grouped
from mac_profiler.subject import Subject


@rule(
    "G201",
    "many-groups",
    limit=1.15,
    metric="memory access by that of a dense convolution",
    remedy="use fewer groups of fewer channels; this changes the network",
    confidence="high",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Kernels above 1x1."""
    yield from grouped(subject, limit, lambda product: product.kernel_area > 1)
