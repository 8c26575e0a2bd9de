"""Elsewhere: one side of a difference, counted and audited here, or in a process of its own with another folder's code.

A process can load one version of a package only. One that is to see a revision looks for code in the folder that the
revision was written to, wherever it would have looked in the repository: in the current folder, and in those that are
on Python's path, as of an editable installation. What still comes out of the repository is refused, not compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mac_profiler.audit_settings import AuditSettings
from mac_profiler.difference import Side, side_of
from mac_profiler.errors import MacprofError, ModelNotFound
from mac_profiler.processes import HOME, own
from mac_profiler.progress import apart

_PACKAGE = HOME / "mac_profiler"
_INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Code that stands for that of another folder.

    Attributes:
        repository: where it would be.
        tree: where it is.
    """

    repository: str
    tree: str


@dataclass(frozen=True, slots=True)
class Order:
    """One model that is to be counted and audited.

    Attributes:
        name: what a reader calls it.
        model: what `mac_profiler.models.find` takes.
        arguments: texts like "width=4".
        inputs: texts like "1x3x224x224".
        batch: images at once, where no inputs are given.
        settings: of the audit.
        moved: whose code is taken; None takes the current folder's.
    """

    name: str
    model: str
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    batch: int = 1
    settings: AuditSettings = field(default_factory=AuditSettings)
    moved: Elsewhere | None = None

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> Order:
        """What `to_text` wrote."""
        read = json.loads(text)
        settings = _tuples(read["settings"])
        settings["per_module_ignore"] = _tuples(settings["per_module_ignore"])
        read["settings"] = AuditSettings(**settings)
        read["moved"] = None if read["moved"] is None else Elsewhere(**read["moved"])
        return Order(**_tuples(read))


def _tuples(read: Mapping[str, Any]) -> dict[str, Any]:
    # JSON knows lists alone.
    return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}


def built_side(order: Order, progress: Callable[[str], None] = lambda _: None) -> Side:
    """The side, of a model that this process builds.

    Raises:
        MacprofError: it cannot be found, built, called or audited.
    """
    return side_of(order.name, *_documents(order, progress))


def _documents(order: Order, progress: Callable[[str], None]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The JSON of `macprof analyze` and `macprof audit`, of one trace."""
    from mac_profiler.api.auditing import audit_named
    from mac_profiler.models import parse_argument
    from mac_profiler.overview import describe
    from mac_profiler.verdict import describe_audit

    audited = audit_named(
        order.model,
        order.settings,
        arguments=dict(map(parse_argument, order.arguments)),
        inputs=order.inputs,
        batch=order.batch,
        progress=progress,
    )
    return describe(audited.prediction.profile).data(), describe_audit(audited).data()


def side_elsewhere(order: Order) -> Side:
    """The side, of a model that a process of its own builds.

    Raises:
        ModelNotFound: it cannot be found, built, called or audited there, or the process died.
    """
    with tempfile.TemporaryDirectory(prefix="macprof-") as folder:
        answer = Path(folder) / "answer.json"
        command, environment = own("mac_profiler.api.elsewhere", str(answer))
        done = subprocess.run(  # noqa: S603 - this program itself
            command,
            env=environment,
            input=order.to_text(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if not answer.is_file():
            said = done.stderr.strip().rpartition("\n")[2] or "it says nothing"
            raise ModelNotFound(f"{order.name}: the process that builds it died with status {done.returncode}: {said}")
        read = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in read:
        raise ModelNotFound(f"{order.name}: {read['error']}")
    return side_of(order.name, read["analysis"], read["audit"])


def main() -> None:
    """Carry out the order on standard input; the answer goes to the file that the first argument names."""
    answer = Path(sys.argv[1]).resolve()
    order = Order.from_text(sys.stdin.read())
    read: dict[str, Any]
    try:
        with apart():
            if order.moved is not None:
                order = _moved(order, order.moved)
            analysis, audit = _documents(order, lambda _: None)
            if order.moved is not None:
                _check_origins(order.model, order.moved)
            read = {"analysis": analysis, "audit": audit}
    except MacprofError as error:
        read = {"error": str(error)}
    answer.write_text(json.dumps(read), encoding="utf-8")


def _moved(order: Order, moved: Elsewhere) -> Order:
    """The order with its model's file in the tree; Python's path and the current folder are moved there."""
    import mac_profiler.overview
    import mac_profiler.verdict  # noqa: F401 - this macprof, before another that a revision may hold

    repository, tree = Path(moved.repository), Path(moved.tree)

    def there(place: Path) -> Path:
        return tree / place.relative_to(repository)

    def within(place: Path) -> bool:
        return place.is_relative_to(repository) and not _INSTALLED & set(place.parts) and place != HOME

    places = [Path(entry).resolve() for entry in sys.path]
    sys.path[:] = [str(there(place)) if within(place) else str(place) for place in places]
    here = Path.cwd().resolve()
    own = there(here) if here.is_relative_to(repository) else tree
    os.chdir(own if own.is_dir() else tree)
    place, _, attribute = order.model.rpartition(":")
    if not Path(place).is_absolute():
        return order
    file = os.path.relpath(there(Path(place)))
    return replace(order, model=f"{file}:{attribute}")


def _check_origins(model: str, moved: Elsewhere) -> None:
    """Refuse what was not wholly built of the revision's code.

    Raises:
        ModelNotFound: a module was loaded from the repository, or the model's own from neither.
    """
    repository, tree = Path(moved.repository), Path(moved.tree)
    origins = {name: Path(file).resolve() for name, module in list(sys.modules.items())
               if isinstance(file := getattr(module, "__file__", None), str) and Path(file).is_absolute()}  # fmt: skip
    for name, file in origins.items():
        # The tree itself may lie in the repository, where temporary files are kept there.
        apart = _INSTALLED & set(file.parts) or file.is_relative_to(_PACKAGE) or file.is_relative_to(tree)
        if file.is_relative_to(repository) and not apart:
            raise ModelNotFound(
                f"its module '{name}' was loaded from the working tree ({file}), not from the revision, so they "
                f"cannot be compared; save an analysis of each with 'macprof analyze --format json'"
            )
    place = model.rpartition(":")[0]
    if place in origins and not origins[place].is_relative_to(tree):
        raise ModelNotFound(f"'{place}' is installed at {origins[place]}, the same in every revision; name its file")


if __name__ == "__main__":
    main()
