"""Failures: what an exception out of the traced call means, and how it is told in one line."""

from __future__ import annotations

import traceback

from mac_profiler.errors import TraceFailed
from mac_profiler.trace.location import is_user_file, shown_path
from mac_profiler.trace.standin import NeedsData

# What torch says where a model differentiates inside its forward, and where code reads past the dispatcher.
_WANTS_AUTOGRAD = (
    "not require grad",
    "n't require grad",
    "requires_grad=False",
    "forward gradient",
    "InferenceMode::is_enabled()",
)
_WANTS_DATA = ("data is not allocated", "unallocated storage", "incompatible tensor type", "access data pointer")


class NeedsAutograd(Exception):
    """The model differentiates inside its forward, which needs a recorder with autograd."""


def understand(error: Exception, *, autograd: bool) -> BaseException:
    """What to raise for an exception that the model's forward raised.

    Args:
        error: the exception.
        autograd: whether autograd was at work already.
    """
    said = str(error) if isinstance(error, RuntimeError) else ""
    if not autograd and any(words in said for words in _WANTS_AUTOGRAD):
        return NeedsAutograd(place_of(error))
    if any(words in said for words in _WANTS_DATA):
        return NeedsData("the contents of a tensor").with_traceback(error.__traceback__)
    return TraceFailed(tell(error))


def tell(error: Exception, where_from: str = "forward") -> str:
    """One line with the exception's own message and the user's line that it came from."""
    text = " ".join(str(error).split()) or "no message"
    return f"the model's {where_from} raised {type(error).__name__}{place_of(error)}: {text}"


def place_of(error: BaseException) -> str:
    """The innermost line of the user's code in a traceback, as " at file.py:41"; empty where there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_user_file(frame.filename)]
    return f" at {shown_path(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
