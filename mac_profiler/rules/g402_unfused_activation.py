"""G402 unfused-activation: an activation runs by itself behind a convolution or linear layer.

## What it does

Finds element-wise operators of one operand, such as ReLU, that read what a convolution, a linear layer or the
batch-norm behind it made, and that nobody else reads. On a platform whose software runs them in the kernel before,
nothing is found.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible. In its Table 4 ReLU and the shortcut's
addition together take a seventh of a bottleneck's time on a GPU (2842 instead of 2427 batches a second without them).
Engines run an activation in the kernel of the layer before it; torch in eager mode does not. It is a note: the
network needs it.

## Example

```python
model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 8, 3))
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
# An engine that fuses: torch.compile, or a graph with convolution and activation as one operator.
model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.Conv2d(32, 8, 3))
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, Table 4
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.kinds import linear_in_weight, normalises_by_batch
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject


@rule(
    "G402",
    "unfused-activation",
    limit=0,
    metric="activations behind a layer that they could run with",
    remedy="run the model where activations are fused, as under torch.compile; the function stays",
    safe=True,
    confidence="high",
    most="info",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Activations."""
    pairs = [pair for i in subject.chains.steps if (pair := _behind(subject, i)) is not None]
    for layer, activation in pairs if len(pairs) > limit else ():
        yield Hit(
            (activation,),
            activation,
            "an activation runs by itself behind the layer that it could run with",
            len(pairs),
            subject.seconds([activation]),
            subject.cost(activation).accesses,
            proof=partial(_prove, subject, layer, activation),
        )


def _behind(subject: Subject, i: int) -> tuple[int, int] | None:
    """The layer, or the batch-norm behind it, that an activation reads alone."""
    step = subject.chains.steps[i]
    tensors = [value for value in step.op.inputs if value.role == "activation"]
    if i not in subject.spent or step.kind != "elementwise" or len(tensors) != 1 or normalises_by_batch(step.op):
        return None
    for version, _ in step.reads.values():
        maker = version.step
        if maker is not None and version.sole and (linear_in_weight(maker.op) or normalises_by_batch(maker.op)):
            return maker.index, i
    return None


def _prove(subject: Subject, layer: int, activation: int) -> Proof | None:
    graph = subject.profile.graph
    found = sketch_of(graph, [layer, activation])
    remedy = sketch_of(graph, [layer, activation], without=[activation])
    return None if found is None or remedy is None else Proof(found, remedy, "the layer with and without activation")
