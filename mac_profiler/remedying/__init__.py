"""Remedying: what several rules find and propose alike: other widths, fewer groups, a plainer block."""
