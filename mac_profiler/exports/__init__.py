"""Room: one file a format of another viewer, each with `render(audits) -> str`: what operators cost, in their order.

A format is called as its file is, with hyphens; its file is imported only when it is asked for. What is shown is
predicted, as on the platform that the audit is priced by; what several of them need stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from mac_profiler.audited import Audited
from mac_profiler.cost import Cost
from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Op
from mac_profiler.predict import Prediction, Timed
from mac_profiler.registry import did_you_mean, modules_of


def formats() -> list[str]:
    """Names of all formats."""
    return [name.rpartition(".")[2].replace("_", "-") for name in modules_of(__name__)]


def render(audits: Sequence[Audited], name: str) -> str:
    """The operators of the models in the format of that name, ending in a newline.

    Raises:
        InvalidInput: no format has that name.
    """
    if name not in formats():
        near = did_you_mean(name, formats())
        raise InvalidInput(f"no export named '{name}'.{near} The exports are {', '.join(formats())}.")
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast(str, module.render(audits))


@dataclass(frozen=True, slots=True)
class Step:
    """What runs as one: an operator, or those of a kernel.

    Attributes:
        position: in the graph, of the operator that it is named after.
        op: that operator.
        stack: paths of the modules around it, from the outside in, without the model.
        timed: its work and seconds.
        cost: of all its operators together.
    """

    position: int
    op: Op
    stack: tuple[str, ...]
    timed: Timed
    cost: Cost


def steps(prediction: Prediction) -> Iterator[Step]:
    """What runs, in order; views and operators that were not counted are not in it."""
    ops, costs = prediction.profile.graph.ops, prediction.profile.costs
    for each in prediction.tasks:
        position = each.task.ops[0]
        parts = ops[position].path.split(".") if ops[position].path else []
        stack = tuple(".".join(parts[: i + 1]) for i in range(len(parts)))
        cost = sum((cost for i in each.task.ops if (cost := costs[i]) is not None), Cost())
        yield Step(position, ops[position], stack, each, cost)
