"""G404 thick-shortcut-add: the addition of a shortcut takes much of its block's time.

## What it does

Checks blocks that end in the addition of two maps, one of which passed by, or through one convolution at most: the
share of the block's predicted time that this addition takes with its elements. Its launch is left out of both: what
stands in its place has one too.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible; section 3 names the additions of ShuffleNet
V1's shortcuts as undesirable. In Table 4 a bottleneck without its shortcut is 6 to 22 % faster on a GPU, the more so
the wider it is. In thin maps, as those that MobileNet V2 adds, or beside 3x3 convolutions of full width, as in
ResNet-18, the addition is little, and is not found.

## Example

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(240, 60, 1), nn.Conv2d(60, 240, 1))

    def forward(self, x):
        return x + self.body(x)


model = nn.Sequential(nn.Conv2d(3, 240, 1), Unit())
inputs = torch.zeros(1, 3, 28, 28)
```

## Use instead

```python
class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(120, 60, 1), nn.Conv2d(60, 120, 1))

    def forward(self, x):
        kept, changed = x.chunk(2, 1)
        return torch.cat([kept, self.body(changed)], 1)


model = nn.Sequential(nn.Conv2d(3, 240, 1), Unit())
inputs = torch.zeros(1, 3, 28, 28)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, Table 4, and section 3
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.blocks import Block
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject


@rule(
    "G404",
    "thick-shortcut-add",
    limit=0.10,
    metric="share of the block's time",
    remedy="split the channels, let a part of them pass by, and concatenate; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Blocks that an addition joins."""
    for block in subject.blocks:
        if block.join is None or not (_is_shortcut(subject, block) and _adds_maps(subject, block.join)):
            continue
        together = subject.seconds_of_data(block.ops)
        share = subject.seconds_of_data([block.join]) / together if together else 0.0
        if share > limit:
            shape = "x".join(map(str, subject.ops[block.join].outputs[0].shape))
            yield Hit(
                (block.join,),
                block.join,
                f"the addition of the shortcut, {shape}, takes {share:.0%} of its block's time",
                share,
                subject.seconds_of_data([block.join]),
                subject.cost(block.join).accesses,
                proof=partial(_prove, subject, block, block.join),
            )


def _is_shortcut(subject: Subject, block: Block) -> bool:
    """Whether it passes a product, by a branch of none or of no more than the convolution that fits size and width."""
    return bool(block.fragments) and any(
        sum(i in subject.chains.products for i in branch) <= 1 for branch in block.branches
    )


def _adds_maps(subject: Subject, i: int) -> bool:
    op = subject.ops[i]
    maps = [value for value in op.inputs if value.role == "activation" and len(value.shape) > 1]
    same = len(maps) == 2 and all(prod(value.shape) == prod(op.outputs[0].shape) for value in maps)
    return same and op.target.rpartition(".")[2] in ("add", "add_")


def _prove(subject: Subject, block: Block, join: int) -> Proof | None:
    found = sketch_of(subject.profile.graph, block.ops)
    remedy = sketch_of(subject.profile.graph, block.ops, without=[join])
    return None if found is None or remedy is None else Proof(found, remedy, "the block with and without the addition")
