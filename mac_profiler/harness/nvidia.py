"""What NVIDIA's management library knows of a GPU: driver, clock, temperature, and what slows it down.

The library comes with the driver; its Python names come with the package nvidia-ml-py, which is optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

# Bits of the reasons for which a clock is lower than it might be; those left out (idle, a clock that the user set) do
# not slow work down against the user's will. docs.nvidia.com/deploy/nvml-api, NvmlClocksEventReasons
SLOWDOWNS = {
    0x04: "power limit",
    0x08: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}
# Of the library's constants, which never change: NVML_CLOCK_SM, NVML_TEMPERATURE_GPU.
_SM_CLOCK, _GPU_TEMPERATURE = 1, 0


class NotWatched(Exception):
    """Why nothing is known of a GPU, for `describe`."""


@dataclass(frozen=True, slots=True)
class Board:
    """One GPU.

    Attributes:
        library: the module pynvml.
        handle: the library's own name of the GPU.
    """

    library: Any
    handle: Any

    def driver(self) -> str:
        """Version of the driver."""
        return _text(self._ask("nvmlSystemGetDriverVersion")) or "unknown"

    def clock_hz(self) -> float | None:
        """Clock of the multiprocessors now."""
        mega = self._ask("nvmlDeviceGetClockInfo", self.handle, _SM_CLOCK)
        return None if mega is None else 1e6 * mega

    def temperature(self) -> float | None:
        """Degrees Celsius."""
        degrees = self._ask("nvmlDeviceGetTemperature", self.handle, _GPU_TEMPERATURE)
        return None if degrees is None else float(degrees)

    def slowdowns(self) -> list[str] | None:
        """What lowers the clock now."""
        bits = self._ask("nvmlDeviceGetCurrentClocksEventReasons", self.handle)
        if bits is None:  # its name before driver 535
            bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons", self.handle)
        return None if bits is None else [reason for bit, reason in SLOWDOWNS.items() if bits & bit]

    def close(self) -> None:
        """Leave the library."""
        self._ask("nvmlShutdown")

    def _ask(self, function: str, *arguments: Any) -> Any:
        # None where this package does not name it, or this GPU or driver does not know it.
        try:
            return getattr(self.library, function)(*arguments)
        except (AttributeError, self.library.NVMLError):
            return None


def find(uuid: str) -> Board:
    """The GPU of that UUID, as torch gives it; its number would be another one under CUDA_VISIBLE_DEVICES.

    Raises:
        NotWatched: the package or the library is not there, or does not know the GPU.
    """
    try:
        library = import_module("pynvml")
    except ImportError:
        raise NotWatched("not watched: the package nvidia-ml-py is not installed") from None
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        raise NotWatched(f"not watched: {error}") from error
    try:
        return Board(library, library.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"))
    except library.NVMLError as error:
        library.nvmlShutdown()
        raise NotWatched(f"not watched: {error}") from error


def _text(value: Any) -> str:
    # Bytes in old versions of the package.
    return value.decode() if isinstance(value, bytes) else str(value or "")
