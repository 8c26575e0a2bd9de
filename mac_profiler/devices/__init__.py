"""Room: one file a device that cases are timed on; ``--device`` takes the file's name.

A file has ``build``, the class of the device, which is called with the settings and gives a `Device`. What cannot be
had (no such hardware, more threads than cores) it refuses with `InvalidInput`, before anything is changed. What the
device changes in the process to time well (threads, affinity, precision) it puts back when it is closed; so two devices
are not open at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, Self

from mac_profiler.errors import InvalidInput
from mac_profiler.measurement import Case, Scalar, Settings
from mac_profiler.registry import did_you_mean, modules_of


@dataclass(frozen=True, slots=True)
class Conditions:
    """What may spoil the samples that are taken now; None where it cannot be read.

    Attributes:
        clock_hz: of the cores in use, or of the GPU.
        throttled: slowed down by heat, power or a quota: a CPU at any time since the last question, a GPU now.
        load: share of the machine's processors that other processes kept busy, 0 to 1, lately: half a second or more.
        stolen: share of them that the hypervisor gave to other machines, over the same time.
        temperature: of the GPU, in degrees Celsius.
        reason: what throttles it, where that is told.
    """

    clock_hz: float | None = None
    throttled: bool | None = None
    load: float | None = None
    stolen: float | None = None
    temperature: float | None = None
    reason: str = ""


class Timer(Protocol):
    """A case that is ready to be called on a device."""

    def time(self, calls: int) -> float:
        """Seconds of so many calls together, one after the other, up to the end of the last.

        Raises:
            MeasureFailed: a call raised.
        """
        ...

    def peak_bytes(self) -> int | None:
        """Most memory that one call needs beside weights and inputs, from a call that is not timed."""
        ...

    def release(self) -> None:
        """Let go of the module and its memory; it is not called again."""
        ...


class Device(Protocol):
    """Where cases are timed."""

    name: str

    def describe(self) -> Mapping[str, Scalar]:
        """What a reader of the samples must know of it; does not change while it is open."""
        ...

    def prepare(self, case: Case, settings: Settings) -> Timer:
        """Build a case there and call it, so that what is done once is done; compiled, if that is wanted.

        Raises:
            MeasureFailed: it cannot be built, moved there, compiled or called.
        """
        ...

    def flush(self) -> None:
        """Empty the caches; one call that is timed next finds them cold."""
        ...

    def conditions(self) -> Conditions:
        """What may spoil the samples that are taken now; cheap, for between rounds."""
        ...

    def idle(self, seconds: float) -> None:
        """Rest."""
        ...

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        ...

    def close(self) -> None:
        """Put back what was changed in the process."""
        ...


class OpenDevice(Device, Protocol):
    """A device that a ``with`` closes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...


def names() -> list[str]:
    """The devices that there are files for, whether this machine has one or not."""
    return [module.rpartition(".")[2] for module in modules_of(__name__)]


def open_device(settings: Settings) -> OpenDevice:
    """The device that the settings name, ready to time; close it after use.

    Raises:
        InvalidInput: there is no device of that name, this machine has none, or it cannot do what the settings ask.
    """
    known = names()
    if settings.device not in known:
        near = did_you_mean(settings.device, known) or f" There are {', '.join(known)}."
        raise InvalidInput(f"--device {settings.device}: no such device.{near}")
    build: Callable[[Settings], OpenDevice] = import_module(f"{__name__}.{settings.device}").build
    return build(settings)
