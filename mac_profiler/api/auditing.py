"""Audit: from a model to what breaks a guideline in it, and what that costs here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mac_profiler import models
from mac_profiler.api.analysis import profile_of
from mac_profiler.api.forecast import environment_here, in_dtype, platform_here
from mac_profiler.audit import RULES, Found, Hit, Rule, audit, place_of
from mac_profiler.audit_settings import AuditSettings, merged, read_settings, selects
from mac_profiler.audited import Audited
from mac_profiler.baseline import read_baseline, write_baseline
from mac_profiler.budget import check, parse_budget
from mac_profiler.errors import InvalidInput, UnknownName
from mac_profiler.finding import Place
from mac_profiler.models import Built
from mac_profiler.nominal import nominal_platform
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.profile import Profile
from mac_profiler.score import score_of
from mac_profiler.shelf import load
from mac_profiler.silence import Silence
from mac_profiler.subject import Subject

if TYPE_CHECKING:
    from mac_profiler.finding import Finding
    from mac_profiler.measurement import Scalar, Settings

Say = Callable[[str], None]


def audit_model(model: Any, /, *args: Any, settings: AuditSettings | None = None, **kwargs: Any) -> Audited:
    """What breaks the guidelines in a model, priced by this machine if it is calibrated.

    Where a layer was built is known of models that are built by name alone; of others, where it is called.

    Args:
        model: an nn.Module, or any callable.
        *args: what to call it with.
        settings: which rules, with which limits; None takes all.
        **kwargs: what to call it with by name.

    Raises:
        MacprofError: its inputs do not fit, or its forward raises.

    Example:
        >>> import torch, mac_profiler
        >>> mac_profiler.audit_model(torch.nn.Linear(8, 8), torch.zeros(2, 8)).findings
        ()
    """
    wanted = settings or AuditSettings()
    platform, _ = choose_platform(wanted.platform)
    built = Built("", model, args, kwargs)
    return _audited(built, profile_of(built), {}, platform, wanted)


def audit_settings(
    config: str | None = None, *, limits: Iterable[str] = (), budget: str | None = None, **given: Any
) -> AuditSettings:
    """Settings of a file, and what is given besides.

    Args:
        config: the file; None takes the nearest pyproject.toml with a table of macprof's.
        limits: texts like "G101=1.3", with commas between several.
        budget: a text like "mult_adds=150M,accesses=20M"; None takes the file's.
        **given: other fields of `AuditSettings`, and extend_select; None takes the file's.

    Raises:
        InvalidInput: something in it cannot be read.
    """
    known = {rule.code: rule.name for rule in all_rules()}
    settings, _ = read_settings(known, file=None if config is None else Path(config))
    each = [part for text in limits for part in text.split(",")]
    own = {"budget": None if budget is None else parse_budget(budget), "limits": dict(map(_limit, each)) or None}
    return merged(settings, known, **given, **own)


def _limit(text: str) -> tuple[str, float]:
    code, _, number = text.partition("=")
    try:
        return code.strip(), float(number)
    except ValueError:
        raise InvalidInput(f"--limit {text}: a rule and a number, like G101=1.3") from None


def audit_named(
    name: str,
    settings: AuditSettings,
    *,
    arguments: Mapping[str, object] | None = None,
    inputs: Sequence[str] = (),
    batch: int = 1,
    device: str = "cpu",
    measure: Settings | None = None,
    preview: bool = False,
    known_to: str | None = None,
    progress: Say | None = None,
) -> Audited:
    """What breaks the guidelines in a model that is known by name.

    Args:
        name: see `mac_profiler.models.find`.
        settings: which rules, with which limits, what is silenced, and the platform that findings are priced by.
        arguments: keyword arguments of its constructor.
        inputs: texts like "1x3x224x224"; none takes the model's default.
        batch: images at once, where no inputs are given.
        device: whose platform prices findings, where none is named, and that they are measured on.
        measure: build every finding and its remedy and measure them so; None measures nothing.
        preview: rewrite what keeps the function, and compare the outputs.
        known_to: file that the findings are written to, as known.
        progress: told what is being done.

    Raises:
        MacprofError: the model is unknown, its inputs do not fit, or it cannot be measured here.
    """
    from mac_profiler.building_lines import record_building_lines

    say = progress or (lambda _: None)
    platform, note = choose_platform(settings.platform, device)
    if measure is not None:
        environment_here(device)
        measure = replace(measure, device=device, dtype=platform.dtype)
    # Read before the model is, which may take long: a slip in a file's name should not wait for it.
    for known in (settings.baseline, known_to if known_to is not None and Path(known_to).is_file() else None):
        if known is not None:
            read_baseline(known)

    def build(device: str) -> tuple[Built, Mapping[str, tuple[str, ...]], Profile]:
        say(f"building {name}")
        with record_building_lines() as lines:
            built = models.find(name, arguments, inputs, device=device, batch=batch)
        if preview:
            _check_runs(built)
        if "learned_from" not in platform.provenance:
            built = in_dtype(built, platform.dtype)
        say(f"tracing {name}")
        return built, lines.lines_of(built.module), profile_of(built)

    built, lines, profile = build("cpu" if preview else "meta")
    if profile.graph.mode == "assume" and not preview:
        # Built where it has data, the model can answer what had to be assumed.
        built, lines, profile = build("cpu")
    audited = _audited(built, profile, lines, platform, settings, measure, known_to, say)
    if preview:
        say(f"rewriting {name}")
        from mac_profiler.rewriting import preview_of

        audited = replace(audited, preview=preview_of(built, profile_of))
    return replace(audited, notes=(note, *audited.notes)) if note else audited


def _audited(
    built: Built,
    profile: Profile,
    lines: Mapping[str, tuple[str, ...]],
    platform: Platform,
    settings: AuditSettings,
    measure: Settings | None = None,
    write_to: str | None = None,
    say: Say = lambda _: None,
) -> Audited:
    prediction = predict(profile, platform)
    subject = Subject(prediction)
    rules = tuple(rule for rule in all_rules() if selects(rule.code, settings))
    say("auditing")
    every = audit(
        subject, rules, limits=settings.limits, locate=lambda _, hit: _locate(subject, hit, built.module, lines)
    )
    silence = Silence(settings, built.name)
    found = silence.apply(every)
    notes = [*profile.graph.notes]
    notes += silence.notes([rule.code for rule in all_rules()], _files(lines, profile))
    if write_to is not None:
        write_baseline(write_to, silence.unsilenced, built.name)
        notes.append(
            f"{sum(each.count for each in silence.unsilenced)} places written to {write_to}, known from now on."
        )
    findings: list[Finding] = [each.finding for each in found]
    if measure is not None:
        findings, failed = _measured(found, measure, say)
        notes += failed
    return Audited(
        prediction,
        score_of(prediction),
        subject.blocks,
        rules,
        tuple(findings),
        silence.counts,
        check(profile, settings.budget),
        tuple(notes),
        measure is not None,
    )


def _check_runs(built: Built) -> None:
    """Refuse a model without data, which cannot be run: a user's own is wherever that code puts it.

    Raises:
        InvalidInput: it, or an input, is elsewhere than on the CPU.
    """
    if not hasattr(built.module, "parameters"):
        # Refused by the preview itself.
        return
    tensors = [*built.module.parameters(), *built.module.buffers(), *built.args, *built.kwargs.values()]
    places = {str(each.device) for each in tensors if hasattr(each, "device")} - {"cpu"}
    if places:
        raise InvalidInput(
            f"--fix-preview runs the model on the CPU, and {built.name} is on {min(places)}; "
            f"build it on the CPU, or leave --fix-preview out"
        )


def _files(lines: Mapping[str, tuple[str, ...]], profile: Profile) -> set[str]:
    """Files that a line of the model is in."""
    built = {line.rpartition(":")[0] for stack in lines.values() for line in stack}
    return built | {op.source.rpartition(":")[0] for op in profile.graph.ops if op.source}


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    return tuple(RULES[code] for code in RULES)


def choose_platform(name: str | None, device: str = "cpu") -> tuple[Platform, str]:
    """The platform that was named, or else this machine's, or else the nominal one; and a note where it is the last.

    Raises:
        UnknownName: none has that name.
        InvalidInput: the file is no platform's.
    """
    if name is not None:
        return load(name), ""
    try:
        return platform_here(device), ""
    except (UnknownName, InvalidInput) as error:
        reason = str(error).partition(";")[0].partition(".")[0]
        return nominal_platform(), (
            f"Priced by a stated platform, the paper's GPU by its data sheet: {reason}. "
            f"'macprof calibrate' measures this machine."
        )


def _locate(subject: Subject, hit: Hit, model: Any, lines: Mapping[str, tuple[str, ...]]) -> Place:
    """Where a layer is built, if it is one; where the operator is called, if it is a module's own code."""
    called = place_of(subject, hit)
    own = lines.get(called.path, ())
    if not own or not _is_layer(model, called.path):
        return replace(called, lines=(*called.lines, *own))
    return Place(called.path, own[0], (*own, *called.lines))


def _is_layer(model: Any, path: str) -> bool:
    """Whether the module of that path is one of torch's layers, or derived from one; what only holds others is none."""
    try:
        found = model.get_submodule(path)
    except AttributeError:
        return False
    homes = (base.__module__ for base in type(found).__mro__)
    return any(home.startswith("torch.nn.") and not home.endswith((".module", ".container")) for home in homes)


def _measured(found: Sequence[Found], settings: Settings, say: Say) -> tuple[list[Finding], list[str]]:
    from mac_profiler.conduct import conduct
    from mac_profiler.plan import Plan
    from mac_profiler.proof import to_measure, with_gains
    from mac_profiler.store import open_store

    drawn, proofs = to_measure(found)
    if not drawn:
        return [each.finding for each in found], []
    plan = Plan(sketches=tuple(drawn), settings=settings)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "proofs.sqlite") as store:
        measurements = conduct(plan, store, say=say).measurements
    findings, failed = with_gains(found, proofs, measurements, settings)
    return findings, [_protocol(measurements[0].environment, settings), *failed]


def _protocol(environment: Mapping[str, Scalar], settings: Settings) -> str:
    """What was measured on, and how, in one line."""
    subject = environment.get("gpu") or environment.get("cpu") or settings.device
    threads = "1 thread" if settings.threads == 1 else f"{settings.threads} threads"
    return (
        f"Measured on {subject}, {settings.dtype}, {threads}, torch {environment.get('torch')}: medians of calls in "
        f"turns, in {settings.processes} processes, with {settings.confidence:.0%} intervals."
    )
