"""G101 unequal-channel-width: a convolution reads many more channels than it writes, or far fewer.

## What it does

Checks the memory access of each convolution against that of equal widths, at the same multiply-adds, map sizes,
kernel, stride and groups. With n positions read and m written, c1 and c2 channels and W weights it is n c1 + m c2 + W,
and at equal widths (n + m) sqrt(c1 c2) + W, the least of any widths where maps keep their size. The first layer is
left out, for its input is given, and so is the last. Depthwise convolutions have one width. Rows that go thin, or
thick, and back are G103 and G104.

## Why is this bad?

Guideline G1 of ShuffleNet V2: equal channel width minimizes memory access cost. In its Table 1, at equal
multiply-adds, 1x1 convolutions of widths 1 : 6 run at 59 % of the speed of equal ones on a GPU (876 instead of 1480
batches a second), and of 1 : 12 at 51 %. The limit, 1.15, is that of widths 1 : 3 where weights are few. Where
weights are most of the access, as on small maps, unequal widths cost nothing, and are not found.

## Example

```python
model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 256, 1), nn.Conv2d(256, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
model = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 10, 1))
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G1, eq. 1 and 2, Table 1
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.drafts import title
from mac_profiler.remedying.widths import unequal
from mac_profiler.subject import Subject


@rule(
    "G101",
    "unequal-channel-width",
    limit=1.15,
    metric="memory access by that of equal widths",
    confidence="high",
    remedy="bring the numbers of channels read and written nearer to each other; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Convolutions."""
    yield from unequal(subject, limit, lambda op: title(op) != "linear layer")
