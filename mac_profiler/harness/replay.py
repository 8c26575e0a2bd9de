"""Replay: the kernels of a call recorded once, as a CUDA graph, and launched together ever after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mac_profiler.construct import first_line
from mac_profiler.errors import MeasureFailed

# Calls before a recording, which set up what must not be recorded: as many as torch's own notes advise.
# docs.pytorch.org/docs/stable/notes/cuda.html, "CUDA graphs"
WARMING_CALLS = 3


def record(call: Callable[[], Any]) -> Callable[[], Any]:
    """Record what a call launches on the current CUDA device.

    Args:
        call: has run before; its inputs stay where they are, and must outlive the recording.

    Returns:
        What launches it again.

    Raises:
        MeasureFailed: something in the call needs the host, and so cannot be recorded.
    """
    import torch

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.inference_mode():
        for _ in range(WARMING_CALLS):
            call()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.inference_mode(), torch.cuda.graph(graph):
            call()
    except RuntimeError as error:
        raise MeasureFailed(f"no CUDA graph can be made of it: {first_line(error)}") from error
    graph.replay()
    torch.cuda.synchronize()
    return graph.replay
