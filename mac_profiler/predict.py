"""Predict: seconds of every operator of a counted model on a platform, in three parts that add up.

    seconds = compute + memory + launch

of each operator, by the law of its kind of work (`mac_profiler.platform`). Nothing overlaps in it: what a machine hides
of one part behind another is in the laws, which were learned from whole times. An operator is bound by its largest
part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mac_profiler.platform import Platform
from mac_profiler.profile import Profile, ancestors
from mac_profiler.work import Task, Work, tasks

Bound = Literal["compute", "memory", "launch"]


@dataclass(frozen=True, slots=True)
class Parts:
    """Seconds, in parts.

    Attributes:
        compute: of operations.
        memory: of bytes.
        launch: of calls.
    """

    compute: float = 0.0
    memory: float = 0.0
    launch: float = 0.0

    @property
    def total(self) -> float:
        """All three."""
        return self.compute + self.memory + self.launch

    @property
    def bound(self) -> Bound:
        """The largest."""
        named: list[tuple[float, Bound]] = [
            (self.compute, "compute"), (self.memory, "memory"), (self.launch, "launch")
        ]  # fmt: skip
        return max(named, key=lambda each: each[0])[1]

    def __add__(self, other: Parts) -> Parts:
        return Parts(self.compute + other.compute, self.memory + other.memory, self.launch + other.launch)


@dataclass(frozen=True, slots=True)
class Timed:
    """One operator, or those of one kernel, with its seconds."""

    task: Task
    seconds: Parts


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model takes on a platform.

    Attributes:
        profile: the counted model.
        platform: where.
        tasks: every operator that runs, or every kernel of a fusing engine, in order.
    """

    profile: Profile
    platform: Platform
    tasks: tuple[Timed, ...]

    @cached_property
    def total(self) -> Parts:
        """Of the whole model; operators that were not counted are not in it."""
        return _sum(each.seconds for each in self.tasks)

    @property
    def interval(self) -> tuple[float, float]:
        """Seconds within which nine in ten models are, that were held out when the platform was learned."""
        spread = 1 + self.platform.error
        return self.total.total / spread, self.total.total * spread

    def by_kind(self) -> dict[str, Parts]:
        """By kind of work, the longest first."""
        return _ranked(self.tasks, lambda each: [each.task.work.kind])

    def by_module(self, depth: int | None = None) -> dict[str, Parts]:
        """By module, its children included; "" is the model.

        Args:
            depth: levels below the model; None takes all.
        """
        ops = self.profile.graph.ops

        def around(each: Timed) -> list[str]:
            paths = ancestors(ops[each.task.ops[0]].path)
            return paths if depth is None else paths[: depth + 1]

        sums: dict[str, Parts] = {}
        for each in self.tasks:
            for path in around(each):
                sums[path] = sums.get(path, Parts()) + each.seconds
        return sums

    @property
    def ideal(self) -> float:
        """Seconds if every multiply-add ran at the best rate that the platform has for any, and nothing else did."""
        rates = [law.operation_seconds for kind, law in self.platform.laws.items() if kind in _DENSE]
        best = min((seconds for seconds in rates if seconds > 0), default=0.0)
        return best * self.profile.total.mult_adds


_DENSE = ("dense_conv", "pointwise_conv", "linear", "matmul")


def predict(profile: Profile, platform: Platform) -> Prediction:
    """Seconds of every operator, from counts alone: nothing is run.

    Args:
        profile: of `mac_profiler.analyze`; in it are the batch and the sizes of the maps.
        platform: of `macprof calibrate`, or learned from a table.
    """
    found = tasks(profile, fused=platform.fused)
    return Prediction(profile, platform, tuple(Timed(task, seconds_of(task.work, platform)) for task in found))


def seconds_of(work: Work, platform: Platform) -> Parts:
    """The three parts of one operator's time."""
    law = platform.law(work.kind)
    maps = work.read_bytes * law.read_seconds + work.write_bytes * law.write_seconds
    if maps:
        maps *= platform.stretch(work.read_bytes + work.write_bytes)
    return Parts(
        work.operations * law.operation_seconds,
        maps + work.weight_bytes * law.weight_seconds,
        work.calls * law.launch_seconds,
    )


def _sum(parts: object) -> Parts:
    compute = memory = launch = 0.0
    for each in parts:  # type: ignore[attr-defined]
        compute += each.compute
        memory += each.memory
        launch += each.launch
    return Parts(compute, memory, launch)


def _ranked(found: tuple[Timed, ...], keys: Callable[[Timed], list[str]]) -> dict[str, Parts]:
    sums: Mapping[str, list[Parts]] = {}
    grouped: dict[str, list[Parts]] = dict(sums)
    for each in found:
        for key in keys(each):
            grouped.setdefault(key, []).append(each.seconds)
    totals = {key: _sum(parts) for key, parts in grouped.items()}
    return dict(sorted(totals.items(), key=lambda item: -item[1].total))
