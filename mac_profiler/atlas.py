"""Atlas: platforms as documents, for a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mac_profiler.columns import COLUMNS
from mac_profiler.document import Document, Line, Table
from mac_profiler.kinds_of_work import KINDS, PRODUCTS
from mac_profiler.platform import Fact, Platform
from mac_profiler.units import count, percent, seconds

LEGEND = (
    ("best rate", "the highest that any probe of the kind reached, and its interval"),
    ("law", "seconds = operations, bytes and calls, each by its own number; products are counted in multiply-adds"),
    ("error", "nine in ten of the networks that were held out were predicted no further off"),
)
# Of a machine that is left alone, repetitions differ by less.
BUSY = 0.25
# So many models that were left out are named to a reader.
NAMED = 3
# Of what a platform was made with, what a reader looks for first.
FACTS = ("gpu", "cpu", "cores_logical", "torch", "settings.threads", "date", "learned_from", "models")


def list_platforms(platforms: Sequence[Platform], place: str) -> Document:
    """Every platform, a line each.

    Args:
        platforms: what is kept.
        place: folder that they are kept in.
    """
    lines = [
        Line(
            {
                "platform": each.name,
                "device": each.device,
                "dtype": each.dtype,
                "engine": "fused" if each.fused else "one by one",
                "median_error": each.median_error,
                "error": each.error,
                "origin": str(each.provenance.get("learned_from") or _machine(each)),
                "started": str(each.provenance.get("date", ""))[:10],
            }
        )
        for each in platforms
    ]
    columns = ("platform", "device", "dtype", "engine", "median_error", "error", "origin", "started")
    return Document(
        title=f"{len(platforms)} platform{'' if len(platforms) == 1 else 's'}",
        facts={"kept in": place},
        tables=(Table(tuple(COLUMNS[key] for key in columns), tuple(lines)),),
        data=lambda: {"schema_version": 1, "platforms": [_summary(each) for each in platforms]},
        notes=() if lines else ("'macprof calibrate' measures this machine; 'macprof platforms fit' learns another.",),
    )


def _summary(platform: Platform) -> Mapping[str, Any]:
    kept = ("name", "device", "dtype", "fused", "error", "median_error")
    return {name: getattr(platform, name) for name in kept} | {"provenance": dict(platform.provenance)}


def _machine(platform: Platform) -> str:
    return str(platform.provenance.get("gpu") or platform.provenance.get("cpu", ""))


def describe_platform(platform: Platform, place: str, left_out: Sequence[str] = ()) -> Document:
    """What one machine can do.

    Args:
        platform: the machine.
        place: where its profile is.
        left_out: a line for each model of a table that could not be counted.
    """
    made = platform.provenance
    tables = [*_rates(platform), *_bandwidths(platform), *_numbers(platform), _laws(platform)]
    return Document(
        title=f"Platform {platform.name}",
        facts={
            **{name.removeprefix("settings.").replace("_", " "): str(made[name]) for name in FACTS if name in made},
            "dtype": platform.dtype,
            "operators": "fused" if platform.fused else "one by one",
            "held-out error": f"{percent(platform.median_error)} median, {percent(platform.error)} nine in ten",
            "profile": place,
        },
        tables=tuple(tables),
        data=lambda: {"schema_version": 1, **asdict(platform), **({"left_out": list(left_out)} if left_out else {})},
        warnings=(*_say_busy(platform), *_say_left_out(left_out)),
        legend=LEGEND,
    )


def _say_busy(platform: Platform) -> tuple[str, ...]:
    drift = float(platform.provenance.get("drift", 0.0))
    if drift <= BUSY:
        return ()
    seen = f"nine in ten probes took up to {percent(drift)} longer or shorter a minute later"
    return (f"the machine was busy: {seen}; calibrate anew when nothing else runs",)


def _say_left_out(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    more = f"; and {len(left_out) - NAMED} more, all in --format json" if len(left_out) > NAMED else ""
    return (f"left out, as they could not be counted: {'; '.join(left_out[:NAMED])}{more}",)


def _rates(platform: Platform) -> list[Table]:
    facts: list[Fact] = [each for each in platform.facts if each.group in ("rate", "launch")]
    if not facts:
        return []
    lines = []
    for each in facts:
        # A launch is no rate: as so many a second it stands in the same columns.
        values = (each.value, each.low, each.high)
        best, low, high = values if each.group == "rate" else (1 / each.value, 1 / each.high, 1 / each.low)
        unit = each.unit if each.group == "rate" else "launches/s"
        name = each.name.replace("_", " ")
        lines.append(
            Line({"kind": name, "best": best, "low": low, "high": high, "unit": unit, "subject": each.subject})
        )
    columns = tuple(COLUMNS[key] for key in ("kind", "best", "low", "high", "unit", "subject"))
    return [Table(columns, tuple(lines), "Rates")]


def _bandwidths(platform: Platform) -> list[Table]:
    lines = [
        Line(
            {
                "working_set": each.working_set,
                "read_rate": each.read,
                "write_rate": each.write,
                "copy_rate": each.copy,
            }
        )
        for each in platform.bandwidths
    ]
    columns = tuple(COLUMNS[key] for key in ("working_set", "read_rate", "write_rate", "copy_rate"))
    return [Table(columns, tuple(lines), "Bandwidth a second, by bytes that a call touches")] if lines else []


def _numbers(platform: Platform) -> list[Table]:
    numbers = platform.provenance.get("numbers") or platform.provenance.get("added_in_networks")
    if not numbers:
        return []
    learned = "numbers" in platform.provenance
    title = "The numbers that were learned" if learned else "What a network adds to the probes, in the laws below"
    lines = [Line({"number": name, "value": _a_second(name, float(value))}) for name, value in numbers.items()]
    return [Table((COLUMNS["number"], COLUMNS["value"]), tuple(lines), title)]


def _a_second(name: str, value: float) -> str:
    """Seconds of a call as they are; of a byte or a multiply-add, too short to read, as so many a second."""
    if not value:
        return "nothing"
    return seconds(value) if name.startswith("launch") else f"{count(1 / value)} a second"


def _laws(platform: Platform) -> Table:
    lines = []
    for kind in KINDS:
        law = platform.laws.get(kind)
        if law is None:
            continue
        # Of a million, so that a reader sees digits.
        lines.append(
            Line(
                {
                    "kind": kind,
                    "operations": seconds(1e6 * law.operation_seconds) if law.operation_seconds else "–",
                    "read": seconds(1e6 * law.read_seconds) if law.read_seconds else "–",
                    "write": seconds(1e6 * law.write_seconds) if law.write_seconds else "–",
                    "weights": seconds(1e6 * law.weight_seconds) if law.weight_seconds else "–",
                    "launch_seconds": law.launch_seconds,
                    "counted": "multiply-adds" if kind in PRODUCTS else "FLOPs",
                }
            )
        )
    columns = ("kind", "operations", "read", "write", "weights", "launch_seconds", "counted")
    return Table(tuple(COLUMNS[key] for key in columns), tuple(lines), "Laws: seconds of a million")
