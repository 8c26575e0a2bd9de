"""G102 unequal-linear-width: a linear layer reads many more features than it writes, or far fewer.

## What it does

Checks the memory access of each linear layer against that of equal widths, the least of any, at the same multiply-adds
and number of rows, as G101 does for convolutions. The first and the last layer of the network are left out.

## Why is this bad?

A linear layer on n rows is a 1x1 convolution on n positions, and guideline G1 of ShuffleNet V2 holds for it as its
derivation does: n (c1 + c2) + c1 c2 is least at c1 = c2. With few rows the weights are most of it, and there unequal
widths cost nothing: it is only found in layers that work on many rows, such as the tokens of a batch.

## Example

```python
model = nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 512), nn.Linear(512, 8))
inputs = torch.zeros(4096, 8)
```

## Use instead

```python
model = nn.Sequential(nn.Linear(8, 128), nn.Linear(128, 128), nn.Linear(128, 8))
inputs = torch.zeros(4096, 8)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G1, eq. 1
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.drafts import title
from mac_profiler.remedying.widths import unequal
from mac_profiler.subject import Subject


@rule(
    "G102",
    "unequal-linear-width",
    limit=1.15,
    metric="memory access by that of equal widths",
    confidence="high",
    remedy="bring the numbers of features read and written nearer to each other; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Linear layers."""
    yield from unequal(subject, limit, lambda op: title(op) == "linear layer")
