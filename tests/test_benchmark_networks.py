"""What the networks of the single benchmarks are: their widths, closed forms of their costs, how they are joined."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mac_profiler import benchmarks, published
from mac_profiler.benchmarks import g2_group_count, g3_fragmentation
from mac_profiler.bounds import bound
from mac_profiler.profile import Profile
from tests.listing import DEVICES, OF_THE_PAPER, build, cases_of, groups_of, mult_adds, profile_of

on_devices = pytest.mark.parametrize("device", DEVICES)


@on_devices
def test_channels_are_the_printed_ones(device: str) -> None:
    column = f"{benchmarks.platform(DEVICES[device])}_channels"
    for name, write in (("g1", "{channels_in}:{channels_out}"), ("g2", "{channels}")):
        benchmark = benchmarks.find(name)
        for multiple in (1, 2, 4):
            cases = groups_of(cases_of(benchmark, device))[f"x{multiple}"]
            for row, case in zip(published.table(benchmarks.table_of(benchmark)).rows, cases, strict=True):
                printed = [multiple * int(c) for c in row.figures[column].printed.split(":")]
                built = [int(c) for c in write.format(**case.axes).split(":")]
                assert (built == printed) == ("note" not in case.axes)


def test_the_width_that_eight_groups_do_not_divide() -> None:
    noted = [case for device in DEVICES for case in cases_of(benchmarks.find("g2"), device) if "note" in case.axes]
    assert [(case.key, case.axes["channels"]) for case in noted] == [("g2/x1/8 groups", 184)]
    assert "180" in str(noted[0].axes["note"])
    first = 64 * 64
    (built,) = g2_group_count.INSTEAD.values()
    assert built == min(range(8, 400, 8), key=lambda wide: abs(wide * wide // 8 - first))


@on_devices
def test_multiply_adds_have_their_closed_form(device: str) -> None:
    positions = 56 * 56
    for case in (case for benchmark in OF_THE_PAPER for case in cases_of(benchmark, device)):
        of = {key: int(value) for key, value in case.axes.items() if isinstance(value, int)}
        n = of["batch"] * positions
        match case.benchmark:
            case "g1":
                wanted = 10 * 2 * n * of["channels_in"] * of["channels_out"]
            case "g2":
                wanted = 10 * n * of["channels"] ** 2 // of["groups"]
            case "g3":
                wanted = 10 * n * of["fragments"] * of["channels"] ** 2
            case _:
                inner = of["channels"] // 4
                wanted = 10 * n * (2 * of["channels"] * inner + 9 * inner**2)
        assert mult_adds(case, device) == wanted, case.key


def test_memory_access_has_its_closed_form() -> None:
    for case in cases_of(benchmarks.find("g1"), "cpu") + cases_of(benchmarks.find("g2"), "cpu"):
        c1, c2 = (int(case.axes.get(key, case.axes.get("channels", 0))) for key in ("channels_in", "channels_out"))
        groups = int(case.axes.get("groups", 1))
        profile = profile_of("cpu", case.key)
        convolutions = 20 if case.benchmark == "g1" else 10
        wanted = convolutions * (56 * 56 * (c1 + c2) + c1 * c2 // groups)  # equations 1 and 2
        assert profile.total.accesses == bound(profile.graph).accesses == wanted
        least = bound(profile.graph)
        assert (least.accesses == least.least_accesses) == (c1 == c2)
        assert (least.least_accesses == least.least_ungrouped) == (groups == 1)


@on_devices
def test_aligned_widths_are_whole_vectors(device: str) -> None:
    aligned = [case for b in OF_THE_PAPER for case in cases_of(b, device) if case.group.endswith("_aligned")]
    assert {case.benchmark for case in aligned} == {"g1", "g2", "g3"}
    for case in aligned:
        widths = [int(value) for key, value in case.axes.items() if "channels" in key]
        assert all(wide % (benchmarks.VECTOR * int(case.axes.get("groups", 1))) == 0 for wide in widths), case.key


@pytest.mark.parametrize("channels", [64, 128, 256, 512])
@pytest.mark.parametrize("fragments", [1, 2, 4])
def test_fragments_are_as_wide_as_comes_nearest(channels: int, fragments: int) -> None:
    errors = {wide: abs(fragments * wide**2 - channels**2) for wide in range(1, 2 * channels)}
    assert errors[g3_fragmentation.width(channels, fragments)] == min(errors.values())


def test_what_is_in_series_runs_in_series() -> None:
    cases = {case.name: case for case in groups_of(cases_of(benchmarks.find("g3"), "cpu"))["c64"]}
    depth = {name: longest_chain(profile_of("cpu", case.key)) for name, case in cases.items()}
    assert depth == {
        "1-fragment": 10,
        "2-fragment-series": 20,
        "4-fragment-series": 40,
        "2-fragment-parallel": 10,
        "4-fragment-parallel": 10,
    }


def longest_chain(profile: Profile) -> int:
    """Convolutions that have to run one after another."""
    ops = profile.graph.ops
    before: dict[int, list[int]] = {}
    for i, j in profile.graph.edges():
        before.setdefault(j, []).append(i)
    chain: list[int] = []
    for j, op in enumerate(ops):
        chain.append(max((chain[i] for i in before.get(j, [])), default=0) + op.target.endswith("convolution"))
    return max(chain)


def test_what_a_bottleneck_has_besides_is_what_its_row_says() -> None:
    for case in cases_of(benchmarks.find("g4"), "cpu"):
        found = calls(profile_of("cpu", case.key))
        assert found["aten.convolution"] == 30
        assert found.get("aten.relu_", 0) == 30 * bool(case.axes["relu"])
        assert found.get("aten.add_", 0) == 10 * bool(case.axes["shortcut"])


def test_branches_are_joined_as_their_row_says() -> None:
    for cases in groups_of(cases_of(benchmarks.find("concat_or_add"), "cpu")).values():
        found = {
            case.name: [counts.get(f"aten.{target}", 0) for target in ("convolution", "add_", "cat")]
            for case in cases
            if (counts := calls(profile_of("cpu", case.key)))
        }
        assert found == {"added": [20, 10, 0], "concatenated": [20, 0, 10], "one branch": [10, 0, 0]}


def test_a_convolution_is_as_deep_and_as_large_as_its_row_says() -> None:
    kernels = {
        case.name: weights(profile_of("cpu", case.key))
        for name in ("depthwise", "kernel_size")
        for case in groups_of(cases_of(benchmarks.find(name), "cpu"))["14x14"]
    }
    assert kernels == {
        "full 3x3": {(64, 64, 3, 3)},
        "depthwise 3x3 and pointwise": {(192, 1, 3, 3), (192, 192, 1, 1)},
        "depthwise 3x3 alone": {(4096, 1, 3, 3)},
        "1x1": {(240, 240, 1, 1)},
        "3x3": {(80, 80, 3, 3)},
        "5x5": {(48, 48, 5, 5)},
    }


def test_maps_shrink_as_channels_grow() -> None:
    for case in cases_of(benchmarks.find("resolution"), "cpu"):
        (weight,) = weights(profile_of("cpu", case.key))
        assert weight[0] * int(case.axes["size"]) == 56 * int(case.group.removeprefix("c"))


def weights(profile: Profile) -> set[tuple[int, ...]]:
    """Shapes of the weights of its convolutions."""
    return {op.args["weight"].shape for op in profile.graph.ops if op.target.endswith("convolution")}


def calls(profile: Profile) -> dict[str, int]:
    """How often each kind of operator runs."""
    return {target: row.op_count for target, row in profile.by_target().items()}


def test_one_pass_makes_what_two_make() -> None:
    plain, merged = groups_of(cases_of(benchmarks.find("merged_shuffle"), "cpu"))["14x14"]
    made = []
    for case in (plain, merged):
        torch.manual_seed(0)
        module, inputs = build(case)
        with torch.no_grad():
            made.append(module.eval()(*inputs))
    assert torch.equal(*made)
    fewer = profile_of("cpu", merged.key).total.accesses
    assert fewer < profile_of("cpu", plain.key).total.accesses


def test_batches_have_the_same_images() -> None:
    for cases in groups_of(cases_of(benchmarks.find("batch_size"), "cpu")).values():
        for case in cases:
            module, (maps,) = build(case)
            with torch.no_grad():
                sizes = [result.shape[0] for result in module(maps[:, :, :7, :7])]
            assert sizes == [case.axes["batch"]] * (16 // int(case.axes["batch"]))
        weights = {sum(p.numel() for p in nn.Module.parameters(build(case)[0])) for case in cases}
        assert len(weights) == 1


def test_the_printed_speeds_leave_room_for_one_image_a_batch_alone() -> None:
    # 28 multiprocessors of 128 lanes at 1.58 GHz: what a GTX 1080 Ti can do.
    peak = 28 * 128 * 1.58e9
    for name in ("g1", "g2", "g3", "g4"):
        for case in cases_of(benchmarks.find(name), "cuda"):
            figure = benchmarks.printed(case)
            if figure is not None:
                assert figure.value * mult_adds(case, "cuda") < peak
    fastest = max(
        figure.value * mult_adds(case, "cuda")
        for case in cases_of(benchmarks.find("g1"), "cuda")
        if (figure := benchmarks.printed(case)) is not None
    )
    assert 2 * fastest > peak
