"""Rewriting: a model as torch exports it, with the remedies applied that keep its function.

`preview_of` exports it (`torch.export`), lets every pass rewrite the graph of ATen operators, and runs both on the same
random inputs. Batch-norm that was never trained gets statistics and factors drawn by chance first: folding those that
it is made with would prove nothing.
"""

from __future__ import annotations

from mac_profiler.rewriting.preview import preview_of

__all__ = ["preview_of"]
