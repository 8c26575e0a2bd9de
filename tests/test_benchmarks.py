"""Every benchmark, found by itself: its cases can be built and run, and hold fixed what they say they do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import torch
from torch import Tensor

from mac_profiler import benchmarks, published
from mac_profiler.benchmarks import Benchmark
from mac_profiler.errors import UnknownName
from mac_profiler.measurement import Case, Settings
from mac_profiler.registry import modules_of
from tests.listing import ALL, DEVICES, OF_THE_PAPER, build, cases_of, groups_of, mult_adds, profile_of

TOLERANCE = 0.05
on_devices = pytest.mark.parametrize("device", DEVICES)
on_benchmarks = pytest.mark.parametrize("benchmark", ALL, ids=lambda benchmark: benchmark.NAME)
on_the_papers = pytest.mark.parametrize("benchmark", OF_THE_PAPER, ids=lambda benchmark: benchmark.NAME)


def tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    else:
        yield from (tensor for each in value for tensor in tensors(each))


def test_every_file_of_the_room_is_a_benchmark() -> None:
    assert benchmarks.names() == [
        *("g1", "g2", "g3", "g4"),
        *("batch_size", "concat_or_add", "depthwise", "kernel_size", "merged_shuffle", "resolution"),
    ]
    assert len(modules_of("mac_profiler.benchmarks")) == len(ALL)


@on_benchmarks
def test_a_benchmark_says_what_it_asks(benchmark: Benchmark) -> None:
    assert Path(str(vars(benchmark)["__file__"])).stem.startswith(benchmark.NAME)
    assert benchmark.QUESTION.endswith("?")
    assert "\n" not in benchmark.TITLE + benchmark.QUESTION + benchmark.SOURCE
    assert "ShuffleNet V2" in benchmark.SOURCE
    assert benchmark.__doc__


def test_listing_the_cases_needs_no_torch() -> None:
    script = (
        "import sys; from mac_profiler import benchmarks; from mac_profiler.measurement import Settings\n"
        "for device in ('cpu', 'cuda'):\n"
        "    for one in benchmarks.choose(['all']):\n"
        "        for case in one.cases(Settings(device=device), quick=False): benchmarks.printed(case)\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


@on_devices
@on_benchmarks
def test_keys_are_unique_and_stay(benchmark: Benchmark, device: str) -> None:
    cases = cases_of(benchmark, device)
    keys = [case.key for case in cases]
    assert len(set(keys)) == len(keys)
    assert {case.benchmark for case in cases} == {benchmark.NAME}
    # The cases of a group stand together, or they would not be timed in turns.
    assert sum(1 for _ in groupby(cases, key=lambda case: case.group)) == len({case.group for case in cases})
    other = Settings(device=device, threads=2, dtype="bfloat16", channels_last=True, seed=7, processes=1)
    assert benchmark.cases(other, quick=False) == cases


@on_devices
@on_benchmarks
def test_quick_leaves_out_groups_and_no_row(benchmark: Benchmark, device: str) -> None:
    full, quick = groups_of(cases_of(benchmark, device)), groups_of(cases_of(benchmark, device, quick=True))
    assert quick
    assert len(quick) < len(full)
    assert all(full[group] == cases for group, cases in quick.items())
    rows = {case.name for case in full[next(iter(full))]}
    assert rows <= {case.name for cases in quick.values() for case in cases}


@on_devices
@on_benchmarks
def test_multiply_adds_are_fixed_within_a_group(benchmark: Benchmark, device: str) -> None:
    for cases in groups_of(cases_of(benchmark, device)).values():
        assert len(cases) > 1
        assert all(profile_of(device, case.key).complete for case in cases)
        average = mean(mult_adds(case, device) for case in cases)
        for case in cases:
            assert abs(mult_adds(case, device) / average - 1) <= TOLERANCE, case.key


@on_devices
def test_none_but_two_printed_widths_are_further_from_the_first_row(device: str) -> None:
    apart: dict[str, float] = {}
    for benchmark in ALL:
        for cases in groups_of(cases_of(benchmark, device)).values():
            shares = {case.key: mult_adds(case, device) / mult_adds(cases[0], device) - 1 for case in cases}
            apart |= {key: share for key, share in shares.items() if abs(share) > TOLERANCE}
    # 22:44 and 9:108 for 32:32, and 36:432 for 128:128; its aligned and other rows are what they are compared with.
    rows = {"cpu": {"1:2": -56 / 1024, "1:12": -52 / 1024}, "cuda": {"1:12": -832 / 16384}}[device]
    groups = ("x1", "x2", "x4") if device == "cpu" else ("x1", "x2", "x4", "x1_filled")
    assert apart == {f"g1/{group}/{row}": share for group in groups for row, share in rows.items()}


@on_benchmarks
def test_a_call_on_a_cpu_is_short(benchmark: Benchmark) -> None:
    # 2.1e9 multiply-adds are 85 ms at 50 GFLOP/s; 2e7 elements, at 4 bytes and 5 GB/s, 16 ms.
    for case in cases_of(benchmark, "cpu"):
        total = profile_of("cpu", case.key).total
        assert total.mult_adds <= 2.1e9, case.key
        assert total.accesses <= 7e7, case.key


@on_devices
@on_benchmarks
def test_a_case_runs_on_real_numbers(benchmark: Benchmark, device: str) -> None:
    torch.manual_seed(0)
    # A GPU's cases are a CPU's with other widths: of those, a few.
    for case in cases_of(benchmark, device, quick=device != "cpu"):
        module, (maps,) = build(case)
        assert maps.shape[1:] == (next(v for k, v in case.axes.items() if "channels" in k), *[case.axes["size"]] * 2)
        # Which positions there are makes no difference to the weights; a corner is fast.
        corner = maps[: None if "images" in case.axes else 1, :, :7, :7]
        with torch.no_grad():
            results = list(tensors(module.eval()(corner)))
        for result in results:
            assert result.isfinite().all(), case.key
            # Neither dying away to denormals nor growing beyond what half precision holds.
            assert 1e-2 < result.square().mean().sqrt() < 1e4, case.key
        assert sum(result.shape[0] for result in results) == corner.shape[0]


@on_benchmarks
def test_a_case_runs_in_another_format(benchmark: Benchmark) -> None:
    for case in cases_of(benchmark, "cpu", quick=True):
        module, (maps,) = build(case)
        corner = maps[:, :, :7, :7].to(torch.bfloat16, memory_format=torch.channels_last)
        module.eval().to(torch.bfloat16).to(memory_format=torch.channels_last)
        with torch.no_grad():
            assert all(result.isfinite().all() for result in tensors(module(corner)))


@on_devices
@on_the_papers
def test_every_printed_figure_has_its_case_and_no_other(benchmark: Benchmark, device: str) -> None:
    table = published.table(benchmarks.table_of(benchmark))
    labels = [row.label for row in table.rows]
    speed = benchmarks.SPEEDS[benchmarks.platform(DEVICES[device])]
    wanted = {figure for row in table.rows for name, figure in row.figures.items() if name.startswith(speed)}
    assert wanted
    found = []
    for name, cases in groups_of(cases_of(benchmark, device)).items():
        assert cases[0].name == labels[0], "what the others are compared with is the paper's first row"
        figures = [benchmarks.printed(case) for case in cases]
        if name.endswith(("_aligned", "_filled")):
            assert figures == [None] * len(cases)
            continue
        assert [case.name for case in cases] == labels
        for row, figure in zip(table.rows, figures, strict=True):
            assert figure is not None
            assert figure == row.figures[figure.quantity]
            assert figure.quantity == f"{speed}_{name}"
            found.append(figure)
    assert set(found) == wanted
    assert len(found) == 3 * len(labels)


@on_benchmarks
def test_beyond_the_paper_nothing_was_printed(benchmark: Benchmark) -> None:
    if benchmark not in OF_THE_PAPER:
        assert [benchmarks.printed(case) for case in cases_of(benchmark, "cpu")].count(None) == len(
            cases_of(benchmark, "cpu")
        )


def test_a_figure_is_found_from_what_a_store_kept() -> None:
    # The axes are all that is needed: no function travels with a case.
    case = Case("g1", "x2", "1:6", {"printed_as": "arm_images_per_second_x2"})
    figure = benchmarks.printed(case)
    assert figure is not None
    assert figure.printed == "17.9"


def test_a_benchmark_that_is_not_there_is_told_with_its_neighbours() -> None:
    with pytest.raises(UnknownName, match=r"no benchmark named 'kernelsize'. Did you mean 'kernel_size'\? .*or all"):
        benchmarks.find("kernelsize")
    with pytest.raises(UnknownName):
        benchmarks.choose(["g1", "g5"])


def test_benchmarks_are_chosen_once_and_in_order() -> None:
    assert [one.NAME for one in benchmarks.choose(["g3", "g1", "g3"])] == ["g1", "g3"]
    assert benchmarks.choose(["depthwise", "all"]) == ALL
    assert benchmarks.find("g2").NAME == "g2"
