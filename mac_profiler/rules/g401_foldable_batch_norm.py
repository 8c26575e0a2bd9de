"""G401 foldable-batch-norm: a batch-norm with fixed statistics runs by itself behind a convolution or linear layer.

## What it does

Finds batch-norm in eval mode whose input comes straight from a convolution or linear layer and is read by nobody
else. There its factor and its shift can go into the weights and the bias of that layer. On a platform whose software
folds it, nothing is found.

## Why is this bad?

Guideline G4 of ShuffleNet V2: element-wise operations are non-negligible. A batch-norm reads and writes the whole map
for two operations an element. Engines fold it; torch in eager mode does not. It is a note, for folding belongs to
deployment: while the network is trained, batch-norm has to stay.

## Example

```python
model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32)).eval()
inputs = torch.zeros(1, 3, 56, 56)
```

## Use instead

```python
layers = nn.Conv2d(3, 32, 3).eval(), nn.BatchNorm2d(32).eval()
model = torch.nn.utils.fusion.fuse_conv_bn_eval(*layers)
inputs = torch.zeros(1, 3, 56, 56)
```

## References

- Ma et al., ShuffleNet V2, arXiv 1807.11164v1, section 2, G4, and appendix
- torch.nn.utils.fusion.fuse_conv_bn_eval
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mac_profiler.audit import Hit, Proof, rule
from mac_profiler.graph import Op
from mac_profiler.kinds import linear_in_weight, normalises_by_batch
from mac_profiler.remedying.drafts import row
from mac_profiler.sketch import sketch_of
from mac_profiler.subject import Subject


@rule(
    "G401",
    "foldable-batch-norm",
    limit=0,
    metric="batch-norms behind a layer that they fold into",
    remedy="fold it into the layer for inference (--fix-preview shows it); the function stays",
    safe=True,
    confidence="high",
    most="info",
)
def check(subject: Subject, limit: float) -> Iterator[Hit]:
    """Batch-norms."""
    pairs = [pair for i in subject.chains.steps if (pair := _foldable(subject, i)) is not None]
    for layer, norm in pairs if len(pairs) > limit else ():
        yield Hit(
            (norm,),
            norm,
            "a batch-norm with fixed statistics runs by itself behind the layer that it can be folded into",
            len(pairs),
            subject.seconds([norm]),
            subject.cost(norm).accesses,
            proof=partial(_prove, subject, layer, norm),
        )


def _foldable(subject: Subject, i: int) -> tuple[int, int] | None:
    step = subject.chains.steps[i]
    if i not in subject.spent or step.kind != "elementwise" or not normalises_by_batch(step.op):
        return None
    for version, _ in step.reads.values():
        maker = version.step
        if maker is not None and version.sole and linear_in_weight(maker.op) and _of_outputs(maker.op):
            constant = any(region.role == "weight" for region in maker.reads)
            return (maker.index, i) if constant else None
    return None


def _of_outputs(layer: Op) -> bool:
    """Whether batch-norm behind it is of its outputs: behind a linear layer on several tokens it is of the tokens."""
    return "conv" in layer.target or len(layer.outputs[0].shape) == 2


def _prove(subject: Subject, layer: int, norm: int) -> Proof | None:
    found = sketch_of(subject.profile.graph, [layer, norm])
    product = subject.chains.products.get(layer) or subject.chains.depthwise.get(layer)
    if found is None or product is None:
        return None
    widths = product.channels_in, product.channels_out, product.groups
    remedy = row(subject, [layer], [widths], biased=True)
    return None if remedy is None else Proof(found, remedy, "the layer and batch-norm beside the layer with a bias")
