"""What an answer is worth: right, disclosed, silently wrong, crashed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Outcome = Literal["right", "disclosed", "silently wrong", "crashed"]
OUTCOMES: tuple[Outcome, ...] = ("right", "disclosed", "silently wrong", "crashed")

# What is said to be left out and holds no multiply-adds to anybody excuses no wrong answer. What is not here excuses.
_INNOCENT = re.compile(
    r"(aten|prim)?(::|\.)?"
    r"(_?(un)?safe_)?_?(native_)?("
    r"view(_as.*)?|reshape|permute|t|transpose|movedim|expand(_as)?|flatten|unflatten|squeeze|unsqueeze|slice|select|"
    r"narrow|unbind|split.*|chunk|cat|stack|clone|detach|contiguous|copy|to|to_copy|alias|lift_fresh|as_strided|"
    r"empty.*|zeros.*|ones.*|full.*|arange|eye|rand.*|bernoulli|fill|zero|scalar_tensor|size|numel|item|"
    r"add|sub|rsub|mul|div|neg|exp|log|pow|sqrt|rsqrt|abs|where|masked_fill.*|clamp.*|eq|ne|lt|gt|le|ge|"
    r"relu\d?|leaky_relu|gelu|elu|silu|sigmoid|tanh|hardtanh|log_?softmax|softmax|dropout|feature_dropout|"
    r"(batch|group|layer|instance)_?norm\d?d?|native_batch_norm|batch_norm_legit.*|"
    r"(adaptive_)?(max|avg)_?pool.*|mean|sum|max|min|amax|amin|std|var.*|cumsum|sort|topk|pad|constant_pad_nd|"
    r"reflection_pad.*|embedding|index(_select)?|gather|roll|flip|tril|triu|sequential|identity|modulelist|moduledict|"
    r"parameterlist|zeropad.*|flatten|pixel_?(un)?shuffle|rebuilt|packed"
    r")_?(\d?d)?",
    re.IGNORECASE,
)


def culprits(left_out: Iterable[str]) -> list[str]:
    """Those of the names that may hold multiply-adds."""
    return [name for name in left_out if not _INNOCENT.fullmatch(name.removesuffix(".default"))]


def judge(answer: Mapping[str, Any], factor: int, expected: int, allowance: int) -> Outcome:
    """Put an answer in its class.

    Args:
        answer: {"count", "left_out"} or {"error"}.
        factor: what one multiply-add is in the count.
        expected: multiply-adds, derived by hand.
        allowance: operations that the count may hold besides.
    """
    if "error" in answer:
        return "crashed"
    excess = answer["count"] / factor - expected
    if 0 <= excess <= allowance:
        return "right"
    # Something left out explains too small a number, never too large a one.
    return "disclosed" if excess < 0 and culprits(answer["left_out"]) else "silently wrong"
