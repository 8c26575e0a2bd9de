"""Forecast: from a machine to its platform, from a platform to a model's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mac_profiler import models
from mac_profiler.api.analysis import profile_of
from mac_profiler.api.measuring import profile_case
from mac_profiler.errors import InvalidInput, MacprofError, ModelNotFound

if TYPE_CHECKING:
    from mac_profiler.measurement import Scalar, Settings
    from mac_profiler.models import Built
    from mac_profiler.platform import Platform
    from mac_profiler.predict import Prediction
    from mac_profiler.profile import Profile
    from mac_profiler.speed_tables import Row


def calibrate(
    settings: Settings, *, name: str, output: str | None = None, progress: Callable[[str], None] | None = None
) -> tuple[Platform, str]:
    """Measure what this machine can do, and keep it; nothing is written before all of it is there.

    Args:
        settings: device, dtype and threads; how long each probe is measured.
        name: of the platform.
        output: file for the profile; None keeps it among the user's data.
        progress: told of how far it is.

    Returns:
        The platform, and the file that it is in.

    Raises:
        MacprofError: the device is not there, a probe cannot be measured, or the profile cannot be written.
    """
    import tempfile

    from mac_profiler.calibrate import learn_platform
    from mac_profiler.conduct import conduct
    from mac_profiler.facts import Probed
    from mac_profiler.plan import Plan, cases_of
    from mac_profiler.shelf import place_of, save
    from mac_profiler.store import open_store
    from mac_profiler.work import tasks

    place = place_of(name, output)
    say = progress or (lambda _: None)
    plan = Plan(probes=True, settings=settings)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "probes.sqlite") as store:
        measured = conduct(plan, store, say=say).measurements
    say("counting")
    cases = {case.key: case for case in cases_of(plan)}
    probed = [Probed(each, tuple(task.work for task in tasks(profile_case(cases[each.case.key])))) for each in measured]
    platform = learn_platform(name, probed, settings, measured[0].environment)
    save(platform, place)
    return platform, str(place)


def platform_here(device: str = "cpu", dtype: str = "float32") -> Platform:
    """The newest profile of this machine.

    Raises:
        UnknownName: it is not calibrated.
        InvalidInput: it was, but with other hardware or another torch.
    """
    from mac_profiler.shelf import find_here

    return find_here(environment_here(device), device, dtype)


def environment_here(device: str) -> Mapping[str, Scalar]:
    """This machine, its versions, and the device.

    Raises:
        InvalidInput: it has no such device.
    """
    from mac_profiler.devices import open_device
    from mac_profiler.environment import describe_environment
    from mac_profiler.measurement import Settings

    with open_device(Settings(device=device)) as opened:
        return {**describe_environment(), **opened.describe()}


def predict_named(
    name: str,
    platform: Platform,
    *,
    arguments: Mapping[str, object] | None = None,
    inputs: Sequence[str] = (),
    batch: int = 1,
    observe: bool = False,
    progress: Callable[[str], None] | None = None,
) -> tuple[Prediction, list[float | None] | None]:
    """What a model takes on a platform that is known by name, and measured, if that is wanted.

    Args:
        name: see `mac_profiler.models.find`.
        platform: where.
        arguments: keyword arguments of its constructor.
        inputs: texts like "1x3x224x224"; none takes the model's default.
        batch: images at once, where no inputs are given.
        observe: run it here, and measure every operator.
        progress: told what is being done.

    Returns:
        The prediction, and measured seconds of every operator of its graph; None where none was asked for.
    """
    from mac_profiler import observe as observing
    from mac_profiler.measurement import Settings
    from mac_profiler.predict import predict

    say = progress or (lambda _: None)
    say(f"building {name}")
    built = models.find(name, arguments, inputs, device="cpu" if observe else "meta", batch=batch)
    if "learned_from" not in platform.provenance:
        built = in_dtype(built, platform.dtype)
    say(f"tracing {name}")
    prediction = predict(profile_of(built), platform)
    if not observe:
        return prediction, None
    say(f"measuring {name}")
    threads = int(platform.provenance.get("settings.threads", 1))
    settings = Settings(device=platform.device, dtype=platform.dtype, threads=threads)
    return prediction, observing.observe(built, prediction.profile.graph, settings)


def in_dtype(built: Built, dtype: str) -> Built:
    """The model and its inputs in the floating-point type that a platform was calibrated with.

    A table of speeds tells of models in single precision, whatever its engine makes of them.
    """
    import torch

    wanted: torch.dtype = getattr(torch, dtype)
    if wanted == torch.float32:
        return built

    def cast(value: Any) -> Any:
        return value.to(wanted) if isinstance(value, torch.Tensor) and value.is_floating_point() else value

    module = built.module.to(wanted) if isinstance(built.module, torch.nn.Module) else built.module
    kwargs = {name: cast(value) for name, value in built.kwargs.items()}
    return replace(built, module=module, args=tuple(map(cast, built.args)), kwargs=kwargs)


def fit_platform(
    table: str | PathLike[str],
    *,
    name: str,
    device: str,
    dtype: str,
    output: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Platform, str, list[str]]:
    """Learn a platform from a table of measured speeds, see `mac_profiler.fitting`, and keep it.

    Args:
        table: the file.
        name: of the platform.
        device: that the table was measured on, "cpu" or "cuda".
        dtype: that it was measured in.
        output: file for the profile; None keeps it among the user's data.
        progress: told how far it is.

    Returns:
        The platform, the file that it is in, and a line for each model that could not be counted.

    Raises:
        MacprofError: the table cannot be read or holds too little, or the profile cannot be written.
    """
    from mac_profiler.fitting import count_rows, fit
    from mac_profiler.shelf import place_of, save
    from mac_profiler.speed_tables import read_table

    place = place_of(name, output)
    rows = read_table(table)
    counted, left_out = count_rows(rows, count_row, progress or (lambda _: None))
    platform = fit(name, counted, device=device, dtype=dtype, table=Path(table).name)
    save(platform, place)
    return platform, str(place), left_out


def count_row(row: Row) -> Profile:
    """Count the model of a row of a speed table: timm's of that name, or else macprof's own.

    Raises:
        MacprofError: it is unknown, or does not take such images.
    """
    shape = [f"{row.batch}x3x{row.size}x{row.size}"]
    names = [row.model] if ":" in row.model else [f"timm:{row.model}", row.model]
    refused: list[MacprofError] = []
    for name in names:
        # Models of fixed positions are told their size, the others refuse to be.
        for arguments in ({"img_size": row.size}, {}):
            try:
                return profile_of(models.find(name, arguments, shape))
            except (InvalidInput, ModelNotFound) as error:
                refused.append(error)
    # What the table's own package says of a name is the best that can be said.
    raise refused[min(1, len(refused) - 1)]
