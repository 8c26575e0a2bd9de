"""Environment: the machine and the versions that samples were taken with, and whether those of two runs agree."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mac_profiler.measurement import Scalar, Settings

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
CHECKOUT = Path(__file__).resolve().parents[1]
# What may differ between two runs whose samples are of one kind. The threads that torch happens to have are replaced by
# those of the settings; which cores of one machine were used is not told apart.
VARYING = frozenset({"date", "commit", "torch_threads", "torch_interop_threads", "cores_used"})
# Beginnings of environment variables that change which code runs. How many threads they ask for does not matter, and
# neither does where they keep files: the first is set by the device.
SWITCHES = (
    "ATEN_", "CUDA_LAUNCH_BLOCKING", "DNNL_", "GOMP_", "KMP_", "LD_PRELOAD", "MALLOC_", "MKL_", "NVIDIA_TF32_OVERRIDE",
    "OMP_", "ONEDNN_", "PYTORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_",
)  # fmt: skip
_NO_SWITCHES = ("_NUM_THREADS", "_CACHE_DIR")


def describe_environment() -> dict[str, Scalar]:
    """Machine, system, versions; what this system does not tell is left out."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        **_commit(),
        **_machine(),
        **_system(),
        **_libraries(),
        **_switches(),
    }


def fingerprint(environment: Mapping[str, Scalar], settings: Settings | None = None) -> dict[str, Scalar]:
    """What must be equal for the samples of two runs to stand side by side, sorted: machine, versions, settings.

    Two machines of one make and one installation have one fingerprint.

    Args:
        environment: of `describe_environment`, and of the device's own description where there is one.
        settings: how it was measured; None leaves them out.
    """
    kept = {name: environment[name] for name in sorted(environment) if name not in VARYING}
    given = settings.as_json() if settings is not None else {}
    return kept | {f"settings.{name}": given[name] for name in sorted(given)}


def difference(a: Mapping[str, Scalar], b: Mapping[str, Scalar]) -> str:
    """What differs between two fingerprints, in one line; empty where nothing does.

    Args:
        a: the one that stands first in the line.
        b: the other.
    """
    told = []
    for name in [*a, *(name for name in b if name not in a)]:
        one, other = a.get(name, "nothing"), b.get(name, "nothing")
        if one != other or isinstance(one, bool) != isinstance(other, bool):
            told.append(f"{name.removeprefix('settings.').replace('_', ' ')} {one} against {other}")
    return "; ".join(told)


def _machine() -> dict[str, Scalar]:
    import psutil

    information = _text(CPUINFO)
    found: dict[str, Scalar] = {
        "cpu": _cpu(information),
        "cores_logical": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
    }
    physical = psutil.cpu_count(logical=False)
    if physical:
        found["cores_physical"] = physical
    governor = _text(GOVERNOR).strip()
    if governor:
        found["governor"] = governor
    # Only x86 tells a guest so, in a flag of every processor.
    flags = re.search(r"^flags\s*:(.*)$", information, re.MULTILINE)
    if flags:
        found["virtual_machine"] = "hypervisor" in flags[1].split()
    return found


def _cpu(information: str) -> str:
    name = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", information, re.MULTILINE)
    if name:
        return name[1].strip()
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    return platform.processor() or platform.machine() or "unknown"


def _system() -> dict[str, Scalar]:
    return {
        "os": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _libraries() -> dict[str, Scalar]:
    import torch

    from mac_profiler import __version__

    built = torch.__config__.show()
    simd = torch.backends.cpu.get_cpu_capability().lower()
    if simd == "default" and platform.machine().lower() in ("arm64", "aarch64"):
        simd = "neon"  # what torch is compiled for there at least
    found: dict[str, Scalar] = {
        "macprof": __version__,
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "torch_interop_threads": torch.get_num_interop_threads(),
        "simd": simd,
        "onednn_used": bool(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
        "float32_products": torch.get_float32_matmul_precision(),
    }
    versions = {
        "blas": r"BLAS_INFO=(\w+)",
        "mkl": r"Math Kernel Library Version ([\w.]+)",
        "onednn": r"MKL-DNN (v[\w.]+)",
        "openmp": r"OpenMP (\d+)",
    }
    for name, pattern in versions.items():
        match = re.search(pattern, built)
        if match:
            found[name] = match[1]
    return found


def _switches() -> dict[str, Scalar]:
    # Of a path the last part: where a library lies is nobody's business.
    told = [
        f"{name}={value.rpartition('/')[2]}"
        for name, value in sorted(os.environ.items())
        if name.startswith(SWITCHES) and not name.endswith(_NO_SWITCHES)
    ]
    return {"switches": " ".join(told)} if told else {}


def _commit() -> dict[str, Scalar]:
    """The commit that the package is run from, marked where files differ from it; nothing for an installed one."""
    if not (CHECKOUT / ".git").exists():
        return {}
    commit = _output("git", "-C", str(CHECKOUT), "rev-parse", "--short=12", "HEAD")
    if not commit:
        return {}
    changed = _output("git", "-C", str(CHECKOUT), "status", "--porcelain", "--untracked-files=no")
    return {"commit": f"{commit} and changes" if changed else commit}


def _output(program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        return ""
    # Git would otherwise write down what it found out of the files, into the caller's checkout.
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        ran = subprocess.run(  # noqa: S603 - programs of the system, with arguments of this file
            [found, *arguments], capture_output=True, text=True, timeout=10, check=False, env=quiet
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
