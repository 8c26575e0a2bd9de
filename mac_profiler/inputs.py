"""What the command line says of a model's inputs and arguments, read into data."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from mac_profiler.errors import InvalidInput
from mac_profiler.graph import ELEMENT_SIZE
from mac_profiler.registry import did_you_mean

if TYPE_CHECKING:
    import torch

# What people write besides torch's own names.
DTYPE_ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "short": "int16", "int": "int32", "long": "int64",
    "fp16": "float16", "fp32": "float32", "fp64": "float64", "bf16": "bfloat16", "boolean": "bool",
    "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip
# Quantized tensors need a scale, packed ones more than a shape, and torch calls complex32 experimental.
_UNMADE = frozenset(name for name in ELEMENT_SIZE if name.startswith(("qint", "quint", "float4", "complex32")))
DTYPES = sorted(set(ELEMENT_SIZE) - _UNMADE)
# Torch counts elements in a signed 64-bit integer.
MOST_ELEMENTS = 2**63 - 1

_INPUT = re.compile(r"(?:(?P<name>[^=:]*)=)?(?P<sizes>[^=:]*)(?::(?P<dtype>[^=:]*))?")
_LITERALS = {"true": True, "false": False, "none": None, "null": None}


@dataclass(frozen=True, slots=True)
class Input:
    """One tensor to call a model with.

    Attributes:
        shape: sizes.
        dtype: torch's name of the element type; "" takes the model's own floating-point type.
        name: keyword that it is passed under; "" where it is positional.
    """

    shape: tuple[int, ...]
    dtype: str = ""
    name: str = ""


def parse_input(text: str) -> Input:
    """Read "[name=]1x3x224x224[:dtype]"; "x", "×" or "," stand between the sizes.

    Raises:
        InvalidInput: the text does not read so, a size is 0, or the dtype is none of torch's.
    """

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(f"--input '{text}': {reason}; write it like 1x3x224x224 or input_ids=1x128:int64")

    match = _INPUT.fullmatch(text.strip())
    if match is None:
        raise refuse("one '=' may follow a name and one ':' come before a dtype")
    name, dtype = match["name"], match["dtype"]
    if name is not None and not name.strip().isidentifier():
        raise refuse(f"'{name}' is not the name of an argument")
    sizes = [size.strip() for size in re.split(r"[xX×,]", match["sizes"])]
    for size in sizes:
        if not (size.isascii() and size.isdigit()):
            raise refuse(f"'{size}' is not a size" if size else "a size is missing")
        # A number that long would not even convert.
        if len(size) > len(str(MOST_ELEMENTS)):
            raise refuse("that is more elements than a tensor can have")
    shape = tuple(int(size) for size in sizes)
    if 0 in shape:
        raise refuse("a size of 0 leaves nothing to count")
    if prod(shape) > MOST_ELEMENTS:
        raise refuse("that is more elements than a tensor can have")
    return Input(shape, "" if dtype is None else _dtype(dtype.strip(), text), name.strip() if name else "")


def _dtype(written: str, text: str) -> str:
    lowered = written.lower().removeprefix("torch.")
    name = DTYPE_ALIASES.get(lowered, lowered)
    if name not in DTYPES:
        near = did_you_mean(lowered, DTYPES) or f" Torch has {', '.join(DTYPES)}."
        raise InvalidInput(f"--input '{text}': no dtype named '{written}'.{near}")
    return name


def parse_argument(text: str) -> tuple[str, object]:
    """Read "key=value"; the value is a Python literal, or true, false, none in any case, or else the text itself.

    Raises:
        InvalidInput: there is no "=", or what stands before it cannot name an argument.
    """
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key.isidentifier():
        raise InvalidInput(f"--arg '{text}': write it as name=value, like width=0.5")
    if value.lower() in _LITERALS:
        return key, _LITERALS[value.lower()]
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return key, value


def make_tensor(wanted: Input, device: torch.device | str, floating: torch.dtype | None = None) -> torch.Tensor:
    """A tensor of that shape: no memory on meta; elsewhere noise, for integers 0 (a valid index), for booleans True.

    Args:
        wanted: shape and dtype.
        device: where it is put.
        floating: the element type where wanted names none; None is torch's default.

    Raises:
        InvalidInput: the device has no such tensor, or no room for it.
    """
    import torch

    dtype: torch.dtype | None = getattr(torch, wanted.dtype, None) if wanted.dtype else floating
    if wanted.dtype and dtype is None:
        raise InvalidInput(f"torch {torch.__version__} has no dtype '{wanted.dtype}'")
    arguments: dict[str, Any] = {"dtype": dtype or torch.get_default_dtype(), "device": device}
    try:
        if torch.device(device).type == "meta":
            return torch.empty(wanted.shape, **arguments)
        if arguments["dtype"] == torch.bool:
            return torch.ones(wanted.shape, **arguments)
        if not (arguments["dtype"].is_floating_point or arguments["dtype"].is_complex):
            return torch.zeros(wanted.shape, **arguments)
        # A generator of its own, so that the caller's stays where it was.
        noise = torch.rand(wanted.shape, generator=torch.Generator().manual_seed(0))
        return noise.to(**arguments)
    except RuntimeError as error:
        sizes = "x".join(map(str, wanted.shape))
        raise InvalidInput(f"input {sizes} on {device}: {str(error).splitlines()[0]}") from error
