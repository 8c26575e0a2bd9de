"""torchscan: hooks on modules, a formula for each class; beside them torch's FlopCounterMode."""

from __future__ import annotations

from typing import Any

from experiments.peers import Answer, Arguments, Keywords

NAME = "torchscan"
PACKAGE = "torchscan"
CONVENTION = "multiply-adds, and operations of normalisation, pooling and activations"
FACTOR = 1
REFUSES_COPIES = False


def load() -> None:
    """Import the package."""
    import torchscan

    _ = torchscan.crawl_module


def _crawl(model: Any, args: Arguments, kwargs: Keywords) -> Any:
    from torchscan import crawl_module

    return crawl_module(model, args=args, kwargs=kwargs)


def count(model: Any, args: Arguments, kwargs: Keywords) -> float:
    """crawl_module(model, args=...)["totals"], its multiply-adds."""
    return float(_crawl(model, args, kwargs)["totals"]["macs"]["known_value"] or 0)


def examine(model: Any, args: Arguments, kwargs: Keywords) -> Answer:
    """Its layers one by one, less those without multiply-adds; it says itself what it had no formula for."""
    report = _crawl(model, args, kwargs)
    words = ("Norm", "Pool", "ReLU", "ELU", "GELU", "SiLU", "Softmax", "Upsample", "Dropout", "Sigmoid", "Tanh")
    others = sum(
        layer["metrics"]["macs"]["known_value"] or 0
        for layer in report["layers"]
        if "macs" in layer["metrics"] and any(word in layer["type"] for word in words)
    )
    left_out = [
        str(entry.get("operator") or entry.get("path") or entry["code"])
        for entry in report["diagnostics"]
        if entry["code"] != "module_metric_warning" or entry["metric"] == "macs"
    ]
    if report["totals"]["macs"]["status"] != "complete":
        left_out.append(f"multiply-adds {report['totals']['macs']['status']}")
    return Answer(float((report["totals"]["macs"]["known_value"] or 0) - others), tuple(dict.fromkeys(left_out)))
