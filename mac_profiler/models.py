"""Find a model by name: "shufflenet_v2", "torchvision:x", "timm:x", "package.module:callable", "file.py:callable"."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, cast

from mac_profiler.errors import InvalidInput
from mac_profiler.inputs import Input, make_tensor, parse_argument, parse_input
from mac_profiler.published import Published
from mac_profiler.registry import modules_of
from mac_profiler.weights import fill, read_checkpoint, shapes_of

if TYPE_CHECKING:
    import torch

__all__ = ["Built", "Entry", "Published", "entries", "find", "names", "parse_argument", "parse_input"]

ROOM = "mac_profiler.adapters"

# What a model takes that says nothing else: the image of the papers' tables.
ASSUMED_INPUT = "1x3x224x224"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the zoo, as it is listed.

    Attributes:
        name: what `find` takes.
        family: "ShuffleNet V2".
        input_shape: shape of its input; None of a plugin's callable, which gives its own or takes the assumed one.
        published: figures that were printed of it.
        aliases: other names of it.
        model: what builds it, where another adapter does: "torchvision:vgg16".
    """

    name: str
    family: str
    input_shape: tuple[int, ...]
    published: tuple[Published, ...] = ()
    aliases: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A model and what to call it with.

    Attributes:
        name: what the user called it.
        module: an nn.Module, or a callable.
        args: positional inputs.
        kwargs: keyword inputs.
        note: what a reader of the result must know of how it was called.
    """

    name: str
    module: Any
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class Adapter(Protocol):
    """What a file in the room of adapters offers; see `mac_profiler.adapters`."""

    def names(self) -> list[str]:
        """The models that it has, without their prefix; fast, and without torch."""

    def build(self, name: str, arguments: Mapping[str, object], device: str) -> Built:
        """Make one."""


class Zoo(Adapter, Protocol):
    """What the adapter of the zoo offers besides."""

    def entries(self) -> list[Entry]:
        """Every model, with what was published of it."""

    def canonical(self, name: str) -> str:
        """What it calls a network; a name that it does not know stays as it is."""

    def lent(self, name: str) -> tuple[str, Mapping[str, object]] | None:
        """Name at another adapter, and arguments, of a model that a library has; None for any other name."""

    def evident(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, object]:
        """Arguments that a checkpoint was made with and that the model would not be, by the shapes of its tensors."""


def find(
    name: str,
    arguments: Mapping[str, object] | None = None,
    inputs: Sequence[str] = (),
    *,
    device: str = "meta",
    batch: int = 1,
    weights: str | PathLike[str] | None = None,
) -> Built:
    """Build a model by name, with inputs.

    Models of the zoo, torchvision and timm are made in eval mode, on the device, and none's weights are fetched; on
    "meta" they take neither memory nor initialisation. A user's own callable is called as it is, wherever it puts its
    model.

    A model of the zoo is built with the arguments that the weights were evidently made with, such as their number of
    classes, unless these are among the arguments here. On "meta", where there is nothing to copy to, the weights are
    checked all the same.

    Args:
        name: a name of the zoo, "torchvision:NAME", "timm:NAME", "package.module:callable" or "path/file.py:callable".
        arguments: keyword arguments of the constructor or callable.
        inputs: texts for `parse_input`; none takes the model's own default.
        device: where models of the zoo, torchvision and timm are made.
        batch: so many times the model's own inputs, which mostly hold one image each; inputs that are given say it.
        weights: a file of torch.save with the model's state_dict; what it holds besides tensors is never run.

    Raises:
        ModelNotFound: there is no such model, or it cannot be built.
        MissingPackage: its package is not installed.
        InvalidInput: an argument is unknown, an input cannot be read, there is none and the model needs several, or
            there is nothing to repeat.
        WeightsFailed: the weights cannot be read, or do not fit the model; a module of the user's is left as it was.
    """
    # Read first: a slip in an input should not wait for the model.
    wanted = [parse_input(text) for text in inputs]
    given = dict(arguments or {})
    checkpoint = None if weights is None else read_checkpoint(weights)
    lent = None if ":" in name else _zoo().lent(name)
    if lent is not None:
        given = {**lent[1], **given}
    adapter, rest = _adapter(lent[0] if lent is not None else name)
    seen = {} if checkpoint is None or ":" in name else _zoo().evident(name, shapes_of(checkpoint))
    taken = {key: value for key, value in seen.items() if key not in given}
    built = replace(adapter.build(rest, {**given, **taken}, device), name=name)
    if checkpoint is not None:
        said = [
            *([built.note] if built.note else []),
            fill(built.module, checkpoint, name),
            *(f"{key}={value} as in the file" for key, value in taken.items()),
        ]
        built = replace(built, note="; ".join(said))
    if wanted:
        args, kwargs = _tensors(wanted, built.module, device)
        return replace(built, args=args, kwargs=kwargs)
    built = built if built.args or built.kwargs else _with_assumed_input(built, device)
    return built if batch == 1 else _repeated(built, batch)


def images_of(built: Built) -> int:
    """How many images, or other examples, one call has: the length of the first tensor of several dimensions, or list.

    One without dimensions, or with one, is a single example.
    """
    for each in (*built.args, *built.kwargs.values()):
        if isinstance(each, list | tuple):
            return len(each)
        if getattr(each, "ndim", 0) > 1:
            return int(each.shape[0])
    return 1


def _repeated(built: Built, batch: int) -> Built:
    """The model called with so many times its inputs: tensors along their first dimension, lists of them one by one."""

    def repeat(each: Any) -> Any:
        if isinstance(each, list | tuple):
            return type(each)(list(each) * batch)
        return each.repeat(batch, *[1] * (each.ndim - 1)) if getattr(each, "ndim", 0) > 0 else each

    try:
        args = tuple(map(repeat, built.args))
        kwargs = {name: repeat(each) for name, each in built.kwargs.items()}
    except (RuntimeError, MemoryError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInput(f"--batch {batch}: {built.name} cannot have so many inputs: {reason}; give fewer") from error
    before, after = (*built.args, *built.kwargs.values()), (*args, *kwargs.values())
    if all(new is old for new, old in zip(after, before, strict=True)):
        raise InvalidInput(f"--batch {batch}: no input of {built.name} can be repeated; give the inputs by --input")
    return replace(built, args=args, kwargs=kwargs)


def names() -> list[str]:
    """Names and aliases of the zoo, sorted; does not import torch."""
    return _zoo().names()


def entries() -> list[Entry]:
    """The models of the zoo with their published figures, in the order of their files; does not import torch."""
    return _zoo().entries()


def canonical(name: str) -> str:
    """What the zoo calls a network of which an alias, another spelling or a paper's name is given; else the same."""
    return name if ":" in name else _zoo().canonical(name)


def complete(start: str) -> list[str]:
    """Model names that begin so, also behind the prefix of a package; does not import torch."""
    prefix, colon, _ = start.partition(":")
    if not colon:
        known = [*names(), *(f"{adapter}:" for adapter in _prefixes() if adapter not in ("code", "zoo"))]
    elif prefix in _prefixes():
        known = [f"{prefix}:{name}" for name in _load(prefix).names()]
    else:
        known = []
    return [name for name in known if name.startswith(start)]


def is_own_code(name: str) -> bool:
    """Whether a name is of the user's own code: "package.module:callable" or "path/file.py:callable"."""
    prefix, colon, _ = name.partition(":")
    return name.endswith(".py") or (bool(colon) and prefix not in _prefixes())


def _prefixes() -> list[str]:
    return [module.rpartition(".")[2] for module in modules_of(ROOM)]


def _load(adapter: str) -> Adapter:
    return cast("Adapter", importlib.import_module(f"{ROOM}.{adapter}"))


def _zoo() -> Zoo:
    return cast("Zoo", _load("zoo"))


def _adapter(name: str) -> tuple[Adapter, str]:
    prefix, colon, rest = name.partition(":")
    if colon and prefix in _prefixes():
        return _load(prefix), rest
    # A path without its callable is told apart from a misspelt name of the zoo.
    if colon or name.endswith(".py"):
        return _load("code"), name
    return _load("zoo"), name


def _tensors(wanted: Sequence[Input], module: Any, device: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    place, floating = _home(module, device)
    args = tuple(make_tensor(one, place, floating) for one in wanted if not one.name)
    kwargs: dict[str, Any] = {}
    for one in wanted:
        if one.name in kwargs:
            raise InvalidInput(f"--input gives '{one.name}' twice")
        if one.name:
            kwargs[one.name] = make_tensor(one, place, floating)
    return args, kwargs


def _home(module: Any, device: str) -> tuple[torch.device | str, torch.dtype | None]:
    """Where a model's tensors are, and the element type of its first floating-point parameter."""
    import torch

    if not isinstance(module, torch.nn.Module):
        return device, None
    tensors = [*module.parameters(), *module.buffers()]
    floating = next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), None)
    return (tensors[0].device if tensors else device), floating


def _with_assumed_input(built: Built, device: str) -> Built:
    """Give a user's model that takes one input the image that most networks take, and say so.

    Raises:
        InvalidInput: it takes more than one input, or none can be told.
    """
    required = _required(built.module)
    if not required:
        return built
    if len(required) > 1:
        raise InvalidInput(
            f"{built.name} has no default input for '{required[0]}' and {len(required) - 1} more; give each with "
            f"--input, like --input {required[0]}=1x3x224x224"
        )
    args, _ = _tensors([parse_input(ASSUMED_INPUT)], built.module, device)
    assumed = f"no input was given: {ASSUMED_INPUT} is assumed; --input gives another"
    return replace(built, args=args, note="; ".join(filter(None, (built.note, assumed))))


def _required(module: Any) -> list[str]:
    """Names of the positional arguments that a model cannot be called without."""
    try:
        parameters = inspect.signature(getattr(module, "forward", module)).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in positional and p.default is p.empty]
