"""Every call whose multiply-adds were derived by hand is counted so, in every state that a model may be in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

import mac_profiler
from experiments.conformance_cases import CASES, Case
from experiments.conformance_cases.case import case

BY_NAME = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}-{case.name}")


@contextmanager
def as_users_see_it() -> Iterator[None]:
    """What torch warns about is the model's affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def analyze(case: Case) -> Any:
    with as_users_see_it():
        call = case.build()
        return mac_profiler.analyze(call.model, *call.args, **call.kwargs)


@BY_NAME
def test_case(case: Case) -> None:
    profile = analyze(case)
    assert profile.uncounted == {}
    assert profile.total.mult_adds == case.mult_adds, case.derivation
    if case.parameters is not None:
        assert profile.parameters == case.parameters
    if case.accesses is not None:
        assert profile.total.accesses == case.accesses


@BY_NAME
def test_case_without_gradients(case: Case) -> None:
    with torch.no_grad():
        profile = analyze(case)
    assert profile.complete
    assert profile.total.mult_adds == case.mult_adds, case.derivation


def test_there_are_enough_cases_and_each_says_why() -> None:
    assert len(CASES) >= 60
    assert all(len(case.derivation.split()) > 3 for case in CASES)


def test_a_name_is_given_once_and_a_derivation_always() -> None:
    def lstm() -> Any:
        """The name of another case."""

    with pytest.raises(ValueError, match="two cases are named 'lstm'"):
        case(0)(lstm)
    with pytest.raises(ValueError, match="has no derivation"):
        case(0)(lambda: None)  # type: ignore[arg-type, return-value]
