"""Budgets: what an artifact may cost, on this machine and on devices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import edgeopt
from edgeopt.benchmarks.budget import check_budgets, judged
from edgeopt.benchmarks.conditions import Reading
from edgeopt.benchmarks.result import BenchmarkReport, Kind
from edgeopt.core.errors import GateError, MeasurementError, UsageError
from edgeopt.pipeline.parsing import read_budget
from edgeopt.targets.hardware import Budget

QUICK: dict[str, Any] = {"duration": 0.05, "processes": 2, "save": False}


@pytest.fixture
def report(conv_net: Path) -> BenchmarkReport:
    return edgeopt.benchmark(
        [conv_net], max_latency="10s", max_memory="8GB", max_size="1MB", **QUICK
    )


def _with(report: BenchmarkReport, **fields: Any) -> BenchmarkReport:
    (only,) = report.measurements
    return msgspec.structs.replace(
        report, measurements=(msgspec.structs.replace(only, **fields),), budgets=()
    )


def test_what_is_within_passes(report: BenchmarkReport) -> None:
    assert [check.part for check in report.budgets] == ["latency", "memory", "size"]
    assert all(check.passed for check in report.budgets)
    (only,) = report.measurements
    assert [check.found for check in report.budgets] == [
        *(only.latency.p50, (only.peak_memory_bytes.value or 0) / 1e6, only.size_bytes / 1e6),
    ]
    check_budgets(report)


def test_all_that_is_over_is_named(report: BenchmarkReport) -> None:
    tight = judged(report, read_budget("1us", "1MB", "1kB"))
    told = r"latency .* ms is over its budget of 0.001 ms; .*memory .* 1 MB; .*size .* 0.001 MB"
    with pytest.raises(GateError, match=told) as raised:
        check_budgets(tight)
    assert raised.value.exit_code == 1
    assert "--max-latency and --max-memory and --max-size" in (raised.value.hint or "")


@pytest.mark.parametrize("kind", [Kind.EMULATED, Kind.ESTIMATED])
def test_a_latency_that_was_not_measured_is_refused(report: BenchmarkReport, kind: Kind) -> None:
    found = judged(_with(report, kind=kind), Budget(max_latency_ms=1e6))
    assert (found.budgets[0].found, found.budgets[0].passed) == (None, None)
    with pytest.raises(UsageError, match=rf"its latency is {kind.value}.*measured ones only"):
        check_budgets(found)
    # Its size is no device's to say.
    check_budgets(judged(_with(report, kind=kind), Budget(max_size_mb=1)))


def test_a_figure_that_is_missing_is_no_pass(report: BenchmarkReport) -> None:
    gone = _with(report, peak_memory_bytes=Reading[int](absent="nobody looked"))
    with pytest.raises(MeasurementError, match=r"memory can't be held to 5 MB: nobody looked"):
        check_budgets(judged(gone, Budget(max_memory_mb=5)))


def test_an_emulated_board_is_refused_before_any_work(conv_net: Path, tmp_path: Path) -> None:
    project = tmp_path / "edgeopt.toml"
    project.write_text('[budgets.targets.arm64]\nmax-latency = "5ms"\n')
    told = r"are emulated, and a budget \(.*edgeopt\.toml, budgets\.targets\.arm64\) takes measured"
    with pytest.raises(UsageError, match=told):
        edgeopt.benchmark([conv_net], target="arm64@emulated://cortex-a72", config=project)
    with pytest.raises(UsageError, match="emulated://cortex-a72: its latencies are emulated"):
        edgeopt.benchmark(
            [conv_net], target="arm64@emulated://cortex-a72", max_latency="5ms", **QUICK
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_latency": "soon"}, "--max-latency: 'soon' isn't a latency"),
        ({"max_latency": "0ms"}, "--max-latency: '0ms' isn't a latency"),
        ({"max_memory": "-1"}, "--max-memory: '-1' isn't a size"),
        ({"max_size": "2 apples"}, "--max-size"),
    ],
)
def test_what_is_no_budget(conv_net: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        edgeopt.benchmark([conv_net], **options)


def test_the_exit_code_says_it_and_the_report_is_shown(conv_net: Path) -> None:
    command = [sys.executable, "-m", "edgeopt", "benchmark", str(conv_net), "--no-save"]
    options = ["--duration", "0.05", "--processes", "2", "--max-size", "1kB", "--json"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "is over its budget of 0.001 MB: make it smaller, or widen --max-size" in ran.stderr
    (check,) = json.loads(ran.stdout)["budgets"]
    assert (check["part"], check["passed"]) == ("size", False)


def test_every_time_that_was_not_measured_has_a_mark(report: BenchmarkReport) -> None:
    from edgeopt.benchmarks.result import Ratio
    from edgeopt.cli.views.benchmark import draw_report

    (only,) = report.measurements
    emulated = msgspec.structs.replace(only, kind=Kind.EMULATED)
    both = msgspec.structs.replace(
        report, measurements=(emulated, emulated), ratios=(None, Ratio(1.5, 1.4, 1.6, 0.95, 2)),
        budgets=(),
    )  # fmt: skip
    drawn = draw_report(both, saved=False)
    assert drawn.startswith("Emulated on ")
    assert "~1.50x [1.40, 1.60]" in drawn
    assert drawn.count("~") == 2 * (6 + 1) + 1 - 2 * (only.latency.p99 is None)
    assert "~" not in draw_report(report, saved=False)


def test_the_project_s_budgets_are_told_with_their_place(conv_net: Path, tmp_path: Path) -> None:
    path = tmp_path / "edgeopt.toml"
    path.write_text(
        '[budgets]\nmax-latency = "10s"\nmax-memory = "+10%"\n'
        '[budgets.targets.host]\nmax-size = "1kB"\n'
    )
    found = edgeopt.benchmark([conv_net], config=path, max_latency="9s", **QUICK)
    place = f"{path}, budgets"
    assert [(c.part, c.source, c.passed) for c in found.budgets] == [
        ("latency", "option", True),
        ("size", f"{place}.targets.host", False),
    ]
    assert f"max-memory = +10% ({place}) is relative to a baseline" in found.notes[-1]
    told = rf"budget of 0.001 MB \({place}.targets.host\): make it smaller, or widen what {place}"
    with pytest.raises(GateError, match=told):
        check_budgets(found)
    # From Python no file is read unasked.
    assert edgeopt.benchmark([conv_net], **QUICK).budgets == ()
