"""The call that is traced: what is set before, which modes are tried, and how everything is put back.

The modes, in the order in which they are tried; each is used only if the one before asked for data:

1. "shapes": nothing is computed; every tensor is a stand-in. Contents that exist already (a literal, a small buffer, an
   input) are looked up.
2. "values": as "shapes", and small tensors that depend on existing contents alone (ids, masks, positions) are computed.
3. "run": the model is run with its own tensors and the operators are recorded as they pass.
4. "assume": as "values", and what is still unknown is assumed; each assumption is stated in the notes.
"""

from __future__ import annotations

import contextlib
import gc
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from mac_profiler.errors import InvalidInput, MacprofError, TraceFailed
from mac_profiler.graph import Graph, Module, Value
from mac_profiler.trace.assume import Assumer, Believer
from mac_profiler.trace.differentiate import Accumulator, Differentiator, NeedsAccumulation
from mac_profiler.trace.failures import NeedsAutograd, place_of, tell, understand
from mac_profiler.trace.inputs import exchange_tensors, tensors_of
from mac_profiler.trace.leftovers import Token, any_left, drop_frames, evict
from mac_profiler.trace.literals import Literals
from mac_profiler.trace.location import Locator
from mac_profiler.trace.recorder import OUTCOMES, Recorder
from mac_profiler.trace.rehearse import Rehearser
from mac_profiler.trace.run import Runner
from mac_profiler.trace.snapshot import Snapshot
from mac_profiler.trace.standin import NeedsData, forget_if_many
from mac_profiler.trace.values import Computer

Atomic = Callable[[str], bool]


def trace(
    model: Any,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    atomic: Atomic,
    backward: bool = False,
    name: str | None = None,
) -> Graph:
    """Record the operators that `model(*args, **kwargs)` executes.

    Args:
        model: module or callable; left as found, also if it raises.
        args: what to call it with; tensors anywhere in lists, tuples, mappings and dataclasses.
        kwargs: the same by name.
        atomic: whether an operator of that target is recorded whole; a composite that is not is followed.
        backward: record the backward pass of the sum of its outputs too.
        name: the graph's model name; the class or function name by default.

    Raises:
        InvalidInput: nested or sparse tensors, modules that are not initialised.
        TraceFailed: the model raised, or needs contents that no mode can supply.
    """
    model = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
    call = Call(model, tuple(args), dict(kwargs or {}), atomic, backward, name or _name(model))
    _refuse(call)
    if forget_if_many():
        OUTCOMES.clear()
    token = Token()
    try:
        return _try_modes(call, token)
    except MacprofError as error:
        drop_frames(error)
        raise
    finally:
        if any_left(token):
            evict(token)


@dataclass(frozen=True, slots=True)
class Call:
    """The call that is to be traced; fields as the arguments of `trace`."""

    model: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    atomic: Atomic
    backward: bool
    name: str


def _try_modes(call: Call, token: Token) -> Graph:
    notes: list[str] = []
    failure: TraceFailed | None = None
    for mode, kind in _attempts(call):
        try:
            return _attempt(call, mode, kind, notes, token)
        except NeedsAccumulation:
            return _attempt(call, mode, Accumulator, notes, token)
        except NeedsAutograd as need:
            notes.append(f"the model differentiates inside its forward{need}: traced with autograd")
            return _attempt(call, mode, Differentiator, notes, token)
        except NeedsData as need:
            notes.append(f"{mode} asked for data: {need}{place_of(need)}")
        except TraceFailed as raised:
            if mode != "assume":
                raise
            # An assumption may be one that the model refuses; then the opposite is tried, and its own error counts.
            failure = failure or raised
    if failure is not None:
        raise failure
    # The modes ask for the same at the same place, mostly.
    wanted = "; ".join(dict.fromkeys(note.partition(" asked for data: ")[2] or note for note in notes))
    raise TraceFailed(
        f"the model needs data that no trace mode can supply: {wanted}; give it and its inputs data (--device cpu)"
    )


def _attempt(call: Call, mode: str, kind: type[Recorder] | type[Runner], notes: list[str], token: Token) -> Graph:
    locator = Locator(call.model)
    recorder = kind(locator, call.atomic, token)
    inputs: dict[int, tuple[torch.Tensor, Any]] = {}

    def take(tensor: torch.Tensor) -> Any:
        if id(tensor) not in inputs:
            inputs[id(tensor)] = (tensor, recorder.take_input(tensor))
        return inputs[id(tensor)][1]

    with torch.inference_mode(False):
        taken_args, taken_kwargs = exchange_tensors((call.args, call.kwargs), take)
    given = tuple(recorder.value_of(stand) for _, stand in inputs.values())
    with _left_as_found(locator, recorder, (call.args, call.kwargs)):
        try:
            with _forward_state(recorder):
                result = call_model(call.model, taken_args, taken_kwargs)
        except TraceFailed:
            raise
        except SystemExit as leaving:
            raise TraceFailed(f"the model's forward called sys.exit({leaving.code!r}){place_of(leaving)}") from leaving
        except Exception as error:
            raise understand(error, autograd=isinstance(recorder, Differentiator | Rehearser)) from error
        results = tensors_of(result)
        returned = tuple(recorder.value_of(tensor) for tensor in results)
        if call.backward and isinstance(recorder, Differentiator | Rehearser):
            try:
                with torch.inference_mode(False):
                    recorder.run_backward(results, _differentiable(call.model, inputs))
            except (MacprofError, NeedsAccumulation):
                raise
            except Exception as error:
                raise TraceFailed(tell(error, "backward pass")) from error
    notes = [*notes, *token.notes]
    modules = locator.modules or {"": Module("", _name(call.model), _weights(recorder))}
    return Graph(call.name, tuple(recorder.ops), modules, given, returned, mode, (*notes, *recorder.notes))


def call_model(model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call it; the frame of this function is where the model's part of the call stack ends."""
    return model(*args, **kwargs)


@contextlib.contextmanager
def _forward_state(recorder: Recorder | Runner) -> Iterator[None]:
    """One grad mode whatever the caller's, so that the answer is one; composite operators reach the recorder whole."""
    wanted = isinstance(recorder, Differentiator | Rehearser)
    with torch.inference_mode(False), torch.set_grad_enabled(wanted):
        if isinstance(recorder, Rehearser):
            yield
        else:
            with torch._C._AutoDispatchBelowADInplaceOrView():
                yield


def _eager() -> contextlib.AbstractContextManager[Any]:
    """What the model compiles in parts runs as it is written: compiled code shows no operators."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else contextlib.nullcontext()


def _differentiable(model: Any, inputs: dict[int, tuple[torch.Tensor, Any]]) -> list[torch.Tensor]:
    wanted = [stand for _, stand in inputs.values() if stand.requires_grad]
    if isinstance(model, torch.nn.Module):
        wanted += [parameter for parameter in model.parameters() if parameter.requires_grad]
    return wanted


@contextlib.contextmanager
def _left_as_found(locator: Locator, recorder: Recorder | Runner, arguments: Any) -> Iterator[None]:
    """Everything that the traced call could change, set for the call and put back."""
    with contextlib.ExitStack() as stack:
        stack.callback(_forget_casts)
        for restore in _random_states():
            stack.callback(restore)
        stack.callback(_put_back_wants, locator)
        stack.callback(Snapshot(locator.all_modules, arguments).restore)
        stack.callback(recorder.close)
        if gc.isenabled():
            # A collection in the middle finds nothing to free: all that the trace makes is kept until its end.
            gc.disable()
            stack.callback(gc.enable)
        # The fast path runs the same products in one opaque operator, on some devices and grad modes only.
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        with recorder, _eager(), Literals() if recorder.computes else contextlib.nullcontext():
            yield


def _random_states() -> Iterator[Callable[[], None]]:
    """For each random generator that the call could use, how to put it back."""
    yield partial(random.setstate, random.getstate())
    yield partial(torch.set_rng_state, torch.get_rng_state())
    if torch.cuda.is_initialized():
        yield partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
    if "numpy" in sys.modules:
        numpy_random = sys.modules["numpy"].random
        yield partial(numpy_random.set_state, numpy_random.get_state())


def _put_back_wants(locator: Locator) -> None:
    for parameter, wanted in locator.wanted_gradients:
        if parameter.requires_grad is not wanted:
            parameter.requires_grad_(wanted)


def _forget_casts() -> None:
    """The caller's own autocast region may have been handed casts of weights that are stand-ins."""
    if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
        torch.clear_autocast_cache()


def _refuse(call: Call) -> None:
    if not callable(call.model):
        raise InvalidInput(f"cannot call a {type(call.model).__name__}: pass an nn.Module or a callable")
    for tensor in tensors_of((call.args, call.kwargs)):
        if tensor.is_nested:
            raise InvalidInput("an input is a nested tensor, which has no one shape: pass a padded tensor and a mask")
        if tensor.layout is not torch.strided:
            raise InvalidInput(f"an input has layout {tensor.layout}: pass a dense tensor (.to_dense())")


def _has_data(call: Call) -> bool:
    """Whether the model could be run: no tensor of it or its inputs is on meta."""
    tensors = tensors_of((call.args, call.kwargs))
    if isinstance(call.model, torch.nn.Module):
        tensors += [*call.model.parameters(), *call.model.buffers()]
    return all(tensor.device.type != "meta" for tensor in tensors)


def _attempts(call: Call) -> Iterator[tuple[str, Any]]:
    if call.backward:
        yield "shapes", Differentiator
        if _has_data(call):
            yield "run", Rehearser
        return
    yield "shapes", Recorder
    yield "values", Computer
    if _has_data(call):
        yield "run", Runner
    yield "assume", Assumer
    yield "assume", Believer


def _name(model: Any) -> str:
    if isinstance(model, torch.nn.Module):
        return type(model).__name__
    return str(getattr(model, "__qualname__", None) or type(model).__name__)


def _weights(recorder: Recorder | Runner) -> int:
    """Elements of the weights that a plain callable used."""
    seen: set[Value] = set()
    for op in recorder.ops:
        seen.update(value.owner for value in op.inputs if value.role == "weight")
    return sum(value.elements for value in seen)
