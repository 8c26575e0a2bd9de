"""Leftovers: stand-ins that outlive their trace because code put them where the snapshot does not look.

A function's `lru_cache` and a dictionary of a module are such places: a later real call would find a tensor without
data. Whether any is left is told by a reference count; only then the places are searched for.
"""

from __future__ import annotations

import functools
import gc
import sys
import traceback
from types import FrameType
from typing import Any

from mac_profiler.trace.standin import StandIn


class Token:
    """What every stand-in of one trace refers to, so that a count of references counts the stand-ins.

    Attributes:
        notes: what a stand-in has to say to the reader of the result.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []


def any_left(token: Token) -> bool:
    """Whether a stand-in refers to the token still: nothing else but its one variable may."""
    # The caller's variable, this argument, and the argument of getrefcount.
    return sys.getrefcount(token) > 3


def drop_frames(error: BaseException) -> None:
    """Clear the local variables of the frames that an exception and its causes came through: they hold stand-ins."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__


def evict(token: Token) -> None:
    """Take the surviving stand-ins of a trace out of caches, dictionaries and lists."""
    gc.collect()  # those in cycles are no leftovers
    if not any_left(token):
        return
    tracked = gc.get_objects()
    survivors: list[Any] = [found for found in tracked if type(found) is StandIn and found.token is token]
    held = {id(found) for found in survivors}
    # Up through what holds them: a cache may keep a tuple or an object of them.
    around: list[Any] = survivors
    for _ in range(3):
        own = {id(tracked), id(survivors), id(around)} | held
        holders = [found for found in gc.get_referrers(*around) if id(found) not in own and _may_hold(found)]
        held |= {id(found) for found in holders if isinstance(found, tuple)}
        for found in holders:
            _drop(found, held)
        around = [found for found in holders if isinstance(found, tuple)]
        if not around:
            break
    for cache in tracked:
        if type(cache) is functools._lru_cache_wrapper and any(id(found) in held for found in gc.get_referents(cache)):
            cache.cache_clear()


def _may_hold(found: Any) -> bool:
    return isinstance(found, dict | list | tuple) and not isinstance(found, FrameType)


def _drop(holder: Any, held: set[int]) -> None:
    """Remove what is held from a dictionary or list; a tuple goes with whoever holds it."""
    if isinstance(holder, dict):
        for key in [key for key, value in holder.items() if id(value) in held]:
            del holder[key]
    elif isinstance(holder, list):
        holder[:] = [item for item in holder if id(item) not in held]
