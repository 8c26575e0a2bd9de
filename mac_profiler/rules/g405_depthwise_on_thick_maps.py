"""G405 depthwise-on-thick-maps: depthwise convolution and activations work on maps thicker than the block's.

## What it does

Finds inverted bottlenecks with a depthwise convolution between, and what thick width it works on, by the thin widths
that the block begins and ends with.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible, and a depthwise convolution is taken for
one of them, as it has much memory access for its FLOPs. Of MobileNet V2 the paper says that depthwise convolutions
and ReLUs on thick maps violate G4: with an expansion of 6, six times as many elements pass through each as the block
hands on.

## Example

```python
model = nn.Sequential(
    nn.Conv2d(3, 24, 1),
    nn.Conv2d(24, 144, 1),
    nn.ReLU6(),
    nn.Conv2d(144, 144, 3, padding=1, groups=144),
    nn.ReLU6(),
    nn.Conv2d(144, 24, 1),
    nn.Conv2d(24, 10, 1),
)
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
model = nn.Sequential(
    nn.Conv2d(3, 64, 1),
    nn.Conv2d(64, 64, 1),
    nn.ReLU6(),
    nn.Conv2d(64, 64, 3, padding=1, groups=64),
    nn.ReLU6(),
    nn.Conv2d(64, 64, 1),
    nn.Conv2d(64, 10, 1),
)
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, and section 3
- Sandler et al., MobileNetV2, arXiv 1801.04381
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, rule
from mac_profiler.remedying.widths import prove_even
from mac_profiler.subject import Subject


@rule(
    "G405",
    "depthwise-on-thick-maps",
    limit=2,
    metric="width of the depthwise convolution by that of the block",
    remedy="let depthwise convolution and activations work on the block's own width; this changes the network",
    confidence="high",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Inverted bottlenecks."""
    for each in subject.bottlenecks:
        depthwise = [i for i in each.ops if i in subject.chains.depthwise]
        if each.kind != "inverted" or not depthwise or each.ratio <= limit:
            continue
        a, m, b = each.widths
        thick = [i for i in subject.runs(each.between) if i not in subject.chains.products]
        # What the even form has of these operators stays.
        left_out = max(0.0, 1 - each.even_width / m)
        yield Hit(
            tuple(thick),
            depthwise[0],
            f"a depthwise convolution and {len(thick) - len(depthwise)} passes work on {m} channels, between {a} and "
            f"{b}",
            each.ratio,
            subject.seconds_of_data(thick) * left_out,
            round(subject.accesses(thick) * left_out),
            proof=partial(prove_even, subject, each),
        )
