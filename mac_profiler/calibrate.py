"""Calibrate: the laws of a machine from the measured times of its probes.

Two steps, each a fit by `mac_profiler.learning`:

1. Of each kind of work by itself, the five numbers of its law, from the probes of that kind (`mac_profiler.probes`).
   There code and maps are hot.
2. What a network adds to that, from the probes that are networks: seconds of a launch, of a byte of weights and of a
   byte of maps of convolutions, which come from farther away, and go into memory that the system hands out anew.

Each network is held out once. How far off its time is then told, and how far the processes that measured are apart, are
together the error that the profile states: nine in ten of either are no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from mac_profiler.errors import MeasureFailed
from mac_profiler.facts import Probed, drift, facts_of, undisturbed
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.learning import Learned, Number, Observation, laws_of, learn
from mac_profiler.measurement import Scalar, Settings
from mac_profiler.platform import Bandwidth, Law, Platform
from mac_profiler.predict import seconds_of
from mac_profiler.probes import BANDWIDTH, NETWORK
from mac_profiler.work import Work, tally

# A minute for all probes: a case has a fraction of a second, and is as precise as that makes it.
SETTINGS = Settings(
    processes=2, max_seconds=0.18, min_rounds=5, sample_seconds=0.001, warmup_seconds=0.05, precision=0.02
)
CONVOLUTIONS = tuple(kind for kind in PRODUCTS if kind.endswith("_conv"))


def _each(kinds: Sequence[str], *amounts: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, amount) for kind in kinds for amount in amounts)


# What a network adds. Usual sizes as in `mac_profiler.fitting`. Convolutions alone: passes take in a network what
# they take by themselves, and the weights of linear layers come from memory in their probes too.
ADDED = (
    Number("launch of a convolution", _each(CONVOLUTIONS, "calls"), 5e4),
    Number("byte of maps of a convolution", _each(CONVOLUTIONS, "read_bytes", "write_bytes"), 2),
    Number("byte of weights of a convolution", _each(CONVOLUTIONS, "weight_bytes"), 2),
)
# Enough to choose among numbers that one network cannot tell apart, too little to move what the networks do tell.
PULL = 0.02


def learn_platform(
    name: str, probed: Sequence[Probed], settings: Settings, provenance: Mapping[str, Scalar]
) -> Platform:
    """The platform that the probes tell of.

    Args:
        name: of the platform.
        probed: all probes.
        settings: that they were measured with.
        provenance: of the machine.

    Raises:
        MeasureFailed: a kind of work was not measured at all.
    """
    seconds = {id(each): undisturbed(each.measurement.seconds) for each in probed if each.measurement.samples}
    known = [each for each in probed if id(each) in seconds]
    bandwidths = _bandwidths(known, seconds)
    # Before any law there is the curve by which maps that no cache holds take longer.
    bare = Platform(name, settings.device, settings.dtype, settings.compiled, {}, bandwidths)
    laws: dict[str, Law] = {}
    for kind in KINDS:
        own = [
            Observation(each.measurement.case.name, _stretched(each.works, bare), seconds[id(each)])
            for each in known
            if each.group == kind
        ]
        if own:
            numbers = [Number(amount, ((kind, amount),)) for amount in _amounts_of(kind)]
            laws |= laws_of(numbers, learn(own, numbers).values)
        elif kind != "other":
            raise MeasureFailed(f"no probe of {kind} could be measured; see 'macprof bench' for what fails here")
    laws["other"] = laws["movement"]
    hot = replace(bare, laws=laws)
    added = _added(known, hot, seconds)
    extra = laws_of(ADDED, added.values)
    return replace(
        hot,
        laws={kind: _sum(law, extra.get(kind, Law())) for kind, law in laws.items()},
        facts=tuple(facts_of(known, settings)),
        error=(1 + added.within(0.9)) * (1 + drift(known)) - 1,
        median_error=added.within(0.5),
        provenance={
            **provenance,
            **{f"settings.{key}": value for key, value in settings.as_json().items()},
            "probes": len(known),
            "held_out_error": added.within(0.9),
            "drift": drift(known),
            "added_in_networks": {number.name: value for number, value in zip(ADDED, added.values, strict=True)},
        },
    )


def _amounts_of(kind: str) -> tuple[str, ...]:
    """What the time of a kind hangs on, as far as its probes can tell it apart."""
    if kind in ("matmul", "attention"):
        return ("operations", "read_bytes", "write_bytes", "calls")
    if kind in PRODUCTS:
        return ("operations", "read_bytes", "write_bytes", "weight_bytes", "calls")
    if kind in ("max_pool", "avg_pool"):
        return ("operations", "read_bytes", "write_bytes", "calls")
    return ("read_bytes", "write_bytes", "calls")


def _added(known: Sequence[Probed], hot: Platform, seconds: Mapping[int, float]) -> Learned:
    observations = []
    for each in known:
        if each.group == NETWORK:
            told = sum(seconds_of(work, hot).total for work in each.works)
            name = each.measurement.case.name
            observations.append(Observation(name, _stretched(each.works, hot), seconds[id(each)], told))
    if not observations:
        raise MeasureFailed(f"no probe of {NETWORK} could be measured; see 'macprof bench' for what fails here")
    return learn(observations, ADDED, pull=PULL)


def _stretched(works: Sequence[Work], bare: Platform) -> dict[str, Work]:
    """Sums by kind, bytes of maps as many times over as they take longer where no cache holds them."""
    longer = []
    for work in works:
        stretch = bare.stretch(work.read_bytes + work.write_bytes)
        longer.append(replace(work, read_bytes=work.read_bytes * stretch, write_bytes=work.write_bytes * stretch))
    return tally(longer)


def _sum(one: Law, other: Law) -> Law:
    return Law(*(getattr(one, field.name) + getattr(other, field.name) for field in fields(Law)))


def _bandwidths(known: Sequence[Probed], seconds: Mapping[int, float]) -> tuple[Bandwidth, ...]:
    found: dict[int, dict[str, float]] = {}
    for each in known:
        if each.group == BANDWIDTH:
            axes = each.measurement.case.axes
            size = int(axes["working_set"])
            found.setdefault(size, {})[str(axes["way"])] = size / seconds[id(each)]
    # A size that did not fit the machine's memory has no figures.
    whole = {size: ways for size, ways in sorted(found.items()) if len(ways) == 3}
    return tuple(Bandwidth(size, ways["read"], ways["write"], ways["copy"]) for size, ways in whole.items())
