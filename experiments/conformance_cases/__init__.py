"""Calls whose multiply-adds were derived by hand: what a counter of multiply-adds is held against.

Each is small enough to follow with a pencil; sizes differ from each other, so that a product with one factor wrong,
left out or counted twice shows.
"""

from . import attention, contents, convolutions, nothing, products, recurrences, structure
from .case import CASES, Call, Case

__all__ = [
    "CASES",
    "Call",
    "Case",
    "attention",
    "contents",
    "convolutions",
    "nothing",
    "products",
    "recurrences",
    "structure",
]
