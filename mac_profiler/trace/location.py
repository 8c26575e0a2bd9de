"""Location: which module and which line of the user's code an operator was called from, read off the call stack.

The stack is read instead of hooks or patches: it also sees modules called through `.forward()`, costs the modules
nothing, and leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import torch
from torch.nn.parameter import UninitializedParameter

from mac_profiler.errors import InvalidInput
from mac_profiler.graph import Module
from mac_profiler.trace.roots import roots_of

_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
# This folder's frames are the tracer's own; what lies beyond is the caller of macprof.
_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep

# Where the model's part of the stack ends.
_BOUNDARY = ("call_model", "call_backward")

# What a code object is, by its id; the code is kept so that the id stays its own.
# (its first argument is `self`, it is code of the user, it is code of the tracer)
_codes: dict[int, tuple[bool, bool, bool, CodeType]] = {}
_lines: dict[tuple[int, int], str] = {}


def _classify(code: CodeType) -> tuple[bool, bool, bool, CodeType]:
    file = code.co_filename
    own = file.startswith(_OWN)
    method = code.co_argcount > 0 and code.co_varnames[0] == "self"
    user = not own and not file.startswith(_TORCH) and not file.startswith("<")
    found = _codes[id(code)] = (method, user, own, code)
    return found


def shown_path(file: str) -> str:
    """A file's path as a reader knows it: from the nearest of the working directory and sys.path, else whole."""
    best = file
    for root in [os.getcwd(), *sys.path]:
        prefix = os.path.join(os.path.abspath(root), "") if root else os.path.join(os.getcwd(), "")
        if file.startswith(prefix) and len(file) - len(prefix) < len(best):
            best = file[len(prefix) :]
    return best


class Locator:
    """Finds module path and source line of the operator being dispatched.

    Args:
        model: the model being traced; a plain callable is possible.
    """

    def __init__(self, model: Any) -> None:
        self.paths: dict[int, str] = {}
        self.modules: dict[str, Module] = {}
        self.roles: dict[int, str] = {}
        self.also: dict[int, list[str]] = {}
        self.kept: list[Any] = []
        self.all_modules: list[torch.nn.Module] = []
        # Whether each parameter wanted a gradient: forward may change that, and it is put back.
        self.wanted_gradients: list[tuple[torch.nn.Parameter, bool]] = []
        for name, root in roots_of(model):
            self.survey(root, name)

    def survey(self, root: torch.nn.Module, prefix: str) -> None:
        """Note path, type and own parameters of a module and everything below it."""
        paths, modules, roles = self.paths, self.modules, self.roles
        pending: list[tuple[str, torch.nn.Module]] = [(prefix, root)]
        while pending:
            path, module = pending.pop()
            if id(module) in paths:
                # Registered under a second name: which name an op belongs to is decided by who called it.
                self.also.setdefault(id(module), [paths[id(module)]]).append(path)
                continue
            paths[id(module)] = path
            self.all_modules.append(module)
            owned = 0
            for parameter in module._parameters.values():
                if parameter is not None and id(parameter) not in roles:
                    if isinstance(parameter, UninitializedParameter):
                        raise InvalidInput(
                            f"module '{path}' has a lazy parameter without a shape: call the model once, then analyze"
                        )
                    roles[id(parameter)] = "weight"
                    self.wanted_gradients.append((parameter, parameter.requires_grad))
                    owned += parameter.numel()
            for buffer in module._buffers.values():
                if buffer is not None:
                    roles.setdefault(id(buffer), "buffer")
            modules[path] = Module(path, type(module).__name__, owned)
            children = [
                (f"{path}.{name}" if path else name, child)
                for name, child in module._modules.items()
                if child is not None
            ]
            # Reversed, so that the stack yields parents before children and children in their own order.
            pending.extend(reversed(children))

    def tensors(self) -> Iterator[torch.Tensor]:
        """Every dense parameter and buffer of the surveyed modules, shared ones as often as they are held."""
        for module in self.all_modules:
            held = (*module._parameters.values(), *module._buffers.values())
            yield from (tensor for tensor in held if tensor is not None and tensor.layout is torch.strided)

    def locate(self, frame: FrameType | None) -> tuple[str, str]:
        """Module path and "file:line" for an operator called from that frame; "" for what is not known."""
        codes = _codes
        path: str | None = None
        source: str | None = None
        while frame is not None:
            code = frame.f_code
            method, user, own, _ = codes.get(id(code)) or _classify(code)
            if own:
                if code.co_name in _BOUNDARY:
                    break
                frame = frame.f_back
                continue
            if user and source is None:
                source = self._line(frame, code)
            if method and path is None:
                owner = frame.f_locals.get("self")
                if owner is not None:
                    path = self.paths.get(id(owner))
                    if path is None:
                        if isinstance(owner, torch.nn.Module):
                            path = self._unknown(owner, frame)
                    elif id(owner) in self.also:
                        path = self._disambiguate(owner, frame)
            if path is not None and source is not None:
                break
            frame = frame.f_back
        return path or "", source or ""

    @staticmethod
    def _line(frame: FrameType, code: CodeType) -> str:
        key = (id(code), frame.f_lasti)
        found = _lines.get(key)
        if found is None:
            found = _lines[key] = f"{shown_path(code.co_filename)}:{frame.f_lineno}"
        return found

    def _callers(self, frame: FrameType) -> Iterator[torch.nn.Module]:
        """Modules whose methods are on the stack outside that frame, innermost first."""
        outer = frame.f_back
        while outer is not None:
            code = outer.f_code
            method, _, own, _ = _codes.get(id(code)) or _classify(code)
            if own and code.co_name in _BOUNDARY:
                return
            if method:
                owner = outer.f_locals.get("self")
                if isinstance(owner, torch.nn.Module):
                    yield owner
            outer = outer.f_back

    def _disambiguate(self, module: torch.nn.Module, frame: FrameType) -> str:
        """Of a shared module's names, the one below the module that called it."""
        names = self.also[id(module)]
        for caller in self._callers(frame):
            if caller is not module:
                parent = self.paths.get(id(caller))
                if parent is not None:
                    prefix = f"{parent}." if parent else ""
                    for name in names:
                        if name.startswith(prefix) and "." not in name[len(prefix) :]:
                            return name
        return names[0]

    def _unknown(self, module: torch.nn.Module, frame: FrameType) -> str:
        """Path of a module that the survey did not meet: a callable's closure, or one made inside forward."""
        outermost = module
        for caller in self._callers(frame):
            known = self.paths.get(id(caller))
            if known is not None:
                self.paths[id(module)] = known
                self.kept.append(module)
                return known
            outermost = caller
        prefix = "" if not self.modules else type(outermost).__name__
        self.kept.append(outermost)
        self.survey(outermost, prefix)
        return self.paths.get(id(module), prefix)


def is_user_file(file: str) -> bool:
    """Whether code of that file is the user's: neither torch's nor the tracer's."""
    return not file.startswith((_TORCH, _OWN, "<"))
