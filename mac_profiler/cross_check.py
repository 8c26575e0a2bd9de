"""Cross-check: what fvcore and torch's FlopCounterMode say of the same model, and which operators differ and why.

Both peers are run on the model that was analyzed. Their counts are cut down to what each module's own code ran, and
compared module by module, so that a difference comes with the place that makes it. The reasons are read from what a
peer reports (operators that it has no formula for, operators that it counts besides), never from the model's name.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

from mac_profiler.peers import Counts
from mac_profiler.profile import Profile
from mac_profiler.registry import modules_of

ROOM = "mac_profiler.peers"
FAILED = "failed:"
# Parameters of a model that is built with data without being asked for: 4 GiB in float32.
LARGEST_ON_CPU = 2**30
Excuse = Callable[[str, tuple[str, ...]], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Some modules in which a peer's multiply-adds are not ours.

    Attributes:
        ours: operators that macprof counts there.
        theirs: operators that the peer counts there.
        amount: the peer's multiply-adds less ours, over all places.
        places: number of modules.
        example: path of the first of them.
        reason: why, as far as the peer's report tells.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    amount: int
    places: int
    example: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one peer says.

    Attributes:
        peer: its name.
        convention: what its number counts.
        mult_adds: its total; None where it gave none.
        message: why it gave none.
        differences: what the difference from ours is made of; their amounts sum to it.
    """

    peer: str
    convention: str
    mult_adds: int | None = None
    message: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours and every peer's multiply-adds of one forward pass.

    Attributes:
        mult_adds: ours.
        answers: the peers'.
    """

    mult_adds: int
    answers: tuple[Answer, ...]


def compare(
    profile: Profile,
    model: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    peers: Collection[str] | None = None,
) -> Comparison:
    """Run the peers on a model, or callable, that was analyzed; a peer that fails becomes an answer with its message.

    Args:
        profile: our count of the same call.
        model: the model.
        args: positional inputs, as the analysis got them.
        kwargs: keyword inputs.
        peers: names of those to run; None runs all.
    """
    ours: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for op, cost in zip(profile.graph.ops, profile.costs, strict=True):
        if cost is not None and cost.mult_adds and op.phase == "forward":
            ours[op.path][op.target] += cost.mult_adds
    names = _first_names(model)
    own = _renamed(ours, names)
    total = int(sum(sum(counts.values()) for counts in own.values()))
    asked = [peer for peer in map(importlib.import_module, modules_of(ROOM)) if peers is None or peer.NAME in peers]
    return Comparison(total, tuple(_answer(peer, model, args, kwargs, own, names) for peer in asked))


def compare_named(
    profile: Profile,
    name: str,
    *,
    arguments: Mapping[str, object],
    inputs: Sequence[str] = (),
    device: str = "meta",
    weights: str | PathLike[str] | None = None,
) -> Comparison:
    """`compare` with a model by name, built anew as for the analysis.

    A peer that cannot run on meta is asked again on the CPU, unless the model is too large to be built there.

    Raises:
        MacprofError: the model cannot be built, or its inputs cannot be read.
    """
    from mac_profiler.models import find

    built = find(name, arguments, inputs, device=device, weights=weights)
    comparison = compare(profile, built.module, built.args, built.kwargs)
    failed = {answer.peer for answer in comparison.answers if answer.message.startswith(FAILED)}
    if device != "meta" or not failed or profile.parameters > LARGEST_ON_CPU:
        return comparison
    built = find(name, arguments, inputs, device="cpu", weights=weights)
    again = {answer.peer: answer for answer in compare(profile, built.module, built.args, built.kwargs, failed).answers}
    return replace(comparison, answers=tuple(again.get(answer.peer, answer) for answer in comparison.answers))


def _answer(
    peer: Any, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], ours: Counts, names: Mapping[str, str]
) -> Answer:
    try:
        with _silence(), _left_as_found(model):
            report = peer.ask(model, args, kwargs)
    except ImportError as error:
        remedy = f"pip install {error.name or peer.NAME}"
        return Answer(peer.NAME, peer.CONVENTION, message=f"cannot be imported ({error}); {remedy}")
    except Exception as error:  # noqa: BLE001 a peer's crash, of whatever kind, is its answer
        said = " ".join(str(error).split())
        return Answer(peer.NAME, peer.CONVENTION, message=f"{FAILED} {type(error).__name__}: {said}"[:300])
    theirs = _own(_renamed(report.sums, names))
    total = round(sum(sum(counts.values()) for counts in theirs.values()))
    return Answer(peer.NAME, peer.CONVENTION, total, differences=tuple(_differences(ours, theirs, report.excuse)))


@contextmanager
def _left_as_found(model: Any) -> Iterator[None]:
    """Peers run the model: its buffers (running statistics) and the random generators are put back after."""
    import torch

    modules = [*model.modules()] if isinstance(model, torch.nn.Module) else []
    buffers = [dict(module._buffers) for module in modules]
    copies = {tensor: tensor.detach().clone() for kept in buffers for tensor in kept.values() if tensor is not None}
    try:
        with torch.random.fork_rng():
            yield
    finally:
        for module, kept in zip(modules, buffers, strict=True):
            module._buffers.clear()
            module._buffers.update(kept)
        with torch.no_grad():
            for tensor, copy in copies.items():
                tensor.copy_(copy)


@contextmanager
def _silence() -> Iterator[None]:
    """Peers warn about each operator that they leave out; the table says it once."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _first_names(model: Any) -> dict[str, str]:
    """Every path of a module to its first one: peers and we may call a shared module by different names."""
    if not hasattr(model, "named_modules"):
        return {}  # a plain callable
    first: dict[int, str] = {}
    return {path: first.setdefault(id(module), path) for path, module in model.named_modules(remove_duplicate=False)}


def _renamed(counts: Counts, names: Mapping[str, str]) -> Counts:
    renamed: dict[str, dict[str, float]] = {}
    for path, operators in counts.items():
        into = renamed.setdefault(names.get(path, path), {})
        for name, number in operators.items():
            into[name] = into.get(name, 0) + number
    return renamed


def _own(sums: Counts) -> Counts:
    """What each module's own code ran: its sum less the sums of the modules right below it."""
    own = {path: dict(counts) for path, counts in sums.items()}
    for path, counts in sums.items():
        above = path
        while above:
            above = above.rpartition(".")[0]
            if above in own:
                for name, number in counts.items():
                    own[above][name] = own[above].get(name, 0) - number
                break
    return own


def _differences(ours: Counts, peers: Counts, excuse: Excuse) -> Iterator[Difference]:
    groups: dict[tuple[tuple[str, ...], tuple[str, ...], str], list[tuple[str, float]]] = {}
    for path in dict.fromkeys([*ours, *peers]):
        mine, theirs = _unmatched(ours.get(path, {}), peers.get(path, {}))
        amount = sum(theirs.values()) - sum(mine.values())
        if amount:
            reason = _reason(mine, theirs, excuse, path)
            groups.setdefault((tuple(sorted(mine)), tuple(sorted(theirs)), reason), []).append((path, amount))
    found = [
        Difference(mine, theirs, round(sum(amount for _, amount in places)), len(places), places[0][0], reason)
        for (mine, theirs, reason), places in groups.items()
    ]
    for difference in sorted(found, key=lambda difference: -abs(difference.amount)):
        # What one side counts in a module and the other in its caller is no difference of counts.
        if not any(_cancel(difference, other) for other in found):
            yield difference


def _cancel(one: Difference, other: Difference) -> bool:
    sides = [(bool(difference.ours), bool(difference.theirs)) for difference in (one, other)]
    return one.amount == -other.amount and sorted(sides) == [(False, True), (True, False)]


def _unmatched(mine: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """The operators of one module less those pairs whose counts agree, whatever each side calls them."""
    left, right = {k: v for k, v in mine.items() if v}, {k: v for k, v in theirs.items() if v}
    for name, number in list(left.items()):
        twin = next((other for other, count in right.items() if count == number), None)
        if twin is not None:
            del left[name], right[twin]
    return left, right


def _reason(mine: Mapping[str, float], theirs: Mapping[str, float], excuse: Excuse, path: str) -> str:
    if not mine:
        return "it counts these besides; multiply-adds are those of convolution, products, attention, recurrence"
    if not theirs:
        return excuse(path, tuple(sorted(mine))) or "it attributes nothing to this module's own code"
    return f"its formula gives {sum(theirs.values()) / sum(mine.values()):.6g} times ours"
