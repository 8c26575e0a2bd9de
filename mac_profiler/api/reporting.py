"""Report: models, audited, as one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mac_profiler.api.auditing import audit_named
from mac_profiler.errors import InvalidInput, TraceFailed

if TYPE_CHECKING:
    from mac_profiler.audit_settings import AuditSettings
    from mac_profiler.audited import Audited


def audits_named(
    names: Sequence[str],
    settings: AuditSettings,
    *,
    arguments: Mapping[str, object] | None = None,
    inputs: Sequence[str] = (),
    batch: int = 1,
    measure: bool = False,
    progress: Callable[[str], None] | None = None,
) -> tuple[Audited, ...]:
    """Audit models that are known by name, one after the other.

    Args:
        names: see `mac_profiler.models.find`.
        settings: of every audit.
        arguments: keyword arguments of every constructor.
        inputs: of every model; none takes each model's default.
        batch: images at once, where no inputs are given.
        measure: build every finding and its remedy, and measure them here.
        progress: told what is being done.

    Raises:
        MacprofError: a model is unknown, or its inputs do not fit; the message names the model.
    """
    from mac_profiler.proof import SETTINGS

    if not names:
        raise InvalidInput("no model is given; name one or several, such as shufflenet_v2")
    found = []
    for name in names:
        try:
            audited = audit_named(
                name, settings, arguments=arguments, inputs=inputs, batch=batch,
                measure=SETTINGS if measure else None, progress=progress,
            )  # fmt: skip
        except TraceFailed as error:
            called = f"--input {' --input '.join(inputs)}" if inputs else "its default input"
            raise TraceFailed(f"{name}: {error} (called with {called})") from error
        found.append(audited)
    return tuple(found)


def report_page(audits: Sequence[Audited]) -> str:
    """The page of these audits: HTML that needs no other file and no network.

    Args:
        audits: of `audit_model` or `audits_named`, in the order in which they are shown.

    Raises:
        InvalidInput: there is none.

    Example:
        >>> import torch, mac_profiler
        >>> from mac_profiler import api
        >>> audited = mac_profiler.audit_model(torch.nn.Linear(8, 8), torch.zeros(2, 8))
        >>> api.report_page([audited])[:15]
        '<!doctype html>'
    """
    from mac_profiler.environment import describe_environment
    from mac_profiler.page import render_page

    if not audits:
        raise InvalidInput("a report is about one audit at least; none was given")
    return render_page(audits, describe_environment())
