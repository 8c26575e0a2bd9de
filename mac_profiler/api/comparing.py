"""Compare: from names of networks, or a published table, to what they take, their speed, and whose order agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from mac_profiler import models, presets
from mac_profiler.api.analysis import profile_of
from mac_profiler.api.auditing import choose_platform
from mac_profiler.api.forecast import environment_here, in_dtype
from mac_profiler.blocks import all_blocks, find_blocks
from mac_profiler.comparison import Comparison, Contender, Counts
from mac_profiler.errors import InvalidInput, MacprofError
from mac_profiler.lineup import published_figures, same_network, with_levels, with_speed_ups, with_times
from mac_profiler.nominal import NOMINAL
from mac_profiler.plan import Plan
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.registry import did_you_mean
from mac_profiler.score import score_of

if TYPE_CHECKING:
    from mac_profiler.measurement import Settings
    from mac_profiler.presets import Preset

Say = Callable[[str], None]


def compare(
    names: Sequence[str] = (),
    *,
    preset: str | None = None,
    inputs: Sequence[str] = (),
    batch: int | None = None,
    baseline: str | None = None,
    platform: str | None = None,
    device: str = "cpu",
    measure: Settings | None = None,
    store: str | Path | None = None,
    resume: bool = False,
    progress: Say | None = None,
) -> Comparison:
    """Networks side by side.

    Args:
        names: of models, as `mac_profiler.models.find` takes them.
        preset: a published table, see `mac_profiler.presets`.
        inputs: texts like "8x3x224x224", for every model; none takes each model's own.
        batch: images at once, where no inputs are given; None takes one, or what the preset takes on the device.
        baseline: one of the networks, that the others are set beside.
        platform: that times are predicted for; None takes this machine's, or else the paper's GPU.
        device: that is measured on, and whose platform is looked for.
        measure: how every network is measured; None measures nothing.
        store: file of results; None takes the user's own.
        resume: go on with the last unfinished run of the same networks.
        progress: told of how far it is.

    Raises:
        MacprofError: a model is unknown or named twice, there is no such preset or baseline, or nothing can be
            measured here.
    """
    say = progress or (lambda _: None)
    chosen = presets.find(preset) if preset is not None else None
    contenders, at_once = _line_up(names, chosen, inputs, batch, device)
    label = _baseline(contenders, baseline, chosen)
    if measure is not None:
        # A device that is not there should not wait for the counts.
        environment_here(measure.device)
    where, note = choose_platform(platform, device)
    counted: dict[str, Contender] = {}
    for each in contenders:
        if each.built_as not in counted:
            say(f"counting {each.label}")
            strict = each.row == ""
            counted[each.built_as] = _counted(each, where, inputs, at_once, strict=strict)
    contenders = with_levels(
        [
            replace(
                each,
                counts=(own := counted[each.built_as]).counts,
                images=own.images,
                missing=each.missing or own.missing,
            )
            for each in contenders
        ],
        # The paper's are those of networks with images of their own.
        published=not inputs,
    )
    comparison = Comparison(
        tuple(contenders),
        _told(where),
        title=f"{chosen.NAME}: {chosen.TITLE}" if chosen is not None else f"{len(contenders)} networks",
        source=chosen.SOURCE if chosen is not None else "",
        baseline=label,
        notes=tuple(filter(None, (note, *((chosen.SOURCE, *presets.notes_of(chosen)) if chosen is not None else ())))),
    )
    if measure is not None:
        comparison = _measured(
            comparison, Plan(inputs=tuple(inputs), batch=at_once, settings=measure), store, resume, say
        )
    return comparison


def _line_up(
    names: Sequence[str], preset: Preset | None, inputs: Sequence[str], batch: int | None, device: str
) -> tuple[list[Contender], int]:
    """The networks, not counted yet, and the images at once that each is to be given besides what its name says."""
    if preset is not None and inputs:
        raise InvalidInput(f"--input: the preset {preset.NAME} says what its networks are called with; leave one out")
    if preset is None and len(names) < 2:
        known = ", ".join(presets.names())
        raise InvalidInput(f"nothing to compare: name two models or more, or a --preset ({known})")
    families = {entry.name: entry.family for entry in models.entries()}
    found, at_once = [], batch or 1 if preset is None else 1
    for row in presets.rows_of(preset) if preset is not None else ():
        assert preset is not None  # noqa: S101 - its rows are gone through
        images = batch or row.batch(device)
        built_as, besides = presets.built_as(preset, row, images) if row.model else ("", images)
        at_once = max(at_once, besides)
        found.append(
            Contender(
                row.model or row.label,
                row.model,
                built_as or row.label,
                row=row.label,
                family=families.get(row.model, ""),
                figures=row.figures,
                setting=row.setting,
                level=row.level,
                images=images,
                missing="" if row.model else row.missing,
            )
        )
    if names and any(each.setting for each in found):
        raise InvalidInput(
            f"{names[0]}: the preset {preset.NAME if preset else ''} has images of several sizes, and other models are "
            "not called with them; compare them without it"
        )
    for name in names:
        known = models.canonical(name)
        twin = same_network(known, found)
        if twin is not None:
            said = f"{name} is given twice" if twin.label == name else f"{name} and {twin.label} are the same network"
            raise InvalidInput(f"{said}; name each network once")
        figures = {} if inputs else published_figures(known)
        found.append(Contender(name, known, name, family=families.get(known, ""), figures=figures))
    return found, at_once


def _baseline(contenders: Sequence[Contender], asked: str | None, preset: Preset | None) -> str:
    """Label of the baseline; "" where none is wanted.

    Raises:
        InvalidInput: it is none of the networks.
    """
    if asked is None:
        return presets.baseline_of(preset) if preset is not None else ""
    for each in contenders:
        if asked in (each.label, each.row, each.model, each.built_as) or models.canonical(asked) == each.model:
            return each.label
    labels = list(dict.fromkeys(each.label for each in contenders))
    raise InvalidInput(
        f"--baseline {asked} is not among the networks.{did_you_mean(asked, labels)} Name one that is compared."
    )


def _counted(each: Contender, platform: Platform, inputs: Sequence[str], batch: int, *, strict: bool) -> Contender:
    """One network with its counts; a row of a table that cannot be built says why, a model of the user's raises."""
    if each.missing:
        return each
    try:
        built = models.find(each.built_as, {}, inputs, batch=batch)
        each = replace(each, images=models.images_of(built))
        if "learned_from" not in platform.provenance:
            built = in_dtype(built, platform.dtype)
        prediction = predict(profile_of(built), _for_batch(platform, each.images))
    except MacprofError as error:
        if strict:
            # Of several models, which one.
            raise error if each.label in str(error) else type(error)(f"{each.label}: {error}") from error
        return replace(each, missing=str(error))
    profile = prediction.profile
    fragments = [len(block.fragments) for block in all_blocks(find_blocks(profile.graph, profile.costs))]
    counts = Counts(
        profile.total.mult_adds,
        profile.total.flops,
        profile.total.accesses,
        profile.fused_accesses,
        profile.parameters,
        profile.peak_activation_bytes,
        profile.op_count,
        float(median(fragments)) if fragments else None,
        score_of(prediction).score,
        prediction.total.total,
        profile.complete,
        tuple(tuple(value.shape) for value in profile.graph.inputs),
    )
    return replace(each, counts=counts)


def _for_batch(platform: Platform, images: int) -> Platform:
    """The platform for so many images at once: the nominal one states the launches of one image, a share of a batch."""
    if platform.name != NOMINAL or images == 1:
        return platform
    laws = {kind: replace(law, launch_seconds=law.launch_seconds * images) for kind, law in platform.laws.items()}
    return replace(platform, laws=laws)


def _told(platform: Platform) -> str:
    return f"{platform.name} ({platform.origin or platform.device})"


def _measured(comparison: Comparison, plan: Plan, store: str | Path | None, resume: bool, say: Say) -> Comparison:
    from mac_profiler.conduct import conduct
    from mac_profiler.store import open_store

    built = dict.fromkeys(each.built_as for each in comparison.contenders if each.counts is not None)
    plan = replace(plan, models=tuple(built))
    with open_store(store) as opened:
        done = conduct(plan, opened, resume=resume, say=say)
        place = str(opened.path)
    found = {each.case.name: each for each in done.measurements}
    timed = replace(
        comparison,
        contenders=tuple(with_times(comparison.contenders, found, plan.settings)),
        settings=plan.settings,
        run=done.run,
        store=place,
        environment=done.measurements[0].environment,
    )
    return with_speed_ups(timed)
