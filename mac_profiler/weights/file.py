"""The file: anything that torch.save did not write is told what it is, and nothing in it is run."""

from __future__ import annotations

import re
import stat
import warnings
import zipfile
from pathlib import Path
from typing import Any

from mac_profiler.construct import first_line
from mac_profiler.errors import WeightsFailed
from mac_profiler.registry import did_you_mean

ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
PICKLE = b"\x80"
# Enough of a file to know its kind, and to show.
BEGIN = 16
# So much is read at once.
PART = 1 << 20
RESAVE = "save the state_dict alone: torch.save(model.state_dict(), FILE)"


def load_file(path: str) -> Any:
    """What a file of torch.save holds.

    Of pickle only what makes tensors and plain containers is run (``weights_only``). A file in the zip format is
    mapped, not read: shapes alone cost next to nothing.

    Raises:
        WeightsFailed: there is no such file, or torch.save did not write it, or it holds other objects than tensors.
    """
    begin, size = _look_at(path)
    _check_format(path, begin, size)
    return _load(path, mapped=begin.startswith(ZIP))


def _look_at(path: str) -> tuple[bytes, int]:
    """The first bytes of a file, and its size."""
    file = Path(path)
    if not path:
        raise refusal(path, "the name is empty; give a file")
    try:
        status = file.stat()
        begin = b""
        # Opening a pipe would wait for somebody to write into it.
        if stat.S_ISREG(status.st_mode):
            with file.open("rb") as stream:
                begin = stream.read(BEGIN)
    except FileNotFoundError:
        near = did_you_mean(file.name, _siblings(file)) or " Give another."
        raise refusal(path, f"no such file.{near}") from None
    # A name with a NUL in it is a ValueError.
    except (OSError, ValueError) as error:
        raise refusal(path, f"{getattr(error, 'strerror', None) or error}; give a file that can be read") from error
    if stat.S_ISDIR(status.st_mode):
        raise refusal(path, "it is a folder; give a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise refusal(path, "it is no regular file (a pipe or a device); copy what it gives to a file")
    if not begin:
        raise refusal(path, "the file is empty; copy or download it again")
    return begin, status.st_size


def _siblings(file: Path) -> list[str]:
    try:
        return sorted(found.name for found in file.parent.iterdir() if found.is_file())
    except OSError:
        return []


def _check_format(path: str, begin: bytes, size: int) -> None:
    """Refuse by its first bytes what torch.load would refuse at length, or take for a pickle."""
    if begin.startswith((ZIP, EMPTY_ZIP)):
        _check_archive(path)
    elif begin[8:9] == b"{" and 0 < int.from_bytes(begin[:8], "little") <= size - 8:
        raise refusal(
            path,
            "it is a safetensors file; convert it: torch.save(safetensors.torch.load_file(FILE), 'weights.pth')",
        )
    elif not begin.startswith(PICKLE):
        raise refusal(path, f"it is no checkpoint: it begins with {begin!r}, as no file of torch.save does; {RESAVE}")


def _check_archive(path: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist() if name.count("/") == 1}
            damaged = _find_damaged(archive)
    # The records of a damaged archive may raise more than zipfile's own error.
    except Exception as error:
        raise refusal(path, f"it is damaged or cut short ({error}); copy or download it again") from error
    if damaged:
        raise refusal(path, f"it is damaged: '{damaged}' in it differs from its checksum; copy or download it again")
    if "data.pkl" not in names:
        raise refusal(path, f"it is a zip archive, but no checkpoint; unpack it, or {RESAVE}")
    if "constants.pkl" in names:
        raise refusal(
            path,
            "it is a TorchScript archive; convert it: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')",
        )


def _find_damaged(archive: zipfile.ZipFile) -> str:
    """The first record whose bytes are not those that were written, "" where all are; torch itself does not look.

    Where none has its checksum, they were not written (torch.serialization.set_crc32_options), and nothing is known.
    """
    damaged = []
    for record in archive.infolist():
        try:
            with archive.open(record) as stream:
                while stream.read(PART):
                    pass
        except zipfile.BadZipFile:
            damaged.append(record.filename)
    return damaged[0] if 0 < len(damaged) < len(archive.infolist()) else ""


def _load(path: str, *, mapped: bool) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    # What a damaged file makes the unpickler do ends in almost any exception.
    except Exception as error:
        forbidden = re.search(r"GLOBAL (\S+)", str(error))
        if forbidden:
            raise refusal(
                path,
                f"besides tensors it holds '{forbidden[1]}', and loading that can run any code, so it is not done; if "
                f"you trust the file, load it with weights_only=False and {RESAVE}",
            ) from error
        # Torch wraps the short message in a long one, which advises to load the file without its safeguards.
        cause = error.__context__ or error
        said = f"{type(cause).__name__}: {first_line(cause)}".partition(". ")[0].rstrip(": ")
        raise refusal(
            path, f"it is damaged, cut short, or not made by torch.save ({said}); copy or download it again"
        ) from error


def refusal(path: str, reason: str) -> WeightsFailed:
    """The error that says why a file cannot be taken."""
    return WeightsFailed(f"--weights {path or repr(path)}: {reason}")
