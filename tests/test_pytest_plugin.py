"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

import mac_profiler
from mac_profiler import pytest_plugin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
# 8 x 4 multiply-adds, 36 parameters, one operator.
HEAD = """
import pytest
import torch

net = torch.nn.Linear(8, 4)
x = torch.zeros(1, 8)
"""


@pytest.fixture(scope="module", autouse=True)
def _traced_before() -> None:
    # A run within this process forgets what it imported, and parts of torch cannot be imported twice.
    mac_profiler.analyze(torch.nn.Linear(8, 4), torch.zeros(1, 8))


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    # Where macprof is installed with its entry point, the plugin would come a second time.
    pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(HEAD + test)
    return pytester.runpytest_inprocess("-p", "mac_profiler.pytest_plugin", "--strict-markers", "-rA", *options)


def test_a_model_within_its_budget_passes_and_gives_its_profile(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        """
@pytest.mark.macprof_budget(mult_adds=32, parameters="0.036k")
def test_net(macprof_budget):
    profile = macprof_budget(net, x)
    assert profile.total.mult_adds == 32
""",
    )
    found.assert_outcomes(passed=1)


def test_every_exceeded_figure_is_in_one_message(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        """
@pytest.mark.macprof_budget(mult_adds=20, parameters="30", op_count=0, flops="1M")
def test_net(macprof_budget):
    macprof_budget(net, x)
""",
    )
    found.assert_outcomes(failed=1)
    shown = found.stdout.str()
    assert (
        "Linear is over its budget:\n"
        "  mult_adds   32 found, 20 allowed: 60.0% over\n"
        "  parameters  36 found, 30 allowed: 20.0% over\n"
        "  op_count    1 found, 0 allowed\n"
    ) in shown
    assert "pytest_plugin.py" not in shown


def test_a_keyword_goes_before_the_marker_and_a_nearer_marker_before_a_farther(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        """
@pytest.mark.macprof_budget(mult_adds=1, parameters=1)
class TestNet:
    @pytest.mark.macprof_budget(mult_adds=32)
    def test_marked(self, macprof_budget):
        macprof_budget(net, x, parameters=36)

    def test_kept(self, macprof_budget):
        macprof_budget(net, x, mult_adds=32)
""",
    )
    found.assert_outcomes(passed=1, failed=1)
    assert "  parameters  36 found, 1 allowed: 3500.0% over\n" in found.stdout.str()
    found.stdout.fnmatch_lines(["PASSED *::test_marked", "FAILED *::test_kept*"])


def test_limits_may_stand_in_the_call_alone_and_a_model_may_be_a_name(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        """
def test_net(macprof_budget):
    macprof_budget("shufflenet_v2", mult_adds="1G")
""",
    )
    found.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('mult_add="1M"', "no figure named 'mult_add'. Did you mean 'mult_adds'?*"),
        ('mult_adds="many"', "*'many' is no amount*"),
        ('"mult_adds=1M"', "the marker macprof_budget takes figures by name: *remove 'mult_adds=1M'"),
    ],
)
def test_a_slip_in_the_marker_is_one_message(pytester: pytest.Pytester, marker: str, message: str) -> None:
    found = run(
        pytester,
        f"""
@pytest.mark.macprof_budget({marker})
def test_net(macprof_budget):
    macprof_budget(net, x)
""",
    )
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines([message])
    assert "Traceback" not in found.stdout.str()
    assert "pytest_plugin.py" not in found.stdout.str()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("", 'no limit is given: write @pytest.mark.macprof_budget(mult_adds="150M") or *'),
        (", acesses=1", "no figure named 'acesses'. Did you mean 'accesses'*"),
    ],
)
def test_a_slip_in_the_call_is_one_message(pytester: pytest.Pytester, limits: str, message: str) -> None:
    found = run(
        pytester,
        f"""
def test_net(macprof_budget):
    macprof_budget(net, x{limits})
""",
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines([message])
    assert "pytest_plugin.py" not in found.stdout.str()


UNKNOWN = """
@torch.library.custom_op("budget_test::unknown", mutates_args=())
def unknown(x: torch.Tensor) -> torch.Tensor:
    return x.clone()

@unknown.register_fake
def _(x):
    return torch.empty_like(x)
"""


def test_what_could_not_be_counted_is_told(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        UNKNOWN
        + """
def act(x):
    return unknown(net(x))

def test_kept(macprof_budget):
    macprof_budget(act, x, mult_adds=32, op_count=2)

def test_exceeded(macprof_budget):
    macprof_budget(act, x, mult_adds=16)
""",
        # This run's own filters make errors of warnings.
        "-Wdefault",
    )
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(
        ["*PytestWarning: act has operators that could not be counted: *mult_adds is not certain*"]
    )
    found.stdout.fnmatch_lines(["  mult_adds  32 found, 16 allowed: 100.0% over (not all operators could be counted)"])


def test_a_marker_without_the_fixture_fails_its_test_alone(pytester: pytest.Pytester) -> None:
    found = run(
        pytester,
        """
@pytest.mark.macprof_budget(mult_adds=1)
def test_net():
    pass

def test_another():
    pass
""",
    )
    found.assert_outcomes(passed=1, errors=1)
    found.stdout.fnmatch_lines(["the marker macprof_budget checks nothing by itself: *"])


def test_the_marker_is_listed(pytester: pytest.Pytester) -> None:
    pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    found = pytester.runpytest_inprocess("-p", "mac_profiler.pytest_plugin", "--markers")
    found.stdout.fnmatch_lines(["@pytest.mark.macprof_budget(mult_adds=*"])


def test_loading_the_plugin_loads_nothing_else() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules); import mac_profiler.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["mac_profiler", "mac_profiler.pytest_plugin"]


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"macprof": pytest_plugin.__name__}


def test_a_run_of_its_own_passes_and_fails(pytester: pytest.Pytester) -> None:
    # As a user starts it: torch is imported within the run.
    pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        HEAD
        + """
@pytest.mark.parametrize("limit", [32, 31])
def test_net(macprof_budget, limit):
    macprof_budget(net, x, mult_adds=limit)
"""
    )
    found = pytester.runpytest_subprocess("-p", "mac_profiler.pytest_plugin")
    found.assert_outcomes(passed=1, failed=1)
