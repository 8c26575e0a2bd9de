"""Rules: manuals run and quote the paper rightly, plain networks raise no alarm, and the paper's verdicts stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import getsourcefile
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mac_profiler
from mac_profiler import published
from mac_profiler.audit import RULES
from mac_profiler.finding import SEVERITIES
from mac_profiler.profile import Profile
from mac_profiler.rebuilding import rebuild
from tests.auditing import above_notes, counted_sketch, findings_in, findings_of, found_in
from tests.building import Net
from tests.machines import counted, of_zoo

CODES = sorted(RULES)
HEADINGS = ["What it does", "Why is this bad?", "Example", "Use instead", "References"]
REMEDIES = (
    "shufflenet_v1_g3_x1_0", "mobilenet_v2_x1_0", "nasnet_mobile", "torchvision:resnet50", "torchvision:googlenet",
    "shufflenet_v2_x1_0", "resnext50_32x4d", "torchvision:efficientnet_b0",
)  # fmt: skip


def section(code: str, heading: str) -> str:
    """What stands under a heading of a manual."""
    return RULES[code].manual.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def built(code: str, heading: str) -> Profile:
    """The profile of the model that a manual's code makes."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "Tensor": Tensor}
    program = section(code, heading).partition("```python\n")[2].partition("```")[0]
    exec(program, names)  # noqa: S102 - the manual is this project's own
    return mac_profiler.analyze(names["model"], names["inputs"])


# ------------------------------------------------------------------------------------------------------------- manuals


@pytest.mark.parametrize("code", CODES)
def test_a_manual_has_its_headings_and_is_where_its_name_says(code: str) -> None:
    rule = RULES[code]
    assert re.findall(r"^## (.*)$", rule.manual, re.MULTILINE) == HEADINGS
    assert rule.manual.startswith(f"{code} {rule.name}: ")
    assert rule.summary
    assert Path(getsourcefile(rule.check) or "").stem == f"{code}_{rule.name}".lower().replace("-", "_")
    assert "arXiv 1807.11164v1" in section(code, "References")
    assert rule.remedy.endswith(("the function stays", "this changes the network", "the function stays)"))
    assert rule.safe == ("the function stays" in rule.remedy)


@pytest.mark.parametrize("code", CODES)
def test_the_example_is_found_and_what_to_use_instead_is_not(code: str) -> None:
    assert findings_of(built(code, "Example"), code) != []
    assert findings_of(built(code, "Use instead"), code) == []


GPU1, ARM1 = "gpu_batches_per_second_x1", "arm_images_per_second_x1"
GPU3, ARM3 = "gpu_batches_per_second_c128", "arm_images_per_second_c64"
EIGHT_GROUPS = "v2_table2", "8 groups", "1 groups"
PARALLEL = "v2_table3", "4-fragment-parallel", "1-fragment"
ONE_TO_SIX, ONE_TO_TWELVE = ("v2_table1", "1:6", "1:1"), ("v2_table1", "1:12", "1:1")
PLAIN, BARE = "with ReLU, with shortcut", "without ReLU, without shortcut"
OF_TABLE_4 = "v2_table4", BARE, PLAIN, "gpu_batches_per_second_c32"


def printed(name: str, row: str, quantity: str) -> float:
    (found,) = [each for each in published.table(name).rows if each.label == row]
    return found.figures[quantity].value


def beside(name: str, row: str, other: str, quantity: str) -> str:
    """Share of one row's figure in another's, in whole per cent; halves go up."""
    return f"{int(100 * printed(name, row, quantity) / printed(name, other, quantity) + 0.5)} %"


def rates(name: str, row: str, other: str, quantity: str) -> str:
    return f"({printed(name, row, quantity):.0f} instead of {printed(name, other, quantity):.0f} batches a second"


def gains_of_no_shortcut() -> tuple[int, int]:
    """Least and most, in per cent, by which a bottleneck of Table 4 is faster on a GPU."""
    ratios = [
        printed("v2_table4", f"{relu} ReLU, without shortcut", f"gpu_batches_per_second_c{width}")
        / printed("v2_table4", f"{relu} ReLU, with shortcut", f"gpu_batches_per_second_c{width}")
        for relu in ("with", "without")
        for width in (32, 64, 128)
    ]
    return round(100 * (min(ratios) - 1)), round(100 * (max(ratios) - 1))


def parts_of_time() -> int:
    """One in so many parts of a bottleneck's time is that of ReLU and addition."""
    with_both, with_none = (printed("v2_table4", row, "gpu_batches_per_second_c32") for row in (PLAIN, BARE))
    return round(1 / (1 - with_both / with_none))


def elementwise(row: str) -> str:
    return f"{printed('v2_figure2', row, 'elementwise_percent'):.0f} %"


# What manuals say with a figure in it, the figures worked out here: code, words.
QUOTED = (
    ("G101", f"1 : 6 run at {beside(*ONE_TO_SIX, GPU1)} of the speed of equal ones on a GPU"),
    ("G101", rates(*ONE_TO_SIX, GPU1)),
    ("G101", f"of 1 : 12 at {beside(*ONE_TO_TWELVE, GPU1)}"),
    ("G101", f"The limit, {int(100 * (1 + 3) / (2 * sqrt(3))) / 100}, is that of widths 1 : 3"),
    ("G103", f"1x1 convolutions of widths 4 : 1 have {(1 + 4) / (2 * sqrt(4)):.2f} times the access of equal ones"),
    ("G104", f"an expansion of 6 its 1x1 convolutions have {(1 + 6) / (2 * sqrt(6)):.2f} times the access"),
    ("G201", f"8 groups run at {beside(*EIGHT_GROUPS, GPU1)} of the speed of one on a GPU"),
    ("G201", rates(*EIGHT_GROUPS, GPU1)),
    ("G201", f"and at {beside(*EIGHT_GROUPS, ARM1)} on an ARM core"),
    ("G202", f"8 groups run at {beside(*EIGHT_GROUPS, GPU1)} of the speed of one on a GPU"),
    ("G202", f"and at {beside(*EIGHT_GROUPS, ARM1)} on an ARM core"),
    ("G301", f"4 fragments in parallel runs at {beside(*PARALLEL, GPU3)} of the speed of one of 1 fragment on a GPU"),
    ("G301", rates(*PARALLEL, GPU3)),
    ("G301", f"and at {beside(*PARALLEL, ARM3)} on an ARM core"),
    ("G402", f"take a {'seventh' if parts_of_time() == 7 else parts_of_time()} of a bottleneck's time on a GPU"),
    ("G402", rates(*OF_TABLE_4)),
    ("G403", f"they take {elementwise('ShuffleNet v1 1x g=3, GPU')} of ShuffleNet V1's"),
    ("G403", f"{elementwise('MobileNet v2 1x, GPU')} of MobileNet V2's time on a GPU"),
    ("G404", "a bottleneck without its shortcut is {} to {} % faster on a GPU".format(*gains_of_no_shortcut())),
)


@pytest.mark.parametrize("code", CODES)
def test_every_figure_of_the_paper_is_as_printed(code: str) -> None:
    said = " ".join(section(code, "Why is this bad?").split())
    for phrase in [words for quoting, words in QUOTED if quoting == code]:
        assert phrase in said
        said = said.replace(phrase, "")
    # No other share, rate or ratio is said than those that are worked out above.
    assert re.findall(r"\d+ %|(?<!G)\d{3,}|\d+\.\d+", said) == []


# ------------------------------------------------------------------------------------------------------------ remedies


@pytest.mark.parametrize("code", CODES)
def test_the_remedy_of_the_example_runs(code: str) -> None:
    for each in found_in(built(code, "Example"), code):
        proof = each.prove()
        # Writing several operators as one is left to the reader: nothing can be drafted for it.
        assert (proof is None) == (code == "G302")
        if proof is None:
            continue
        results = []
        for sketch in (proof.found, proof.remedy):
            module, inputs = rebuild(sketch.to_text())
            with torch.no_grad():
                results.append(module(*inputs))
        assert all(bool(result.isfinite().all()) for result in results)
        if code == "G406":
            module, inputs = rebuild(proof.found.to_text())
            other, _ = rebuild(proof.remedy.to_text())
            assert torch.equal(other(*inputs).reshape(module(*inputs).shape), module(*inputs))


@pytest.mark.parametrize("model", REMEDIES)
def test_a_remedy_has_no_fewer_multiply_adds_and_not_many_more(model: str) -> None:
    proofs = [(each.finding, proof) for each in found_in(of_zoo(model)) if (proof := each.prove()) is not None]
    assert proofs
    for finding, proof in proofs:
        now, then = (counted_sketch(sketch).total.mult_adds for sketch in (proof.found, proof.remedy))
        if finding.safe:
            assert now == then, finding.message
        else:
            assert now <= then < 1.6 * max(now, 1) + 1, finding.message


def joined(behind: Callable[[Tensor], Tensor], parts: int = 2) -> Profile:
    """Equal parts, concatenated, and something behind it."""

    def run(net: Any, x: Tensor) -> Tensor:
        return net.last(behind(torch.cat([torch.relu(x * number) for number in range(parts)], 1)))

    return counted(lambda: Net(run, last=nn.Conv2d(6 * parts, 4, 1)), (2, 6, 4, 4))


SHUFFLES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "copied": (lambda x: x.view(2, 2, 6, 4, 4).transpose(1, 2).contiguous().view(2, 12, 4, 4), 2),
    "reshaped": (lambda x: x.view(2, 3, 6, 4, 4).transpose(1, 2).reshape(2, 18, 4, 4), 3),
    "permuted": (lambda x: x.view(2, 2, 6, 4, 4).permute(0, 2, 1, 3, 4).flatten(1, 2), 2),
    "at once": (lambda x: F.channel_shuffle(x, 2), 2),
}
OTHER_COPIES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "in more groups": (lambda x: F.channel_shuffle(x, 4), 2),
    "in fewer groups": (lambda x: x.view(2, 2, 9, 4, 4).transpose(1, 2).reshape(2, 18, 4, 4), 3),
    "padded": (lambda x: F.pad(x, (1, 1)), 2),
    "rolled": (lambda x: x.view(2, 2, 6, 4, 4).transpose(1, 2).roll(1, 2).reshape(2, 12, 4, 4), 2),
    "maps turned": (lambda x: x.transpose(2, 3).contiguous(), 2),
}


@pytest.mark.parametrize("name", SHUFFLES)
def test_stacking_is_proposed_for_shuffles_and_writes_the_same(name: str) -> None:
    (found,) = found_in(joined(*SHUFFLES[name]), "G406")
    assert found.finding.remedy == RULES["G406"].remedy
    proof = found.prove()
    assert proof is not None
    module, inputs = rebuild(proof.found.to_text())
    other, _ = rebuild(proof.remedy.to_text())
    assert torch.equal(other(*inputs).reshape(module(*inputs).shape), module(*inputs))


@pytest.mark.parametrize("name", OTHER_COPIES)
def test_other_copies_of_copies_are_told_without_stacking(name: str) -> None:
    for found in found_in(joined(*OTHER_COPIES[name]), "G406"):
        assert "stack" not in found.finding.remedy
        assert found.prove() is None


@pytest.mark.parametrize(("depth", "fragmented"), [(2, True), (6, True), (7, False), (20, False)])
def test_long_rows_side_by_side_are_no_fragments_of_a_block(depth: int, fragmented: bool) -> None:
    def run(net: Any, x: Tensor) -> Tensor:
        y = net.first(x)
        return net.last(sum(row(y) for row in net.rows))

    def build() -> nn.Module:
        rows = nn.ModuleList(nn.Sequential(*(nn.Conv2d(8, 8, 1) for _ in range(depth))) for _ in range(3))
        return Net(run, first=nn.Conv2d(3, 8, 1), rows=rows, last=nn.Conv2d(8, 4, 1))

    assert bool(findings_of(counted(build, (1, 3, 8, 8)), "G301")) == fragmented


# ---------------------------------------------------------------------------------------------------- plain networks


@pytest.mark.parametrize(
    "model", ["torchvision:vgg11", "torchvision:vgg11_bn", "vgg16", "torchvision:vgg16_bn", "resnet18"]
)
def test_plain_networks_raise_no_alarm(model: str) -> None:
    assert above_notes(findings_of(of_zoo(model))) == []


def stack(width: int, depth: int, kernel: int, *, norm: bool, relu: bool, pool: int, stride: int = 1) -> nn.Sequential:
    """Equal convolutions, one behind the other; the first one makes the width, and a classifier ends them."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1)]
    for number in range(depth):
        step = stride if number == depth // 2 else 1
        layers.append(nn.Conv2d(width, width, kernel, stride=step, padding=kernel // 2, bias=not norm))
        layers += [nn.BatchNorm2d(width)] * norm + [nn.ReLU()] * relu
        layers += [nn.MaxPool2d(2)] * (pool > 0 and number % pool == 0 and number < 3 * pool)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


@settings(max_examples=60)
@given(
    st.integers(1, 300),
    st.integers(1, 9),
    st.sampled_from((1, 3, 5)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from((1, 2)),
    st.sampled_from((1, 8)),
    st.sampled_from((32, 56, 112)),
)
def test_equal_dense_convolutions_raise_no_alarm(
    width: int, depth: int, kernel: int, norm: bool, relu: bool, pool: int, stride: int, batch: int, size: int
) -> None:
    findings = findings_in(
        lambda: stack(width, depth, kernel, norm=norm, relu=relu, pool=pool, stride=stride), (batch, 3, size, size)
    )
    assert above_notes(findings) == []
    # Not even a note speaks of widths or groups.
    assert [each.code for each in findings if each.code < "G3"] == []


ACTIVATIONS = {"ReLU": (nn.ReLU, F.relu), "GELU": (nn.GELU, F.gelu)}


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("rows", [1, 64, 4096])
@pytest.mark.parametrize(("width", "depth"), [(16, 3), (64, 10), (256, 5), (1024, 4)])
def test_linear_layers_of_equal_width_raise_no_alarm(
    width: int, depth: int, rows: int, activation: str, functional: bool
) -> None:
    module, function = ACTIVATIONS[activation]

    def build() -> nn.Module:
        layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        if functional:
            return Net(lambda net, x: _through(net.layers, function, x), layers=layers)
        return nn.Sequential(*(each for layer in layers for each in (layer, module(), nn.Dropout(0.1))))

    assert above_notes(findings_in(build, (rows, width))) == []


def _through(layers: Any, function: Any, x: Tensor) -> Tensor:
    for layer in layers:
        x = function(layer(x))
    return x


# With no more tokens than features, as in ViT-B/16 and BERT; beyond that weights are few, and expansion costs (G104).
@pytest.mark.parametrize(("width", "tokens"), [(128, 16), (192, 64), (512, 197), (768, 197), (768, 512)])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformer_encoders_raise_no_alarm(width: int, activation: str, tokens: int) -> None:
    def build() -> nn.Module:
        layer = nn.TransformerEncoderLayer(width, width // 64, 4 * width, activation=activation, batch_first=True)
        return nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)

    assert above_notes(findings_in(build, (1, tokens, width))) == []


# --------------------------------------------------------------------------------------- what the paper says of others


@pytest.mark.parametrize(
    ("model", "codes"),
    [
        ("shufflenet_v1_g3_x1_0", {"G202", "G103", "G404"}),
        ("mobilenet_v2_x1_0", {"G104", "G405"}),
        ("nasnet_mobile", {"G301"}),
        ("pnasnet5_mobile", {"G301"}),
    ],
)
def test_what_the_paper_finds_wrong_is_found_wrong(model: str, codes: set[str]) -> None:
    found = findings_of(of_zoo(model))
    assert codes <= {each.code for each in found if SEVERITIES.index(each.severity) >= 1}


@pytest.mark.parametrize("model", ["resnet18", "resnet50", "vgg16", "mobilenet_v2_x1_0", "shufflenet_v2_x1_0"])
def test_regular_structures_are_not_fragmented(model: str) -> None:
    # Section 2, G3: 2 or 3 fragments in a block.
    assert findings_of(of_zoo(model), "G301") == []


@pytest.mark.parametrize("width", ["0_5", "1_0", "1_5", "2_0"])
def test_the_units_of_shufflenet_v2_keep_the_first_three_guidelines(width: str) -> None:
    found = findings_of(of_zoo(f"shufflenet_v2_x{width}"))
    unit = re.compile(r"stage\d\.[1-9]")
    assert [each.code for each in found for place in each.places if each.code < "G4" and unit.match(place.path)] == []
    # All that is left are what runtimes do better: norms, activations and the shuffle.
    assert {each.code for each in found if SEVERITIES.index(each.severity) >= 1} == {"G406"}
    # One in each of the 16 units.
    assert sum(each.count for each in found if each.code == "G406") == 16
    merged = findings_of(of_zoo(f"shufflenet_v2_x{width}_fused"))
    assert [each for each in merged if each.code == "G406"] == []


def test_dense_convolutions_beside_one_with_groups() -> None:
    # Without batch-norm and ReLU nothing but the groups is found, and with one group nothing at all.
    def build(groups: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, 64, 1), nn.Conv2d(64, 64, 3, groups=groups), nn.Conv2d(64, 8, 1))

    assert [each.code for each in findings_of(counted(lambda: build(16), (1, 3, 56, 56)))] == ["G201"]
    assert findings_of(counted(lambda: build(1), (1, 3, 56, 56))) == []
