"""Subject: a counted model as the rules of an audit see it: its products, blocks, and what each operator takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from mac_profiler.blocks import Block, all_blocks, find_blocks
from mac_profiler.bounds import Product
from mac_profiler.cost import Cost
from mac_profiler.dataflow import Step, follow
from mac_profiler.fusion import Kernel, kernels_of
from mac_profiler.graph import Op
from mac_profiler.predict import Parts, Prediction, seconds_of
from mac_profiler.profile import Profile
from mac_profiler.structure.bottlenecks import Bottleneck, find_bottlenecks
from mac_profiler.structure.chains import Chains, find_chains
from mac_profiler.work import Work, work_of


@dataclass(frozen=True, eq=False)
class Subject:
    """What is audited.

    Attributes:
        prediction: of the model on the platform that its findings are priced by.
    """

    prediction: Prediction

    @property
    def profile(self) -> Profile:
        """The counted model."""
        return self.prediction.profile

    @property
    def ops(self) -> tuple[Op, ...]:
        """Its operators."""
        return self.profile.graph.ops

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Its operators that run, with what they read and make."""
        return tuple(follow(self.profile.graph, self.profile.costs))

    @cached_property
    def chains(self) -> Chains:
        """Its convolutions and linear layers, and how they follow each other."""
        return find_chains(self.profile, self.steps)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its fork-join blocks, nested ones too, each before those within it."""
        return tuple(all_blocks(find_blocks(self.profile.graph, self.profile.costs)))

    @cached_property
    def bottlenecks(self) -> tuple[Bottleneck, ...]:
        """Its thin and inverted bottlenecks."""
        return find_bottlenecks(self.profile.graph, self.chains)

    @cached_property
    def kernels(self) -> tuple[Kernel, ...]:
        """What an engine that fuses all it can would run."""
        return kernels_of(self.steps)

    @cached_property
    def spent(self) -> dict[int, Parts]:
        """What each operator takes, by position; of operators that run as one kernel all is on the first."""
        return {each.task.ops[0]: each.seconds for each in self.prediction.tasks}

    @property
    def measured_platform(self) -> bool:
        """Whether the platform was calibrated or learned, and not only stated."""
        return "stated" not in self.prediction.platform.provenance

    @property
    def total(self) -> float:
        """Seconds of the whole model."""
        return self.prediction.total.total

    def seconds(self, ops: Iterable[int]) -> float:
        """What some operators take together."""
        return sum(self.spent[i].total for i in ops if i in self.spent)

    def seconds_of_data(self, ops: Iterable[int]) -> float:
        """The same without launches: what fewer elements would spare, where as many operators stay."""
        return sum(self.spent[i].compute + self.spent[i].memory for i in ops if i in self.spent)

    def cost(self, i: int) -> Cost:
        """Cost of an operator; nothing where it was not counted."""
        return self.profile.costs[i] or Cost()

    def accesses(self, ops: Iterable[int]) -> int:
        """Memory access of some operators, in elements."""
        return sum(self.cost(i).accesses for i in ops)

    def work(self, i: int) -> Work:
        """What an operator gives the platform to do, by itself."""
        return work_of(self.ops[i], self.cost(i))

    def price(self, work: Work) -> float:
        """Seconds of some work on the platform."""
        return seconds_of(work, self.prediction.platform).total

    def saved(self, i: int, product: Product, accesses: int, kind: str = "") -> float:
        """Seconds less, if a product had fewer accesses to its maps at the same multiply-adds; never below 0.

        Args:
            i: position of its operator.
            product: it.
            accesses: what it would have, weights included.
            kind: of work that it would be; "" leaves it what it is.
        """
        work = self.work(i)
        maps = product.accesses - product.weights
        factor = (accesses - product.weights) / maps if maps else 1.0
        other = replace(
            work,
            kind=kind or work.kind,
            read_bytes=work.read_bytes * factor,
            write_bytes=work.write_bytes * factor,
        )
        return max(0.0, self.price(work) - self.price(other))

    def runs(self, ops: Collection[int]) -> list[int]:
        """Those that run and are counted: views do not."""
        return [i for i in ops if not self.ops[i].view and self.profile.costs[i] is not None]
