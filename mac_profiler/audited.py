"""Audited: everything that an audit of one model says, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mac_profiler.audit import Rule
from mac_profiler.blocks import Block
from mac_profiler.budget import Item
from mac_profiler.distinct import distinct
from mac_profiler.finding import SEVERITIES, Finding
from mac_profiler.predict import Prediction
from mac_profiler.previewed import Preview
from mac_profiler.score import Score


@dataclass(frozen=True, eq=False)
class Audited:
    """One model, audited.

    Attributes:
        prediction: the counted model, on the platform that findings are priced by.
        score: of it.
        blocks: its fork-join blocks.
        rules: those that were applied.
        findings: what they found, and nobody has silenced.
        silenced: places that are left out, by reason: "by a comment", "in the baseline".
        budget: figures that were given a limit.
        notes: what a reader must know: ignore comments without effect, what could not be measured.
        measured: remedies were measured.
        preview: the model with its safe remedies applied; None where nobody asked for it.
    """

    prediction: Prediction
    score: Score
    blocks: tuple[Block, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    silenced: Mapping[str, int] = field(default_factory=dict)
    budget: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()
    measured: bool = False
    preview: Preview | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, the gravest first."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in reversed(SEVERITIES) if found[severity]}

    @property
    def fails(self) -> bool:
        """Whether a finding is more than a note, or a limit of the budget is exceeded."""
        return any(finding.severity != "info" for finding in self.findings) or any(
            item.exceeded for item in self.budget
        )


def names_of(audits: Sequence[Audited]) -> list[str]:
    """What the models are called, also those without a name; equal names are told apart."""
    return distinct(each.prediction.profile.graph.model or "model" for each in audits)
