"""table.md of library_counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.libraries.agreement import Line, as_printed, as_torch, by_regions, parameters_as_printed, tested
from experiments.reporting.files import environment_table, markdown_table

_REGIONS = "two stages: the multiply-adds of the second follow the number of regions, which trained weights decide"
_FROZEN = "with weights torchvision freezes its batch-norm, whose {:,} numbers are no parameters then"


def write(results: Mapping[str, Any]) -> str:
    """The whole file."""
    return "\n\n".join(
        [
            "# The networks of two libraries, counted twice",
            _summary(results),
            "![share of our count by theirs](figure.svg)",
            "## torchvision, by kind",
            _kinds(results["torchvision"]),
            "## Not as printed",
            _different(results["torchvision"]),
            "## timm: the first network of every file",
            _timm(results["timm"]),
            "## Protocol",
            _PROTOCOL,
            environment_table(results["environment"]),
        ]
    )


_PROTOCOL = """\
- torchvision: built without weights; the input is the crop that they were evaluated at, else what
  `macprof analyze --model` takes by itself. Agreed is what rounds to the printed digits.
- timm: the network's own input. Agreed is what is equal to the last multiply-add."""


def _summary(results: Mapping[str, Any]) -> str:
    ours = results["torchvision"]
    counted = [line for line in results["timm"] if tested(line)]
    return (
        f"Of {len(ours)} sets of torchvision's weights {sum(map(as_printed, ours))} have the printed multiply-adds; of "
        f"the others {sum(by_regions(line) for line in ours if not as_printed(line))} are detectors of two stages. "
        f"{sum(map(parameters_as_printed, ours))} have the printed parameters. "
        f"Of {len(results['timm'])} networks of timm, one a file, FlopCounterMode counts {len(counted)}, "
        f"and macprof has the same count of {sum(map(as_torch, counted))}."
    )


def _kinds(lines: Sequence[Line]) -> str:
    rows = []
    for kind in dict.fromkeys(line["kind"] for line in lines):
        own = [line for line in lines if line["kind"] == kind]
        rows.append([kind, len(own), sum(map(as_printed, own)), sum(map(parameters_as_printed, own))])
    return markdown_table(["kind", "sets of weights", "multiply-adds as printed", "parameters as printed"], rows)


def _different(lines: Sequence[Line]) -> str:
    rows = [
        [
            f"{line['model']} {line['weights']}",
            line["printed"],
            line.get("error") or f"{line['mult_adds'] / 1e9:.3f}",
            "; ".join(_reasons(line)),
        ]
        for line in lines
        if not (as_printed(line) and parameters_as_printed(line))
    ]
    return markdown_table(["weights", "printed, 10⁹", "ours, 10⁹", "reason"], rows)


def _reasons(line: Line) -> Iterator[str]:
    if not as_printed(line) and by_regions(line):
        yield _REGIONS
    if line["kind"] == "detection" and not parameters_as_printed(line):
        yield _FROZEN.format(line["parameters"] - line["printed_parameters"])


def _timm(lines: Sequence[Line]) -> str:
    rows = [
        [
            line["model"],
            line.get("error") or f"{line['mult_adds']:,}",
            line["torch"] if isinstance(line["torch"], str) else f"{line['torch']:,.0f}",
            "yes" if as_torch(line) else "no",
        ]
        for line in lines
    ]
    return markdown_table(["network", "macprof", "FlopCounterMode", "equal"], rows)
