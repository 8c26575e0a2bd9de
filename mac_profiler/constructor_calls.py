"""Constructor calls: who called the constructor of each module that is created, read off the call stack.

While anyone records, `nn.Module.__init__` notes its callers, and `nn.Module.__setstate__` what a copy was copied
from. Nothing is put into the modules, so that a model is what it would be without.
"""

from __future__ import annotations

import copy
import functools
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_VARARGS
from types import CodeType, FrameType
from typing import Any, cast

from torch import nn

# Callers, innermost first, each with the instruction that it stands at.
Stack = tuple[tuple[CodeType, int], ...]
_Codes = tuple[CodeType, ...]
_Instructions = tuple[int, ...]
# The same in one row, as it is kept: few objects for the garbage collector to look at.
_Row = tuple[CodeType | int, ...]

# The state of a copy is set by a function of the module copy, through a few `__setstate__` that call each other.
_STEPS_TO_COPY = 8

_lock = threading.Lock()
_recorders: tuple[ConstructorCalls, ...] = ()
# Whoever replaced the methods of nn.Module while they were replaced here keeps his; so both pairs are known.
_own_methods: tuple[Any, Any] = (None, None)
_replaced_methods: tuple[Any, Any] = (None, None)


class ConstructorCalls:
    """Callers of the constructors of modules that still live.

    Args:
        entry: the frame that records; what called that is no business of the model's.
    """

    def __init__(self, entry: FrameType | None = None) -> None:
        self._entry = entry
        # Two tables, as a pair per module would be one object more.
        self._modules: dict[int, weakref.ref[nn.Module]] = {}
        self._rows: dict[int, _Row] = {}
        self._constructors: dict[int, tuple[type, CodeType | None, bool]] = {}

    def stack_of(self, module: nn.Module) -> Stack:
        """What called the class that made a module, or the one that it is a copy of; () where that is not known."""
        row = self._row(module)
        return tuple(zip(cast("_Codes", row[::2]), cast("_Instructions", row[1::2]), strict=True))

    def note(self, module: nn.Module, frame: FrameType) -> None:
        """Remember what called a module's class; the frame is that of its `nn.Module.__init__`."""
        outer = self._beyond_constructor(module, frame)
        entry = self._entry
        row: list[CodeType | int] = []
        while outer is not None:
            row += (outer.f_code, outer.f_lasti)
            if outer is entry:
                break
            outer = outer.f_back
        self._keep(module, tuple(row))

    def note_copy(self, module: nn.Module, original: nn.Module) -> None:
        """Remember that a module was made where another one was."""
        if row := self._row(original):
            self._keep(module, row)

    def close(self) -> None:
        """Let go of what was only needed to record."""
        self._entry = None
        self._constructors.clear()

    def _row(self, module: nn.Module) -> _Row:
        made = self._modules.get(id(module))
        # An id is given anew when its module is gone.
        return self._rows[id(module)] if made is not None and made() is module else ()

    def _keep(self, module: nn.Module, row: _Row) -> None:
        self._rows[id(module)] = row
        self._modules[id(module)] = weakref.ref(module)

    def _beyond_constructor(self, module: nn.Module, frame: FrameType) -> FrameType | None:
        """The frame that calls the class, past the constructors of its parents, which call each other."""
        top, shared = self._constructor(type(module))
        outer: FrameType | None = frame
        # By code: to ask a frame for its variables takes long.
        while outer is not None and outer.f_code is not top:
            outer = outer.f_back
        outer = frame if outer is None else outer.f_back
        if outer is frame or shared:
            while outer is not None and _first_argument(outer) is module:
                outer = outer.f_back
        return outer

    def _constructor(self, kind: type) -> tuple[CodeType | None, bool]:
        """Code of a class's `__init__`, and whether a parent has the same, as where one decorator wraps both."""
        known = self._constructors.get(id(kind))
        if known is None:
            top = getattr(vars(kind).get("__init__") or getattr(kind, "__init__", None), "__code__", None)
            codes = [getattr(vars(parent).get("__init__"), "__code__", None) for parent in kind.__mro__]
            known = self._constructors[id(kind)] = (kind, top, codes.count(top) > 1)
        return known[1:]


@contextmanager
def recorded(calls: ConstructorCalls) -> Iterator[None]:
    """Note the modules that are made meanwhile, in every thread; nn.Module is left as it was found."""
    _add(calls)
    try:
        yield
    finally:
        _remove(calls)
        calls.close()


def _add(calls: ConstructorCalls) -> None:
    global _recorders, _own_methods, _replaced_methods
    with _lock:
        if not _recorders:
            _replaced_methods = (nn.Module.__init__, nn.Module.__setstate__)
            _own_methods = _noting(*_replaced_methods)
            nn.Module.__init__, nn.Module.__setstate__ = _own_methods  # type: ignore[method-assign]
        _recorders += (calls,)


def _remove(calls: ConstructorCalls) -> None:
    global _recorders
    with _lock:
        _recorders = tuple(other for other in _recorders if other is not calls)
        if not _recorders:
            for name, own, replaced in zip(("__init__", "__setstate__"), _own_methods, _replaced_methods, strict=True):
                if getattr(nn.Module, name) is own:
                    setattr(nn.Module, name, replaced)


def _noting(init: Any, setstate: Any) -> tuple[Any, Any]:
    """The two methods of nn.Module, with notes being taken."""

    @functools.wraps(init)
    def noting_init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        for calls in _recorders:
            calls.note(self, sys._getframe())

    @functools.wraps(setstate)
    def noting_setstate(self: nn.Module, state: Any) -> None:
        setstate(self, state)
        original = _copied(sys._getframe())
        if isinstance(original, nn.Module):
            for calls in _recorders:
                calls.note_copy(self, original)

    return noting_init, noting_setstate


def _copied(frame: FrameType | None) -> object:
    """What is being copied, where the state of a copy is set; None where something else is done."""
    for _ in range(_STEPS_TO_COPY):
        if frame is None:
            break
        if frame.f_code in (copy.deepcopy.__code__, copy.copy.__code__):
            return _first_argument(frame)
        frame = frame.f_back
    return None


def _first_argument(frame: FrameType) -> object:
    code = frame.f_code
    if code.co_argcount:
        return frame.f_locals.get(code.co_varnames[0])
    if code.co_flags & CO_VARARGS:
        rest = frame.f_locals.get(code.co_varnames[code.co_kwonlyargcount])
        return rest[0] if isinstance(rest, tuple) and rest else None
    return None
