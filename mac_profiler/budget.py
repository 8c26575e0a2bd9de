"""Budget: what a model may cost at most, "mult_adds=150M,accesses=20M", and whether it keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mac_profiler.amounts import parse_amount
from mac_profiler.errors import InvalidInput
from mac_profiler.registry import did_you_mean

if TYPE_CHECKING:
    from mac_profiler.profile import Profile

FIGURES: Mapping[str, str] = {
    "mult_adds": "multiply-adds of products and convolutions",
    "flops": "floating-point operations",
    "accesses": "elements read and written",
    "fused_accesses": "elements read and written on an ideal fusing engine",
    "bytes_moved": "bytes read and written",
    "parameters": "elements of all parameters",
    "peak_activation_bytes": "most bytes of inputs and activations alive at once",
    "op_count": "operators executed, views included",
}
# Each computed only where it is asked for: the fusion of a large model takes seconds.
_READ: Mapping[str, Callable[[Profile], int]] = {
    "mult_adds": lambda profile: profile.total.mult_adds,
    "flops": lambda profile: profile.total.flops,
    "accesses": lambda profile: profile.total.accesses,
    "fused_accesses": lambda profile: profile.fused_accesses,
    "bytes_moved": lambda profile: profile.total.bytes_moved,
    "parameters": lambda profile: profile.parameters,
    "peak_activation_bytes": lambda profile: profile.peak_activation_bytes,
    "op_count": lambda profile: profile.op_count,
}
# An operator without a formula adds nothing to these; the others hang on no formula.
_COSTED = frozenset({"mult_adds", "flops", "accesses", "fused_accesses", "bytes_moved"})


@dataclass(frozen=True, slots=True)
class Item:
    """One figure of a budget, and what was found.

    Attributes:
        figure: one of `FIGURES`.
        limit: what it may be at most.
        found: what it is.
        complete: every operator that matters to the figure was counted; otherwise `found` is a lower bound, and of
            "fused_accesses" no bound: where the unknown operator would fuse, its neighbours move less.
    """

    figure: str
    limit: int
    found: int
    complete: bool

    @property
    def exceeded(self) -> bool:
        """Whether more was found than the budget allows."""
        return self.found > self.limit

    @property
    def state(self) -> str:
        """What is said of it in a word or two."""
        return "over budget" if self.exceeded else "kept" if self.certain else "not all is counted"

    @property
    def certain(self) -> bool:
        """Whether the uncounted operators, if any, could not turn the verdict."""
        return self.complete or (self.exceeded and self.figure != "fused_accesses")


def check_figure(figure: str) -> str:
    """The figure, if a budget can have it.

    Raises:
        InvalidInput: there is none of that name.
    """
    if figure not in FIGURES:
        near = did_you_mean(figure, list(FIGURES))
        raise InvalidInput(f"no figure named {figure!r}.{near} A budget is of {', '.join(FIGURES)}.")
    return figure


def parse_budget(text: str) -> dict[str, int]:
    """A budget as it is written on the command line: "mult_adds=150M, accesses=20M".

    Raises:
        InvalidInput: a figure is unknown or there twice, an amount is none, or the text has another form.
    """
    form = "write FIGURE=AMOUNT, with commas between several: mult_adds=150M,accesses=20M"
    budget: dict[str, int] = {}
    for name, amount in parts_of(text, form).items():
        try:
            budget[name] = parse_amount(amount)
        except InvalidInput as error:
            raise InvalidInput(f"the budget of {name} cannot be read: {error}") from error
    return budget


def parts_of(text: str, form: str) -> dict[str, str]:
    """Amounts by figure, as they are written: "mult_adds=150M, accesses=20M".

    Args:
        text: of the command line.
        form: what it should look like, for messages.

    Raises:
        InvalidInput: a figure is unknown or there twice, or the text has another form.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, amount = (piece.strip() for piece in part.partition("="))
        if not (name and equals and amount):
            missing = f"{part.strip()!r} is no FIGURE=AMOUNT" if part.strip() else "a part is empty"
            raise InvalidInput(f"the budget {text!r} cannot be read: {missing}; {form}")
        if check_figure(name) in found:
            raise InvalidInput(f"the budget {text!r} has '{name}' twice; leave one out")
        found[name] = amount
    return found


def check(profile: Profile, budget: Mapping[str, int]) -> tuple[Item, ...]:
    """What was found of each figure of a budget, in the budget's order.

    Args:
        profile: the model's costs.
        budget: limit by figure.

    Raises:
        InvalidInput: a figure is unknown.
    """
    return tuple(
        Item(figure, limit, _READ[check_figure(figure)](profile), figure not in _COSTED or profile.complete)
        for figure, limit in budget.items()
    )
