"""G301 fragmented-block: a building block is made of many small convolutions and poolings, several side by side.

## What it does

Checks fork-join blocks (see `mac_profiler.blocks`) in which at least three convolutions, matrix products or poolings,
or nested blocks, need nothing of each other, and that are wider than half their depth: the number of their fragments.
A row of blocks, such as a whole network around its skip connections, is no building block.

## Why is this bad?

Guideline G3 of ShuffleNet V2: network fragmentation reduces degree of parallelism, and each operator has its launch
and its synchronisation. The paper counts 13 fragments in a block of NASNet-A, a separable convolution as one, and 2
or 3 in regular structures like ResNet. In Table 3, at equal multiply-adds, a block of 4 fragments in parallel runs at
28 % of the speed of one of 1 fragment on a GPU (691 instead of 2446 batches a second), and at 87 % on an ARM core.
What is lost is told from launches alone: those of the block beyond three fragments' share.

## Example

```python
class Cell(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels // 4, 3, padding=1))
            for _ in range(4)
        )

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1)


model = nn.Sequential(nn.Conv2d(3, 64, 1), Cell(64), Cell(64))
inputs = torch.zeros(1, 3, 28, 28)
```

## Use instead

```python
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        return x + self.body(x)


model = nn.Sequential(nn.Conv2d(3, 64, 1), Block(64), Block(64))
inputs = torch.zeros(1, 3, 28, 28)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G3, Table 3, appendix Figure 1
- Zoph et al., NASNet, arXiv 1707.07012
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.blocks import Block
from mac_profiler.remedying.drafts import plain_block
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject

# A residual block of the plain sort has so many.
PLAIN = 3
FEWEST_SIDE_BY_SIDE = 3
# Of the operators of a block that run.
LEAST_PART = 0.25


@rule(
    "G301",
    "fragmented-block",
    limit=5,
    metric="convolutions, products and poolings in a block",
    remedy="build the block of two or three larger convolutions; this changes the network",
    confidence="medium",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Blocks, the outermost of one module."""
    found: set[int] = set()
    for block in subject.blocks:
        wide = block.width >= FEWEST_SIDE_BY_SIDE and block.depth <= 2 * block.width
        ran = subject.runs(block.ops)
        # Of a detector's bookkeeping a few products are no building block.
        made_of_them = len(block.fragments) >= LEAST_PART * len(ran)
        if len(block.fragments) > limit and wide and made_of_them and found.isdisjoint(block.ops):
            found.update(block.ops)
            yield Hit(
                tuple(ran),
                block.join if block.join is not None else ran[-1],
                f"block of {len(block.fragments)} convolutions, products and poolings, {len(ran)} operators in all, "
                f"up to {block.width} units side by side",
                len(block.fragments),
                sum(subject.spent[i].launch for i in ran if i in subject.spent) * (1 - PLAIN / len(block.fragments)),
                0,
                proof=partial(_prove, subject, block),
            )


def _prove(subject: Subject, block: Block) -> Proof | None:
    found = sketch_of(subject.profile.graph, block.ops)
    remedy = plain_block(subject, block)
    if found is None or remedy is None:
        return None
    return Proof(found, remedy, f"the block beside {PLAIN} convolutions with batch-norm and ReLU")
