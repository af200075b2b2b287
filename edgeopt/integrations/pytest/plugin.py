"""The plugin: its options, its fixture, its table at the end."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from edgeopt.integrations.pytest.fixture import EdgeoptBenchmark

FIXTURE = "edgeopt_benchmark"
INCONCLUSIVE = ("fail", "skip", "warn")

_PASSED = pytest.StashKey[bool]()
_ROWS = pytest.StashKey["list[dict[str, str]]"]()
_SAVED = pytest.StashKey["dict[str, str]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which begin with ``--edgeopt``."""
    group = parser.getgroup("edgeopt", "EdgeOpt: artifacts beside their baselines")
    group.addoption(
        "--edgeopt-baseline", metavar="NAME|FILE|DIR",
        help="Compare each artifact with this baseline: a name from `edgeopt baseline save`, in "
        "which {name} is the artifact's own; an artifact; or a folder that has one of the same "
        "name. Without it artifacts are only measured.",
    )  # fmt: skip
    group.addoption(
        "--edgeopt-save-baseline", action="store_true",
        help="Save artifacts under that name: those whose tests pass, and those that have no "
        "baseline yet.",
    )  # fmt: skip
    group.addoption(
        "--edgeopt-store", metavar="DIR|URL",
        help="Where baselines are; .edgeopt/baselines if not given.",
    )  # fmt: skip
    group.addoption(
        "--edgeopt-max-slowdown", metavar="X%",
        help="How much slower an artifact may be, where its test doesn't say; 3%% if not given.",
    )  # fmt: skip
    group.addoption(
        "--edgeopt-max-time", metavar="S", type=float,
        help="Seconds after which a comparison starts no process; 300 if not given.",
    )  # fmt: skip
    told = "What a test is where the machine can't tell: fail, skip or warn"
    group.addoption(
        "--edgeopt-inconclusive", choices=INCONCLUSIVE,
        help=f"{told}; fail if not given, or what the file says.",
    )  # fmt: skip
    parser.addini("edgeopt_inconclusive", f"{told}.", default=INCONCLUSIVE[0])


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and make the marker known."""
    config.addinivalue_line("markers", f"edgeopt: uses {FIXTURE}; -m 'not edgeopt' leaves it out")
    if config.option.edgeopt_save_baseline and config.option.edgeopt_baseline is None:
        raise pytest.UsageError("--edgeopt-save-baseline needs a name: --edgeopt-baseline NAME")
    if _inconclusive(config) not in INCONCLUSIVE:
        raise pytest.UsageError(
            f"edgeopt_inconclusive is {_inconclusive(config)!r}: use {', '.join(INCONCLUSIVE)}"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that time something, so that a run can leave them out."""
    for item in items:
        if FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker("edgeopt")


@pytest.fixture
def edgeopt_benchmark(request: pytest.FixtureRequest) -> Generator[EdgeoptBenchmark]:
    """Measure an artifact, beside its baseline if there is one.

    ``edgeopt_benchmark("out/model.int8.onnx", max_slowdown="3%")``: the budgets are those of
    ``edgeopt.compare``.
    """
    from edgeopt.integrations.pytest.fixture import EdgeoptBenchmark, Settings

    option = request.config.option
    settings = Settings(
        baseline=option.edgeopt_baseline,
        store=option.edgeopt_store,
        max_slowdown=option.edgeopt_max_slowdown,
        max_time=option.edgeopt_max_time,
        inconclusive=_inconclusive(request.config),
        saves=option.edgeopt_save_baseline,
    )
    node = request.node
    saved = request.config.stash.setdefault(_SAVED, {})
    measure = EdgeoptBenchmark(settings, node.nodeid, saved)
    node.stash[_ROWS] = measure.rows
    yield measure
    if node.stash.get(_PASSED, False):
        measure.save()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lay what was measured into the report, which also finds its way out of xdist's workers."""
    report = yield
    if call.when == "call" and _ROWS in item.stash:
        item.stash[_PASSED] = report.passed
        report.edgeopt = item.stash[_ROWS]  # type: ignore[attr-defined]  # reports take more
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    rows = [row for report in reports for row in getattr(report, "edgeopt", ())]
    if rows:
        from edgeopt.integrations.pytest.tables import draw

        terminalreporter.section("edgeopt")
        terminalreporter.write(draw(rows))


def _inconclusive(config: pytest.Config) -> str:
    return str(config.option.edgeopt_inconclusive or config.getini("edgeopt_inconclusive"))
