"""G302 launch-bound-operators: many small operators in a row, each of which takes longer to launch than to run.

## What it does

Checks the operators of each module's own code, convolutions, products and poolings left out, that hand data to each
other and that the platform takes longer to launch than to compute or to move their data: how many there are in one
place. On a platform whose software fuses them there are none.

## Why is this bad?

Guideline G3 of ShuffleNet V2: fragmentation lowers parallelism and adds the overheads of launching and synchronising
kernels. A norm written out as six operators on a small tensor takes six launches for a handful of work.

## Example

```python
class Norm(nn.Module):
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        centred = x - mean
        variance = centred.pow(2).mean(-1, keepdim=True)
        return centred / torch.sqrt(variance + 1e-6)


model = nn.Sequential(nn.Linear(64, 64), Norm(), nn.Linear(64, 64))
inputs = torch.zeros(16, 64)
```

## Use instead

```python
model = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64, eps=1e-6, elementwise_affine=False), nn.Linear(64, 64))
inputs = torch.zeros(16, 64)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G3
"""

from __future__ import annotations

from collections.abc import Iterator

from mac_profiler.audit import Hit, rule
from mac_profiler.blocks import is_fragment
from mac_profiler.structure.regions import connected
from mac_profiler.subject import Subject


@rule(
    "G302",
    "launch-bound-operators",
    limit=4,
    metric="launch-bound operators that hang together",
    remedy="use one operator that does the same, or compile the module (torch.compile); the function stays",
    safe=True,
    confidence="medium",
    most="warning",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """What hangs together within one module's own code."""
    launch_bound = {
        i
        for i, spent in subject.spent.items()
        if spent.launch > 0 and spent.bound == "launch" and not is_fragment(subject.ops[i])
    }
    for group in connected(sorted(launch_bound), _handed(subject, launch_bound)):
        if len(group) > limit:
            launches = sum(subject.spent[i].launch for i in group)
            yield Hit(
                group,
                group[0],
                f"{len(group)} operators that hand data to each other take longer to launch than to run",
                len(group),
                launches * (1 - 1 / len(group)),
                0,
            )


def _handed(subject: Subject, ops: set[int]) -> Iterator[tuple[int, int]]:
    """Pairs of operators of one module of which the second reads what the first made."""
    for i in ops:
        for version, _ in subject.chains.steps[i].reads.values():
            if version.step is not None and subject.ops[version.step.index].path == subject.ops[i].path:
                yield version.step.index, i
