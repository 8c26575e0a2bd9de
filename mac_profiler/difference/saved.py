"""Saved: a model as it was when it was analyzed or audited, read from the JSON that macprof wrote then."""

from __future__ import annotations

import json
from os.path import exists
from pathlib import Path
from typing import Any

from mac_profiler.difference.side import Side, side_of
from mac_profiler.errors import InvalidInput

SCHEMA = 1
ENDING = ".json"
_REMEDY = "'macprof analyze --format json' and 'macprof audit --output-format json' write one"


def is_saved(name: str) -> bool:
    """Whether a name is that of a file rather than of a model.

    It ends in .json; or it has a folder in it, as /dev/fd/63 of a shell's <(...) has, and no colon of a callable.
    """
    if name.lower().endswith(ENDING):
        return True
    # Path.exists fails on a name that is too long for any file.
    return "/" in name and ":" not in name and not name.endswith(".py") and exists(name)  # noqa: PTH110


def read_side(path: str) -> Side:
    """The model that a file tells of.

    Raises:
        InvalidInput: it cannot be read, or is no analysis and no audit, damaged, or of another version.
    """
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read '{path}': {error.strerror or error}; {_REMEDY}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"'{path}' is no saved analysis or audit ({error}); {_REMEDY}") from error
    if not isinstance(read, dict) or not ({"ops", "modules", "totals"} <= set(read) or _audit(read)):
        raise InvalidInput(f"'{path}' is no saved analysis or audit; {_REMEDY}")
    version = read.get("schema_version")
    if version != SCHEMA or isinstance(version, bool):
        raise InvalidInput(
            f"'{path}' is of version {version!r}, and this macprof reads version {SCHEMA}; write it anew: {_REMEDY}"
        )
    try:
        return side_of(path, None, read) if _audit(read) else side_of(path, read, None)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise InvalidInput(f"'{path}' is damaged, or no analysis or audit ({reason}); {_REMEDY}") from error


def _audit(read: dict[str, Any]) -> bool:
    return {"findings", "rules", "metrics"} <= set(read)
