"""Artifacts beside their baselines; what is slower is much slower, so that noise can't hide it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import edgeopt
from edgeopt.pipeline import baseline

Net = Callable[..., Path]
Suite = Callable[..., pytest.RunResult]
QUICK = "duration=0.05, max_processes=5"
CALL = f'found = edgeopt_benchmark("net.onnx", {QUICK})'
LOOSE = f'edgeopt_benchmark("net.onnx", max_slowdown="900%", {QUICK})'
OPEN = 'edgeopt_benchmark("net.onnx", duration=0.05, max_time=1e-9)'


def test_without_a_baseline_it_only_measures(net: Net, suite: Suite) -> None:
    net("net.onnx")
    ran = suite(f"{CALL}\nassert found.latency.p50 > 0")
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["*= edgeopt =*", "test * artifact * p50 ms *"])
    ran.stdout.fnmatch_lines(["test_it.py::test_latency * net.onnx *"])
    assert not list(Path().glob("*.benchmark.json"))


@pytest.mark.timing
def test_a_regression_fails_the_test_and_says_by_how_much(net: Net, suite: Suite) -> None:
    baseline.save(net("net.onnx"), "main", ".edgeopt/baselines")
    net("net.onnx", 80)
    ran = suite(CALL, "--edgeopt-baseline", "main")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        [
            "regression: net.onnx takes *% more time than @main (from *",
            "*Verdict: REGRESSION.",
            "*= edgeopt =*",
            "test_it.py::test_latency * latency * regression *",
            "FAILED test_it.py::test_latency - Failed: regression: net.onnx takes *",
        ]
    )
    ran.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.timing
def test_what_is_within_the_budget_passes_and_is_returned(net: Net, suite: Suite) -> None:
    baseline.save(net("net.onnx", 80), "main", "store")
    net("net.onnx", 40)
    options = "--edgeopt-store", "store", "--edgeopt-baseline=@main", "--edgeopt-max-slowdown", "3%"
    ran = suite(
        f'{CALL}\nassert found.ratio.high < 1\nassert found.checks[0].budget == "3%"', *options
    )
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["test_it.py::test_latency * latency * pass *"])


@pytest.mark.timing
def test_a_folder_of_artifacts_is_a_baseline_too(
    net: Net, suite: Suite, pytester: pytest.Pytester
) -> None:
    old = pytester.mkdir("old")
    net("net.onnx", 80).rename(old / "net.onnx")
    net("net.onnx", 40)
    suite(CALL, "--edgeopt-baseline", "old").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ([], {"failed": 1}),
        (["--edgeopt-inconclusive", "skip"], {"skipped": 1}),
        (["--edgeopt-inconclusive", "warn"], {"passed": 1, "warnings": 1}),
        (["-o", "edgeopt_inconclusive=skip"], {"skipped": 1}),
        (["-o", "edgeopt_inconclusive=skip", "--edgeopt-inconclusive=fail"], {"failed": 1}),
    ],
)
def test_what_cannot_be_told_is_what_was_asked_never_a_silent_pass(
    net: Net, suite: Suite, options: list[str], outcome: dict[str, int]
) -> None:
    net("net.onnx").rename("old.onnx")
    net("net.onnx")
    ran = suite(OPEN, "--edgeopt-baseline", "old.onnx", "-ra", *options)
    ran.assert_outcomes(**outcome)
    ran.stdout.fnmatch_lines(["*inconclusive: time was up before there were two processes*"])


def test_a_missing_baseline_fails_and_says_how_to_make_one(net: Net, suite: Suite) -> None:
    net("net.onnx")
    ran = suite(CALL, "--edgeopt-baseline", "main")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["edgeopt: no baseline 'main' in *baseline save*"])


def test_saving_waits_until_the_test_has_passed(net: Net, suite: Suite) -> None:
    net("net.onnx")
    options = "--edgeopt-baseline", "main-{name}", "--edgeopt-save-baseline"
    suite(f"{CALL}\nassert False", *options).assert_outcomes(failed=1)
    assert baseline.list(".edgeopt/baselines") == ()
    ran = suite(CALL, *options)
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["*no baseline main-net.onnx yet*"])
    assert [each.name for each in baseline.list(".edgeopt/baselines")] == ["main-net.onnx"]


@pytest.mark.timing
def test_a_regression_does_not_become_the_baseline(net: Net, suite: Suite) -> None:
    saved = baseline.save(net("net.onnx"), "main", ".edgeopt/baselines").baseline.sha256
    net("net.onnx", 80)
    options = "--edgeopt-baseline", "main", "--edgeopt-save-baseline"
    suite(CALL, *options).assert_outcomes(failed=1)
    assert baseline.show("main", ".edgeopt/baselines").sha256 == saved
    suite(LOOSE, *options).assert_outcomes(passed=1)
    assert baseline.show("main", ".edgeopt/baselines").sha256 != saved


def test_two_artifacts_do_not_share_a_name(net: Net, suite: Suite) -> None:
    net("net.onnx")
    net("other.onnx")
    both = f'{CALL}\nedgeopt_benchmark("other.onnx", {QUICK})'
    ran = suite(both, "--edgeopt-baseline", "main", "--edgeopt-save-baseline")
    ran.assert_outcomes(passed=1, errors=1)
    ran.stdout.fnmatch_lines(["edgeopt: *was saved as 'main' in this run*{name}*"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('edgeopt_benchmark("gone.onnx")', "edgeopt: gone.onnx: no such file*"),
        ('edgeopt_benchmark("gone.onnx", baseline="Main")', "edgeopt: 'Main' is no name*"),
        ('edgeopt_benchmark("net.onnx", max_slowdown="fast")', "edgeopt: *'fast': write it as in*"),
        ('edgeopt_benchmark("net.onnx", max_slowness=3)', "*takes no max_slowness; it takes *"),
    ],
)
def test_what_is_wrong_is_one_line(net: Net, suite: Suite, body: str, told: str) -> None:
    net("net.onnx")
    ran = suite(body)
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([told])
    ran.stdout.no_fnmatch_line("*another exception*")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--edgeopt-save-baseline"], "*--edgeopt-save-baseline needs a name*"),
        (["-o", "edgeopt_inconclusive=maybe"], "*edgeopt_inconclusive is 'maybe': use fail, *"),
    ],
)
def test_options_that_cannot_be_are_told_before_any_test(
    net: Net, suite: Suite, options: list[str], told: str
) -> None:
    ran = suite("pass", *options)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([told])


def test_the_marker_leaves_them_out(suite: Suite) -> None:
    suite("pass", "-m", "not edgeopt").assert_outcomes(deselected=1)


def test_what_workers_measured_is_shown_as_well(net: Net, suite: Suite) -> None:
    net("net.onnx")
    ran = suite(CALL, "-n", "1")
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["test_it.py::test_latency * net.onnx *"])


def test_a_run_that_does_not_use_it_imports_nothing_for_it(pytester: pytest.Pytester) -> None:
    """The other plugins load what they like: what counts is what is there besides without it."""
    pytester.makeconftest(
        """
        import json, sys
        def pytest_unconfigure():
            known = (name for name in sys.modules if "." not in name or "edgeopt" in name)
            print(json.dumps(list(known)))
        """
    )
    pytester.makepyfile("def test_nothing(): pass")
    ours, without = _loaded(pytester), _loaded(pytester, "-p", "no:edgeopt")
    assert {name for name in ours if name.startswith("edgeopt")} == {
        "edgeopt",
        "edgeopt.core",
        "edgeopt.core.version",
        "edgeopt.integrations",
        "edgeopt.integrations.pytest",
        "edgeopt.integrations.pytest.plugin",
    }
    assert "edgeopt" not in without
    assert not (ours - without) & {"numpy", "onnx", "onnxruntime", "msgspec", "click", "yaml"}


def _loaded(pytester: pytest.Pytester, *options: str) -> set[str]:
    ran = pytester.runpytest_subprocess("-s", *options)
    ran.assert_outcomes(passed=1)
    (names,) = (line for line in ran.outlines if line.startswith("["))
    return set(json.loads(names))


def test_the_version_that_is_tested_is_this_one() -> None:
    from importlib.metadata import entry_points

    (ours,) = [each for each in entry_points(group="pytest11") if each.name == "edgeopt"]
    assert ours.value == "edgeopt.integrations.pytest.plugin"
    assert sys.modules[ours.value].__name__.startswith(edgeopt.__name__)
