"""Questions to one profiler, in a process of its own: python -m experiments.features.asked PROFILER QUESTION ..."""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import io
import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from experiments import peers

# Profiler, as the table names it, and the file of experiments/peers that calls it.
PACKAGES = {
    "macprof": "macprof",
    "fvcore": "fvcore",
    "torchinfo": "torchinfo",
    "ptflops": "ptflops_pytorch",
    "thop": "thop",
    "calflops": "calflops",
    "torchprofile": "torchprofile",
    "torchscan": "torchscan",
    "TorchLens": "torchlens",
    "FlopCounterMode": "flop_counter_mode",
    "DeepSpeed": "deepspeed",
}
QUESTIONS = {
    "meta": "counts a model on the meta device, where no weight has memory",
    "inputs": "takes a model of two inputs, one of them by name",
    "untouched": "leaves a model in training as found: attributes, hooks, running statistics, mode",
    "backward": "counts the backward pass by what is executed",
    "accesses": "states memory access",
    "peak": "states the most activation memory alive at once",
    "per_module": "prints a table by module",
    "times": "measures the time of every module or operator",
    "teach": "can be taught the cost of an operator or module",
    "command": "has a command line",
    "program": "counts any part of a program, as a context around it, a training step among it",
    "picture": "draws the graph of a model",
    "values": "keeps the tensors of every step, to look at",
    "receptive": "states receptive fields",
    "audit": "says what to change in the architecture",
}
# Where a public function or argument answers: "module:object" or "module:function(argument)"; "" where there is none.
_KNOWN: dict[str, dict[str, str]] = {
    "backward": {"TorchLens": "torchlens:Trace.total_macs_backward"},
    "accesses": {"macprof": "mac_profiler:Cost.accesses", "torchscan": "torchscan.modules:module_dmas"},
    "peak": {
        "macprof": "mac_profiler:Profile.peak_activation_bytes",
        "TorchLens": "torchlens:Trace.forward_peak_memory_pair",
    },
    "per_module": {
        "macprof": "mac_profiler:Profile.by_module",
        "fvcore": "fvcore.nn:flop_count_table",
        "torchinfo": "torchinfo:summary",
        "ptflops": "ptflops:get_model_complexity_info(print_per_layer_stat)",
        "thop": "",
        "calflops": "calflops:calculate_flops(print_detailed)",
        "torchscan": "torchscan:summary",
        "TorchLens": "torchlens:summary",
        "FlopCounterMode": "torch.utils.flop_counter:FlopCounterMode.get_table",
        "DeepSpeed": "deepspeed.profiling.flops_profiler:FlopsProfiler.print_model_profile",
    },
    "times": {
        "macprof": "mac_profiler.api:predict_named(observe)",
        "TorchLens": "torchlens:Op.func_duration",
        "DeepSpeed": "deepspeed.profiling.flops_profiler:get_module_duration",
    },
    "teach": {
        "macprof": "mac_profiler:formula",
        "fvcore": "fvcore.nn:FlopCountAnalysis.set_op_handle",
        "ptflops": "ptflops:get_model_complexity_info(custom_modules_hooks)",
        "thop": "thop:profile(custom_ops)",
        "torchprofile": "torchprofile.profile:HANDLER_MAP",
        "FlopCounterMode": "torch.utils.flop_counter:register_flop_formula",
    },
    "program": {"FlopCounterMode": "torch.utils.flop_counter:FlopCounterMode.__enter__"},
    "picture": {"TorchLens": "torchlens:Trace.draw"},
    "values": {"TorchLens": "torchlens:trace"},
    "receptive": {"torchscan": "torchscan.modules:module_rf"},
    "audit": {"macprof": "mac_profiler:audit_model"},
}


def answer(name: str, question: str) -> dict[str, Any]:
    """Yes or no, and what it rests on."""
    try:
        return TRIED[question](name) if question in TRIED else _public(name, question)
    except Exception as error:  # noqa: BLE001 - a profiler may raise anything: that is its answer
        return {"answer": False, "because": " ".join(f"{type(error).__name__}: {error}".split())[:160]}


def _public(name: str, question: str) -> dict[str, Any]:
    place = _KNOWN[question].get(name, "")
    if not place:
        return {"answer": False, "because": "no public function or argument for it is known to us"}
    module, _, path = place.partition(":")
    path, _, argument = path.partition("(")
    thing: Any = import_module(module)
    for part in path.split("."):
        if not hasattr(thing, part) and part in getattr(thing, "__annotations__", {}):
            break
        thing = getattr(thing, part)
    found = not argument or argument.rstrip(")") in inspect.signature(thing).parameters
    return {"answer": found, "because": place}


def _count(name: str, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float:
    peer = peers.find(PACKAGES[name])
    peer.load()
    with contextlib.redirect_stdout(io.StringIO()):
        return float(peer.count(model, args, kwargs)) / peer.FACTOR


def _meta(name: str) -> dict[str, Any]:
    import torch
    from torch import nn

    model = nn.Conv2d(3, 8, 3, padding=1, bias=False, device="meta").eval()
    return _equal(_count(name, model, (torch.empty(1, 3, 10, 10, device="meta"),), {}), 8 * 3 * 9 * 100)


def _inputs(name: str) -> dict[str, Any]:
    import torch
    from torch import Tensor, nn

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(8, 4, bias=False), nn.Linear(16, 4, bias=False)

        def forward(self, x: Tensor, *, y: Tensor) -> Tensor:
            result: Tensor = self.left(x) + self.right(y)
            return result

    return _equal(_count(name, Two().eval(), (torch.zeros(1, 8),), {"y": torch.zeros(1, 16)}), 8 * 4 + 16 * 4)


def _untouched(name: str) -> dict[str, Any]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU()).train()

    def state() -> dict[str, Any]:
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), m.training) for m in model.modules()]
        names = [sorted(vars(m)) for m in model.modules()]
        buffers = {key: value.clone() for key, value in model.state_dict().items()}
        return {"hooks and modes": hooks, "attributes": names, "contents": buffers}

    before = state()
    _count(name, model, (torch.randn(2, 3, 5, 5),), {})
    after = state()
    changed = [part for part in ("hooks and modes", "attributes") if before[part] != after[part]]
    was, now = before["contents"], after["contents"]
    if was.keys() != now.keys():
        changed.append("buffers")
    elif any(not torch.equal(was[key], now[key]) for key in was):
        changed.append("running statistics")
    return {"answer": not changed, "because": f"changed: {', '.join(changed)}" if changed else "nothing changed"}


def _backward(name: str) -> dict[str, Any]:
    import torch
    from torch import nn

    # Its input needs no gradient: one product forward, one backward, not the two of a rule of thumb.
    model, x, products = nn.Linear(8, 4, bias=False), torch.zeros(2, 8), 2 * 8 * 4
    if name == "macprof":
        import mac_profiler

        found = float(mac_profiler.analyze(model, x, backward=True).total.mult_adds)
    elif name == "FlopCounterMode":
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            model(x).sum().backward()
        found = counter.get_total_flops() / 2
    elif name == "calflops":
        from calflops import calculate_flops

        found = calculate_flops(model, args=[x], include_backPropagation=True, print_results=False,
                                output_as_string=False)[1]  # fmt: skip
    else:
        return _public(name, "backward")
    return _equal(found, 2 * products)


def _command(name: str) -> dict[str, Any]:
    if name == "FlopCounterMode":
        return {"answer": False, "because": "torch's own commands count nothing"}
    package = peers.find(PACKAGES[name]).PACKAGE
    commands = [each.name for each in importlib.metadata.distribution(package).entry_points
                if each.group == "console_scripts"]  # fmt: skip
    return {"answer": bool(commands), "because": ", ".join(commands) or "no console script"}


def _equal(found: float, expected: int) -> dict[str, Any]:
    return {"answer": found == expected, "because": f"{found:,.0f} of {expected:,} multiply-adds"}


# These are tried, each in a process of its own; the others are looked up.
TRIED: dict[str, Callable[[str], dict[str, Any]]] = {
    "meta": _meta,
    "inputs": _inputs,
    "untouched": _untouched,
    "backward": _backward,
    "command": _command,
}


def main() -> None:
    """Print the answers as one line of JSON."""
    from mac_profiler.compiled_operators import import_package

    # Several of them import torchvision, which does not load everywhere by itself.
    with contextlib.suppress(Exception):
        import_package("torchvision", "torchvision")
    name, *questions = sys.argv[1:]
    print(json.dumps({question: answer(name, question) for question in questions}))


if __name__ == "__main__":
    main()
