"""What every test relies on: no display, no download, no deadline; tests that need a GPU are skipped without one."""

import os

import pytest
from hypothesis import settings

# Before matplotlib and huggingface_hub are imported, which read them then.
os.environ["MPLBACKEND"] = "Agg"
os.environ["HF_HUB_OFFLINE"] = "1"

# The first call of a torch operator loads what it needs, and so takes many times longer than the next.
settings.register_profile("macprof", settings(), deadline=None)
settings.load_profile("macprof")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `gpu` where there is no CUDA device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
