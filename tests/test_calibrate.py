"""Laws of a machine from the times of its probes: made from known laws they come back; and what the probes are."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from mac_profiler import api
from mac_profiler.api.measuring import profile_case
from mac_profiler.calibrate import ADDED, CONVOLUTIONS, SETTINGS, learn_platform
from mac_profiler.errors import MacprofError, MeasureFailed
from mac_profiler.facts import Probed
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.learning import laws_of
from mac_profiler.measurement import Case, Measurement, Settings
from mac_profiler.platform import Bandwidth, Law, Platform
from mac_profiler.predict import seconds_of
from mac_profiler.probes import BANDWIDTH, CALIBRATION, NETWORK, cases
from mac_profiler.probes.bandwidths import WAYS, WORKING_SETS
from mac_profiler.work import Work, tally, tasks
from tests.machines import BANDWIDTHS, LAWS, machine, measured

# Work of these kinds has no weights to speak of, and of the last ones each FLOP comes with a byte.
WITHOUT_WEIGHTS = ("matmul", "attention", "max_pool", "avg_pool")
# What a network adds: seconds of a launch, of a byte of maps, of a byte of weights; of convolutions.
MORE = (5e-6, 2e-10, 3e-10)
PROVENANCE = {"cpu": "one", "torch": "2.9.0", "date": "today"}


def hot(kind: str) -> Law:
    """The law of a kind, as far as its probes can tell it."""
    law = LAWS["movement" if kind == "other" else kind]
    if kind in WITHOUT_WEIGHTS:
        return replace(law, weight_seconds=0.0)
    return law if kind in PRODUCTS else replace(law, operation_seconds=0.0, weight_seconds=0.0)


HOT = machine({kind: hot(kind) for kind in KINDS}, bandwidths=BANDWIDTHS)


def whole() -> Platform:
    """The machine as networks find it."""
    extra = laws_of(ADDED, MORE)
    laws = dict(HOT.laws)
    for kind in CONVOLUTIONS:
        one, other = laws[kind], extra[kind]
        laws[kind] = Law(
            one.operation_seconds,
            one.read_seconds + other.read_seconds,
            one.write_seconds + other.write_seconds,
            one.weight_seconds + other.weight_seconds,
            one.launch_seconds + other.launch_seconds,
        )
    return replace(HOT, laws=laws)


def drawn(kind: str, generator: random.Random, most: float = 6.5) -> Work:
    """Work of a kind, of up to 10^most bytes of each sort."""
    amounts = [10.0 ** generator.uniform(4, most + 1.5), *(10.0 ** generator.uniform(3, most) for _ in range(3))]
    return Work(kind, *amounts)


def probed(group: str, name: str, works: Sequence[Work], seconds: float, **axes: str | int) -> Probed:
    return Probed(measured(Case(CALIBRATION, group, name, axes), seconds), tuple(works))


def probes_of(truth: Platform, bandwidths: Sequence[Bandwidth] = BANDWIDTHS) -> Iterator[Probed]:
    """All that a calibration measures, on a machine whose laws are known."""
    generator = random.Random(7)  # noqa: S311 - the same works each time, no secret
    for each in bandwidths:
        for way in WAYS:
            size = each.working_set
            yield probed(BANDWIDTH, f"{way} {size}", (), size / getattr(each, way), way=way, working_set=size)
    for kind in KINDS:
        if kind != "other":
            for number in range(12):
                works = [drawn(kind, generator)] * (1 + number % 2)
                yield probed(kind, f"{kind} {number}", works, sum(seconds_of(work, HOT).total for work in works))
    for number in range(14):
        # Of some networks the operators are so small that launches are most of their time.
        most = (4.0, 5.5, 6.5)[number % 3]
        mixed = [drawn(kind, generator, most) for kind in list(KINDS)[: 4 + number] for _ in range(1 + number // 5)]
        yield probed(NETWORK, f"network {number}", mixed, sum(seconds_of(work, truth).total for work in mixed))


@cache
def learned() -> Platform:
    return learn_platform("learned", list(probes_of(whole())), SETTINGS, PROVENANCE)


# --------------------------------------------------------------------------------------------------------- known laws


def test_predictions_of_the_laws_come_back() -> None:
    generator = random.Random(8)  # noqa: S311 - the same
    for kind in KINDS:
        for _ in range(10):
            work = drawn(kind, generator)
            expected = seconds_of(work, whole()).total
            assert seconds_of(work, learned()).total == pytest.approx(expected, rel=0.01)
    assert learned().error < 0.01
    assert learned().median_error <= learned().error


def test_other_is_movement() -> None:
    assert learned().laws["other"] == learned().laws["movement"]
    assert list(learned().laws) == list(KINDS)


def test_what_networks_add_comes_back() -> None:
    added = learned().provenance["added_in_networks"]
    assert list(added) == [number.name for number in ADDED]
    assert list(added.values()) == pytest.approx(MORE, rel=0.02)
    alone = learn_platform("alone", list(probes_of(HOT)), SETTINGS, PROVENANCE)
    # Where they add nothing, that is found too.
    assert max(alone.provenance["added_in_networks"].values()) < 1e-8
    assert alone.provenance["added_in_networks"][ADDED[1].name] < 1e-12


def test_a_platform_says_what_it_was_made_with() -> None:
    platform = learn_platform("one", list(probes_of(whole())), replace(SETTINGS, threads=2), PROVENANCE)
    assert (platform.name, platform.device, platform.dtype, platform.fused) == ("one", "cpu", "float32", False)
    assert platform.provenance.items() >= PROVENANCE.items()
    assert platform.provenance["settings.threads"] == 2
    assert platform.provenance["probes"] == len(list(probes_of(whole())))
    assert [each.working_set for each in platform.bandwidths] == [each.working_set for each in BANDWIDTHS]
    for found, true in zip(platform.bandwidths, BANDWIDTHS, strict=True):
        for way in WAYS:
            assert getattr(found, way) == pytest.approx(getattr(true, way))


def test_facts_are_the_best_that_any_probe_reached() -> None:
    facts = {(each.group, each.name): each for each in learned().facts}
    for kind in KINDS:
        if kind == "other":
            assert ("rate", kind) not in facts
            continue
        rates = []
        for each in probes_of(whole()):
            if each.group == kind:
                amount = sum(work.operations if kind in PRODUCTS else work.bytes_moved for work in each.works)
                rates.append((amount / each.measurement.seconds[0], each.measurement.case.name))
        fact = facts["rate", kind]
        assert fact.value == pytest.approx(max(rates)[0])
        assert fact.subject == max(rates)[1]
        assert fact.unit == ("multiply-adds/s" if kind in PRODUCTS else "bytes/s")
        assert fact.low <= fact.value <= fact.high
    assert facts["bandwidth", f"copy {2**16}"].value == pytest.approx(1.2e10)
    least = min(
        (each for each in probes_of(whole()) if each.group == "elementwise"),
        key=lambda each: sum(work.bytes_moved for work in each.works),
    )
    launch = facts["launch", "launch"]
    assert launch.subject == least.measurement.case.name
    assert launch.value == pytest.approx(least.measurement.seconds[0] / len(least.works))


def test_a_size_that_one_way_could_not_touch_has_no_bandwidth() -> None:
    kept = [each for each in probes_of(whole()) if each.measurement.case.name != f"write {2**24}"]
    platform = learn_platform("less", kept, SETTINGS, PROVENANCE)
    assert [each.working_set for each in platform.bandwidths] == [2**14, 2**16, 2**20]


def test_probes_without_samples_are_as_if_they_were_not() -> None:
    every = list(probes_of(whole()))
    failed = Probed(Measurement(Case(CALIBRATION, "linear", "too large"), (), "failed: out of memory"), ())
    assert learn_platform("learned", [failed, *every], SETTINGS, PROVENANCE) == learned()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "other"])
def test_a_kind_that_could_not_be_measured_is_named(kind: str) -> None:
    rest = [each for each in probes_of(whole()) if each.group != kind]
    with pytest.raises(MeasureFailed, match=f"no probe of {kind} could be measured"):
        learn_platform("less", rest, SETTINGS, PROVENANCE)


def test_without_networks_there_is_no_platform() -> None:
    rest = [each for each in probes_of(whole()) if each.group != NETWORK]
    with pytest.raises(MeasureFailed, match="no probe of network could be measured"):
        learn_platform("less", rest, SETTINGS, PROVENANCE)


# ---------------------------------------------------------------------------------------------------------- the probes

CASES = {case.key: case for case in cases(Settings())}
OF_KINDS = [key for key, case in CASES.items() if case.group in KINDS]


@cache
def works_of(key: str) -> tuple[Work, ...]:
    return tuple(task.work for task in tasks(profile_case(CASES[key])))


def test_every_probe_has_a_name_of_its_own_and_every_kind_has_probes() -> None:
    assert len(CASES) == len(cases(Settings()))
    groups = [case.group for case in CASES.values()]
    assert set(groups) == set(KINDS) - {"other"} | {BANDWIDTH, NETWORK}
    # Those of a group stand together: they take turns.
    assert [group for i, group in enumerate(groups) if not i or groups[i - 1] != group] == sorted(set(groups))
    assert {case.benchmark for case in CASES.values()} == {CALIBRATION}


@pytest.mark.parametrize("group", sorted(set(KINDS) - {"other"}))
def test_nearly_all_work_of_a_probe_is_what_it_tells_of(group: str) -> None:
    for key in OF_KINDS:
        if CASES[key].group == group:
            amount = "operations" if group in PRODUCTS else "bytes_moved"
            found = tally(works_of(key))
            alike = [kind for kind in found if (kind in PRODUCTS) == (group in PRODUCTS)]
            assert getattr(found[group], amount) >= 0.9 * sum(getattr(found[kind], amount) for kind in alike), key
            assert found[group].bytes_moved >= 0.9 * sum(work.bytes_moved for work in found.values()), key


@pytest.mark.parametrize("way", WAYS)
def test_a_bandwidth_touches_as_many_bytes_as_it_says(way: str) -> None:
    for size in WORKING_SETS:
        profile = profile_case(CASES[f"{CALIBRATION}/{BANDWIDTH}/{way} {size}"])
        # A sum writes one number besides.
        assert profile.total.bytes_moved == size + (4 if way == "read" else 0)


def smallest() -> list[str]:
    """Of each group the two that have least to do; of networks one."""
    found: list[str] = []
    for group in sorted({case.group for case in CASES.values()}):
        own = sorted(
            (key for key, case in CASES.items() if case.group == group),
            key=lambda key: sum(1e3 + work.operations + work.bytes_moved for work in works_of(key)),
        )
        found += own[: 1 if group == NETWORK else 2]
    return found


def test_probes_run() -> None:
    for key in smallest():
        build = CASES[key].build
        assert build is not None
        module, inputs = build()
        with torch.inference_mode():
            out = module.eval()(*inputs)
        assert torch.isfinite(out).all(), key
        assert out.numel() > 0


# ------------------------------------------------------------------------------------------------------- interruptions


@pytest.mark.parametrize("error", [MeasureFailed("the process died"), KeyboardInterrupt()])
def test_an_interrupted_calibration_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mac_profiler.conduct.conduct", interrupted)
    with pytest.raises((MacprofError, KeyboardInterrupt)):
        api.calibrate(SETTINGS, name="one", output=str(tmp_path / "one.json"))
    assert list(tmp_path.iterdir()) == []
