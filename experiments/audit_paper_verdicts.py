"""Does an audit say of networks what ShuffleNet V2 says of them in its text, and what does it say of all others?

Question: the paper judges ShuffleNet V1, MobileNet V2 and the networks found by search by its four guidelines, in
words. Do the same verdicts fall out of the graph of operators alone, with limits that know no network? And what falls
out for the other networks of the zoo?
Expectation: all verdicts of the paper, and nothing against G1 to G3 in a stride-1 unit of ShuffleNet V2 at any width;
its separate concatenation, shuffle and split are found, and not found any more where they are merged. Blocks of ResNet
have 2 (basic) and 3 (bottleneck) fragments. Plain networks get notes alone. The verdicts on other networks stand in
`experiments/verdicts/expected.py`, each with its reason.
Source: Ma et al., ShuffleNet V2, arXiv 1807.11164v1, sections 2 and 3.

    python -m experiments.audit_paper_verdicts [--smoke] [--output DIR]

Nothing is measured: shares are of the time on the nominal platform, the paper's GPU by its data sheet, so that the
report is the same on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from experiments.reporting.environment import describe
from experiments.reporting.files import write_report
from experiments.reporting.options import read_options
from experiments.verdicts.expected import JUDGED, Judged
from experiments.verdicts.figure import draw
from experiments.verdicts.table import write
from mac_profiler import api, models
from mac_profiler.audit_settings import AuditSettings
from mac_profiler.audited import Audited

SETTINGS = AuditSettings(platform="nominal")
WIDTHS = ("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0")
RESIDUAL = ("resnet18", "resnet50")


def main() -> None:
    """Audit every network and write the report."""
    options = read_options("audit_paper_verdicts", __doc__)
    judged = [each for each in JUDGED if each.by_paper][:2] if options.smoke else JUDGED
    names = [] if options.smoke else [entry.name for entry in models.entries()]
    results = {
        "environment": describe(("torchvision", "timm", "rustworkx")),
        "rules": {rule.code: rule.name for rule in api.all_rules()},
        "judged": [judge(each) for each in judged],
        "stride_1_units": [] if options.smoke else [units_of(name) for name in WIDTHS],
        "fragments": [] if options.smoke else [fragments_of(name) for name in RESIDUAL],
        "zoo": [row_of(name, api.audit_named(name, SETTINGS)) for name in names],
    }
    write_report(options.output, results, write(results), draw(results))
    print(options.output / "table.md")


def judge(each: Judged) -> dict[str, Any]:
    """One network beside what is expected of it."""
    row = row_of(each.model, api.audit_named(each.model, SETTINGS))
    loud = {code for code, found in row["findings"].items() if found["severity"] != "info"}
    missing = sorted(set(each.broken) - loud)
    besides = sorted(loud - set(each.broken) - set(each.allowed))
    return {
        **row,
        "title": each.title,
        "by_paper": each.by_paper,
        "because": each.because,
        "expected": list(each.broken),
        "allowed": list(each.allowed),
        "missing": missing,
        "besides": besides,
    }


def row_of(name: str, audited: Audited) -> dict[str, Any]:
    """A network's score, and what each rule finds in it."""
    total = audited.prediction.total.total
    by_code: dict[str, list[Any]] = defaultdict(list)
    for finding in audited.findings:
        by_code[finding.code].append(finding)
    return {
        "model": name,
        "score": audited.score.score,
        "points": dict(audited.score.points),
        "mult_adds": audited.prediction.profile.total.mult_adds,
        "findings": {
            code: {
                # Findings come with the gravest first.
                "severity": found[0].severity,
                "places": sum(each.count for each in found),
                "lost_share": sum(each.seconds for each in found) / total,
                "worst": found[0].message,
                "path": found[0].path,
            }
            for code, found in sorted(by_code.items())
        },
    }


def units_of(name: str) -> dict[str, Any]:
    """What is found against G1 to G3 in the stride-1 units of a ShuffleNet V2: all but the first of each stage."""
    audited = api.audit_named(name, SETTINGS)
    modules = audited.prediction.profile.graph.modules
    units = {path for path in modules if path.startswith("stage") and path.count(".") == 1}
    plain = {path for path in units if not path.endswith(".0")}
    found = [
        f"{finding.code} {place.path}"
        for finding in audited.findings
        for place in finding.places
        if finding.guideline in ("G1", "G2", "G3") and ".".join(place.path.split(".")[:2]) in plain
    ]
    return {"model": name, "units": len(plain), "found": found}


def fragments_of(name: str) -> dict[str, Any]:
    """Fragments of a network's blocks; those with a convolution in the shortcut have one more, and are told apart."""
    blocks = api.audit_named(name, SETTINGS).blocks
    plain = sorted({len(block.fragments) for block in blocks if () in block.branches})
    fitted = sorted({len(block.fragments) for block in blocks if () not in block.branches})
    return {"model": name, "plain": plain, "fitted": fitted}


if __name__ == "__main__":
    main()
