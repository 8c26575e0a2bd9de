"""Units: numbers to text; nothing else formats a quantity.

An unknown number (None) is "?"; it is never shown as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Literal

Unit = Literal[
    "count", "bytes", "seconds", "share", "ratio", "number", "shape", "shapes", "text",
    # Of a difference.
    "more", "more_bytes", "more_share",
]  # fmt: skip

UNKNOWN = "?"
SI = ("", "k", "M", "G", "T", "P", "E")
BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
TIMES = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


def count(number: float | None) -> str:
    """A number of things with three significant digits: 999, "1.23 k", "146 M", "1.25 G"."""
    return UNKNOWN if number is None else _scaled(number, 1000, SI)


def exact(number: int | None) -> str:
    """Every digit of an integer, in groups of three: "146,318,464"."""
    return UNKNOWN if number is None else f"{number:,}"


def size(number: float | None) -> str:
    """Bytes by powers of 1024: "512 B", "1.50 KiB", "23.4 MiB"."""
    return UNKNOWN if number is None else _scaled(number, 1024, BINARY)


def seconds(duration: float | None) -> str:
    """A time: "1.25 s", "12.5 ms", "870 µs", "12.0 ns"."""
    if duration is None:
        return UNKNOWN
    if not isfinite(duration):
        return str(duration)
    if duration == 0:
        return "0 s"
    for name, factor in TIMES:
        # Rounded first, so that 0.99999 s is "1.00 s" and not "1000 ms".
        if float(f"{abs(duration) / factor:.3g}") >= 1 or factor == TIMES[-1][1]:
            return f"{_digits(duration / factor)} {name}"
    raise AssertionError("the last time unit takes every duration")


def percent(fraction: float | None) -> str:
    """A fraction as a percentage: "12.3%"; "<0.1%" where something is there but rounds to nothing."""
    if fraction is None:
        return UNKNOWN
    if 0 < abs(fraction) < 0.0005:
        return "<0.1%" if fraction > 0 else "-<0.1%"
    return f"{100 * fraction:.1f}%"


def ratio(quotient: float | None) -> str:
    """How many times: "1.34×"."""
    return UNKNOWN if quotient is None else f"{_digits(quotient)}×"


def number(value: float | None) -> str:
    """A number of no unit, with one decimal: "41.2"."""
    return UNKNOWN if value is None else f"{value:.1f}"


def shape(sizes: Sequence[int] | None) -> str:
    """A tensor's shape: "1×3×224×224"; "scalar" where it has no dimension."""
    if sizes is None:
        return UNKNOWN
    return "×".join(map(str, sizes)) if sizes else "scalar"


def shapes(several: Sequence[Sequence[int]] | None) -> str:
    """Shapes of several tensors: "1×3×224×224, 24×3×3×3"."""
    return UNKNOWN if several is None else ", ".join(map(shape, several))


def more(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """How a difference of such quantities is shown: its sign always, but for none: "+155 M", "-93"."""
    return lambda change: f"+{show(change)}" if change is not None and change > 0 else show(change)


_FORMATTERS: Mapping[Unit, Callable[[Any], str]] = {
    "count": count,
    "bytes": size,
    "more": more(count),
    "more_bytes": more(size),
    "more_share": more(percent),
    "seconds": seconds,
    "share": percent,
    "number": number,
    "ratio": ratio,
    "shape": shape,
    "shapes": shapes,
    "text": str,
}


def text(unit: Unit, quantity: Any) -> str:
    """A quantity of that unit as text."""
    return _FORMATTERS[unit](quantity)


def _scaled(number: float, base: int, names: Sequence[str]) -> str:
    if not isfinite(number):
        return str(number)
    scaled, power = abs(number), 0
    # 999,999 prints as "1.00 M": the unit is chosen after rounding, not before.
    while power < len(names) - 1 and float(_digits(scaled)) >= base:
        scaled /= base
        power += 1
    sign = "-" if number < 0 else ""
    digits = f"{scaled:.0f}" if power == 0 and scaled == int(scaled) else _digits(scaled)
    return f"{sign}{digits} {names[power]}".rstrip()


def _digits(number: float) -> str:
    """Three significant digits, without an exponent."""
    magnitude = abs(number)
    for limit, places in ((9.995, 2), (99.95, 1)):
        if magnitude < limit:
            return f"{number:.{places}f}"
    return f"{number:.0f}"
