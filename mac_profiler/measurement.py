"""What is measured and what came out: plain data. Everything derived from it (median, interval) is in `intervals`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Scalar = str | int | float | bool
# The benchmark that networks belong to which are measured as they are.
MODELS = "model"


@dataclass(frozen=True, slots=True)
class Case:
    """One configuration that is timed.

    Attributes:
        benchmark: what it belongs to: "g1".
        group: cases of one group are compared with each other, and are timed in turns.
        name: its own, within the group; the first of a group is what the others are compared with.
        axes: what distinguishes it, and what is fixed: channels, groups, size, batch.
        build: makes the module and its inputs, on the CPU; None where a case was read from a store.
    """

    benchmark: str
    group: str
    name: str
    axes: Mapping[str, Scalar] = field(default_factory=dict)
    build: Callable[[], tuple[Any, tuple[Any, ...]]] | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What it is called in a store: unique, and the same in every run."""
        return f"{self.benchmark}/{self.group}/{self.name}"


@dataclass(frozen=True, slots=True)
class Settings:
    """How it is measured; runs of other settings are not to be merged.

    Attributes:
        device: "cpu", "cuda" or "mps".
        threads: of one operator, on the CPU.
        dtype: of weights and inputs, torch's name.
        channels_last: memory format of maps.
        compiled: through torch.compile.
        cold: caches are flushed before every call.
        graph: replay a CUDA graph, so that launches are not in the time.
        precision: the interval of the median is to be narrower than this share of it, to either side.
        confidence: of every interval.
        processes: so many processes time every case; what differs between them is part of the interval.
        min_rounds: samples of a case and process at least.
        max_seconds: for a case, all processes together; then it stops, precise or not.
        sample_seconds: a sample lasts at least so long, by repeating the call.
        warmup_seconds: longest warm-up of a case.
        seed: of the order in which the cases of a group take turns, and of resampling.
    """

    device: str = "cpu"
    threads: int = 1
    dtype: str = "float32"
    channels_last: bool = False
    compiled: bool = False
    cold: bool = False
    graph: bool = False
    precision: float = 0.01
    confidence: float = 0.99
    processes: int = 3
    min_rounds: int = 15
    max_seconds: float = 4.0
    sample_seconds: float = 0.005
    warmup_seconds: float = 1.0
    seed: int = 0

    def with_limits(self, max_seconds: float | None, processes: int | None) -> Settings:
        """The same, where a limit is given with that limit."""
        return replace(self, max_seconds=max_seconds or self.max_seconds, processes=processes or self.processes)

    def with_threads(self, threads: int) -> Settings:
        """The same, with so many threads."""
        return replace(self, threads=threads)

    def as_json(self) -> dict[str, Scalar]:
        """The settings by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    """One timing of one case.

    Attributes:
        process: number of the process that took it.
        round: in one round every case of the group was timed once, in random order.
        seconds: of one call, the mean over the calls of the sample.
        calls: how many.
    """

    process: int
    round: int
    seconds: float
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that was seen of one case.

    Attributes:
        case: what was timed.
        samples: raw, in the order in which they were taken.
        stopped: why no more were taken: "precise", "time is up", or what failed.
        warnings: what a reader must know of the samples, with cause and remedy.
        peak_bytes: most memory that one call needed beside weights and inputs; None where it is not known.
        environment: machine and versions, see `mac_profiler.environment`.
    """

    case: Case
    samples: tuple[Sample, ...]
    stopped: str
    warnings: tuple[str, ...] = ()
    peak_bytes: int | None = None
    environment: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def seconds(self) -> list[float]:
        """Seconds of a call, a value a sample."""
        return [sample.seconds for sample in self.samples]


class Stopped(Exception):
    """Measuring was interrupted from outside; what was seen until then is kept."""
