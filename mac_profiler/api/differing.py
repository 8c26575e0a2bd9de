"""Differing: from two models, saved analyses, or two revisions of one model, to what changed between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mac_profiler.api.elsewhere import Elsewhere, Order, built_side, side_elsewhere
from mac_profiler.audit_settings import AuditSettings
from mac_profiler.difference import Allowance, Difference, Side, differ
from mac_profiler.difference.saved import ENDING, is_saved, read_side
from mac_profiler.errors import InvalidInput, ModelNotFound
from mac_profiler.models import is_own_code
from mac_profiler.revisions import extracted, find_revision, repository_of

Say = Callable[[str], None]
WORKING_TREE = "the working tree"


@dataclass(frozen=True, slots=True)
class Asked:
    """How the two models are built and judged.

    Attributes:
        settings: rules, limits and platform of the audit, the same for both.
        inputs: texts like "1x3x224x224", for both.
        batch: images at once, where no inputs are given.
        before_arguments: texts like "width=4" for building the first.
        after_arguments: for the second.
        allowances: what the second may cost.
    """

    settings: AuditSettings
    inputs: tuple[str, ...] = ()
    batch: int = 1
    before_arguments: tuple[str, ...] = ()
    after_arguments: tuple[str, ...] = ()
    allowances: tuple[Allowance, ...] = field(default=())

    def __post_init__(self) -> None:
        """What is known or allowed elsewhere must not hide a difference."""
        platform = self.settings.platform
        if platform is not None and ("/" in platform or platform.endswith(ENDING)):
            # A revision is built in another folder.
            platform = str(Path(platform).absolute())
        plain = replace(self.settings, baseline=None, budget={}, min_severity="info", platform=platform)
        object.__setattr__(self, "settings", plain)


def differ_named(before: str, after: str, asked: Asked, *, progress: Say = lambda _: None) -> Difference:
    """What changed between two models that are known by name or were saved.

    Args:
        before: what `mac_profiler.models.find` takes, or a JSON file of `macprof analyze` or `macprof audit`.
        after: the same.
        asked: how they are built and judged.
        progress: told what is being done.

    Raises:
        MacprofError: one of them cannot be read, found or built, or they cannot be compared.
    """
    # Read before anything is built: a slip in a name should not wait for a model.
    saved = {name: read_side(name) for name in (before, after) if is_saved(name)}
    if len(saved) == len({before, after}):
        _check_useless(asked)
    first = saved.get(before) or _built(before, asked, asked.before_arguments, progress)
    if after in saved:
        return differ(first, saved[after], asked.allowances)
    if before not in saved and is_own_code(before) and is_own_code(after):
        # Two versions of one package, or of one custom operator, cannot be loaded by one process, nor one twice.
        progress(f"building {after}")
        second = side_elsewhere(_order(after, after, asked, asked.after_arguments))
    else:
        second = _built(after, asked, asked.after_arguments, progress)
    if before == after:
        first, second = replace(first, name=f"{before} (before)"), replace(second, name=f"{after} (after)")
    return differ(first, second, asked.allowances)


def _check_useless(asked: Asked) -> None:
    """Raises InvalidInput: it is said how to build, and nothing is built."""
    given = {
        "--input": asked.inputs, "--batch": asked.batch > 1, "--arg": asked.before_arguments or asked.after_arguments,
    }  # fmt: skip
    useless = [name for name, value in given.items() if value]
    if useless:
        raise InvalidInput(f"{useless[0]} says how a model is built, and both are saved documents; leave it out")


def differ_revisions(
    revisions: Sequence[str], model: str | None, asked: Asked, *, progress: Say = lambda _: None
) -> Difference:
    """What changed in a model of the user's own code between two revisions of its git repository.

    Args:
        revisions: two; one is compared with the working tree, and where there is none, HEAD is. "REV:path/net.py:Net"
            names another model for that revision than `model`.
        model: "path/file.py:callable" or "package.module:callable", as from the current folder.
        asked: how both are built and judged.
        progress: told what is being done.

    Raises:
        MacprofError: a revision or the model is not there, cannot be built, or they cannot be compared.
    """
    before, *rest = revisions or ["HEAD"]
    first = _at_revision(before, model, asked, asked.before_arguments, progress)
    if rest:
        return differ(first, _at_revision(rest[0], model, asked, asked.after_arguments, progress), asked.allowances)
    name = model or _split(before)[1]
    second = _built(name, asked, asked.after_arguments, progress)
    return differ(first, replace(second, name=f"{name} in {WORKING_TREE}"), asked.allowances)


def _split(text: str) -> tuple[str, str]:
    """A revision, and the model that is named behind it.

    No name of a branch or tag has a colon in it (git check-ref-format), but "HEAD@{12:30}" and ":/words of a message".
    """
    found = re.fullmatch(r"((?:[^:{}]|\{[^}]*\})+)(?::(.*))?", text, re.DOTALL)
    return (found[1], found[2] or "") if found else (text, "")


def _at_revision(text: str, model: str | None, asked: Asked, arguments: tuple[str, ...], progress: Say) -> Side:
    name, own = _split(text)
    chosen = own or model
    if chosen is None:
        raise InvalidInput(
            f"--git {text}: which model? Give --model path/file.py:callable, or {name}:path/file.py:callable"
        )
    place, _, attribute = chosen.rpartition(":")
    if not place or not attribute or not is_own_code(chosen):
        raise InvalidInput(
            f"--git takes a model of your own code, path/file.py:callable or package.module:callable, not '{chosen}'"
        )
    is_file = place.endswith(".py") or "/" in place
    here = Path.cwd().resolve()
    repository = repository_of(Path(place).parent if is_file else here)
    revision = find_revision(repository, name)
    if is_file:
        file = (Path(place).parent.resolve() / Path(place).name).relative_to(repository)
        if not revision.holds(file):
            raise InvalidInput(f"--git: revision '{name}' has no file '{file.as_posix()}'; name it as it was then: "
                               f"{name}:path/file.py:{attribute}")  # fmt: skip
        chosen = f"{repository / file}:{attribute}"
    progress(f"building {chosen} at {name}")
    with extracted(revision) as tree:
        said = _order(f"{place}:{attribute} at {name}", chosen, asked, arguments)
        try:
            return side_elsewhere(replace(said, moved=Elsewhere(str(repository), str(tree))))
        except ModelNotFound as error:
            others = revision.submodules
            if not others:
                raise
            raise ModelNotFound(
                f"{error} (code of submodules is not read: {', '.join(others)}; save an analysis of each revision with "
                f"'macprof analyze --format json', and compare those)"
            ) from error


def _order(name: str, model: str, asked: Asked, arguments: tuple[str, ...]) -> Order:
    return Order(name, model, arguments, asked.inputs, asked.batch, asked.settings)


def _built(name: str, asked: Asked, arguments: tuple[str, ...], progress: Say) -> Side:
    return built_side(_order(name, name, asked, arguments), progress)
