"""Ask every peer about every case, each time in a copy of this process, because peers replace torch's functions.

python -m experiments.conformance.ask ANSWERS.json [CASE ...]
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from experiments import peers
from experiments.conformance.epilogues import epilogue_operations
from experiments.conformance_cases import CASES, Call, Case
from experiments.reporting.forking import ChildFailed, in_one_line, run_forked
from mac_profiler.compiled_operators import prepare_torchvision

# For one case, and for all cases of a peer.
SECONDS = 30.0
SECONDS_FOR_ALL = 1800.0
# Asked like a peer: what a generous reader lets every peer add to a case.
EPILOGUES = "epilogues"


def main() -> None:
    """Write the answers, by peer and case, to the file named on the command line."""
    target, *chosen = sys.argv[1:]
    torch.set_num_threads(1)
    # What torch loads when it is first needed, a second's worth, is loaded before the process is copied.
    for module in ("torch._refs", "torch._decomp.decompositions", "torch._dynamo", "torch._subclasses.fake_tensor"):
        import_module(module)
    cases = [case for case in CASES if not chosen or case.name in chosen]
    answers = {name: _ask_apart(name, cases) for name in (EPILOGUES, *peers.names())}
    Path(target).write_text(json.dumps(answers), encoding="utf-8")


def _ask_apart(name: str, cases: list[Case]) -> Any:
    try:
        return run_forked(partial(ask, name, cases), SECONDS_FOR_ALL)
    except ChildFailed as failure:
        return {case.name: {"error": str(failure)} for case in cases}


def ask(name: str, cases: list[Case]) -> dict[str, dict[str, Any]]:
    """Every case in a forked copy of this process: by case {"count", "left_out"} or {"error"}."""
    if name != EPILOGUES and peers.find(name).REFUSES_COPIES:
        return _ask_in_groups(name, cases)
    try:
        examine = _examiner(name)
    # A peer that cannot be imported is a row of the table too.
    except Exception as error:  # noqa: BLE001
        return {case.name: {"error": in_one_line(error)} for case in cases}
    return {case.name: _answer(partial(_build_and_examine, examine, case), SECONDS) for case in cases}


def _ask_in_groups(name: str, cases: list[Case], size: int = 16) -> dict[str, dict[str, Any]]:
    """The same for a peer that works only where it was imported: so many cases, one after the other, in each copy."""
    answers: dict[str, dict[str, Any]] = {}
    for first in range(0, len(cases), size):
        group = cases[first : first + size]
        found = _answer(partial(_ask_here, name, group), SECONDS * (2 if size > 1 else 1))
        if "error" not in found:
            answers |= found
        elif size > 1:
            # One of them hung or killed the process: each alone.
            answers |= _ask_in_groups(name, group, 1)
        else:
            answers[group[0].name] = found
    return answers


def _ask_here(name: str, cases: list[Case]) -> dict[str, dict[str, Any]]:
    examine = _examiner(name)
    answers = {}
    for case in cases:
        try:
            answers[case.name] = _build_and_examine(examine, case)
        # Whatever it raises is its answer.
        except Exception as error:  # noqa: BLE001
            answers[case.name] = {"error": in_one_line(error)}
    return answers


def _examiner(name: str) -> Callable[[Call], dict[str, Any]]:
    if name == EPILOGUES:
        return lambda call: {"count": epilogue_operations(call)}
    # ptflops imports torchvision when it is imported.
    prepare_torchvision()
    peer = peers.find(name)
    peer.load()
    # What it does in its first call alone, like loading more of torch, is done before the process is copied.
    with (
        contextlib.suppress(Exception),
        torch.no_grad(),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        peer.examine(torch.nn.Linear(4, 4), (torch.zeros(2, 4),), {})

    def examine(call: Call) -> dict[str, Any]:
        answer = peer.examine(call.model, call.args, call.kwargs)
        return {"count": answer.count, "left_out": list(answer.left_out)}

    return examine


def _build_and_examine(examine: Callable[[Call], dict[str, Any]], case: Case) -> dict[str, Any]:
    torch.manual_seed(0)
    return examine(case.build())


def _answer(function: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    try:
        found: dict[str, Any] = run_forked(function, seconds)
    except ChildFailed as failure:
        return {"error": str(failure)}
    return found


if __name__ == "__main__":
    main()
