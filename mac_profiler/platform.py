"""Platform: what one machine can do, as few numbers that mean something, and how well they are known.

The seconds of an operator are a sum of three parts (see `mac_profiler.predict`):

    compute = operations x seconds an operation
    memory  = bytes read x seconds a byte + bytes written x ... + bytes of weights x ...
    launch  = seconds of a call

Each kind of work (`mac_profiler.work`) has such numbers, its `Law`. An operation is a multiply-add where the kind is a
product, and a FLOP elsewhere. Where a machine's bandwidth depends on how much is moved, the parts that read and write
maps are longer by as much as copying so much is slower than copying what fits its caches.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import log
from typing import Any

from mac_profiler.errors import InvalidInput

# Of the file; a profile of another version is refused.
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Law:
    """What work of one kind takes.

    Attributes:
        operation_seconds: of one multiply-add or FLOP.
        read_seconds: of one byte of inputs.
        write_seconds: of one byte of outputs.
        weight_seconds: of one byte of weights.
        launch_seconds: of a call, however small.
    """

    operation_seconds: float = 0.0
    read_seconds: float = 0.0
    write_seconds: float = 0.0
    weight_seconds: float = 0.0
    launch_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was measured, for a reader.

    Attributes:
        name: what: "dense_conv", "launch".
        group: "rate", "bandwidth", "launch".
        unit: "multiply-adds/s", "FLOP/s", "bytes/s" or "s".
        value: the figure.
        low: end of its interval.
        high: the other end.
        subject: what it was measured on.
    """

    name: str
    group: str
    unit: str
    value: float
    low: float
    high: float
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bytes a second of what touches so many bytes in all.

    Attributes:
        working_set: bytes read and written by one call.
        read: of a sum over all elements.
        write: of filling memory.
        copy: of copying into memory that is there already; both sides are counted.
    """

    working_set: int
    read: float
    write: float
    copy: float


@dataclass(frozen=True, slots=True)
class Platform:
    """What one machine can do.

    Attributes:
        name: what it is asked for by.
        device: "cpu", "cuda", "mps": where models run on it.
        dtype: of maps and weights; what an engine does inside is its own.
        fused: its software runs element-wise operators in the kernels before them.
        laws: by kind of work.
        bandwidths: by working set, ascending; empty where they were not measured.
        facts: what was measured.
        error: of a predicted time, relative: nine in ten of the models that were held out are no further off; of a
            machine that was measured, with what it drifts meanwhile.
        median_error: half of them are no further off.
        provenance: device, versions, threads, protocol, date; what the laws were learned from.
    """

    name: str
    device: str
    dtype: str
    fused: bool
    laws: Mapping[str, Law]
    bandwidths: tuple[Bandwidth, ...] = ()
    facts: tuple[Fact, ...] = ()
    error: float = 0.0
    median_error: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Where its laws come from: what states them, the table that they were learned from, or its processor."""
        made = (self.provenance.get(key) for key in ("stated", "learned_from", "gpu", "cpu"))
        return next((str(each) for each in made if each), "")

    def law(self, kind: str) -> Law:
        """The numbers of a kind; of one that was not measured those of "other".

        Raises:
            InvalidInput: there is neither.
        """
        found = self.laws.get(kind) or self.laws.get("other")
        if found is None:
            raise InvalidInput(f"the platform '{self.name}' tells nothing of {kind}; calibrate it anew")
        return found

    def stretch(self, working_set: float) -> float:
        """How many times as long a byte takes in a call that touches so many, beside the fastest; 1 where unknown."""
        known = self.bandwidths
        if len(known) < 2 or working_set <= 0:
            return 1.0
        best = max(each.copy for each in known)
        fastest = next(i for i, each in enumerate(known) if each.copy == best)
        # Below the fastest it is calls that cost, not bytes; that is in the launch.
        slower = known[fastest:]
        place = bisect_left([each.working_set for each in slower], working_set)
        if place == 0:
            return 1.0
        if place == len(slower):
            return best / slower[-1].copy
        left, right = slower[place - 1], slower[place]
        share = log(working_set / left.working_set) / log(right.working_set / left.working_set)
        between: float = left.copy ** (1 - share) * right.copy**share
        return best / between

    def to_json(self) -> str:
        """The file: readable, and the same for the same platform."""
        return json.dumps({"schema_version": SCHEMA, **asdict(self)}, indent=1) + "\n"


def from_json(text: str, place: str) -> Platform:
    """What `Platform.to_json` wrote.

    Args:
        text: of the file.
        place: its name, for messages.

    Raises:
        InvalidInput: it is no profile of a platform, or one of another version.
    """
    try:
        read = json.loads(text)
        version = read.pop("schema_version")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInput(f"'{place}' is no profile of a platform; 'macprof calibrate' writes one") from error
    if version != SCHEMA:
        raise InvalidInput(
            f"'{place}' is a profile of version {version}, and this macprof reads version {SCHEMA}; calibrate anew"
        )
    try:
        laws = {kind: Law(**{name: float(value) for name, value in law.items()}) for kind, law in read["laws"].items()}
        bandwidths = tuple(Bandwidth(**each) for each in read["bandwidths"])
        facts = tuple(Fact(**each) for each in read["facts"])
        found = Platform(**{**read, "laws": laws, "bandwidths": bandwidths, "facts": facts})
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InvalidInput(f"'{place}' is a damaged profile of a platform ({error}); calibrate anew") from error
    damage = _damage(asdict(found))
    if damage:
        raise InvalidInput(f"'{place}' is a damaged profile of a platform ({damage}); calibrate anew")
    return found


def _damage(read: Mapping[str, Any]) -> str:
    """What no profile has that was written whole; "" where there is nothing of the kind."""
    texts = [read[name] for name in ("name", "device", "dtype")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(read["fused"], bool):
        return "name, device and dtype are texts, and fused is true or false"
    if not isinstance(read["provenance"], dict):
        return "its provenance is no object"
    times = [read["error"], read["median_error"], *(value for law in read["laws"].values() for value in law.values())]
    rates = [value for each in read["bandwidths"] for value in each.values()]
    measured = [each[name] for each in read["facts"] for name in ("value", "low", "high")]
    if not all(isinstance(value, int | float) for value in (*times, *rates, *measured)):
        return "a text stands for a number"
    if not (all(value >= 0 for value in (*times, *measured)) and all(value > 0 for value in rates)):
        return "a time or rate is negative or nothing"
    return ""
