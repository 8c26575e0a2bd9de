"""What the tests of the audit share: findings of a model on a platform, and sketches that are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

import mac_profiler
from mac_profiler.audit import RULES, Found, audit
from mac_profiler.finding import SEVERITIES, Finding
from mac_profiler.nominal import nominal_platform
from mac_profiler.platform import Platform
from mac_profiler.predict import predict
from mac_profiler.profile import Profile
from mac_profiler.rebuilding import Rebuilt
from mac_profiler.sketch import Sketch
from mac_profiler.subject import Subject
from tests.machines import counted


def subject_of(profile: Profile, platform: Platform | None = None) -> Subject:
    """A counted model, priced by the paper's GPU unless another platform is given."""
    return Subject(predict(profile, platform or nominal_platform()))


def found_in(
    profile: Profile,
    *codes: str,
    platform: Platform | None = None,
    limits: Mapping[str, float] | None = None,
) -> tuple[Found, ...]:
    """What these rules find, or all of them."""
    rules = [RULES[code] for code in (codes or RULES)]
    return audit(subject_of(profile, platform), rules, limits=limits)


def findings_of(
    profile: Profile,
    *codes: str,
    platform: Platform | None = None,
    limits: Mapping[str, float] | None = None,
) -> list[Finding]:
    """The same, the findings alone."""
    return [each.finding for each in found_in(profile, *codes, platform=platform, limits=limits)]


def findings_in(build: Callable[[], Any], *shapes: tuple[int, ...]) -> list[Finding]:
    """All findings of a little model in eval mode."""
    return findings_of(counted(lambda: build().eval(), *shapes))


def above_notes(findings: list[Finding]) -> list[str]:
    """Those that are more than a note, told for the message of an assertion."""
    return [f"{each.code} {each.severity} {each.message}" for each in findings if each.severity != SEVERITIES[0]]


def counted_sketch(sketch: Sketch) -> Profile:
    """The profile of a sketch, rebuilt from its text, without data."""
    with torch.device("meta"):
        read = Sketch.from_text(sketch.to_text())
        return mac_profiler.analyze(Rebuilt(read).eval(), *(torch.zeros(shape) for shape in read.inputs))
