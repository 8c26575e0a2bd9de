"""Own code: what tells whether the files that a user's model is made of are the same as before."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from mac_profiler.models import is_own_code


def marks_of(names: Iterable[str]) -> dict[str, str]:
    """For each file, or module, with a model of the user's, where it is, and a digest of it and of the files beside it.

    A file beside it may be imported by it; one further away is not looked at.

    Args:
        names: of models, as `mac_profiler.models.find` takes them.
    """
    places = [name.rpartition(":")[0] for name in names if is_own_code(name)]
    return {f"code of {place}": _mark(place) for place in places}


def _mark(place: str) -> str:
    file = _file(place)
    if file is None:
        return "not found"
    digest = sha256()
    for each in sorted({file, *file.parent.glob("*.py")}):
        try:
            digest.update(each.name.encode() + b"\0" + each.read_bytes())
        except OSError:
            # What cannot be read is not imported; importing the model's own file will say why.
            continue
    return f"{file} {digest.hexdigest()[:12]}"


def _file(place: str) -> Path | None:
    """The file that a path, or the name of a module, stands for; nothing is imported to find it."""
    if place.endswith(".py") or "/" in place or "\\" in place:
        return Path(place).resolve()
    parts = place.split(".")
    for folder in map(Path, ["", *sys.path]):
        for file in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if file.is_file():
                return file.resolve()
    return None
