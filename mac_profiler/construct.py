"""Call what makes a model: on a device, the random generators left as found, a failure told in one line."""

from __future__ import annotations

import inspect
import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from sysconfig import get_paths
from typing import Any

from mac_profiler.errors import InvalidInput, MacprofError, ModelNotFound
from mac_profiler.registry import did_you_mean


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the generators of torch and of Python as they were."""
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    state = random.getstate()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(state)


def construct(name: str, function: Callable[..., Any], arguments: Mapping[str, object]) -> Any:
    """Call a function that makes a model.

    Args:
        name: what the user called the model, for messages.
        function: a function or class.
        arguments: its keyword arguments.

    Raises:
        InvalidInput: the function takes no such argument, or needs one that is not given.
        ModelNotFound: it raised.
    """
    check_arguments(name, function, arguments)
    try:
        with random_state_kept():
            return function(**arguments)
    except MacprofError:
        raise
    # A user's code may raise anything, and may call sys.exit; either is told in its own words.
    except (Exception, SystemExit) as error:
        _refuse_argument(name, arguments, error)
        raise ModelNotFound(f"{name} cannot be built: {describe(error)}") from error


def construct_on(device: str, name: str, function: Callable[..., Any], arguments: Mapping[str, object]) -> Any:
    """Call a function that makes a module with its tensors on a device, in eval mode.

    On "meta" nothing is initialised and nothing takes memory. A constructor that computes with values cannot run there
    (RegNet's works out its widths with tensors): it gets real tensors except for `torch.empty`, which is what layers
    make their weights of, and the whole is moved to meta afterwards. Where that fails too, it runs on the CPU.

    Raises:
        InvalidInput: the function takes no such argument, or needs one that is not given.
        ModelNotFound: it raised, on the CPU too, or there is no such device.
    """
    import torch

    def wholly_on(where: str, **given: object) -> Any:
        with torch.device(where):
            return function(**given)

    def weights_on_meta(**given: object) -> Any:
        with _empty_on_meta():
            return function(**given).to("meta")

    ways: list[Callable[..., Any]] = [partial(wholly_on, device)]
    if device == "meta":
        ways += [weights_on_meta, partial(wholly_on, "cpu")]
    check_arguments(name, function, arguments)
    for way in ways[:-1]:
        with suppress(ModelNotFound):
            return construct(name, way, arguments).eval()
    return construct(name, ways[-1], arguments).eval()


def _empty_on_meta() -> AbstractContextManager[object]:
    """Where it is entered, `torch.empty` without a device answers with a meta tensor."""
    import torch
    from torch.overrides import TorchFunctionMode

    class EmptyOnMeta(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            given = kwargs or {}
            if func is torch.empty and given.get("device") is None:
                given["device"] = "meta"
            return func(*args, **given)

    return EmptyOnMeta()


def check_arguments(name: str, function: Callable[..., Any], arguments: Mapping[str, object]) -> None:
    """Refuse arguments that a function does not take, by its signature.

    Raises:
        InvalidInput: an argument is unknown, or a required one is missing.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return  # Written in C, without a signature: the call itself will tell.
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for key in arguments:
            if key not in known:
                takes = did_you_mean(key, known) or (f" It takes {', '.join(known)}." if known else " It takes none.")
                raise InvalidInput(f"{name} takes no argument '{key}'.{takes}")
    missing = [p.name for p in parameters if p.name in known and p.default is p.empty and p.name not in arguments]
    if missing:
        raise InvalidInput(f"{name} needs the argument '{missing[0]}'; give it with --arg {missing[0]}=VALUE")


def _refuse_argument(name: str, arguments: Mapping[str, object], error: BaseException) -> None:
    # A function with **kwargs passes on what it does not know, and the complaint comes from further down.
    if isinstance(error, TypeError) and "unexpected keyword argument" in str(error):
        for key in arguments:
            if f"'{key}'" in str(error):
                raise InvalidInput(f"{name} takes no argument '{key}' ({first_line(error)})") from error


def describe(error: BaseException) -> str:
    """An exception in one line: its type, its message, and the last line that is not library code."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({Path(error.filename).name}:{error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _library(f.filename)]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    message = first_line(error)
    return f"{type(error).__name__}{': ' if message else ''}{message}{where}"


def first_line(error: BaseException) -> str:
    """The first line of an exception's message that says something."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")


def _library(filename: str) -> bool:
    return filename.startswith(_library_folders()) or "site-packages" in Path(filename).parts


@cache
def _library_folders() -> tuple[str, ...]:
    return (str(Path(__file__).parent), get_paths()["stdlib"], "<frozen")
