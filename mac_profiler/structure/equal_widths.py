"""Equal widths: the memory access that a product would have if it read as many channels as it writes."""

from __future__ import annotations

from math import isqrt

from mac_profiler.bounds import Product


def equal_accesses(product: Product, groups: int | None = None) -> int:
    """Memory access at equal widths, and at the same multiply-adds, map sizes and kernel; roots are rounded up.

    With n positions read, m written and W weights it is (n + m) sqrt(c1 c2) + W. Where maps keep their size that is the
    least of any widths (`mac_profiler.bounds`). Behind a stride more channels than before it would have a little less:
    that is not held against a layer of equal widths.

    Args:
        product: it.
        groups: that it would have; None leaves its own.
    """
    pairs = product.channels_in * product.channels_out * (groups or product.groups) // product.groups
    square = (product.positions_in + product.positions_out) ** 2 * pairs
    return (isqrt(square - 1) + 1 if square else 0) + product.weights
