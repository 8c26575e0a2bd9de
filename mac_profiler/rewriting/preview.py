"""Preview: export a model, rewrite it, and run both."""

from __future__ import annotations

import copy
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from mac_profiler.construct import describe, random_state_kept
from mac_profiler.errors import InvalidInput
from mac_profiler.models import Built
from mac_profiler.previewed import Preview, Rewrite
from mac_profiler.profile import Profile
from mac_profiler.rewriting.fold import fold_batch_norms
from mac_profiler.rewriting.stack import stack_shuffles

# Folding changes the order in which numbers are multiplied, and rounds weights anew; of the largest output, in single
# precision, and so many times the step between numbers near 1 in types that have fewer digits.
TOLERANCE, STEPS = 1e-4, 8
_PASSES: tuple[Callable[[GraphModule], list[Rewrite]], ...] = (fold_batch_norms, stack_shuffles)


def preview_of(built: Built, profile_of: Callable[[Built], Profile]) -> Preview:
    """A model beside itself with the remedies applied that keep its function; the model itself is left as it is.

    Args:
        built: with its tensors on the CPU, and inputs for it.
        profile_of: counts a model.

    Raises:
        InvalidInput: torch cannot export it.
    """
    if not isinstance(built.module, nn.Module):
        raise InvalidInput(f"--fix-preview rewrites modules; {built.name} is a {type(built.module).__name__}")
    with random_state_kept(), torch.no_grad(), warnings.catch_warnings():
        # Exporting warns of what it does inside; none of it is about the model.
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        module = _with_statistics(copy.deepcopy(built.module).eval())
        args = tuple(_random(each) for each in built.args)
        kwargs = {name: _random(each) for name, each in built.kwargs.items()}
        rewritten = _export(built.name, module, args, kwargs)
        before = profile_of(Built(built.name, rewritten, args, kwargs))
        expected = _results(built.name, module, args, kwargs)
        done = [rewrite for each in _PASSES for rewrite in each(rewritten)]
        rewritten.recompile()
        found = _results(built.name, rewritten, args, kwargs)
        after = profile_of(Built(built.name, rewritten, args, kwargs))
    largest = max((float(each.nan_to_num(0, 0, 0).abs().max()) for each in expected if each.numel()), default=0.0)
    difference = _difference(expected, found)
    return Preview(
        tuple(done),
        sum(not op.view for op in before.graph.ops),
        sum(not op.view for op in after.graph.ops),
        before.total.accesses,
        after.total.accesses,
        largest,
        difference,
        difference <= _tolerance(expected) * largest,
    )


def _difference(expected: list[Tensor], found: list[Tensor]) -> float:
    """The largest between two results; infinite where one is no number, or of another shape, and the other not."""
    if [each.shape for each in expected] != [each.shape for each in found]:
        return math.inf
    largest = 0.0
    for one, other in zip(expected, found, strict=True):
        first, second = one.to(torch.float64), other.to(torch.float64)
        same = (first == second) | (first.isnan() & second.isnan())
        apart = (first - second).abs().masked_fill(same, 0.0).nan_to_num(math.inf, math.inf)
        largest = max(largest, float(apart.max())) if apart.numel() else largest
    return largest


def _tolerance(results: list[Tensor]) -> float:
    steps = [torch.finfo(each.dtype).eps for each in results if each.is_floating_point()]
    return max([TOLERANCE, *(STEPS * step for step in steps)])


def _results(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """What a module makes of the inputs; of copies, for it may write into them."""
    given, named = copy.deepcopy((args, kwargs))
    with _told_in_one_line(name, "it says"):
        return list(_tensors(module(*given, **named)))


@contextmanager
def _told_in_one_line(name: str, who: str) -> Iterator[None]:
    """A model's own code runs inside, and may raise anything; torch would log and print the graph besides."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    except Exception as error:
        raise InvalidInput(f"{name} cannot be rewritten: {who} {describe(error)}; leave --fix-preview out") from error
    finally:
        logging.disable(level)


def _export(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> GraphModule:
    with _told_in_one_line(name, "torch.export says"):
        exported: Any = torch.export.export(module, args, kwargs, strict=False).module()
    # What the model makes and nobody reads would count as a reader of what it reads.
    exported.graph.eliminate_dead_code()
    exported.recompile()
    return exported  # type: ignore[no-any-return]


def _with_statistics(module: nn.Module) -> nn.Module:
    """Numbers drawn by chance for every batch-norm that still has those that it was made with."""
    for each in module.modules():
        if not isinstance(each, nn.modules.batchnorm._BatchNorm):
            continue
        mean, variance = each.running_mean, each.running_var
        if mean is not None and variance is not None and bool((mean == 0).all()):
            mean.normal_(std=0.1)
            variance.uniform_(0.5, 1.5)
            if each.affine:
                each.weight.uniform_(0.5, 1.5)
                each.bias.normal_(std=0.1)
    return module


def _random(value: Any) -> Any:
    return torch.randn_like(value) if isinstance(value, Tensor) and value.is_floating_point() else value


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, dict):
        for each in result.values():
            yield from _tensors(each)
    elif isinstance(result, tuple | list):
        for each in result:
            yield from _tensors(each)
