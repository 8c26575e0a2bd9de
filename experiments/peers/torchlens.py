"""torchlens: records every tensor of a run; a rule for each function."""

from __future__ import annotations

from typing import Any

from experiments.peers import Answer, Arguments, Keywords

NAME = "torchlens"
PACKAGE = "torchlens"
CONVENTION = "multiply-adds"
FACTOR = 1
REFUSES_COPIES = True


def load() -> None:
    """Import the part that counts."""
    from torchlens.report import flops_report

    _ = flops_report


def _report(model: Any, args: Arguments, kwargs: Keywords) -> Any:
    from torchlens.report import flops_report

    report = flops_report(model, list(args), dict(kwargs))
    if report.true_macs is None:
        raise RuntimeError("it gives no number of multiply-adds")
    return report


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """flops_report(model, inputs), its multiply-adds."""
    return float(_report(model, args, kwargs).true_macs)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """The same; it names the functions that it has no rule for."""
    report = _report(model, args, kwargs)
    return Answer(float(report.true_macs), tuple(report.unknown_op_names))
