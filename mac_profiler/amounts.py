"""Amounts: numbers as people write them, 150M or 1.5G, as whole numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from mac_profiler.errors import InvalidInput

_FACTORS: Mapping[str, int] = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_AMOUNT = re.compile(r"([0-9_.]+(?:[eE][+-]?[0-9]+)?) ?([A-Za-z]*)")
_NUMBER = re.compile(r"(?:[0-9]+(?:_[0-9]+)*(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+)?")
_FORM = "write a whole number or one with k, M, G or T: 20_000_000, 2e6, 150M, 1.5G"
# Beyond every model; a larger exponent would fill the memory with digits.
_MOST_DIGITS = 24


def parse_amount(text: str | int | float) -> int:
    """An amount: 150_000_000 of "150M", 1_500_000_000 of "1.5G", 3_145_728 of "3Mi" or "3MiB".

    Args:
        text: a whole number, or a text; k, M, G and T are decimal, Ki, Mi, Gi and Ti binary. What such a prefix leaves
            of a fraction is dropped.

    Raises:
        InvalidInput: it is no amount, is negative, or a fraction without a prefix.
    """
    if isinstance(text, int) and abs(text) >= 10**_MOST_DIGITS:
        # Python itself refuses to print the longest ones.
        raise InvalidInput(f"a number of more than {_MOST_DIGITS} digits is no amount; {_FORM}")
    written = str(text).strip()
    if re.match(r"-\s*[0-9.]", written):
        raise InvalidInput(f"{written!r} is no amount: it is negative; {_FORM}")
    match = _AMOUNT.fullmatch(written)
    if match is None or not _NUMBER.fullmatch(match[1]):
        raise InvalidInput(f"{written!r} is no amount; {_FORM}")
    factor = _factor(written, match[1], match[2])
    exponent = re.split("[eE]", match[1])[1:]
    if len(match[1]) > 2 * _MOST_DIGITS or any(abs(int(power)) > _MOST_DIGITS for power in exponent):
        raise InvalidInput(f"'{written}' has more digits than an amount; {_FORM}")
    amount = Fraction(match[1]) * factor
    # "23.4 MiB" is no whole number of bytes, and no more than that is no more than the whole bytes in it.
    if amount.denominator != 1 and (factor == 1 or amount < 1):
        raise InvalidInput(f"'{written}' is no whole number; {_FORM}")
    return int(amount)


def _factor(written: str, number: str, suffix: str) -> int:
    unit = suffix.removesuffix("B") if suffix.endswith("iB") else suffix
    if unit in _FACTORS:
        return _FACTORS[unit]
    # SI's m is a thousandth, and B may be bytes or billions: neither is guessed.
    meant = {"m": "M", "g": "G", "t": "T", "KB": "k"} | {f"{prefix}B": prefix for prefix in "kMGT"}
    remedy = f"write {number}{meant[suffix]}" if suffix in meant else _FORM
    if suffix in ("B", "b"):
        remedy = f"write {number} for bytes, {number}G for billions"
    reason = f"'{suffix}' is none of {', '.join(filter(None, _FACTORS))}"
    raise InvalidInput(f"'{written}' is no amount: {reason}; {remedy}")
