"""G406 separate-shuffle: a copy reads what another copy has just written, as concatenation and channel shuffle do.

## What it does

Finds operators that only move data and read, but for views, nothing but what one other operator has moved, and that
is read by nobody else: a concatenation behind which a channel shuffle copies the same elements once more, then to be
split. Both can be one pass.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible. In its own unit concatenation, channel
shuffle and channel split are successive, and are merged into a single element-wise operation. Shuffling what was
concatenated from as many parts as there are groups is stacking the parts, one element of each after the other.

## Example

```python
class Unit(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = torch.cat([a, torch.relu(b)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


model = nn.Sequential(nn.Conv2d(3, 64, 1), Unit(), nn.Conv2d(64, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## Use instead

```python
class Unit(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        return torch.stack([a, torch.relu(b)], 2).flatten(1, 2)


model = nn.Sequential(nn.Conv2d(3, 64, 1), Unit(), nn.Conv2d(64, 10, 1))
inputs = torch.zeros(1, 3, 28, 28)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 3
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.remedying.stacking import stacked
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject

# What is said of copies that are no shuffle of what was concatenated, or one in another number of groups than of parts.
_OTHERWISE = "move the elements once, in one operator that writes them where they are wanted; the function stays"


@rule(
    "G406",
    "separate-shuffle",
    limit=1,
    metric="copies of the same elements in a row",
    remedy="move the elements once: stack the parts instead of concatenating and shuffling them; the function stays",
    safe=True,
    confidence="high",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Copies of copies."""
    length: dict[int, int] = {}
    for i, step in subject.chains.steps.items():
        if step.kind != "movement" or i not in subject.spent:
            continue
        versions = [version for version, _ in step.reads.values()]
        alone = len(versions) == 1 and versions[0].sole
        before = versions[0].step.index if alone and versions[0].step is not None else -1
        length[i] = length.get(before, 0) + 1
        if length[i] > limit:
            names = " and ".join(subject.ops[k].target.rpartition(".")[2] for k in (before, i))
            yield Hit(
                (before, i),
                i,
                f"{names} copy the same {subject.ops[i].outputs[0].elements} elements one after the other",
                length[i],
                subject.seconds([i]),
                subject.cost(i).accesses,
                "" if stacked(subject, before, i) is not None else _OTHERWISE,
                proof=partial(_prove, subject, before, i),
            )


def _prove(subject: Subject, first: int, second: int) -> Proof | None:
    graph = subject.profile.graph
    found, remedy = sketch_of(graph, _row(subject, first, second)), stacked(subject, first, second)
    return None if found is None or remedy is None else Proof(found, remedy, "both copies beside one that stacks")


def _row(subject: Subject, first: int, second: int) -> list[int]:
    """Both copies, and the views between."""
    made = {id(value) for value in subject.ops[first].outputs}
    ops = [first]
    for i in range(first + 1, second + 1):
        op = subject.ops[i]
        if (op.view or i == second) and any(id(value) in made for value in op.inputs):
            ops.append(i)
            made |= {id(value) for value in op.outputs}
    return ops
