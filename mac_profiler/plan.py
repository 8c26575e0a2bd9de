"""Plan: which cases a run of `macprof bench` measures, as data that another process can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from mac_profiler import benchmarks, models, probes
from mac_profiler.errors import InvalidInput
from mac_profiler.measurement import MODELS, Case, Scalar, Settings

# What sketches are measured as, and one of them: group, name, and the sketch as a text.
SKETCHES = "audit"
Drawn = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and how.

    Attributes:
        benchmarks: names in the room of benchmarks.
        models: names that `macprof analyze --model` takes; they are compared with each other.
        arguments: for building every model.
        inputs: texts like "8x3x224x224", for every model; none takes its own.
        batch: images at once, for models without inputs given.
        quick: fewer sizes, and the time of a case cut short.
        settings: how.
        probes: those of a calibration, too.
        sketches: parts of models, and what should stand in their place.
    """

    benchmarks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    batch: int = 1
    quick: bool = False
    settings: Settings = field(default_factory=Settings)
    probes: bool = False
    sketches: tuple[Drawn, ...] = ()

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> Plan:
        """What `to_text` wrote."""
        read = json.loads(text)
        read["settings"] = Settings(**read["settings"])
        for name in ("benchmarks", "models", "inputs"):
            read[name] = tuple(read[name])
        read["sketches"] = tuple(tuple(drawn) for drawn in read["sketches"])
        return Plan(**read)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of what is measured, for the store's list and for --resume."""
        chosen = (benchmark.NAME for benchmark in benchmarks.choose(self.benchmarks))
        said = {"quick": self.quick, probes.CALIBRATION: self.probes, SKETCHES: bool(self.sketches)}
        marks = [name for name, wanted in said.items() if wanted]
        return (*chosen, *self.models, *marks)


def cases_of(plan: Plan) -> list[Case]:
    """All cases, those of a group together; imports no torch.

    Raises:
        UnknownName: no such benchmark.
        InvalidInput: nothing is to be measured, or a model is named twice.
    """
    chosen = benchmarks.choose(plan.benchmarks)
    found = [case for benchmark in chosen for case in benchmark.cases(plan.settings, quick=plan.quick)]
    if len(set(plan.models)) < len(plan.models):
        twice = next(name for name in plan.models if plan.models.count(name) > 1)
        raise InvalidInput(f"--model {twice} is given twice; name each model once")
    found += [_model_case(plan, name) for name in plan.models]
    if plan.probes:
        found += probes.cases(plan.settings)
    found += [Case(SKETCHES, group, name, {}, partial(_rebuild, text)) for group, name, text in plan.sketches]
    if not found:
        raise InvalidInput(f"nothing to measure: name a benchmark ({', '.join(benchmarks.names())}, all) or --model")
    return found


def _rebuild(text: str) -> tuple[Any, tuple[Any, ...]]:
    from mac_profiler.rebuilding import rebuild

    return rebuild(text)


def _model_case(plan: Plan, name: str) -> Case:
    def build() -> tuple[Any, tuple[Any, ...]]:
        built = models.find(name, plan.arguments, plan.inputs, device="cpu", batch=plan.batch)
        if built.kwargs:
            raise InvalidInput(f"{name} takes inputs by name; bench measures models that are called with tensors alone")
        return built.module, built.args

    given = "+".join(plan.inputs) or f"batch {plan.batch}"
    axes: dict[str, Scalar] = {"model": name, "batch": plan.batch}
    axes |= {key: str(value) for key, value in plan.arguments.items()}
    return Case(MODELS, given, name, axes, build)


def shortened(settings: Settings) -> Settings:
    """The settings of --quick: a look, with one process and a third of the time."""
    return replace(settings, processes=1, max_seconds=0.3 * settings.max_seconds, min_rounds=9, warmup_seconds=0.3)
