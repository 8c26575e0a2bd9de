"""G403 element-wise-heavy-block: most of a block's memory access is that of passes that compute next to nothing.

## What it does

Checks the innermost fork-join blocks with a convolution or matrix product: the share of their memory access that is
left to kernels of element-wise operators and copies alone, on an engine that fuses all it can (`mac_profiler.fusion`:
batch-norm folded, activations and additions in the kernel before them). Depthwise convolutions are not among them;
see G405.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible; they have few FLOPs, and much memory
access. In its Figure 2 they take 15 % of ShuffleNet V1's and 23 % of MobileNet V2's time on a GPU, though hardly a
FLOP is theirs.

## Example

```python
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(32, 32, 1)

    def forward(self, x):
        y = self.conv(x)
        return x.roll(1, 2) * x.roll(2, 3) + x.flip(2) * x.roll(3, 2) + y


model = nn.Sequential(nn.Conv2d(3, 32, 1), Block())
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(32, 32, 1)

    def forward(self, x):
        return x + self.conv(x)


model = nn.Sequential(nn.Conv2d(3, 32, 1), Block())
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, Figure 2
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.blocks import Block
from mac_profiler.fusion import Kernel
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject


@rule(
    "G403",
    "element-wise-heavy-block",
    limit=0.5,
    metric="share of memory access, element-wise passes and copies",
    remedy="leave passes over the maps out, or bring them together; this changes the network",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Blocks that hold no other one of these."""
    kernels = {kernel.ops[0]: kernel for kernel in subject.kernels}
    for block in subject.blocks:
        if not block.fragments or any(inner.fragments for inner in block.inner):
            continue
        own = [kernels[i] for i in block.ops if i in kernels]
        passes = [kernel for kernel in own if _is_pass(subject, kernel)]
        total, moved = _accesses(own), _accesses(passes)
        if total and moved / total > limit:
            ops = [i for kernel in passes for i in kernel.ops]
            yield Hit(
                tuple(ops),
                ops[0],
                f"{moved / total:.0%} of the memory access of a block is that of element-wise operators and copies, "
                f"in {len(passes)} pass{'es' if len(passes) > 1 else ''}",
                moved / total,
                subject.seconds(ops),
                moved,
                proof=partial(_prove, subject, block, ops),
            )


def _is_pass(subject: Subject, kernel: Kernel) -> bool:
    return all(subject.chains.steps[i].kind in ("elementwise", "movement") for i in kernel.ops)


def _accesses(kernels: list[Kernel]) -> int:
    return sum(kernel.cost.accesses for kernel in kernels if kernel.cost is not None)


def _prove(subject: Subject, block: Block, ops: list[int]) -> Proof | None:
    found = sketch_of(subject.profile.graph, block.ops)
    remedy = sketch_of(subject.profile.graph, block.ops, without=ops)
    return None if found is None or remedy is None else Proof(found, remedy, "the block with and without these passes")
