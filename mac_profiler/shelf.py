"""Shelf: profiles of platforms on disk, one readable file each, and which of them is of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mac_profiler.errors import InvalidInput, OutputFailed, UnknownName
from mac_profiler.nominal import NOMINAL, nominal_platform
from mac_profiler.output import check_writable, write_file
from mac_profiler.platform import Platform, from_json
from mac_profiler.registry import did_you_mean
from mac_profiler.store import data_folder

ENDING = ".json"
# What a machine is told by, and what decides which code runs on it; a profile holds for no other.
MACHINE = ("cpu", "gpu", "cores_logical", "architecture", "os")
SOFTWARE = ("torch",)


def folder() -> Path:
    """Where profiles are kept, made or not."""
    return data_folder() / "platforms"


def names() -> list[str]:
    """Names of the profiles that are kept."""
    return sorted(file.name.removesuffix(ENDING) for file in folder().glob(f"*{ENDING}"))


def load(name: str) -> Platform:
    """The profile of that name, or in that file.

    Args:
        name: of a profile that is kept, or a path with a folder or an ending in it, or that of the stated platform.

    Raises:
        UnknownName: there is none.
        InvalidInput: the file is no profile, or one of another version.
    """
    if name.endswith(ENDING) or "/" in name or "\\" in name:
        return _read(Path(name))
    if name == NOMINAL:
        return nominal_platform()
    known = [*names(), NOMINAL]
    if name not in known:
        near = did_you_mean(name, known) or f" The platforms are {', '.join(known)}."
        raise UnknownName(f"no platform named '{name}'.{near} 'macprof calibrate' makes one of this machine.")
    return _read(folder() / f"{name}{ENDING}")


def _read(path: Path) -> Platform:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidInput(f"cannot read '{path}': {reason}; give a profile of a platform") from error
    return from_json(text, str(path))


def check_name(name: str) -> str:
    """A name that a file can have.

    Raises:
        InvalidInput: it has a character that a file's name should not have.
    """
    if not name or name.startswith(".") or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise InvalidInput(f"--name {name!r}: a platform is named with letters, digits, '-', '_' and '.'")
    if name == NOMINAL:
        raise InvalidInput(f"--name {name}: that is the stated platform, the paper's GPU; give another name")
    return name


def place_of(platform_name: str, output: str | None) -> Path:
    """The file that a profile goes to, looked at before the work; its folder is made.

    Args:
        platform_name: its name.
        output: the user's wish; None keeps it among the user's data.

    Raises:
        InvalidInput: no file can have that name.
        OutputFailed: the folder cannot be made, or the file not written.
    """
    check_name(platform_name)
    if output is not None:
        check_writable(output)
        return Path(output)
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(
            f"cannot make the folder '{place}': {error.strerror or error}; name a file with --output"
        ) from error
    file = place / f"{platform_name}{ENDING}"
    check_writable(str(file))
    return file


def save(platform: Platform, place: Path) -> None:
    """Write a profile whole, or not at all.

    Raises:
        OutputFailed: it cannot be written.
    """
    write_file(str(place), platform.to_json())


def why_not_here(platform: Platform, environment: Mapping[str, Any]) -> str:
    """Why a profile does not hold for this machine, in one line; "" where it does.

    Args:
        platform: the profile.
        environment: this machine and its versions.
    """
    made = platform.provenance
    if "learned_from" in made:
        return f"the platform '{platform.name}' was learned from {made['learned_from']}, not measured here"
    for name in (*MACHINE, *SOFTWARE):
        there, here = made.get(name), environment.get(name)
        # A GPU is not described where the processor is what is asked about.
        if there is not None and here is not None and there != here:
            label = name.replace("_", " ")
            return f"the platform '{platform.name}' was calibrated with {label} {there}, and here it is {here}"
    return ""


def find_here(environment: Mapping[str, Any], device: str, dtype: str) -> Platform:
    """The newest profile of this machine.

    Raises:
        UnknownName: there is none.
        InvalidInput: there are some, but of other machines or versions.
    """
    kept = [_read(folder() / f"{name}{ENDING}") for name in names()]
    own = [each for each in kept if each.device == device and each.dtype == dtype and not each.fused]
    reasons = {each.name: why_not_here(each, environment) for each in own}
    fitting = [each for each in own if not reasons[each.name]]
    if fitting:
        return max(fitting, key=lambda each: str(each.provenance.get("date", "")))
    remedy = f"run 'macprof calibrate --device {device} --dtype {dtype}', or name another with --platform"
    measured = [reasons[each.name] for each in own if "learned_from" not in each.provenance]
    if measured:
        raise InvalidInput(f"{measured[-1]}; {remedy}")
    raise UnknownName(f"this machine's {device} is not calibrated for {dtype}; {remedy}")
