"""Pytest plugin: the fixture `macprof_budget`, which holds a model to a budget in a test.

pytest loads it in every run where macprof is installed, so it loads nothing else before a test asks for the fixture.

Example:
    >>> @pytest.mark.macprof_budget(mult_adds="150M", accesses="20M")
    ... def test_my_net_stays_small(macprof_budget):
    ...     macprof_budget(MyNet(), torch.zeros(1, 3, 224, 224))
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest

if TYPE_CHECKING:
    from mac_profiler.budget import Item
    from mac_profiler.profile import Profile

MARK = "macprof_budget"


class Check(Protocol):
    """What the fixture gives."""

    def __call__(self, model: Any, /, *inputs: Any, **limits: str | int | float) -> Profile:
        """Count one call of a model; the test fails where a figure is over its limit.

        Args:
            model: an nn.Module, any callable, or a name that `macprof analyze --model` takes.
            *inputs: what to call it with; with a name they may be left out.
            **limits: limit by figure, as "150M" or a number; they go before those of the marker.
        """


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f'{MARK}(mult_adds="150M", accesses="20M", ...): what a model may cost at most that this test passes to the '
        f"fixture {MARK}",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that has the marker and does not ask for the fixture: a budget that nothing checks looks kept."""
    if item.get_closest_marker(MARK) and MARK not in getattr(item, "fixturenames", ()):
        _fail(f"the marker {MARK} checks nothing by itself: take the fixture {MARK} and call it with the model")


@pytest.fixture
def macprof_budget(request: pytest.FixtureRequest) -> Check:
    """`check(model, *inputs, **limits) -> Profile`: fails the test where the model is over the budget."""
    marked = _read(_marked(request.node))

    def check(model: Any, /, *inputs: Any, **limits: str | int | float) -> Profile:
        import mac_profiler
        from mac_profiler import budget

        allowed = {**marked, **_read(limits)}
        if not allowed:
            _fail(
                f'no limit is given: write @pytest.mark.{MARK}(mult_adds="150M") or '
                f'{MARK}(model, mult_adds="150M"); a budget is of {", ".join(budget.FIGURES)}'
            )
        profile = mac_profiler.analyze(model, *inputs)
        items = budget.check(profile, allowed)
        _judge(profile.graph.model or "the model", items)
        return profile

    return check


def _marked(node: pytest.Item) -> Mapping[str, Any]:
    limits: dict[str, Any] = {}
    # The test's own marker comes first and goes before its class's and its module's.
    for mark in reversed(list(node.iter_markers(MARK))):
        if mark.args:
            _fail(f'the marker {MARK} takes figures by name: mult_adds="150M"; remove {mark.args[0]!r}')
        limits.update(mark.kwargs)
    return limits


def _read(limits: Mapping[str, Any]) -> dict[str, int]:
    from mac_profiler.amounts import parse_amount
    from mac_profiler.budget import check_figure
    from mac_profiler.errors import InvalidInput

    try:
        return {check_figure(figure): parse_amount(amount) for figure, amount in limits.items()}
    except InvalidInput as error:
        _fail(str(error))


def _judge(name: str, items: tuple[Item, ...]) -> None:
    exceeded = [item for item in items if item.exceeded]
    if exceeded:
        width = max(len(item.figure) for item in exceeded)
        _fail(
            "\n".join(
                [f"{name} is over its budget:", *(f"  {item.figure:{width}}  {_said(item)}" for item in exceeded)]
            )
        )
    uncertain = [item.figure for item in items if not item.certain]
    if uncertain:
        warnings.warn(
            pytest.PytestWarning(
                f"{name} has operators that could not be counted: whether it keeps to its budget of "
                f"{', '.join(uncertain)} is not certain"
            ),
            stacklevel=3,
        )


def _said(item: Item) -> str:
    from mac_profiler import units

    excess = f": {units.percent((item.found - item.limit) / item.limit)} over" if item.limit else ""
    doubt = "" if item.complete else " (not all operators could be counted)"
    return f"{units.exact(item.found)} found, {units.exact(item.limit)} allowed{excess}{doubt}"


def _fail(message: str) -> NoReturn:
    # The traceback would show this plugin; the reader wants the message.
    pytest.fail(message, pytrace=False)
