"""Processors: which cores there are, what they cache, how fast they run, and how to keep to some of them.

Read from what Linux tells under /sys and /proc; elsewhere most of it is unknown, and said to be.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
QUOTA = Path("/sys/fs/cgroup/cpu.stat")
THREADS = Path("/proc/self/task")


def available() -> list[int]:
    """Numbers of the logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def choose(count: int) -> list[int]:
    """The cores to time on: no two of one physical core as long as there are others, the fastest, the last.

    The first cores are left to the system, which serves most interrupts there.
    """
    seen: set[str] = set()
    ranked = []
    for core in sorted(available(), reverse=True):
        folder = CPUS / f"cpu{core}"
        siblings = _read(folder / "topology/thread_siblings_list") or str(core)
        speed = _number(folder / "cpufreq/cpuinfo_max_freq") or _number(folder / "cpu_capacity") or 0
        ranked.append((siblings in seen, -speed, -core))
        seen.add(siblings)
    return sorted(-core for _, _, core in sorted(ranked)[:count])


@contextmanager
def pinned(cores: Collection[int]) -> Iterator[bool]:
    """Keep every thread of this process on these cores while the body runs; yields whether the system lets us.

    Worker threads that an earlier parallel operator left behind are pinned too, and new ones follow their maker.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before: dict[int, set[int]] = {}
    allowed = os.sched_getaffinity(0)
    held = True
    try:
        for thread in _threads():
            try:
                before[thread] = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, cores)
            except ProcessLookupError:
                pass  # it has ended since it was listed
            except OSError:
                held = False
        yield held
    finally:
        for thread in _threads():
            with suppress(OSError):
                os.sched_setaffinity(thread, before.get(thread, allowed))


def _threads() -> list[int]:
    try:
        return [int(thread.name) for thread in THREADS.iterdir()]
    except OSError:
        return [0]


def cache_bytes(cores: Collection[int]) -> int | None:
    """Bytes of the second and later levels of cache that these cores have together, each cache counted once."""
    found: dict[tuple[str, str], int] = {}
    for core in cores:
        for index in CPUS.glob(f"cpu{core}/cache/index*"):
            level, size = _read(index / "level"), _read(index / "size")
            if level > "1" and size and _read(index / "type") != "Instruction":
                found[level, _read(index / "shared_cpu_list") or str(core)] = _bytes(size)
    return sum(found.values()) or None


def clock_hz(cores: Collection[int]) -> float | None:
    """Mean clock of the cores now; None in most virtual machines, whose /proc/cpuinfo repeats the nominal one."""
    found = [_number(CPUS / f"cpu{core}/cpufreq/scaling_cur_freq") for core in cores]
    known = [1000.0 * khz for khz in found if khz]
    return sum(known) / len(known) if known else None


def throttle_events(cores: Collection[int]) -> int | None:
    """How often heat or a quota has slowed these cores down since the start; only the difference of two says much."""
    counts = [_number(path) for core in cores for path in CPUS.glob(f"cpu{core}/thermal_throttle/*_throttle_count")]
    for line in _read(QUOTA).splitlines():
        name, _, value = line.partition(" ")
        if name == "nr_throttled" and value.isdigit():
            counts.append(int(value))
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text.isdigit() else None


def _bytes(size: str) -> int:
    """Of "32768K", as Linux writes it."""
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return int(size[:-1]) * units[size[-1]] if size[-1] in units else int(size)
